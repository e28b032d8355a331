//! A file whose kernel lock dies with the process that holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A lock that this process holds until it is released.
///
/// The lock is on the file `<path>.lock`, which stays; who holds it is said in the file at `path`:
/// a locked file could not be read here.
#[derive(Debug)]
pub(crate) struct LockFile {
    _lock: File,
    path: PathBuf,
}

impl LockFile {
    /// Takes the lock; `None` if another process holds it. Its folder must be there.
    pub(crate) fn try_lock(path: &Path) -> Result<Option<Self>> {
        let failed = |error| Error::os("claim", path, error);
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Says in the file who holds it. Others may see it half written, or not at all.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        let failed = |error| Error::os("write", &self.path, error);
        File::create(&self.path).and_then(|mut file| file.write_all(bytes)).map_err(failed)
    }

    /// Removes what the file says, then lets go.
    pub(crate) fn release(self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::os("release", &self.path, error)),
        }
    }
}
