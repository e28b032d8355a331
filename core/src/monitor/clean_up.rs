//! Removes what hooks leave over in their data folders: an explicit act, on folders that are named.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Folder, Listing, Stamp, Target};
use crate::registry::Skipped;
use crate::snapshot::{HookFile, Picture};
use crate::sources::Sources;

/// How long an event log without a session is kept.
const LOG_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How data folders are cleaned up.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CleanUpOptions {
    /// Only tell what would be removed (default: no).
    pub dry_run: bool,
}

impl CleanUpOptions {
    /// The same options with `dry_run` set.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// What a clean-up did, or would do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CleanedUp {
    /// The files that went, ordered by path.
    pub removed: Vec<Tidied>,
    /// Files that could not be read or removed, ordered by path.
    pub failed: Vec<Skipped>,
}

/// A file that was removed, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tidied {
    /// The file.
    pub path: PathBuf,
    /// Why: `stale`, `pane_gone`, `superseded`, or `orphan` of an event log.
    pub reason: &'static str,
}

pub(super) fn clean_up(
    sources: &Sources,
    folders: &[PathBuf],
    options: CleanUpOptions,
) -> CleanedUp {
    let mut named = Sources::none();
    named.hooks = folders.to_vec();
    named.multiplexers = sources.multiplexers;
    named.dead_within = Duration::MAX;
    named.superseded = true;
    let picture = Picture::once(named);

    let mut done =
        CleanedUp { failed: picture.skipped().cloned().collect(), ..CleanedUp::default() };
    let leftover = |file: HookFile| Some((file.path, file.stamp, file.leftover?));
    let mut doomed: Vec<(PathBuf, Stamp, &str)> =
        picture.hook_files().into_iter().filter_map(leftover).collect();
    for folder in folders {
        match orphans(folder) {
            Ok(orphans) => {
                doomed.extend(orphans.into_iter().map(|(path, stamp)| (path, stamp, "orphan")));
            }
            Err(error) => done.failed.push(skipped(folder, &error)),
        }
    }
    for (path, stamp, reason) in doomed {
        match if options.dry_run { Ok(true) } else { remove_if(&path, stamp) } {
            Ok(true) => done.removed.push(Tidied { path, reason }),
            // Somebody else was at it meanwhile.
            Ok(false) => {}
            Err(error) => done.failed.push(skipped(&path, &error)),
        }
    }
    done.removed.sort_by(|one, other| one.path.cmp(&other.path));
    done.failed.sort_by(|one, other| one.path.cmp(&other.path));
    done
}

fn skipped(path: &Path, error: &Error) -> Skipped {
    Skipped { path: path.to_owned(), code: error.code(), reason: error.reason() }
}

/// Event logs whose session has no record and that nobody wrote to for long.
fn orphans(data: &Path) -> Result<Vec<(PathBuf, Stamp)>> {
    let folder = data.join("events");
    let Some(logs) = Listing::open(&folder)? else { return Ok(Vec::new()) };
    let stem = |name: &OsStr, suffix: &str| {
        name.to_str().and_then(|name| name.strip_suffix(suffix)).map(str::to_owned)
    };
    // Without the records nothing is known to be gone.
    let Some(records) = Listing::open(&data.join("sessions"))? else { return Ok(Vec::new()) };
    let records = records.names(|name| stem(name, ".json").is_some())?;
    let known: HashSet<String> = records.iter().filter_map(|name| stem(name, ".json")).collect();
    let is_orphan = |name: &OsStr| stem(name, ".jsonl").is_some_and(|id| !known.contains(&id));
    let names: Vec<OsString> = logs.names(is_orphan)?;
    let now = SystemTime::now();
    let old = names.into_iter().filter_map(|name| {
        let stamp = logs.stamp(&name).filter(|stamp| stamp.is_older(now, LOG_KEPT))?;
        Some((folder.join(name), stamp))
    });
    Ok(old.collect())
}

/// Removes a file that is still as it was.
fn remove_if(path: &Path, stamp: Stamp) -> Result<bool> {
    let target = Target::of("clear", path)?;
    let Some(folder) = Folder::lock(target)? else { return Ok(false) };
    let listing = Listing::open(target.folder)?;
    if listing.and_then(|listing| listing.stamp(target.name)) != Some(stamp) {
        return Ok(false);
    }
    match folder.remove(target.name) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        other => other,
    }
}
