//! The two files of a session: how each is put in place, and what stands there now.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::{Error, ErrorCode, Holder, Result};
use crate::fs::{Contents, Folder, Target, WriteOptions};
use crate::liveness::{State, liveness};
use crate::process;
use crate::record::{Dialect, Record, Refusal, pid_file, sidecar};
use crate::registry::record_of;
use crate::{sidecar as sidecar_file, temp_name};

/// The formats in which a session is written.
#[derive(Clone, Copy)]
pub(super) enum Format {
    PidFile(Dialect),
    Sidecar,
}

/// What stands at a path.
#[allow(clippy::large_enum_variant)] // It is taken apart where it is made.
pub(super) enum Standing {
    Missing,
    Record(Record),
    /// No record, and nothing that would have to be left alone.
    Damaged(Error),
}

/// A file under its folder's lock.
pub(super) struct Place<'a> {
    format: Format,
    path: &'a Path,
    name: &'a OsStr,
    folder: Folder,
}

impl<'a> Place<'a> {
    /// Takes the lock, and makes the folder if there is none.
    pub(super) fn lock(verb: &'static str, path: &'a Path, format: Format) -> Result<Self> {
        let target = Target::of(verb, path)?;
        let folder = Folder::lock_for_writing(target, WriteOptions::default())?;
        Ok(Self { format, path, name: target.name, folder })
    }

    /// What is there now. A file that must be left alone, or cannot be looked at, is an error.
    pub(super) fn read(&self) -> Result<Standing> {
        let read = self.folder.read(self.name);
        match read.and_then(|contents| self.decode(&contents)) {
            Ok(record) => Ok(Standing::Record(record)),
            Err(error) => match error.code() {
                ErrorCode::NotFound => Ok(Standing::Missing),
                ErrorCode::Corrupt | ErrorCode::TooLarge | ErrorCode::NotAFile => {
                    Ok(Standing::Damaged(error))
                }
                _ => Err(error),
            },
        }
    }

    fn decode(&self, contents: &Contents) -> Result<Record> {
        match self.format {
            Format::PidFile(dialect) => record_of(self.name, self.path, contents, dialect),
            Format::Sidecar => sidecar_file::record_of(self.path, contents),
        }
    }

    /// The text of a record; made before anything is changed, so that what cannot be written changes
    /// nothing.
    pub(super) fn text(&self, record: &Record) -> Result<Vec<u8>> {
        encode(self.format, record)
            .map_err(|refusal| Error::file(refusal.code, "write", self.path, refusal.reason))
    }

    /// Puts a record where none is; `false` if there is a file meanwhile.
    pub(super) fn publish(&self, text: &[u8]) -> Result<bool> {
        self.folder.publish(self.name, &self.temp()?, text, WriteOptions::default())
    }

    /// Puts a record in the place of another one, in a folder that is ours.
    pub(super) fn exchange(&self, text: &[u8]) -> Result<()> {
        self.folder.exchange(self.name, &self.temp()?, text, WriteOptions::default())
    }

    /// Puts a record in the place of whatever is there, a folder excepted.
    pub(super) fn replace(&self, text: &[u8]) -> Result<()> {
        self.folder.replace(self.name, &self.temp()?, text, WriteOptions::default())
    }

    fn temp(&self) -> Result<String> {
        temp_name::new().map_err(|error| Error::unavailable("write", self.path, error))
    }
}

pub(super) fn encode(format: Format, record: &Record) -> std::result::Result<Vec<u8>, Refusal> {
    match format {
        Format::PidFile(dialect) => pid_file::encode(record, dialect),
        Format::Sidecar => sidecar::encode(record),
    }
}

/// Removes a session's file, if it is still that registration's. The name of a PID file that tells
/// its instance is nobody else's, whatever it holds; a folder stays.
pub(super) fn remove(path: &Path, format: Format, record: &Record) -> Result<bool> {
    let target = Target::of("clear", path)?;
    let Some(folder) = Folder::lock(target)? else { return Ok(false) };
    let place = Place { format, path, name: target.name, folder };
    let is_own_name =
        matches!(format, Format::PidFile(dialect) if !dialect.is_one_file_per_process());
    let removed = match place.read() {
        Ok(Standing::Record(found)) if found.is_same_registration(record) => {
            place.folder.remove(target.name)
        }
        Ok(Standing::Damaged(_)) if is_own_name => place.folder.remove(target.name),
        Ok(_) => Ok(false),
        // A later schema, or another user's file by now.
        Err(error)
            if matches!(
                error.code(),
                ErrorCode::UnsupportedVersion | ErrorCode::PermissionDenied
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.code() == ErrorCode::NotAFile => Ok(false),
        other => other,
    }
}

/// Puts a sidecar in place, unless another process holds the name: then it is left alone, and the
/// holder is given.
pub(super) fn place_sidecar(path: &Path, record: &Record) -> Result<Option<Holder>> {
    let place = Place::lock("write", path, Format::Sidecar)?;
    let text = place.text(record)?;
    match place.read() {
        Ok(Standing::Missing | Standing::Damaged(_)) => {}
        Ok(Standing::Record(found)) if !holds(&found, record) => {}
        Ok(Standing::Record(found)) => return Ok(Some(found.holder(path))),
        // A later schema, or another user's file: of its holder nothing can be said.
        Err(error)
            if matches!(
                error.code(),
                ErrorCode::UnsupportedVersion | ErrorCode::PermissionDenied
            ) =>
        {
            return Ok(Some(Holder::unknown(path)));
        }
        Err(error) => return Err(error),
    }
    place.replace(&text)?;
    Ok(None)
}

/// Whether a record keeps another from its name: it may be that of a living process, and not the
/// one that asks.
fn holds(found: &Record, record: &Record) -> bool {
    if found.is_same_registration(record) || is_same_process(found, record) {
        return false;
    }
    let has_identity = found.identity.proc_start.is_some() || found.identity.pid_inode.is_some();
    match liveness(found).state {
        State::Alive => true,
        State::Unknown => has_identity,
        State::Dead => false,
    }
}

/// Both are of one process: an earlier run of the program in it, or another session of it. An inode
/// alone counts from the boot on, and so does a namespace.
fn is_same_process(found: &Record, record: &Record) -> bool {
    let (theirs, ours) = (&found.identity, &record.identity);
    found.pid == record.pid
        && theirs.proc_start.is_some()
        && theirs.proc_start == ours.proc_start
        && theirs.pid_ns == ours.pid_ns
        && (theirs.pid_inode.is_none() || theirs.pid_inode == ours.pid_inode)
}

/// What a process's own file in a folder with one file for each process says of whoever has it.
pub(super) fn is_free(found: &Record, record: &Record) -> bool {
    match liveness(found).state {
        State::Dead => true,
        // A process registers itself under its pid: nobody else can be meant by it.
        State::Alive => record.pid == std::process::id() && found.pid == record.pid,
        State::Unknown => false,
    }
}

/// The identity of the calling process on a record of its own. Where it cannot be read, as without
/// a free descriptor, what is known stays.
pub(super) fn identify(record: &mut Record) {
    let identity = process::own_identity();
    if identity.proc_start.is_some() {
        record.identity = identity;
        record.hostname = Some(process::hostname());
    }
}
