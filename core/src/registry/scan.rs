//! One pass over a registry folder: every record with its verdict, every file that is none.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Registry;
use super::file_name::FileName;
use super::memory::{Memory, Recall, Remembered};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Contents, Listing, Stamp};
use crate::liveness::{Judge, Verdict};
use crate::parallel::in_parallel;
use crate::record::{Attached, Dialect, Origin, Record, pid_file};

/// A registered session, and whether its process is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// What its file says.
    pub record: Arc<Record>,
    /// Whether its process is there, and how that is known.
    pub verdict: Verdict,
}

impl Entry {
    /// The file that the record was read from.
    pub fn path(&self) -> &Path {
        self.record.origin.get().map_or(Path::new(""), |origin| &origin.path)
    }
}

/// A file that was meant to be a record and is none, or could not be read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// The kind of objection.
    pub code: ErrorCode,
    /// The objection in words.
    pub reason: String,
}

/// What a registry folder holds, ordered by session id, then pid.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Scan {
    /// The records.
    pub entries: Vec<Entry>,
    /// Files that are none, ordered by path. A file that is not called as a record, and is no
    /// JSON, is somebody else's and not named here.
    pub skipped: Vec<Skipped>,
}

/// What a file turned out to be.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Record(Arc<Record>),
    Refused(Skipped),
}

impl Registry {
    /// Reads every record and judges it. A file that vanishes meanwhile was closed.
    pub fn scan(&self) -> Result<Scan> {
        self.scan_where(&|_| true, &|_| true)
    }

    /// The same for files of some pids, of which only some records are judged and given.
    pub(crate) fn scan_where(
        &self,
        // Not generic: one copy of all this is enough.
        wanted_pid: &dyn Fn(u32) -> bool,
        wanted: &(dyn Fn(&Record) -> bool + Sync),
    ) -> Result<Scan> {
        let mut scan = Scan::default();
        let Some(listing) = Listing::open(&self.dir)? else { return Ok(scan) };
        let mut is_partial = false;
        let names = listing.names(|name| match FileName::parse(name) {
            FileName::Of { pid } => {
                let is_wanted = wanted_pid(pid);
                is_partial |= !is_wanted;
                is_wanted
            }
            FileName::Other => true,
            FileName::NoRecord => false,
        })?;

        let reader = Reader {
            registry: self,
            listing: &listing,
            started: SystemTime::now(),
            memory: self.memory(),
        };
        let found = in_parallel(&names, |start, names| reader.read_all(start, names, wanted));
        if !is_partial {
            self.remember(&reader.memory, &names, &found);
        }
        for found in found.into_iter().flatten() {
            match found.outcome {
                Outcome::Record(record) => {
                    scan.entries.extend(found.verdict.map(|verdict| Entry { record, verdict }));
                }
                Outcome::Refused(skipped) => scan.skipped.push(skipped),
            }
        }
        scan.entries.sort_unstable_by(|one, other| one.order().cmp(&other.order()));
        scan.skipped.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(scan)
    }

    fn memory(&self) -> Arc<Memory> {
        // Never waited for: a thread that held it may not be there any more after a fork.
        self.memory.try_lock().map(|memory| Arc::clone(&memory)).unwrap_or_default()
    }

    /// Keeps what was read, if it is not what is known already.
    fn remember(&self, known: &Memory, names: &[OsString], found: &[Option<Found>]) {
        let is_known = |found: &Found| found.from_memory;
        let trusted = || found.iter().flatten().filter(|found| found.stamp.is_some());
        if trusted().count() == known.0.len() && trusted().all(is_known) {
            return;
        }
        let keep = |(name, found): (&OsString, &Option<Found>)| {
            let found = found.as_ref()?;
            Some(Remembered {
                name: name.clone(),
                stamp: found.stamp?,
                outcome: found.outcome.clone(),
            })
        };
        let next = names.iter().zip(found).filter_map(keep).collect();
        if let Ok(mut memory) = self.memory.try_lock() {
            *memory = Arc::new(Memory(next));
        }
    }
}

