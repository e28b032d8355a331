//! The one error type: what kind it is, which file, what the operating system said.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of an [`Error`]; its token is the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// There is no such file, session or process.
    NotFound,
    /// The file is not a well-formed record.
    Corrupt,
    /// The file is a record of a schema that this version does not know.
    UnsupportedVersion,
    /// The path names something other than a regular file.
    NotAFile,
    /// The file, or the record to be written, is larger than 64 KiB.
    TooLarge,
    /// The operating system, or the rule on whose files are read, refuses.
    PermissionDenied,
    /// The session id cannot be part of a path.
    InvalidId,
    /// An argument cannot be what it is.
    InvalidInput,
    /// Another process holds what was asked for.
    Held,
    /// The folder's lock could not be had in time (250 ms).
    Busy,
    /// The handle was closed before.
    Closed,
    /// The table is shutting down.
    Closing,
    /// The caller cancelled the operation.
    Cancelled,
    /// The file system, or the user's quota on it, is full.
    NoSpace,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The session is being restored in another way.
    RestoreInProgress,
    /// As many sessions as allowed are live.
    SessionLimit,
    /// As many subscribers as allowed are connected.
    SubscriberLimit,
    /// The session belongs to another workspace.
    WorkspaceMismatch,
    /// The time allowed is over.
    Timeout,
    /// The native library, or what it needs from the system, is not there.
    Unavailable,
    /// Any other error of the operating system.
    Io,
    /// A defect of this library was caught at a language boundary.
    Panic,
}

impl ErrorCode {
    /// Every code, in the order in which the C header numbers them.
    pub const ALL: [Self; 23] = [
        Self::NotFound,
        Self::Corrupt,
        Self::UnsupportedVersion,
        Self::NotAFile,
        Self::TooLarge,
        Self::PermissionDenied,
        Self::InvalidId,
        Self::InvalidInput,
        Self::Held,
        Self::Busy,
        Self::Closed,
        Self::Closing,
        Self::Cancelled,
        Self::NoSpace,
        Self::ReadOnly,
        Self::RestoreInProgress,
        Self::SessionLimit,
        Self::SubscriberLimit,
        Self::WorkspaceMismatch,
        Self::Timeout,
        Self::Unavailable,
        Self::Io,
        Self::Panic,
    ];

    /// The token by which every language knows this code, such as `NOT_FOUND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Corrupt => "CORRUPT",
            Self::UnsupportedVersion => "UNSUPPORTED_VERSION",
            Self::NotAFile => "NOT_A_FILE",
            Self::TooLarge => "TOO_LARGE",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::InvalidId => "INVALID_ID",
            Self::InvalidInput => "INVALID_INPUT",
            Self::Held => "HELD",
            Self::Busy => "BUSY",
            Self::Closed => "CLOSED",
            Self::Closing => "CLOSING",
            Self::Cancelled => "CANCELLED",
            Self::NoSpace => "NO_SPACE",
            Self::ReadOnly => "READ_ONLY",
            Self::RestoreInProgress => "RESTORE_IN_PROGRESS",
            Self::SessionLimit => "SESSION_LIMIT",
            Self::SubscriberLimit => "SUBSCRIBER_LIMIT",
            Self::WorkspaceMismatch => "WORKSPACE_MISMATCH",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Io => "IO",
            Self::Panic => "PANIC",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call failed.
///
/// Its text follows one grammar: ``failed to <verb> `<path>`: <reason>``. [`Error::code`] tells
/// the kind, [`Error::path`] the file, [`Error::raw_os_error`] the number that the operating
/// system gave, where there is one.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: ErrorCode,
    verb: &'static str,
    subject: Subject,
    reason: Reason,
    holder: Option<Holder>,
    details: Option<Details>,
}

/// Who holds what was asked for, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The file by which it is held.
    pub path: PathBuf,
    /// The process, in its own namespace.
    pub pid: Option<u32>,
    /// The session that it serves.
    pub session_id: Option<String>,
    /// The name of its host.
    pub host: Option<String>,
}

impl Holder {
    /// Nothing is known but the file.
    pub(crate) fn unknown(path: &Path) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }
}

/// What an error of a [restore table](crate::restore) says beyond its code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// The session that is being restored: of [`ErrorCode::RestoreInProgress`].
    pub session_id: Option<String>,
    /// What is going on: `load`, `resume` or `spawn`, of [`ErrorCode::RestoreInProgress`].
    pub active: Option<&'static str>,
    /// What was asked for: the same words, of [`ErrorCode::RestoreInProgress`]; a path as text, cut
    /// at 4096 bytes, of [`ErrorCode::WorkspaceMismatch`].
    pub requested: Option<String>,
    /// `restoring`, or `abandoned` if nobody waits for it any more, of
    /// [`ErrorCode::RestoreInProgress`]; `channel_closed` of [`ErrorCode::Closed`].
    pub reason: Option<&'static str>,
    /// When to try again: of [`ErrorCode::RestoreInProgress`] and [`ErrorCode::SessionLimit`].
    pub retry_after: Option<Duration>,
    /// The limit: of [`ErrorCode::SessionLimit`] and [`ErrorCode::SubscriberLimit`].
    pub limit: Option<usize>,
    /// The workspace that the table is bound to, as text: of [`ErrorCode::WorkspaceMismatch`].
    pub bound: Option<String>,
}

