//! A file whose kernel lock dies with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// A lock that this process holds until it is released. Its file stays: another process may have it
/// open already.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl LockFile {
    /// Takes the lock; `None` if another process holds it. Its folder must be there.
    pub(crate) fn try_lock(path: &Path) -> Result<Option<Self>> {
        let failed = |error| Error::os("claim", path, error);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Lets go.
    #[allow(clippy::unnecessary_wraps)] // Elsewhere it may fail.
    pub(crate) fn release(self) -> Result<()> {
        drop(self.0);
        Ok(())
    }
}
