//! What comes in from C, checked; and why a call did not do what it was asked.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{ptr, slice};

use sessionreg::{Error, SessionId, restore};

use crate::status::sessionreg_status;

/// Why a call failed.
pub(crate) enum Failure {
    /// The core refused or failed.
    Core(Error),
    /// The same of an error that others are told as well.
    Shared(Arc<Error>),
    /// An argument cannot be what it is.
    Argument {
        /// The parameter, or the member of a structure.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A session id is not even text.
    Id,
    /// The object is not in a state to be asked for that; the whole message.
    Refused(sessionreg_status, &'static str),
    /// A defect of ours was caught; its message.
    Panic(String),
}

impl Failure {
    pub(crate) fn argument(name: &'static str, reason: impl Into<String>) -> Self {
        Self::Argument { name, reason: reason.into() }
    }

    /// The error of the core's, if it is one.
    pub(crate) fn core(&self) -> Option<&Error> {
        match self {
            Self::Core(error) => Some(error),
            Self::Shared(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> sessionreg_status {
        match self {
            Self::Core(error) => error.code().into(),
            Self::Shared(error) => error.code().into(),
            Self::Argument { .. } => sessionreg_status::SESSIONREG_STATUS_INVALID_INPUT,
            Self::Id => sessionreg_status::SESSIONREG_STATUS_INVALID_ID,
            Self::Refused(status, _) => *status,
            Self::Panic(_) => sessionreg_status::SESSIONREG_STATUS_PANIC,
        }
    }

    /// What went wrong, in the grammar of the core's messages.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Core(error) => error.to_string(),
            Self::Shared(error) => error.to_string(),
            Self::Argument { name, reason } => {
                format!("failed to accept the argument `{name}`: {reason}")
            }
            Self::Id => "failed to accept the session id: it is not UTF-8".to_owned(),
            Self::Refused(_, message) => (*message).to_owned(),
            Self::Panic(message) => format!("failed to finish the call: a defect: {message}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<restore::Failure> for Failure {
    fn from(failure: restore::Failure) -> Self {
        match failure {
            restore::Failure::Error(error) => Self::Shared(error),
            restore::Failure::Caller(_) => Self::Refused(
                sessionreg_status::SESSIONREG_STATUS_IO,
                "failed to restore the session",
            ),
        }
    }
}

/// A pointer that must not be NULL.
pub(crate) fn given<T>(argument: Option<T>, name: &'static str) -> Result<T, Failure> {
    argument.ok_or_else(|| Failure::argument(name, "it is NULL"))
}

/// An object that the call changes and that threads share.
///
/// # Safety
/// The pointer is NULL, or to an object that is not freed for as long as the result is used.
pub(crate) unsafe fn shared<'a, T: Sync>(
    object: *mut T,
    name: &'static str,
) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise.
    given(unsafe { object.as_ref() }, name)
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
    Ok(SessionId::new(unsafe { id_text(id, name)? })?)
}

/// The same for a callee that checks it.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn id_text<'a>(
    id: *const c_char,
    name: &'static str,
) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(id, name)? };
    std::str::from_utf8(bytes).map_err(|_| Failure::Id)
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

/// Paths, all of which must be given; the array may be NULL if there is none.
///
/// # Safety
/// The pointer is NULL or points to `count` pointers, each as for [`bytes`].
pub(crate) unsafe fn paths<'a>(
    paths: *const *const c_char,
    count: usize,
    name: &'static str,
    count_name: &'static str,
) -> Result<Vec<&'a Path>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if paths.is_null() {
        return Err(Failure::argument(name, "it is NULL"));
    }
    if count > isize::MAX.cast_unsigned() / size_of::<*const c_char>() {
        return Err(Failure::argument(count_name, "no array is so long"));
    }
    // SAFETY: not NULL, and `count` pointers, by the caller's promise.
    let paths = unsafe { slice::from_raw_parts(paths, count) };
    // SAFETY: the caller's promise.
    paths.iter().map(|one| unsafe { path(*one, name) }).collect()
}

/// A length of time; `None` for -1.
pub(crate) fn milliseconds(
    milliseconds: i64,
    name: &'static str,
) -> Result<Option<Duration>, Failure> {
    match u64::try_from(milliseconds) {
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        Err(_) if milliseconds == -1 => Ok(None),
        Err(_) => Err(Failure::argument(name, "it is negative, and not -1")),
    }
}

/// A structure that begins with its size, which must be the one that it has here.
///
/// Its bytes are those that C put there, and need not be what Rust takes for a value of each member:
/// a `bool` may be any byte.
///
/// A later version that appends members takes the sizes of this one and of those between as well.
///
/// # Safety
/// The pointer is NULL or points to as many bytes as its first member, a `size_t`, says.
pub(crate) unsafe fn sized<T: Copy>(
    structure: *const T,
    name: &'static str,
) -> Result<MaybeUninit<T>, Failure> {
    if structure.is_null() {
        return Err(Failure::argument(name, "it is NULL"));
    }
    // SAFETY: not NULL, and its first member is the size, by the caller's promise.
    let size = unsafe { ptr::read(structure.cast::<usize>()) };
    if size != size_of::<T>() {
        let reason = "`struct_size` is that of no version: begin with the _INIT macro";
        return Err(Failure::argument(name, reason));
    }
    // SAFETY: there are as many bytes as its size says.
    Ok(unsafe { ptr::read(structure.cast()) })
}

/// What C takes for true; a `bool` of Rust would have to be 0 or 1.
///
/// # Safety
/// The pointer points to a byte that is there.
pub(crate) unsafe fn is_true(flag: *const bool) -> bool {
    // SAFETY: the caller's promise.
    unsafe { flag.cast::<u8>().read() != 0 }
}
