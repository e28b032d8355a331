//! The class `Claim`: the right to serve a session, kept until it is released.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::{Claim as Core, Error, ErrorCode};

use crate::error::{exception, guard, of_core};
use crate::paths::to_path;

/// The right to serve a session, held until it is released or this process ends.
///
/// `Registry.claim` makes it. `with` releases it at its end; garbage collection and the end of the
/// interpreter do not: the kernel does, when the process ends. A forked child does not hold it.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Claim {
    // Dropping the core's claim releases it, and Python drops when it likes.
    held: Mutex<Option<ManuallyDrop<Core>>>,
    path: PathBuf,
}

#[pymethods]
impl Claim {
    /// The file that tells who claims the session.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    /// Let go: another process may have the claim then. A second time is `ClosedError`.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let released = self.let_go(py).ok_or_else(|| {
                let message = "failed to release the claim: it was released before";
                exception(py, ErrorCode::Closed, message, None, Some(&self.path))
            })?;
            released.map_err(|error| of_core(py, &error))
        })
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        guard(py, || match self.let_go(py) {
            Some(Err(error)) if error.code() != ErrorCode::Closed => Err(of_core(py, &error)),
            _ => Ok(()),
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let path = self.path.as_os_str().into_pyobject(py)?.repr()?.extract::<String>()?;
            Ok(format!("<Claim {path}>"))
        })
    }
}

impl Claim {
    pub(crate) fn of_core(core: Core) -> Self {
        let path = core.path().to_owned();
        Self { held: Mutex::new(Some(ManuallyDrop::new(core))), path }
    }

    /// `None` if it was released before, or is just being released by another thread.
    fn let_go(&self, py: Python<'_>) -> Option<Result<(), Error>> {
        // Never waited for: the thread that has it may not be there after a fork.
        let held = self.held.try_lock().ok()?.take()?;
        Some(py.detach(|| ManuallyDrop::into_inner(held).release()))
    }
}
