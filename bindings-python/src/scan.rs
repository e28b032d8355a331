//! What a registry folder holds: entries, and files that are none.

use std::path::PathBuf;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use sessionreg::{Entry as CoreEntry, Scan as Core, Skipped as CoreSkipped};

use crate::convert::{path, shown, text};
use crate::error::guard;
use crate::paths::to_path;
use crate::record::Record;
use crate::verdict::Verdict;

/// A registered session, and whether its process is there.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Hash)]
pub(crate) struct Entry {
    /// What its file says.
    #[pyo3(get)]
    record: Record,
    /// Whether its process is there, and how that is known.
    #[pyo3(get)]
    verdict: Verdict,
    path: PathBuf,
}

#[pymethods]
impl Entry {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("record", "verdict", "path");

    #[new]
    fn new(
        record: &Bound<'_, Record>,
        verdict: &Bound<'_, Verdict>,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        guard(path.py(), || {
            let (record, verdict) = (record.get().clone(), verdict.get().clone());
            Ok(Self { record, verdict, path: self::path("path", path)? })
        })
    }

    /// The file that the record was read from.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["record", "verdict", "path"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { record, verdict, path } = slf.get();
        let path = to_path(slf.py(), path)?;
        (slf.get_type(), (record.clone(), verdict.clone(), path)).into_pyobject(slf.py())
    }
}

/// A file that was meant to be a record and is none, or could not be read, or not be removed.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Skipped {
    path: PathBuf,
    /// The kind of objection, as the `code` of an exception.
    #[pyo3(get)]
    code: String,
    /// The objection in words.
    #[pyo3(get)]
    reason: String,
}

#[pymethods]
impl Skipped {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("path", "code", "reason");

    #[new]
    fn new(
        path: &Bound<'_, PyAny>,
        code: &Bound<'_, PyAny>,
        reason: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        guard(path.py(), || {
            let (code, reason) = (text("code", code)?, text("reason", reason)?);
            Ok(Self { path: self::path("path", path)?, code, reason })
        })
    }

    /// The file.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["path", "code", "reason"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { path, code, reason } = slf.get();
        let path = to_path(slf.py(), path)?;
        (slf.get_type(), (path, code, reason)).into_pyobject(slf.py())
    }
}

/// What a registry folder holds.
///
/// Compared by value.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Scan {
    /// The records, ordered by session id, then pid.
    #[pyo3(get)]
    entries: Py<PyList>,
    /// Files that are none, ordered by path.
    ///
    /// A file that is not called as a record, and is no JSON, is somebody else's and not here.
    #[pyo3(get)]
    skipped: Py<PyList>,
}

#[pymethods]
impl Scan {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("entries", "skipped");

    #[new]
    fn new(entries: Py<PyList>, skipped: Py<PyList>) -> Self {
        Self { entries, skipped }
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        Ok(self.entries.bind(py).eq(&other.entries)? && self.skipped.bind(py).eq(&other.skipped)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["entries", "skipped"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { entries, skipped } = slf.get();
        (slf.get_type(), (entries, skipped)).into_pyobject(slf.py())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.entries)?;
        visit.call(&self.skipped)
    }
}

impl Scan {
    pub(crate) fn of_core(py: Python<'_>, scan: Core) -> PyResult<Self> {
        let (entries, skipped) = (entries(py, scan.entries)?, self::skipped(py, scan.skipped)?);
        Ok(Self { entries: entries.unbind(), skipped: skipped.unbind() })
    }
}

pub(crate) fn entries(py: Python<'_>, entries: Vec<CoreEntry>) -> PyResult<Bound<'_, PyList>> {
    let entry = |entry: CoreEntry| {
        let path = entry.path().to_owned();
        let verdict = Verdict::of_core(entry.verdict);
        Bound::new(py, Entry { record: Record::of_core(entry.record), verdict, path })
    };
    PyList::new(py, entries.into_iter().map(entry).collect::<PyResult<Vec<_>>>()?)
}

pub(crate) fn skipped(py: Python<'_>, skipped: Vec<CoreSkipped>) -> PyResult<Bound<'_, PyList>> {
    let of_core = |skipped: CoreSkipped| {
        let CoreSkipped { path, code, reason, .. } = skipped;
        Bound::new(py, Skipped { path, code: code.as_str().to_owned(), reason })
    };
    PyList::new(py, skipped.into_iter().map(of_core).collect::<PyResult<Vec<_>>>()?)
}