#[derive(Debug)]
enum Subject {
    Path(PathBuf),
    Value(&'static str),
}

#[derive(Debug)]
enum Reason {
    Os(io::Error),
    Text(String),
}

impl Error {
    /// An error of the operating system about a file; the code follows from its number.
    pub(crate) fn os(verb: &'static str, path: &Path, source: io::Error) -> Self {
        let code = code_of(&source);
        Self::from_parts(code, verb, Subject::Path(path.to_owned()), Reason::Os(source))
    }

    /// The system did not give what work on a file needs besides the file.
    pub(crate) fn unavailable(verb: &'static str, path: &Path, source: io::Error) -> Self {
        let subject = Subject::Path(path.to_owned());
        Self::from_parts(ErrorCode::Unavailable, verb, subject, Reason::Os(source))
    }

    /// An error of ours about a file.
    pub(crate) fn file(
        code: ErrorCode,
        verb: &'static str,
        path: &Path,
        reason: impl Into<String>,
    ) -> Self {
        Self::from_parts(code, verb, Subject::Path(path.to_owned()), Reason::Text(reason.into()))
    }

    /// An error about a value that the caller gave: `failed to <verb> <what>: <reason>`.
    pub(crate) fn value(
        code: ErrorCode,
        verb: &'static str,
        what: &'static str,
        reason: impl Into<String>,
    ) -> Self {
        Self::from_parts(code, verb, Subject::Value(what), Reason::Text(reason.into()))
    }

    /// Another process, or this one, holds what `verb` is about.
    pub(crate) fn held(verb: &'static str, holder: Holder) -> Self {
        let reason = match (holder.pid, &holder.host) {
            (Some(pid), Some(host)) => format!("process {pid} on {host} holds it"),
            (Some(pid), None) => format!("process {pid} holds it"),
            (None, _) => "another process holds it".to_owned(),
        };
        let mut error = Self::file(ErrorCode::Held, verb, &holder.path, reason);
        error.0.holder = Some(holder);
        error
    }

    fn from_parts(code: ErrorCode, verb: &'static str, subject: Subject, reason: Reason) -> Self {
        Self(Box::new(Inner { code, verb, subject, reason, holder: None, details: None }))
    }

    /// The same error, which says more.
    pub(crate) fn with_details(mut self, details: Details) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The kind of this error.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The file that this error is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.subject {
            Subject::Path(path) => Some(path),
            Subject::Value(_) => None,
        }
    }

    /// Who holds what was asked for, if this is [`ErrorCode::Held`].
    pub fn holder(&self) -> Option<&Holder> {
        self.0.holder.as_ref()
    }

    /// What it says beyond its code, if it is an error of a restore table that has more to say.
    pub fn details(&self) -> Option<&Details> {
        self.0.details.as_ref()
    }

    /// The last part of the text: why, without what.
    pub(crate) fn reason(&self) -> String {
        match &self.0.reason {
            Reason::Os(source) => source.to_string(),
            Reason::Text(text) => Printable(text).to_string(),
        }
    }

    /// The operating system's number (`errno`, on Windows `GetLastError`), if it gave one.
    pub fn raw_os_error(&self) -> Option<i32> {
        match &self.0.reason {
            Reason::Os(source) => source.raw_os_error(),
            Reason::Text(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} ", self.0.verb)?;
        match &self.0.subject {
            Subject::Path(path) => write!(f, "`{}`", Printable(&path.to_string_lossy()))?,
            Subject::Value(what) => f.write_str(what)?,
        }
        match &self.0.reason {
            Reason::Os(source) => write!(f, ": {source}"),
            // It may quote a key of the file.
            Reason::Text(text) => write!(f, ": {}", Printable(text)),
        }
    }
}

/// The code that an error of the operating system stands for.
pub(crate) fn code_of(error: &io::Error) -> ErrorCode {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory => ErrorCode::NotFound,
        Kind::PermissionDenied => ErrorCode::PermissionDenied,
        Kind::IsADirectory => ErrorCode::NotAFile,
        Kind::StorageFull | Kind::QuotaExceeded => ErrorCode::NoSpace,
        Kind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        Kind::InvalidFilename => ErrorCode::InvalidInput,
        _ => code_of_raw(error.raw_os_error()).unwrap_or(ErrorCode::Io),
    }
}

/// What `io::ErrorKind` has no name for.
#[cfg(unix)]
fn code_of_raw(error: Option<i32>) -> Option<ErrorCode> {
    match error? {
        libc::ELOOP => Some(ErrorCode::NotAFile),
        // macOS, of a name that is not UTF-8.
        libc::EILSEQ => Some(ErrorCode::InvalidInput),
        _ => None,
    }
}

/// What `io::ErrorKind` has no name for.
#[cfg(windows)]
fn code_of_raw(error: Option<i32>) -> Option<ErrorCode> {
    use windows_sys::Win32::Foundation::{
        ERROR_CANT_ACCESS_FILE, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION,
    };
    match u32::try_from(error?).ok()? {
        ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION => Some(ErrorCode::Busy),
        ERROR_CANT_ACCESS_FILE => Some(ErrorCode::NotAFile),
        _ => None,
    }
}

/// Shows text without what could act on a terminal: control, bidirectional and zero-width
/// characters of a hostile file name or key come out escaped.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                ' '..='~' => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.reason {
            Reason::Os(source) => Some(source),
            Reason::Text(_) => None,
        }
    }
}
