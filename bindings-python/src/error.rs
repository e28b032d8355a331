//! Failures as Python exceptions, and the guard that no panic passes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use sessionreg::{Error, ErrorCode};

use crate::holder::Holder;
use crate::lazy::Lazy;

/// Runs the body of an exported function; a panic in it becomes `PanicError`.
///
/// `PyO3` would make a `BaseException` of it, which `except Exception` lets pass.
pub(crate) fn guard<T>(py: Python<'_>, body: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    // What a panic left half done is not looked at again: the core shares no state between calls.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let what = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        // Its drop could panic in turn; a few bytes lost are the lesser evil.
        std::mem::forget(payload);
        Err(exception(py, ErrorCode::Panic, &format!("a defect of sessionreg: {what}"), None, None))
    })
}

/// Calls the core without holding the interpreter.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> sessionreg::Result<T> + Send,
) -> PyResult<T> {
    py.detach(call).map_err(|error| of_core(py, &error))
}

/// The exception for an error of the core.
pub(crate) fn of_core(py: Python<'_>, error: &Error) -> PyErr {
    let exception =
        exception(py, error.code(), &error.to_string(), error.raw_os_error(), error.path());
    match tell_more(exception.value(py), error) {
        Ok(()) => exception,
        Err(failure) => failure,
    }
}

/// What an error says beyond its code, as attributes of its exception.
fn tell_more(exception: &Bound<'_, PyBaseException>, error: &Error) -> PyResult<()> {
    if let Some(holder) = error.holder() {
        exception.setattr("holder", Holder::of_core(holder))?;
    }
    let Some(details) = error.details() else { return Ok(()) };
    let texts = [
        ("session_id", details.session_id.as_deref()),
        ("active", details.active),
        ("requested", details.requested.as_deref()),
        ("reason", details.reason),
        ("bound", details.bound.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            exception.setattr(name, text)?;
        }
    }
    if let Some(time) = details.retry_after {
        exception.setattr("retry_after", time.as_secs_f64())?;
    }
    if let Some(limit) = details.limit {
        exception.setattr("limit", limit)?;
    }
    Ok(())
}

/// The exception for a value that cannot be what it is.
pub(crate) fn invalid(py: Python<'_>, message: &str) -> PyErr {
    exception(py, ErrorCode::InvalidInput, message, None, None)
}

/// The exception of a code. The classes are Python's own: the stable interface of 3.10 cannot
/// make classes with two bases.
pub(crate) fn exception(
    py: Python<'_>,
    code: ErrorCode,
    message: &str,
    os_error: Option<i32>,
    path: Option<&Path>,
) -> PyErr {
    static MAKE: Lazy = Lazy::new("sessionreg.errors", "_make");
    let path = path.map(Path::as_os_str);
    MAKE.get(py)
        .and_then(|make| make.call1((code.as_str(), message, os_error, path)))
        .map_or_else(|failure| failure, PyErr::from_value)
}

/// Every token of the core.
#[pyfunction]
#[pyo3(name = "_error_codes")]
pub(crate) fn error_codes() -> Vec<&'static str> {
    ErrorCode::ALL.iter().map(|code| code.as_str()).collect()
}

/// Panics, for the tests of the guard; in debug builds only.
#[cfg(debug_assertions)]
#[pyfunction]
#[pyo3(name = "_panic")]
pub(crate) fn panic(py: Python<'_>, message: String) -> PyResult<()> {
    guard(py, || py.detach(|| std::panic::panic_any(message)))
}
