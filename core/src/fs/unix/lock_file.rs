//! A file whose kernel lock dies with the process that holds it.
//!
//! It is a lock of fcntl(2): a forked child does not have it, and no child keeps it alive. In turn
//! it falls with any close of the file in this process, so a process must never open one twice.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::super::not_a_file;
use super::FILE_MODE;
use crate::error::{Error, ErrorCode, Result};

/// How often a lock is tried whose file was removed by its last holder at that moment.
const ATTEMPTS: u32 = 1000;

/// A lock that this process holds until it is released.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: OwnedFd,
    path: PathBuf,
}

impl LockFile {
    /// Takes the lock; `None` if another process holds it. Its folder must be there.
    pub(crate) fn try_lock(path: &Path) -> Result<Option<Self>> {
        let failed = |errno: Errno| match errno {
            Errno::LOOP => not_a_file("claim", path, "a symbolic link"),
            Errno::NXIO | Errno::NODEV => not_a_file("claim", path, "a special file"),
            Errno::NOLCK | Errno::NOSYS | Errno::INVAL | Errno::NOTSUP => {
                Error::unavailable("claim", path, errno.into())
            }
            other => Error::os("claim", path, other.into()),
        };
        for _ in 0..ATTEMPTS {
            let file = open(path).map_err(failed)?;
            let stat = rustix::fs::fstat(&file).map_err(failed)?;
            if !FileType::from_raw_mode(stat.st_mode).is_file() {
                return Err(not_a_file("claim", path, "a special file"));
            }
            match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK | Errno::ACCESS) => return Ok(None),
                Err(errno) => return Err(failed(errno)),
            }
            // The last holder may have removed the file after it was opened here: then this is a
            // lock on nothing that anybody else would find.
            if is_at(&file, path) {
                return Ok(Some(Self { file, path: path.to_owned() }));
            }
        }
        Err(Error::file(ErrorCode::Busy, "claim", path, "it is replaced all the time"))
    }

    /// Removes the file, then lets go: whoever opened it meanwhile sees that it is no more there. A
    /// file that somebody put in its place is not ours to remove.
    pub(crate) fn release(self) -> Result<()> {
        if !is_at(&self.file, &self.path) {
            return Ok(());
        }
        match rustix::fs::unlinkat(CWD, &self.path, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(Error::os("release", &self.path, errno.into())),
        }
    }
}

/// Whether an open file is the one that a path names.
fn is_at(file: &OwnedFd, path: &Path) -> bool {
    let id = |stat: Stat| (stat.st_dev, stat.st_ino);
    let there = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map(id);
    there.is_ok() && there == rustix::fs::fstat(file).map(id)
}

fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(FILE_MODE))
}
