//! One record in one file: write, read, load, clear, clear if it is still ours.

use std::path::Path;

use crate::error::{Error, ErrorCode, Result};
use crate::fs::{self, Folder, Target, WriteOptions};
use crate::record::{Attached, Origin, Record, sidecar};
use crate::temp_name;

/// Writes a record to `path`, replacing what is there.
///
/// For every reader the file is complete at every instant, whatever happens to the writer. Its
/// mode is 0600 whatever the umask; missing parent folders are made with 0700, the mode of
/// existing ones is left. A link at `path` is replaced, never followed.
///
/// Until the new record is in place any failure leaves the old one and no other file. Writers and
/// clearers of this library take turns by a lock on the folder; one that cannot have it within
/// 250 ms gives [`ErrorCode::Busy`]. What no reader would accept is [`ErrorCode::InvalidInput`] or
/// [`ErrorCode::TooLarge`].
pub fn write(path: impl AsRef<Path>, record: &Record) -> Result<()> {
    write_with(path, record, WriteOptions::default())
}

/// [`write()`], with options.
///
/// A durable write whose last step fails, the sync of the folder, is an error although the new
/// record stands.
pub fn write_with(path: impl AsRef<Path>, record: &Record, options: WriteOptions) -> Result<()> {
    let target = Target::of("write", path.as_ref())?;
    let text = sidecar::encode(record)
        .map_err(|refusal| Error::file(refusal.code, "write", target.path, refusal.reason))?;
    let temp = temp_name::new().map_err(|error| Error::unavailable("write", target.path, error))?;
    let folder = Folder::lock_for_writing(target, options)?;
    folder.replace(target.name, &temp, &text, options)
}

/// Reads the record at `path`, or nothing if there is none, whatever the file holds.
///
/// Only a path that can never name a file is an error, [`ErrorCode::InvalidInput`]. [`load`] tells
/// the other failures apart.
pub fn read(path: impl AsRef<Path>) -> Result<Option<Record>> {
    match load(path) {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.code() == ErrorCode::InvalidInput => Err(error),
        Err(_) => Ok(None),
    }
}

/// Reads the record at `path`.
///
/// Only a regular file is read, of at most 64 KiB, that belongs to the reader or to root (root
/// reads everybody's); links are not followed and nothing ever blocks. Reading is strict: a value
/// of another type than the format's is never coerced.
///
/// [`ErrorCode::NotFound`], [`ErrorCode::NotAFile`], [`ErrorCode::TooLarge`],
/// [`ErrorCode::PermissionDenied`], [`ErrorCode::Corrupt`], [`ErrorCode::UnsupportedVersion`] and
/// [`ErrorCode::Io`] tell why there is no record.
pub fn load(path: impl AsRef<Path>) -> Result<Record> {
    let target = Target::of("read", path.as_ref())?;
    record_of(target.path, &fs::read(target.path)?)
}

/// Removes the record at `path`, whatever it is; tells whether there was one.
///
/// A link is removed, not what it points to; a directory is [`ErrorCode::NotAFile`].
pub fn clear(path: impl AsRef<Path>) -> Result<bool> {
    let target = Target::of("clear", path.as_ref())?;
    match Folder::lock(target)? {
        Some(folder) => folder.remove(target.name),
        None => Ok(false),
    }
}

/// Removes the record at `path` if it is still this registration; tells whether it was removed.
///
/// The same registration is the same `instance`; of records without one the same pid, `proc_start`
/// and `started_at`. A successor that another process writes at the same moment survives, if it
/// writes through this library; what is no record, or none of this registration, stays.
pub fn clear_if(path: impl AsRef<Path>, record: &Record) -> Result<bool> {
    let target = Target::of("clear", path.as_ref())?;
    let Some(folder) = Folder::lock(target)? else {
        return Ok(false);
    };
    let found = folder.read(target.name).and_then(|contents| record_of(target.path, &contents));
    match found {
        Ok(found) if found.is_same_registration(record) => folder.remove(target.name),
        Ok(_) => Ok(false),
        Err(error) => match error.code() {
            ErrorCode::NotFound
            | ErrorCode::NotAFile
            | ErrorCode::TooLarge
            | ErrorCode::Corrupt
            | ErrorCode::UnsupportedVersion => Ok(false),
            _ => Err(error),
        },
    }
}

pub(crate) fn record_of(path: &Path, contents: &fs::Contents) -> Result<Record> {
    let mut record = sidecar::decode(&contents.bytes)
        .map_err(|refusal| Error::file(refusal.code, "read", path, refusal.reason))?;
    // As it is now: the caller's own folder may be another one when the record is judged.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    record.origin = Attached::to(Origin { path, owner: contents.owner });
    Ok(record)
}
