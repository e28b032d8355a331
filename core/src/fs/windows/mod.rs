//! Files on Windows: renames that wait for a reader to let go, a named mutex as the folder's lock.
//!
//! Who may read what is left to the folder's access control list.

mod listing;
mod lock_file;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION, WAIT_ABANDONED,
    WAIT_OBJECT_0,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    FILE_TYPE_DISK, GetDriveTypeW, GetFileType,
};
use windows_sys::Win32::System::Threading::{CreateMutexW, ReleaseMutex, WaitForSingleObject};

pub(crate) use listing::Listing;
pub(crate) use lock_file::LockFile;

use super::{
    Contents, FileId, LOCK_PATIENCE, MAX_RECORD_BYTES, Part, Stamp, Target, WriteOptions,
    not_a_file, too_large,
};
use crate::error::{Error, ErrorCode, Result, code_of};

/// How often an operation on an open file is tried; pauses grow from 1 ms to 32 ms.
const ATTEMPTS: u32 = 10;

/// Reads a regular file without following a link at its end.
pub(crate) fn read(path: &Path) -> Result<Contents> {
    let failed = |error| Error::os("read", path, error);
    let (file, metadata) = open_regular(path)?;
    if metadata.len() > MAX_RECORD_BYTES as u64 {
        return Err(too_large(path));
    }
    let stamp = stamp_of(&metadata);
    let mut bytes = Vec::new();
    file.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(too_large(path));
    }
    Ok(Contents { bytes, owner: None, stamp })
}

fn open_regular(path: &Path) -> Result<(File, Metadata)> {
    let failed = |error| Error::os("read", path, error);
    let file = persistently(|| {
        OpenOptions::new()
            .read(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS)
            .open(path)
    })
    .map_err(failed)?;
    // A pipe or a console, `\\.\pipe\…` or `CON`, could be waited for without end.
    // SAFETY: the handle is open.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(not_a_file("read", path, "a device"));
    }
    let metadata = file.metadata().map_err(failed)?;
    if metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(not_a_file("read", path, "a symbolic link"));
    }
    if metadata.file_attributes() & FILE_ATTRIBUTE_DIRECTORY != 0 {
        return Err(not_a_file("read", path, "a directory"));
    }
    Ok((file, metadata))
}

/// Reads the end of a regular file, at most `limit` bytes of it.
pub(crate) fn read_tail(path: &Path, limit: u64) -> Result<Part> {
    let (file, metadata) = open_regular(path)?;
    let start = metadata.len().saturating_sub(limit);
    read_part(file, path, start, limit, start == 0)
}

/// Reads the beginning of such a file.
pub(crate) fn read_head(path: &Path, limit: u64) -> Result<Part> {
    let (file, metadata) = open_regular(path)?;
    read_part(file, path, 0, limit, metadata.len() <= limit)
}

fn read_part(mut file: File, path: &Path, start: u64, limit: u64, is_whole: bool) -> Result<Part> {
    let mut bytes = Vec::new();
    let read =
        file.seek(SeekFrom::Start(start)).and_then(|_| file.take(limit).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Part { bytes, is_whole }),
        Err(error) => Err(Error::os("read", path, error)),
    }
}

/// Which file a path names: here only whether it names one.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|_| FileId { device: 0, inode: 0, owner: 0 })
}

/// When a file was written, in nanoseconds since the Unix epoch; `None` if it is not there.
pub(crate) fn modified_nanos(path: &Path) -> Option<u128> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    modified.duration_since(UNIX_EPOCH).ok().map(|since| since.as_nanos())
}

/// Whether processes of a user are shown to this one in all that they are.
pub(crate) fn sees_processes_of(_: u32) -> bool {
    false
}

fn stamp_of(metadata: &Metadata) -> Stamp {
    let time = |time: io::Result<SystemTime>| time.unwrap_or(UNIX_EPOCH);
    Stamp {
        inode: 0,
        size: metadata.len(),
        modified: time(metadata.modified()),
        changed: time(metadata.created()),
    }
}

/// Makes a folder that is not there, and its parents.
pub(crate) fn ensure_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Error::os("make", path, error))
}

/// Whose a file is decides its access control list, which let it be read.
pub(crate) fn is_own(_: Option<u32>) -> bool {
    true
}

/// A folder whose lock is held, in which files are written and removed by name.
pub(crate) struct Folder {
    path: PathBuf,
    /// `None` where another user made it, and so keeps it: without it a writer is as safe as the
    /// rename makes it.
    mutex: Option<OwnedHandle>,
}

impl Folder {
    /// Takes the lock of a file's folder, which drops with it. `Ok(None)`: there is no such folder.
    pub(crate) fn lock(target: Target<'_>) -> Result<Option<Self>> {
        match fs::canonicalize(target.folder) {
            Ok(canonical) => Self::locked(target, &canonical).map(Some),
            Err(error) => match code_of(&error) {
                ErrorCode::NotFound => Ok(None),
                _ => Err(Error::os(target.verb, target.path, error)),
            },
        }
    }

    /// The same, after making the folder and its missing parents, where `options` say so.
    pub(crate) fn lock_for_writing(target: Target<'_>, options: WriteOptions) -> Result<Self> {
        let failed = |error| Error::os(target.verb, target.path, error);
        if options.create_folders {
            fs::create_dir_all(target.folder).map_err(|error| match error.kind() {
                // What exists is a file.
                io::ErrorKind::AlreadyExists => failed(io::ErrorKind::NotADirectory.into()),
                _ => failed(error),
            })?;
        }
        let canonical = fs::canonicalize(target.folder).map_err(failed)?;
        Self::locked(target, &canonical)
    }

