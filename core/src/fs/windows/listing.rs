//! A folder that is only read: its names, and its files by name.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Contents, Stamp};
use super::{read, stamp_of};
use crate::error::{Error, ErrorCode, Result, code_of};

/// A folder, without its lock.
pub(crate) struct Listing {
    path: PathBuf,
}

impl Listing {
    /// `None`: there is no such folder.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        match fs::read_dir(path) {
            Ok(_) => Ok(Some(Self { path: path.to_owned() })),
            Err(error) if code_of(&error) == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(Error::os("list", path, error)),
        }
    }

    /// The names in it that `wanted` accepts, in the system's order.
    pub(crate) fn names(&self, mut wanted: impl FnMut(&OsStr) -> bool) -> Result<Vec<OsString>> {
        let failed = |error| Error::os("list", &self.path, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if wanted(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Reads a file of this folder, as [`super::read`] does.
    #[allow(clippy::unused_self)] // The folder is part of the path.
    pub(crate) fn read(&self, _: &OsStr, path: &Path) -> Result<Contents> {
        read(path)
    }

    /// What of a file changes with it; `None` if it cannot be looked at.
    pub(crate) fn stamp(&self, name: &OsStr) -> Option<Stamp> {
        fs::symlink_metadata(self.path.join(name)).ok().map(|metadata| stamp_of(&metadata))
    }
}
