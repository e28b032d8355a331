//! Systems of which the tables of processes, open files and locks are not read: what depends on them
//! is unsupported there, and never dead.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Lock, ProcessInfo};
use crate::fs::FileId;

/// There is none.
pub(crate) struct ProcessTable(Infallible);

/// There is none.
pub(crate) struct LockTable(Infallible);

impl ProcessTable {
    pub(crate) fn open() -> Option<Self> {
        None
    }

    pub(crate) fn processes(&self) -> Vec<ProcessInfo> {
        match self.0 {}
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        match self.0 {}
    }

    pub(crate) fn process(&self, _: u32) -> Option<ProcessInfo> {
        match self.0 {}
    }

    pub(crate) fn arguments(&self, _: u32) -> Vec<OsString> {
        match self.0 {}
    }

    pub(crate) fn working_dir(&self, _: u32) -> Option<PathBuf> {
        match self.0 {}
    }

    pub(crate) fn descriptors(&self, _: u32) -> Option<Vec<(OsString, PathBuf)>> {
        match self.0 {}
    }

    pub(crate) fn file_of(&self, _: u32, _: &OsStr) -> Option<FileId> {
        match self.0 {}
    }
}

impl LockTable {
    pub(crate) fn read() -> Option<Self> {
        None
    }

    pub(crate) fn of(&self, _: &Path) -> Option<Lock> {
        match self.0 {}
    }
}