impl Entry {
    fn order(&self) -> (&str, u32, &Path) {
        (&self.record.session_id, self.record.pid, self.path())
    }
}

/// What became of one file.
struct Found {
    outcome: Outcome,
    /// Of a record that was wanted.
    verdict: Option<Verdict>,
    /// By which a later scan may tell that the file is the same; none if it might not.
    stamp: Option<Stamp>,
    from_memory: bool,
}

/// Reads the files of a folder, but for those that are as they were.
struct Reader<'a> {
    registry: &'a Registry,
    listing: &'a Listing,
    started: SystemTime,
    memory: Arc<Memory>,
}

impl Reader<'_> {
    /// Reads and judges some files of a folder, of which the first is the `start`th.
    fn read_all(
        &self,
        start: usize,
        names: &[OsString],
        wanted: &dyn Fn(&Record) -> bool,
    ) -> Vec<Option<Found>> {
        let mut recall = Recall::new(&self.memory, start);
        let mut judge = Judge::of_many();
        let mut read = |name: &OsString| {
            let mut found = self.read(name, recall.find(name))?;
            if let Outcome::Record(record) = &found.outcome
                && wanted(record)
            {
                found.verdict = Some(judge.judge(record));
            }
            Some(found)
        };
        names.iter().map(&mut read).collect()
    }

    /// `None`: it is not there any more.
    fn read(&self, name: &OsStr, remembered: Option<&Remembered>) -> Option<Found> {
        if let Some(Remembered { stamp, outcome, .. }) = remembered
            && self.listing.stamp(name).as_ref() == Some(stamp)
        {
            let (stamp, outcome) = (Some(*stamp), outcome.clone());
            return Some(Found { outcome, verdict: None, stamp, from_memory: true });
        }
        let path = self.registry.dir.join(name);
        if FileName::parse(name) == FileName::Other {
            let error = misnamed(&path);
            let (code, reason) = (error.code(), error.reason());
            let outcome = Outcome::Refused(Skipped { path, code, reason });
            return Some(Found { outcome, verdict: None, stamp: None, from_memory: false });
        }
        let contents = match self.listing.read(name, &path) {
            Err(error) if error.code() == ErrorCode::NotFound => return None,
            other => other,
        };
        let stamp = contents.as_ref().ok().map(|contents| contents.stamp);
        let stamp = stamp.filter(|stamp| stamp.is_settled(self.started));
        let dialect = self.registry.dialect;
        let outcome = match contents.and_then(|found| record_of(name, &path, &found, dialect)) {
            Ok(record) => Outcome::Record(Arc::new(record)),
            Err(error) => {
                let (code, reason) = (error.code(), error.reason());
                Outcome::Refused(Skipped { path, code, reason })
            }
        };
        Some(Found { outcome, verdict: None, stamp, from_memory: false })
    }
}

/// The record in a file of a registry folder; its name must say the same pid.
pub(crate) fn record_of(
    name: &OsStr,
    path: &Path,
    contents: &Contents,
    dialect: Dialect,
) -> Result<Record> {
    let refuse = |code, reason: &str| Error::file(code, "read", path, reason);
    let FileName::Of { pid } = FileName::parse(name) else { return Err(misnamed(path)) };
    let mut record = pid_file::decode(&contents.bytes, dialect)
        .map_err(|refusal| Error::file(refusal.code, "read", path, refusal.reason))?;
    if record.pid != pid {
        return Err(refuse(ErrorCode::Corrupt, "its name and its `pid` disagree"));
    }
    record.origin = Attached::to(Origin { path: path.to_owned(), owner: contents.owner });
    Ok(record)
}

fn misnamed(path: &Path) -> Error {
    let reason = "its name is neither <pid>.json nor <pid>-<8 hex digits>.json";
    Error::file(ErrorCode::Corrupt, "read", path, reason)
}
