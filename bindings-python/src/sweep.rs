//! What a sweep removed.

use std::path::PathBuf;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use sessionreg::{Reason, Removed as CoreRemoved, Swept as Core};

use crate::convert::{optional, path, shown, u64};
use crate::error::guard;
use crate::paths::to_path;
use crate::record::Record;
use crate::scan::skipped;
use crate::verdict::{reason_member, reason_of};

/// A file that went, or would go.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Hash)]
pub(crate) struct Removed {
    path: PathBuf,
    reason: Option<Reason>,
    /// What it said; None for a temporary file.
    #[pyo3(get)]
    record: Option<Record>,
}

#[pymethods]
impl Removed {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("path", "reason", "record");

    #[new]
    fn new(
        path: &Bound<'_, PyAny>,
        reason: &Bound<'_, PyAny>,
        record: Option<&Bound<'_, Record>>,
    ) -> PyResult<Self> {
        guard(path.py(), || {
            let reason = optional("reason", reason, reason_of)?;
            let record = record.map(|record| record.get().clone());
            Ok(Self { path: self::path("path", path)?, reason, record })
        })
    }

    /// The file.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    /// Why its process is dead; None for a temporary file that was left for five minutes.
    #[getter]
    fn reason(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.reason.map(|reason| reason_member(py, reason)).transpose()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["path", "reason", "record"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { path, reason, record } = slf.get();
        let fields = (to_path(slf.py(), path)?, reason.map(Reason::as_str), record.clone());
        (slf.get_type(), fields).into_pyobject(slf.py())
    }
}

/// What a sweep did.
///
/// Compared by value.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Swept {
    /// The files that went, or would go in a dry run.
    #[pyo3(get)]
    removed: Py<PyList>,
    /// How many sessions of the registry live.
    #[pyo3(get)]
    live: u64,
    /// Files that should have gone and could not, with the reason.
    #[pyo3(get)]
    failed: Py<PyList>,
}

#[pymethods]
impl Swept {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str) = ("removed", "live", "failed");

    #[new]
    fn new(removed: Py<PyList>, live: &Bound<'_, PyAny>, failed: Py<PyList>) -> PyResult<Self> {
        guard(live.py(), || Ok(Self { removed, live: u64("live", live)?, failed }))
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        Ok(self.live == other.live
            && self.removed.bind(py).eq(&other.removed)?
            && self.failed.bind(py).eq(&other.failed)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["removed", "live", "failed"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { removed, live, failed } = slf.get();
        (slf.get_type(), (removed, live, failed)).into_pyobject(slf.py())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.removed)?;
        visit.call(&self.failed)
    }
}

impl Swept {
    pub(crate) fn of_core(py: Python<'_>, swept: Core) -> PyResult<Self> {
        let removed = |removed: CoreRemoved| {
            let CoreRemoved { path, reason, record, .. } = removed;
            Bound::new(py, Removed { path, reason, record: record.map(Record::of_core) })
        };
        let removed = swept.removed.into_iter().map(removed).collect::<PyResult<Vec<_>>>()?;
        let removed = PyList::new(py, removed)?.unbind();
        let failed = skipped(py, swept.failed)?.unbind();
        Ok(Self { removed, live: swept.live as u64, failed })
    }
}
