//! How a caller says that it does not want the session any more.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::record::Given;

/// Any object that has `is_set`, such as a `threading.Event`.
pub(super) struct Signal(Py<PyAny>);

impl Signal {
    pub(super) fn of_argument(given: Given<'_, '_>) -> PyResult<Option<Self>> {
        let Some(signal) = given.filter(|signal| !signal.is_none()) else { return Ok(None) };
        if signal.hasattr("is_set")? {
            Ok(Some(Self(signal.clone().unbind())))
        } else {
            Err(PyTypeError::new_err("`signal` must have `is_set`, as threading.Event has"))
        }
    }

    pub(super) fn is_set(&self, py: Python<'_>) -> PyResult<bool> {
        self.0.bind(py).call_method0("is_set")?.is_truthy()
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }
}
