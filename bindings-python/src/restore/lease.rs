//! The class `Lease`: a caller's share of a live session.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::restore::{EndReason, Lease as Core};

use super::loops::{nothing, ready};
use super::own::Own;
use super::value::to_object;
use crate::error::guard;

/// A caller's share of a live session; restore tables give it.
///
/// The last one to be released ends the session, unless somebody is subscribed. `with` and
/// `async with` release it at their end; garbage collection does not: a lease that is lost counts
/// until the session is ended by its id, its channel dies, or the table is closed.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Lease {
    core: Own<Core>,
}

#[pymethods]
impl Lease {
    /// The session.
    #[getter]
    fn session_id(&self) -> &str {
        self.core.read().session_id()
    }

    /// Whether the session was there already, or was restored for another caller.
    #[getter]
    fn attached(&self) -> bool {
        self.core.read().is_attached()
    }

    /// What the restore gave: the very object, for every caller.
    #[getter]
    fn state(&self, py: Python<'_>) -> Py<PyAny> {
        to_object(py, self.core.read().state())
    }

    /// Why the session is not live any more; None while it is.
    ///
    /// `released`, `ended`, `channel_closed` or `daemon_shutdown`.
    #[getter]
    fn ended(&self) -> Option<&'static str> {
        self.core.read().ended().map(EndReason::as_str)
    }

    /// Give the share back; tells whether that ended the session. A second time does nothing.
    fn release(&self, py: Python<'_>) -> PyResult<bool> {
        guard(py, || {
            let core = self.core.get(py)?;
            Ok(py.detach(|| core.release()))
        })
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.release(py).map(drop)
    }

    fn __aenter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        ready(slf.into_any())
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.release(py)?;
        nothing(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let id = self.session_id().into_pyobject(py)?.repr()?.extract::<String>()?;
            let standing = match self.ended() {
                Some(reason) => reason,
                None if self.attached() => "attached",
                None => "restored",
            };
            Ok(format!("<Lease of {id}, {standing}>"))
        })
    }
}

impl Lease {
    pub(super) fn of_core(core: Core) -> Self {
        Self { core: Own::new(core.without_release_on_drop()) }
    }
}
