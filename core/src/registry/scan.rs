//! One pass over a registry folder: every record with its verdict, every file that is none.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Registry;
use super::file_name::FileName;
use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Contents, Listing, Stamp};
use crate::liveness::{Judge, Verdict};
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

/// What was read before, by file name.
pub(super) type Known = Arc<HashMap<OsString, (Stamp, Outcome)>>;

/// What a file turned out to be.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Record(Arc<Record>),
    Refused(Skipped),
}

impl Registry {
    /// Reads every record and judges it. A file that vanishes meanwhile was closed.
    pub fn scan(&self) -> Result<Scan> {
        self.scan_where(|_| true, |_| true)
    }

    /// The same for files of some pids, of which only some records are judged and given.
    pub(crate) fn scan_where(
        &self,
        wanted_pid: impl Fn(u32) -> bool,
        wanted: impl Fn(&Record) -> bool,
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

        let mut reader = Reader::new(self, &listing);
        let mut judge = Judge::of_many();
        for name in &names {
            match reader.outcome(name) {
                Some(Outcome::Record(record)) if wanted(&record) => {
                    let verdict = judge.judge(&record);
                    scan.entries.push(Entry { record, verdict });
                }
                Some(Outcome::Refused(skipped)) => scan.skipped.push(skipped),
                Some(Outcome::Record(_)) | None => {}
            }
        }
        if !is_partial {
            reader.remember(&names);
        }
        scan.entries.sort_by(|one, other| one.order().cmp(&other.order()));
        scan.skipped.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(scan)
    }

    fn known(&self) -> Option<Known> {
        // Never waited for: a thread that held it may not be there any more after a fork.
        self.known.try_lock().ok().map(|known| Arc::clone(&known))
    }
}

impl Entry {
    fn order(&self) -> (&str, u32, &Path) {
        (&self.record.session_id, self.record.pid, self.path())
    }
}

/// Reads the files of a folder, but for those that are as they were.
struct Reader<'a> {
    registry: &'a Registry,
    listing: &'a Listing,
    started: SystemTime,
    known: Option<Known>,
    /// What was read now, and can be believed the next time.
    fresh: Vec<(OsString, (Stamp, Outcome))>,
}

impl<'a> Reader<'a> {
    fn new(registry: &'a Registry, listing: &'a Listing) -> Self {
        let started = SystemTime::now();
        Self { registry, listing, started, known: registry.known(), fresh: Vec::new() }
    }

    /// `None`: it is not there any more.
    fn outcome(&mut self, name: &OsStr) -> Option<Outcome> {
        if let Some((stamp, outcome)) = self.known.as_ref().and_then(|known| known.get(name))
            && self.listing.stamp(name).as_ref() == Some(stamp)
        {
            return Some(outcome.clone());
        }
        let contents = match self.listing.read(name) {
            Err(error) if error.code() == ErrorCode::NotFound => return None,
            other => other,
        };
        let path = self.registry.dir.join(name);
        let stamp = contents.as_ref().ok().map(|contents| contents.stamp);
        let read =
            contents.and_then(|contents| record_of(name, &path, &contents, self.registry.dialect));
        let outcome = match read {
            Ok(record) => Outcome::Record(Arc::new(record)),
            Err(error) => {
                let (code, reason) = (error.code(), error.reason());
                Outcome::Refused(Skipped { path, code, reason })
            }
        };
        if let Some(stamp) = stamp.filter(|stamp| stamp.is_settled(self.started)) {
            self.fresh.push((name.to_owned(), (stamp, outcome.clone())));
        }
        Some(outcome)
    }

    /// Keeps what was read, and of what was known before only what is still there.
    fn remember(self, names: &[OsString]) {
        let Some(known) = self.known else { return };
        if self.fresh.is_empty() && known.len() <= names.len() {
            return;
        }
        let still = names.iter().filter_map(|name| known.get_key_value(name));
        let still = still.map(|(name, value)| (name.clone(), value.clone()));
        let next: HashMap<_, _> = still.chain(self.fresh).collect();
        if let Ok(mut slot) = self.registry.known.try_lock() {
            *slot = Arc::new(next);
        }
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
    let FileName::Of { pid } = FileName::parse(name) else {
        let reason = "its name is neither <pid>.json nor <pid>-<8 hex digits>.json";
        return Err(refuse(ErrorCode::Corrupt, reason));
    };
    let mut record = pid_file::decode(&contents.bytes, dialect)
        .map_err(|refusal| Error::file(refusal.code, "read", path, refusal.reason))?;
    if record.pid != pid {
        return Err(refuse(ErrorCode::Corrupt, "its name and its `pid` disagree"));
    }
    record.origin = Attached::to(Origin { path: path.to_owned(), owner: contents.owner });
    Ok(record)
}