    fn locked(target: Target<'_>, canonical: &Path) -> Result<Self> {
        let failed = |error| Error::os(target.verb, target.path, error);
        let path = target.folder.to_owned();
        let name = mutex_name(canonical);
        // SAFETY: the name ends in NUL; a handle that is not null is ours to close.
        let mutex = unsafe {
            let handle = CreateMutexW(ptr::null(), 0, name.as_ptr());
            if handle.is_null() {
                let error = io::Error::last_os_error();
                return match error.kind() {
                    io::ErrorKind::PermissionDenied => Ok(Self { path, mutex: None }),
                    _ => Err(failed(error)),
                };
            }
            OwnedHandle::from_raw_handle(handle)
        };
        let patience = u32::try_from(LOCK_PATIENCE.as_millis()).unwrap_or(u32::MAX);
        // SAFETY: the handle is open.
        match unsafe { WaitForSingleObject(mutex.as_raw_handle(), patience) } {
            // Abandoned: its holder died. What it left is complete at every instant.
            WAIT_OBJECT_0 | WAIT_ABANDONED => Ok(Self { path, mutex: Some(mutex) }),
            _ => Err(super::lock_timed_out(target)),
        }
    }

    /// Reads a file of this folder.
    pub(crate) fn read(&self, name: &OsStr) -> Result<Contents> {
        read(&self.path.join(name))
    }

    /// Makes `name` hold `bytes`, for every reader either entirely or not at all; see `unix`.
    pub(crate) fn replace(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<()> {
        let path = self.path.join(name);
        let temp = self.path.join(temp);
        let failed = |error| Error::os("write", &path, error);
        refuse_folder("write", &path)?;
        let file = OpenOptions::new().write(true).create_new(true).open(&temp).map_err(failed)?;
        let committed =
            fill(file, bytes, options).and_then(|()| persistently(|| fs::rename(&temp, &path)));
        let Err(error) = committed else { return Ok(()) };
        // Best effort: the error to report is the one that came first.
        let _ = fs::remove_file(&temp);
        Err(failed(error))
    }

    /// The same for a file that is known to be there; Windows knows one way only.
    pub(crate) fn exchange(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<()> {
        self.replace(name, temp, bytes, options)
    }

    /// Makes a new file hold `bytes`, complete from its first instant; `false` if there is one of
    /// that name, which then stays. Safe among those who take the folder's lock.
    pub(crate) fn publish(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<bool> {
        if fs::symlink_metadata(self.path.join(name)).is_ok() {
            return Ok(false);
        }
        self.replace(name, temp, bytes, options).map(|()| true)
    }

    /// Removes a file, or a link; tells whether there was one.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<bool> {
        let path = self.path.join(name);
        refuse_folder("clear", &path)?;
        match persistently(|| fs::remove_file(&path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::os("clear", &path, error)),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(mutex) = &self.mutex {
            // SAFETY: the handle is open, and this thread owns the mutex.
            unsafe { ReleaseMutex(mutex.as_raw_handle()) };
        }
    }
}

/// Asked first: Windows says of a folder what it says of a file that somebody has open.
fn refuse_folder(verb: &'static str, path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(not_a_file(verb, path, "a directory")),
        _ => Ok(()),
    }
}

/// One name for one folder however it is spelled, in every logon session. A mutex belongs to the
/// thread that took it, and so a `Folder` stays in the call that made it.
fn mutex_name(canonical: &Path) -> Vec<u16> {
    use std::hash::Hasher as _;
    let mut hash = siphasher::sip128::SipHasher24::new();
    for unit in canonical.as_os_str().encode_wide() {
        // Names on Windows differ in case only by special arrangement.
        let lower = char::from_u32(unit.into()).map_or(u32::from(unit), |c| {
            c.to_lowercase().next().map_or(u32::from(unit), u32::from)
        });
        hash.write_u32(lower);
    }
    let digest = siphasher::sip128::Hasher128::finish128(&hash).as_u128();
    format!("Global\\sessionreg-{digest:032x}\0").encode_utf16().collect()
}

fn fill(mut file: File, bytes: &[u8], options: WriteOptions) -> io::Result<()> {
    file.write_all(bytes)?;
    if options.durable { file.sync_all() } else { Ok(()) }
}

/// Repeats what fails because somebody, as a reader or a virus scanner, has the file open.
fn persistently<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut pause = Duration::from_millis(1);
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if is_sharing_violation(&error) => std::thread::sleep(pause),
            other => return other,
        }
        pause = (pause * 2).min(Duration::from_millis(32));
    }
    attempt()
}

fn is_sharing_violation(error: &io::Error) -> bool {
    let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok());
    matches!(code, Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION))
}

/// Whether the folder is on a drive of this machine.
pub(crate) fn is_local(folder: &Path) -> bool {
    /// `DRIVE_REMOVABLE`, `DRIVE_FIXED` and `DRIVE_RAMDISK` of fileapi.h.
    const LOCAL: [u32; 3] = [2, 3, 6];
    let Ok(canonical) = fs::canonicalize(folder) else { return false };
    let Some(Component::Prefix(prefix)) = canonical.components().next() else { return false };
    let (Prefix::Disk(letter) | Prefix::VerbatimDisk(letter)) = prefix.kind() else {
        return false;
    };
    let root = [u16::from(letter), u16::from(b':'), u16::from(b'\\'), 0];
    // SAFETY: the root ends in NUL.
    LOCAL.contains(&unsafe { GetDriveTypeW(root.as_ptr()) })
}
