//! What comes in from C, checked; and why a call did not do what it was asked.

use std::ffi::{CStr, c_char};
use std::path::Path;

use sessionreg::{Error, SessionId};

use crate::status::sessionreg_status;

/// Why a call failed.
pub(crate) enum Failure {
    /// The core refused or failed.
    Core(Error),
    /// An argument cannot be what it is.
    Argument {
        /// The parameter, or the member of a structure.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A session id is not even text.
    Id,
    /// A defect of ours was caught; its message.
    Panic(String),
}

impl Failure {
    pub(crate) fn argument(name: &'static str, reason: impl Into<String>) -> Self {
        Self::Argument { name, reason: reason.into() }
    }

    pub(crate) fn status(&self) -> sessionreg_status {
        match self {
            Self::Core(error) => error.code().into(),
            Self::Argument { .. } => sessionreg_status::SESSIONREG_STATUS_INVALID_INPUT,
            Self::Id => sessionreg_status::SESSIONREG_STATUS_INVALID_ID,
            Self::Panic(_) => sessionreg_status::SESSIONREG_STATUS_PANIC,
        }
    }

    /// What went wrong, in the grammar of the core's messages.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Core(error) => error.to_string(),
            Self::Argument { name, reason } => {
                format!("failed to accept the argument `{name}`: {reason}")
            }
            Self::Id => "failed to accept the session id: it is not UTF-8".to_owned(),
            Self::Panic(message) => format!("failed to finish the call: a defect: {message}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// A pointer that must not be NULL.
pub(crate) fn given<T>(argument: Option<T>, name: &'static str) -> Result<T, Failure> {
    argument.ok_or_else(|| Failure::argument(name, "it is NULL"))
}

/// The bytes before the NUL.
///
/// # Safety
/// The pointer is NULL, or there is a NUL at or behind it, and nothing changes the bytes before it
/// for as long as the result is used.
unsafe fn bytes<'a>(text: *const c_char, name: &'static str) -> Result<&'a [u8], Failure> {
    if text.is_null() {
        return Err(Failure::argument(name, "it is NULL"));
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Text that must be given.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &'static str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(text, name)? };
    std::str::from_utf8(bytes).map_err(|_| Failure::argument(name, "it is not UTF-8"))
}

/// Text that may be NULL.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &'static str,
) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { text(pointer, name) }.map(Some)
}

/// A session id that may become part of a path.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn session_id(
    id: *const c_char,
    name: &'static str,
) -> Result<SessionId, Failure> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(id, name)? };
    let id = std::str::from_utf8(bytes).map_err(|_| Failure::Id)?;
    Ok(SessionId::new(id)?)
}

/// A path that must be given: any bytes.
///
/// # Safety
/// As for [`bytes`].
#[cfg(unix)]
pub(crate) unsafe fn path<'a>(
    path: *const c_char,
    name: &'static str,
) -> Result<&'a Path, Failure> {
    use std::os::unix::ffi::OsStrExt as _;
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(path, name)? };
    Ok(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// A path that must be given: UTF-8, whatever the code page.
///
/// # Safety
/// As for [`bytes`].
#[cfg(not(unix))]
pub(crate) unsafe fn path<'a>(
    path: *const c_char,
    name: &'static str,
) -> Result<&'a Path, Failure> {
    // SAFETY: the caller's promise.
    unsafe { text(path, name) }.map(Path::new)
}
