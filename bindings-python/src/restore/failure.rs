//! What a restore raised, on its way to everybody who shares it.

use std::sync::Arc;

use pyo3::exceptions::{PyBaseException, PyLookupError};
use pyo3::prelude::*;
use pyo3::types::PyTraceback;
use sessionreg::ErrorCode;
use sessionreg::restore::Failure;

use crate::error::{exception, of_core};

/// An exception, with the traceback that it had when the restore failed.
struct Raised {
    exception: Py<PyBaseException>,
    traceback: Option<Py<PyTraceback>>,
}

/// The failure of a restore that raised this. `LookupError` says that there is no such session.
pub(super) fn of_raised(py: Python<'_>, raised: PyErr) -> Failure {
    let raised = if raised.is_instance_of::<PyLookupError>(py) {
        let message = "failed to restore the session: there is none";
        let missing = exception(py, ErrorCode::NotFound, message, None, None);
        missing.set_cause(py, Some(raised));
        missing
    } else {
        raised
    };
    let traceback = raised.traceback(py).map(Bound::unbind);
    Failure::Caller(Arc::new(Raised { exception: raised.into_value(py), traceback }))
}

/// The exception that a caller of the restore gets: of its function's, the very object.
pub(super) fn to_raise(py: Python<'_>, failure: &Failure) -> PyErr {
    let opaque = match failure {
        Failure::Error(error) => return of_core(py, error),
        Failure::Caller(opaque) => opaque,
    };
    let Some(raised) = opaque.downcast_ref::<Raised>() else {
        return exception(py, ErrorCode::Panic, &failure.to_string(), None, None);
    };
    let exception = raised.exception.bind(py);
    // Each time that it is raised adds to its traceback.
    let traceback = raised.traceback.as_ref().map(|traceback| traceback.bind(py));
    match exception.setattr("__traceback__", traceback) {
        Ok(()) => PyErr::from_value(exception.clone().into_any()),
        Err(failure) => failure,
    }
}

/// What a caller who has left is told.
pub(super) fn cancelled(py: Python<'_>) -> PyErr {
    let message = "failed to restore the session: whoever asked for it has left";
    exception(py, ErrorCode::Cancelled, message, None, None)
}
