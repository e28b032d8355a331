//! What a clean-up removed.

use std::path::PathBuf;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use sessionreg::{CleanedUp as Core, Tidied as CoreTidied};

use crate::convert::{path, shown, text};
use crate::error::guard;
use crate::paths::to_path;
use crate::scan::skipped;

/// A file that a clean-up removed, or would remove.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Tidied {
    path: PathBuf,
    /// Why: `stale`, `pane_gone`, `superseded`, or `orphan` of an event log.
    #[pyo3(get)]
    reason: String,
}

#[pymethods]
impl Tidied {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("path", "reason");

    #[new]
    fn new(path: &Bound<'_, PyAny>, reason: &Bound<'_, PyAny>) -> PyResult<Self> {
        guard(path.py(), || {
            let reason = text("reason", reason)?;
            Ok(Self { path: self::path("path", path)?, reason })
        })
    }

    /// The file.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["path", "reason"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { path, reason } = slf.get();
        (slf.get_type(), (to_path(slf.py(), path)?, reason)).into_pyobject(slf.py())
    }
}

/// What a clean-up did, or would do.
///
/// Compared by value.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct CleanedUp {
    /// The files that went, ordered by path.
    #[pyo3(get)]
    removed: Py<PyList>,
    /// Files that could not be read or removed, ordered by path.
    #[pyo3(get)]
    failed: Py<PyList>,
}

#[pymethods]
impl CleanedUp {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("removed", "failed");

    #[new]
    fn new(removed: Py<PyList>, failed: Py<PyList>) -> Self {
        Self { removed, failed }
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        Ok(self.removed.bind(py).eq(&other.removed)? && self.failed.bind(py).eq(&other.failed)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["removed", "failed"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { removed, failed } = slf.get();
        (slf.get_type(), (removed, failed)).into_pyobject(slf.py())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.removed)?;
        visit.call(&self.failed)
    }
}

impl CleanedUp {
    pub(crate) fn of_core(py: Python<'_>, cleaned: Core) -> PyResult<Self> {
        let tidied = |tidied: CoreTidied| {
            let CoreTidied { path, reason, .. } = tidied;
            Bound::new(py, Tidied { path, reason: reason.to_owned() })
        };
        let removed = cleaned.removed.into_iter().map(tidied).collect::<PyResult<Vec<_>>>()?;
        let failed = skipped(py, cleaned.failed)?.unbind();
        Ok(Self { removed: PyList::new(py, removed)?.unbind(), failed })
    }
}
