//! A folder of PID files: who is registered in it, and is that process there.

pub(crate) mod claim;
mod file_name;
mod memory;
mod queries;
mod scan;
mod sweep;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use claim::Claim;
pub(crate) use file_name::{FileName, name_of};
pub(crate) use scan::record_of;
pub use scan::{Entry, Scan, Skipped};
pub use sweep::{Removed, SweepOptions, Swept};

use crate::error::{Error, ErrorCode, Result};
use crate::paths;
use crate::record::Dialect;

/// The live sessions of a folder: register, find, sweep, claim.
///
/// Opening does no input or output: a folder that is not there has no sessions, and is made by the
/// first registration. A registry may be used from any thread; it remembers the files that it read,
/// so that a second scan reads only what changed.
#[derive(Debug)]
pub struct Registry {
    dir: PathBuf,
    dialect: Dialect,
    memory: Mutex<Arc<memory::Memory>>,
}

impl Registry {
    /// The registry of a folder; the dialect is [`Dialect::of_folder`].
    ///
    /// [`ErrorCode::InvalidInput`] for a path that can name no folder.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = absolute(dir.as_ref())?;
        let dialect = Dialect::of_folder(&dir);
        Ok(Self::new(dir, dialect))
    }

    /// The registry of a folder whose records are in a given dialect.
    pub fn open_in(dir: impl AsRef<Path>, dialect: Dialect) -> Result<Self> {
        Ok(Self::new(absolute(dir.as_ref())?, dialect))
    }

    /// The user's own registry: `sessions` in [`paths::home`].
    pub fn open_default() -> Result<Self> {
        Ok(Self::new(paths::home()?.join("sessions"), Dialect::Ours))
    }

    fn new(dir: PathBuf, dialect: Dialect) -> Self {
        Self { dir, dialect, memory: Mutex::default() }
    }

    /// The folder, an absolute path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The dialect of its records.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// A caller may change its own folder later: what is meant is what the path names now.
fn absolute(dir: &Path) -> Result<PathBuf> {
    let objection = |reason| Error::file(ErrorCode::InvalidInput, "open", dir, reason);
    if dir.as_os_str().is_empty() {
        return Err(objection("the path is empty"));
    }
    if dir.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(objection("the path contains a NUL byte"));
    }
    std::path::absolute(dir).map_err(|error| Error::os("open", dir, error))
}
