//! What the system shows of processes, open files and locks: each table read once for a snapshot,
//! and only if something is asked of it.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::liveness::Reason;
use crate::process::{self, Lock, LockTable, ProcessInfo, ProcessTable};

/// The system at one moment.
pub(super) struct World {
    table: Option<ProcessTable>,
    /// The files of which is asked who holds them open.
    transcripts: HashSet<PathBuf>,
    holders: OnceCell<Holders>,
    locks: OnceCell<Option<LockTable>>,
    /// Whether all processes may be searched for open files.
    may_search: bool,
}

/// Who holds files open.
#[derive(Default)]
struct Holders {
    by_path: HashMap<PathBuf, Vec<u32>>,
    /// Users of processes whose descriptors are not shown.
    hidden: HashSet<u32>,
}

impl World {
    /// `transcripts` are the files of which [`Self::transcript`] may be asked.
    pub(super) fn new(transcripts: HashSet<PathBuf>) -> Self {
        Self {
            table: ProcessTable::open(),
            transcripts,
            holders: OnceCell::new(),
            locks: OnceCell::new(),
            may_search: true,
        }
    }

    pub(super) fn forbid_search(&mut self) {
        self.may_search = false;
    }

    pub(super) fn has_searched(&self) -> bool {
        self.holders.get().is_some()
    }

    pub(super) fn table(&self) -> Option<&ProcessTable> {
        self.table.as_ref()
    }

    /// A process that is shown.
    pub(super) fn process(&self, pid: u32) -> Option<ProcessInfo> {
        self.table.as_ref()?.process(pid)
    }

    /// Who holds the lock of a file; `None` if that cannot be told.
    pub(super) fn lock_of(&self, path: &Path) -> Option<Lock> {
        let lock = self.locks.get_or_init(LockTable::read).as_ref()?.of(path)?;
        // Locks of processes outside a PID namespace are not listed in it.
        (lock != Lock::Free || sees_everybody()).then_some(lock)
    }

    /// By whom a transcript is held open, and what follows from that. The process that is known to
    /// have held it is asked first. `None` if nobody may be searched for.
    pub(super) fn transcript(
        &self,
        path: &Path,
        known: Option<u32>,
    ) -> Option<(Option<u32>, Reason)> {
        let Some(table) = &self.table else { return Some((None, Reason::Unsupported)) };
        if let Some(pid) = known.filter(|pid| is_held_by(table, *pid, path)) {
            return Some((Some(pid), Reason::FileOpen));
        }
        if !self.may_search {
            return None;
        }
        Some(self.search(table, path))
    }

    fn search(&self, table: &ProcessTable, path: &Path) -> (Option<u32>, Reason) {
        let holders = self.holders.get_or_init(|| self.read_holders(table));
        if let Some(pids) = holders.by_path.get(path) {
            return (pids.iter().copied().min(), Reason::FileOpen);
        }
        let is_hidden = fs::file_id(path).is_none_or(|file| {
            holders.hidden.contains(&file.owner) || !fs::sees_processes_of(file.owner)
        });
        if is_hidden || !sees_everybody() {
            return (None, Reason::Unsupported);
        }
        (None, Reason::FileClosed)
    }

    fn read_holders(&self, table: &ProcessTable) -> Holders {
        let mut holders = Holders::default();
        if self.transcripts.is_empty() {
            return holders;
        }
        let names: HashMap<&OsStr, Vec<&PathBuf>> =
            self.transcripts.iter().fold(HashMap::new(), |mut names, path| {
                names.entry(path.file_name().unwrap_or_default()).or_default().push(path);
                names
            });
        for pid in table.pids() {
            let Some(descriptors) = table.descriptors(pid) else {
                // Not shown, unless it has none any more.
                let shown = table.process(pid).filter(|process| !process.has_exited);
                holders.hidden.extend(shown.map(|process| process.user));
                continue;
            };
            for (descriptor, target) in descriptors {
                let candidates = target.file_name().and_then(|name| names.get(name));
                for path in candidates.into_iter().flatten() {
                    if is_file(table, pid, &descriptor, &target, path) {
                        let pids = holders.by_path.entry(PathBuf::clone(path)).or_default();
                        if pids.last() != Some(&pid) {
                            pids.push(pid);
                        }
                    }
                }
            }
        }
        holders
    }
}

fn is_held_by(table: &ProcessTable, pid: u32, path: &Path) -> bool {
    let descriptors = table.descriptors(pid).unwrap_or_default();
    let mut same_name =
        descriptors.iter().filter(|(_, target)| target.file_name() == path.file_name());
    same_name.any(|(descriptor, target)| is_file(table, pid, descriptor, target, path))
}

/// Whether a descriptor is open on a file: by another path, through a link or a mount, it may be the
/// same.
fn is_file(table: &ProcessTable, pid: u32, descriptor: &OsStr, target: &Path, path: &Path) -> bool {
    target == path
        || table.file_of(pid, descriptor).is_some_and(|file| fs::file_id(path) == Some(file))
}

/// Whether no process runs that a PID namespace would hide from us.
fn sees_everybody() -> bool {
    process::host().pid_ns == Some(process::INITIAL_PID_NS)
}
