//! # Errors
//!
//! What a failed call says beyond its status.

use crate::details::Told;
use crate::guard;
use crate::holder::sessionreg_holder;
use crate::input::Failure;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// Why a call failed. It never changes: threads may look at one at the same time.
pub struct sessionreg_error {
    status: sessionreg_status,
    message: Terminated,
    path: Option<Terminated>,
    os_error: i32,
    holder: Option<sessionreg_holder>,
    pub(crate) details: Option<Told>,
}

impl From<&Failure> for sessionreg_error {
    fn from(failure: &Failure) -> Self {
        let core = failure.core();
        Self {
            status: failure.status(),
            message: Terminated::new(failure.message().as_bytes()),
            path: core
                .and_then(sessionreg::Error::path)
                .map(|path| Terminated::new(&bytes_of(path))),
            os_error: core.and_then(sessionreg::Error::raw_os_error).unwrap_or(0),
            holder: core.and_then(sessionreg::Error::holder).map(sessionreg_holder::from),
            details: core.and_then(sessionreg::Error::details).map(Told::from),
        }
    }
}

/// The status with which the call returned; `SESSIONREG_STATUS_INVALID_INPUT` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_status(error: Option<&sessionreg_error>) -> sessionreg_status {
    guard::value(sessionreg_status::SESSIONREG_STATUS_PANIC, || {
        error.map_or(sessionreg_status::SESSIONREG_STATUS_INVALID_INPUT, |error| error.status)
    })
}

/// One line for people: ``failed to <verb> `<path>`: <reason>``. It is safe to print.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_message(error: Option<&sessionreg_error>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        error.map_or(sessionreg_text::ABSENT, |error| error.message.lend())
    })
}

/// The file that the error is about, as bytes of a path; absent if it is about none.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_path(error: Option<&sessionreg_error>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        error
            .and_then(|error| error.path.as_ref())
            .map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// The operating system's number: `errno`, on Windows that of `GetLastError`; 0 if it gave none.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_errno(error: Option<&sessionreg_error>) -> i32 {
    guard::value(0, || error.map_or(0, |error| error.os_error))
}

/// Who holds what was asked for, borrowed from the error; NULL if the status is not
/// `SESSIONREG_STATUS_HELD`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_holder(
    error: Option<&sessionreg_error>,
) -> Option<&sessionreg_holder> {
    guard::value(None, || error.and_then(|error| error.holder.as_ref()))
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_free(error: Option<Box<sessionreg_error>>) {
    guard::value((), || drop(error));
}
