//! A folder that is only read: its names, and its files by name.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir};
use rustix::io::Errno;

use super::super::{Contents, Stamp};
use super::{open_folder, read_at, stamp_of};
use crate::error::{Error, Result};

/// An open folder, without its lock.
pub(crate) struct Listing {
    fd: OwnedFd,
    path: PathBuf,
}

impl Listing {
    /// `None`: there is no such folder.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        match open_folder(path) {
            Ok(fd) => Ok(Some(Self { fd, path: path.to_owned() })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::os("list", path, errno.into())),
        }
    }

    /// The names in it that `wanted` accepts, in the system's order.
    pub(crate) fn names(&self, mut wanted: impl FnMut(&OsStr) -> bool) -> Result<Vec<OsString>> {
        let failed = |errno: Errno| Error::os("list", &self.path, errno.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if wanted(name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Reads a file of this folder, as [`super::read`] does; errors call it `path`.
    pub(crate) fn read(&self, name: &OsStr, path: &Path) -> Result<Contents> {
        read_at(&self.fd, name, path)
    }

    /// What of a file changes with it; `None` if it cannot be looked at.
    pub(crate) fn stamp(&self, name: &OsStr) -> Option<Stamp> {
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(stamp_of(&stat))
    }
}
