//! Failures as JavaScript sees them: an `Error` with `code`, `path` and `errno`.

use std::any::Any;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, JsValue as _, sys};
use sessionreg::{Details, Error, ErrorCode, Holder};

use crate::{give, names};

/// A failure on its way to JavaScript; it can cross threads, a JavaScript error cannot.
#[derive(Debug)]
pub(crate) struct Failure {
    class: Class,
    code: ErrorCode,
    message: String,
    path: Option<PathBuf>,
    errno: Option<i32>,
    holder: Option<Box<Holder>>,
    details: Option<Box<Details>>,
}

#[derive(Debug)]
enum Class {
    Error,
    TypeError,
    RangeError,
}

impl Failure {
    /// A value of a JavaScript type that is not taken here.
    pub(crate) fn mistyped(what: &str, wanted: &str) -> Self {
        Self::about_value(Class::TypeError, format!("{what} is not {wanted}"))
    }

    /// A value of the right type that cannot be what it is.
    pub(crate) fn out_of_range(what: &str, reason: &str) -> Self {
        Self::about_value(Class::RangeError, format!("{what} {reason}"))
    }

    /// The same failure under another code, if it is one of a value and not of its type.
    pub(crate) fn with_code(mut self, code: ErrorCode) -> Self {
        if matches!(self.class, Class::RangeError) {
            self.code = code;
        }
        self
    }

    fn about_value(class: Class, message: String) -> Self {
        Self {
            class,
            code: ErrorCode::InvalidInput,
            message,
            path: None,
            errno: None,
            holder: None,
            details: None,
        }
    }

    fn panicked(payload: Box<dyn Any + Send>) -> Self {
        let mut message = "a defect of sessionreg was caught".to_owned();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        if let Some(text) = text {
            // Writing to a String cannot fail.
            let _ = write!(message, ": {text}");
        }
        // Its drop may panic in turn, outside any guard.
        std::mem::forget(payload);
        Self {
            class: Class::Error,
            code: ErrorCode::Panic,
            message,
            path: None,
            errno: None,
            holder: None,
            details: None,
        }
    }

    /// Of a claim that was released before.
    pub(crate) fn released() -> Self {
        let message = "failed to release the claim: it was released before".to_owned();
        let (class, code) = (Class::Error, ErrorCode::Closed);
        Self { class, code, message, path: None, errno: None, holder: None, details: None }
    }

    /// Of a monitor that was closed.
    pub(crate) fn closed() -> Self {
        let message = "failed to use the monitor: it was closed".to_owned();
        let (class, code) = (Class::Error, ErrorCode::Closed);
        Self { class, code, message, path: None, errno: None, holder: None, details: None }
    }

    /// The system did not give what is needed.
    pub(crate) fn unavailable(message: String) -> Self {
        let (class, code) = (Class::Error, ErrorCode::Unavailable);
        Self { class, code, message, path: None, errno: None, holder: None, details: None }
    }

    /// What cannot happen if this addon is right.
    pub(crate) fn defect(reason: &str) -> Self {
        let message = format!("a defect of sessionreg was caught: {reason}");
        Self {
            class: Class::Error,
            code: ErrorCode::Panic,
            message,
            path: None,
            errno: None,
            holder: None,
            details: None,
        }
    }

    /// A failure of Node-API itself; it has none for arguments of the right type.
    #[allow(clippy::needless_pass_by_value)] // Given to map_err.
    pub(crate) fn of_napi(error: napi::Error) -> Self {
        Self::defect(&format!("Node-API: {} {}", error.status, error.reason))
    }

    /// Takes the status of a call of Node-API.
    pub(crate) fn check(status: sys::napi_status) -> Result<(), Self> {
        if status == sys::Status::napi_ok {
            return Ok(());
        }
        Err(Self::defect(&format!("Node-API: {}", napi::Status::from(status))))
    }

    /// The error to throw, or to reject with.
    fn into_js(self, env: &Env) -> napi::Error {
        // Where the environment is being torn down even this fails; then nobody is there to see.
        self.build(env).map_or_else(|error| error, napi::Error::from)
    }

    pub(crate) fn build(self, env: &Env) -> napi::Result<Unknown<'_>> {
        let message = env.create_string(&self.message)?.raw();
        let code = env.create_string(self.code.as_str())?.raw();
        let create = match self.class {
            Class::Error => sys::napi_create_error,
            Class::TypeError => sys::napi_create_type_error,
            Class::RangeError => sys::napi_create_range_error,
        };
        let mut raw = std::ptr::null_mut();
        // SAFETY: both strings are of this environment.
        napi::check_status!(unsafe { create(env.raw(), code, message, &raw mut raw) })?;
        let mut error = Object::from_raw(env.raw(), raw);
        if let Some(path) = &self.path {
            error.set("path", names::path_to_js(env, path)?)?;
        }
        if let Some(errno) = self.errno {
            error.set("errno", errno)?;
        }
        if let Some(holder) = &self.holder {
            let holder = give::holder(env, Some(&**holder));
            error.set("holder", holder.map_err(|failure| failure.into_js(env))?)?;
        }
        if let Some(details) = &self.details {
            set_details(&mut error, details)?;
        }
        Ok(error.to_unknown())
    }

    /// A failure of the core.
    pub(crate) fn of(error: &Error) -> Self {
        Self {
            class: Class::Error,
            code: error.code(),
            message: error.to_string(),
            path: error.path().map(Path::to_owned),
            errno: error.raw_os_error(),
            holder: error.holder().cloned().map(Box::new),
            details: error.details().cloned().map(Box::new),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

/// What an error of a restore table says beyond its code; what it does not say is left out.
fn set_details(error: &mut Object<'_>, details: &Details) -> napi::Result<()> {
    let texts = [
        ("sessionId", details.session_id.as_deref()),
        ("active", details.active),
        ("requested", details.requested.as_deref()),
        ("reason", details.reason),
        ("bound", details.bound.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            error.set(name, text)?;
        }
    }
    if let Some(retry_after) = details.retry_after {
        error.set("retryAfter", retry_after.as_secs_f64())?;
    }
    if let Some(limit) = details.limit {
        #[allow(clippy::cast_precision_loss)] // It came from a number of JavaScript's, or is 64.
        error.set("limit", limit as f64)?;
    }
    Ok(())
}

/// Runs what may fail; a panic is a failure too.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Nothing of ours is looked at again after a panic.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(Failure::panicked(payload)))
}

/// The body of every export: what fails, or panics, becomes an error of JavaScript.
pub(crate) fn answer<T>(env: &Env, work: impl FnOnce() -> Result<T, Failure>) -> napi::Result<T> {
    guard(work).map_err(|failure| failure.into_js(env))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_its_own_code() {
        let failure = guard(|| -> Result<(), _> { panic!("number {}", 7) }).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Panic);
        assert!(failure.message.ends_with("number 7"), "{}", failure.message);
    }

    #[test]
    fn what_a_panic_carries_is_not_dropped() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let failure = guard(|| -> Result<(), _> { std::panic::panic_any(Bomb) }).unwrap_err();
        assert_eq!(failure.code, ErrorCode::Panic);
    }

    #[test]
    fn a_failure_of_the_core_keeps_code_path_and_number() {
        let path = std::env::temp_dir().join("sessionreg-no-such-file");
        let failure = Failure::from(sessionreg::load(&path).unwrap_err());
        assert_eq!(failure.code, ErrorCode::NotFound);
        assert_eq!(failure.path.as_deref(), Some(path.as_path()));
        assert!(failure.errno.is_some());
    }
}
