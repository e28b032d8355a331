//! # Statuses, and the version

use std::ffi::c_char;

use sessionreg::ErrorCode;

use crate::guard;
use crate::words::{self, Word, word};

/// How a call ended.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_status {
    /// It did what it was asked.
    SESSIONREG_STATUS_OK = 0,
    /// There is no such file, session or process.
    SESSIONREG_STATUS_NOT_FOUND = 1,
    /// The file is not a well-formed record.
    SESSIONREG_STATUS_CORRUPT = 2,
    /// The file is a record of a schema that this version does not know.
    SESSIONREG_STATUS_UNSUPPORTED_VERSION = 3,
    /// The path names something other than a regular file.
    SESSIONREG_STATUS_NOT_A_FILE = 4,
    /// The file, or the record to be written, is larger than 64 KiB.
    SESSIONREG_STATUS_TOO_LARGE = 5,
    /// The operating system, or the rule on whose files are read, refuses.
    SESSIONREG_STATUS_PERMISSION_DENIED = 6,
    /// The session id cannot be part of a path.
    SESSIONREG_STATUS_INVALID_ID = 7,
    /// An argument cannot be what it is.
    SESSIONREG_STATUS_INVALID_INPUT = 8,
    /// Another process holds what was asked for.
    SESSIONREG_STATUS_HELD = 9,
    /// The folder's lock could not be had in time (250 ms).
    SESSIONREG_STATUS_BUSY = 10,
    /// The handle was closed before.
    SESSIONREG_STATUS_CLOSED = 11,
    /// The table is shutting down.
    SESSIONREG_STATUS_CLOSING = 12,
    /// The caller cancelled the operation.
    SESSIONREG_STATUS_CANCELLED = 13,
    /// The file system, or the user's quota on it, is full.
    SESSIONREG_STATUS_NO_SPACE = 14,
    /// The file system is mounted read-only.
    SESSIONREG_STATUS_READ_ONLY = 15,
    /// The session is being restored in another way.
    SESSIONREG_STATUS_RESTORE_IN_PROGRESS = 16,
    /// As many sessions as allowed are live.
    SESSIONREG_STATUS_SESSION_LIMIT = 17,
    /// As many subscribers as allowed are connected.
    SESSIONREG_STATUS_SUBSCRIBER_LIMIT = 18,
    /// The session belongs to another workspace.
    SESSIONREG_STATUS_WORKSPACE_MISMATCH = 19,
    /// The time allowed is over.
    SESSIONREG_STATUS_TIMEOUT = 20,
    /// The system does not have what is needed.
    SESSIONREG_STATUS_UNAVAILABLE = 21,
    /// Any other error of the operating system.
    SESSIONREG_STATUS_IO = 22,
    /// A defect of this library was caught.
    SESSIONREG_STATUS_PANIC = 23,
}

const COUNT: usize = ErrorCode::ALL.len() + 1;

/// Every status, at the place of its number: that of its code in `ErrorCode::ALL`, plus one.
const ALL: [sessionreg_status; COUNT] = {
    use sessionreg_status as s;
    let all = [
        s::SESSIONREG_STATUS_OK,
        s::SESSIONREG_STATUS_NOT_FOUND,
        s::SESSIONREG_STATUS_CORRUPT,
        s::SESSIONREG_STATUS_UNSUPPORTED_VERSION,
        s::SESSIONREG_STATUS_NOT_A_FILE,
        s::SESSIONREG_STATUS_TOO_LARGE,
        s::SESSIONREG_STATUS_PERMISSION_DENIED,
        s::SESSIONREG_STATUS_INVALID_ID,
        s::SESSIONREG_STATUS_INVALID_INPUT,
        s::SESSIONREG_STATUS_HELD,
        s::SESSIONREG_STATUS_BUSY,
        s::SESSIONREG_STATUS_CLOSED,
        s::SESSIONREG_STATUS_CLOSING,
        s::SESSIONREG_STATUS_CANCELLED,
        s::SESSIONREG_STATUS_NO_SPACE,
        s::SESSIONREG_STATUS_READ_ONLY,
        s::SESSIONREG_STATUS_RESTORE_IN_PROGRESS,
        s::SESSIONREG_STATUS_SESSION_LIMIT,
        s::SESSIONREG_STATUS_SUBSCRIBER_LIMIT,
        s::SESSIONREG_STATUS_WORKSPACE_MISMATCH,
        s::SESSIONREG_STATUS_TIMEOUT,
        s::SESSIONREG_STATUS_UNAVAILABLE,
        s::SESSIONREG_STATUS_IO,
        s::SESSIONREG_STATUS_PANIC,
    ];
    let mut number = 0;
    while number < COUNT {
        assert!(all[number] as usize == number, "a status is not at its place");
        number += 1;
    }
    all
};

static WORDS: [Word; COUNT] = {
    let mut words = [word("OK"); COUNT];
    let mut index = 1;
    while index < COUNT {
        words[index] = word(ErrorCode::ALL[index - 1].as_str());
        index += 1;
    }
    words
};

impl From<ErrorCode> for sessionreg_status {
    fn from(code: ErrorCode) -> Self {
        let position = ErrorCode::ALL.iter().position(|known| *known == code);
        position.map_or(Self::SESSIONREG_STATUS_IO, |position| ALL[position + 1])
    }
}

/// The token of a status, the same in every language, such as `NOT_FOUND`; `OK` for success. NULL
/// for a number that is no status. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_status_string(status: u32) -> *const c_char {
    guard::value(std::ptr::null(), || words::find(&WORDS, status))
}

/// The version of this library, such as `0.1.0`. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_version() -> *const c_char {
    static VERSION: Word = word(env!("CARGO_PKG_VERSION"));
    guard::value(std::ptr::null(), || VERSION.as_ptr().cast())
}
