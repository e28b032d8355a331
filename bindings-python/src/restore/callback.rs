//! Python functions that the core calls, on whatever thread.

use std::mem;

use pyo3::prelude::*;

/// Calls a function without arguments. What it raises is nobody's: it goes to
/// `sys.unraisablehook`.
pub(super) fn call(function: &Py<PyAny>) {
    // An interpreter that shuts down calls nothing any more.
    Python::try_attach(|py| {
        if let Err(raised) = function.call0(py) {
            raised.write_unraisable(py, Some(function.bind(py)));
        }
    });
}

/// Calls its function when it is dropped: somebody waits for that, whatever happens.
pub(super) struct Wake(Option<Py<PyAny>>);

impl Wake {
    pub(super) fn new(function: Py<PyAny>) -> Self {
        Self(Some(function))
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(function) = mem::take(&mut self.0) {
            call(&function);
        }
    }
}
