//! Files as records need them: read bounded, replaced atomically, removed under a folder lock.
//!
//! One face; what differs between systems is in `unix` and `windows`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorCode, Result};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as sys;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as sys;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use sys::id_of;
pub(crate) use sys::{
    Folder, Listing, LockFile, ensure_folder, file_id, is_local, is_own, modified_nanos, read,
    read_head, read_tail, sees_processes_of,
};

/// No record is larger; a larger file is not read.
pub(crate) const MAX_RECORD_BYTES: usize = 64 * 1024;

/// How long a folder lock is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(250);

/// The bytes of a regular file, and who owns it.
pub(crate) struct Contents {
    /// All of the file, at most [`MAX_RECORD_BYTES`].
    pub(crate) bytes: Vec<u8>,
    /// The user id of the file's owner; `None` where the system has no such thing.
    pub(crate) owner: Option<u32>,
    pub(crate) stamp: Stamp,
}

/// Which file something is, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) owner: u32,
}

/// The beginning or the end of a file.
pub(crate) struct Part {
    pub(crate) bytes: Vec<u8>,
    /// Whether it is all of the file.
    pub(crate) is_whole: bool,
}

/// What of a file changes when it is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// 0 where a file has no number.
    inode: u64,
    size: u64,
    modified: SystemTime,
    /// When anything of the file changed; where that is not kept, when it was made.
    changed: SystemTime,
}

impl Stamp {
    /// Whether a later change is sure to show: file systems count time in grains, vfat in two
    /// seconds, so that a file may change twice under one time.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        const GRAIN: Duration = Duration::from_secs(3);
        let is_past = |time| now.duration_since(time).is_ok_and(|age| age > GRAIN);
        is_past(self.modified) && is_past(self.changed)
    }

    /// Whether the file was not written for so long.
    pub(crate) fn is_older(&self, now: SystemTime, than: Duration) -> bool {
        now.duration_since(self.modified).is_ok_and(|age| age > than)
    }

    /// When the file was written, in seconds since the Unix epoch.
    pub(crate) fn modified_seconds(&self) -> f64 {
        self.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    /// How long ago the file was written, by today's clock; none if that is yet to come.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.modified.elapsed().ok()
    }
}

/// How a record is to be written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Force the record to the disk before returning and, but for Windows, the folder after it
    /// (default: no).
    ///
    /// Without it a power cut may lose the latest record, but a record that a power cut lost
    /// spoke of a process that the power cut ended.
    pub durable: bool,
    /// Make missing parent folders, mode 0700 (default: yes). Without it a missing folder is
    /// [`ErrorCode::NotFound`].
    pub create_folders: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { durable: false, create_folders: true }
    }
}

impl WriteOptions {
    /// The same options with `durable` set.
    #[must_use]
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// The same options with `create_folders` set.
    #[must_use]
    pub fn create_folders(mut self, create_folders: bool) -> Self {
        self.create_folders = create_folders;
        self
    }
}

/// A path taken apart into the folder and the name of a file in it.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// What is to be done with it, for errors.
    pub(crate) verb: &'static str,
    pub(crate) path: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) name: &'a OsStr,
}

impl<'a> Target<'a> {
    /// Refuses, as [`ErrorCode::InvalidInput`], what can never name a file.
    pub(crate) fn of(verb: &'static str, path: &'a Path) -> Result<Self> {
        let objection = |reason| Error::file(ErrorCode::InvalidInput, verb, path, reason);
        let bytes = path.as_os_str().as_encoded_bytes();
        if bytes.is_empty() {
            return Err(objection("the path is empty"));
        }
        if bytes.contains(&0) {
            return Err(objection("the path contains a NUL byte"));
        }
        // `file_name` looks through a trailing `/` and `/.`, which would name another file.
        let last = bytes.rsplit(|&byte| std::path::is_separator(char::from(byte))).next();
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) if last == Some(name.as_encoded_bytes()) => {
                let folder = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                Ok(Self { verb, path, folder, name })
            }
            _ => Err(objection("the path does not end in a file name")),
        }
    }
}

/// The folder of a file, for questions about the file system that it is on.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn not_a_file(verb: &'static str, path: &Path, what: &str) -> Error {
    Error::file(ErrorCode::NotAFile, verb, path, format!("it is {what}, not a regular file"))
}

fn too_large(path: &Path) -> Error {
    Error::file(ErrorCode::TooLarge, "read", path, "it is larger than 64 KiB")
}

fn lock_timed_out(target: Target<'_>) -> Error {
    let reason = "another process or thread holds the folder's lock";
    Error::file(ErrorCode::Busy, target.verb, target.path, reason)
}
