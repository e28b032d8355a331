//! What a picture is told of the system's changes, and what it tells of its own.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be looked at again.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// All folders, but only those files that are not as they were.
    pub(crate) everything: bool,
    /// Folders of which something changed that is not known.
    pub(crate) folders: HashSet<PathBuf>,
    /// Names in folders.
    pub(crate) names: HashSet<(PathBuf, OsString)>,
    /// Processes that exited, or whose end nobody tells.
    pub(crate) processes: HashSet<u32>,
    /// Which processes there are.
    pub(crate) process_list: bool,
    /// Somebody asked: nothing is put off.
    pub(crate) now: bool,
}

impl Work {
    pub(crate) fn all() -> Self {
        Self { everything: true, process_list: true, ..Self::default() }
    }

    /// Whether it is worth a search of all processes at once.
    pub(super) fn may_search(&self) -> bool {
        self.now || self.everything || self.process_list || !self.processes.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.everything
            && !self.now
            && !self.process_list
            && self.folders.is_empty()
            && self.names.is_empty()
            && self.processes.is_empty()
    }
}

/// What became of one entry.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Arc<str>,
    pub(crate) was_listed: bool,
}

/// What tells of the system's changes between two updates; of a snapshot by itself, nobody.
pub(crate) trait Notices {
    /// Before a folder is listed, or a file in it is looked at.
    fn watch_folder(&mut self, _path: &Path) {}
    /// The same for a folder of files that are locked.
    fn watch_locks(&mut self, _path: &Path) {}
    /// Before a process is judged; tells whether it is there.
    fn watch_process(&mut self, _pid: u32) -> bool {
        true
    }
    /// It was there, and then was not.
    fn look_again(&mut self, _pid: u32) {}
    /// No session is served by it any more.
    fn forget_process(&mut self, _pid: u32) {}
}

/// For who looks once.
pub(super) struct Nobody;

impl Notices for Nobody {}
