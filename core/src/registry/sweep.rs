//! Removes what processes left behind that are proven dead, and nothing else.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file_name::FileName;
use super::{Registry, Skipped, claim, scan};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Contents, Folder, Listing, Target};
use crate::liveness::{Judge, Reason, State};
use crate::paths;
use crate::record::{Dialect, Record};
use crate::sidecar;
use crate::temp_name::Writer;

/// How old a temporary file is left whose writer cannot be judged.
const TEMP_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What [`Registry::sweep`] is to do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SweepOptions {
    /// Only tell what would go.
    pub dry_run: bool,
    /// Folders of sidecars, `<id>.runtime.json` or `<id>/runtime.json`, to be swept too. A folder
    /// is never taken from a record.
    pub sidecar_folders: Vec<PathBuf>,
}

impl SweepOptions {
    /// The same options with `dry_run` set.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// The same options with one more folder of sidecars.
    #[must_use]
    pub fn sidecar_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.sidecar_folders.push(folder.into());
        self
    }
}

/// A file that went, or would go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Removed {
    /// The file.
    pub path: PathBuf,
    /// Why its process is dead; none for a temporary file that nobody finished in five minutes.
    pub reason: Option<Reason>,
    /// What it said; none for a temporary file.
    pub record: Option<Record>,
}

/// What a sweep did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// The files that went, or would go in a dry run.
    pub removed: Vec<Removed>,
    /// How many sessions of the registry live.
    pub live: usize,
    /// Files that should have gone and could not, with the reason.
    pub failed: Vec<Skipped>,
}

impl Registry {
    /// Removes the records of processes that are proven dead, and temporary files that nobody will
    /// finish.
    ///
    /// Only a record that this library wrote goes, and only if its boot and PID namespace are ours
    /// and its process is gone, a zombie, or another one now, or if its boot is over. The very file
    /// is read and judged again, under the folder's lock, before it goes. What cannot be judged
    /// from here, cannot be read, is of a newer schema or is not called as a record stays.
    pub fn sweep(&self, options: &SweepOptions) -> Result<Swept> {
        let mut sweep = Sweep { options, done: Swept::default() };
        sweep.done.live = sweep.folder(&self.dir, &Layout::PidFiles(self.dialect))?;
        for folder in &options.sidecar_folders {
            sweep.sidecars(folder)?;
        }
        if paths::home().is_ok_and(|home| home.join("sessions") == self.dir) {
            sweep.claims(&claim::folder()?)?;
        }
        sweep.done.removed.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(sweep.done)
    }
}

/// Which files of a folder are records, and how they are read.
enum Layout {
    PidFiles(Dialect),
    /// `<id>.runtime.json`, or in the folder of that id `runtime.json`.
    Sidecars,
}

const SIDECAR: &str = "runtime.json";

impl Layout {
    fn is_record(&self, name: &OsStr) -> bool {
        match self {
            Self::PidFiles(_) => matches!(FileName::parse(name), FileName::Of { .. }),
            Self::Sidecars => name.to_str().is_some_and(|name| {
                name == SIDECAR || name.strip_suffix(SIDECAR).is_some_and(|id| id.ends_with('.'))
            }),
        }
    }

    /// `None` for what is no record, or is not called as it should be.
    fn read(&self, name: &OsStr, path: &Path, contents: &Contents) -> Option<Record> {
        match self {
            Self::PidFiles(dialect) => scan::record_of(name, path, contents, *dialect).ok(),
            Self::Sidecars => {
                let record = sidecar::record_of(path, contents).ok()?;
                let name = name.to_str()?;
                let id = match name.strip_suffix(SIDECAR)? {
                    "" => path.parent()?.file_name()?.to_str()?,
                    id => id.strip_suffix('.')?,
                };
                (record.session_id == id).then_some(record)
            }
        }
    }
}

struct Sweep<'a> {
    options: &'a SweepOptions,
    done: Swept,
}

impl Sweep<'_> {
    /// Sweeps one folder; tells how many of its records live.
    fn folder(&mut self, folder: &Path, layout: &Layout) -> Result<usize> {
        let Some(listing) = Listing::open(folder)? else { return Ok(0) };
        let is_temp = |name: &OsStr| name.to_str().is_some_and(|name| Writer::of(name).is_some());
        let names = listing.names(|name| is_temp(name) || layout.is_record(name))?;
        let mut judge = Judge::of_many();
        let mut live = 0;
        let mut is_busy = false;
        for name in &names {
            let path = folder.join(name);
            if is_temp(name) {
                self.temp(&listing, name, path);
                continue;
            }
            // What cannot be read stays.
            let Ok(contents) = listing.read(name, &path) else { continue };
            let Some(record) = layout.read(name, &path, &contents) else { continue };
            let verdict = judge.judge(&record);
            live += usize::from(verdict.state == State::Alive);
            // Once somebody keeps the folder's lock, the others would only wait in vain too.
            if judge.is_proof(&record, verdict) && !is_busy {
                is_busy = self.record(layout, name, path, record, verdict.reason);
            }
        }
        Ok(live)
    }

    /// Removes a record that was found dead, if it is so still; tells whether the folder's lock could
    /// not be had.
    fn record(
        &mut self,
        layout: &Layout,
        name: &OsStr,
        path: PathBuf,
        record: Record,
        reason: Reason,
    ) -> bool {
        let went = self.options.dry_run || {
            let still_dead = |contents: &Contents| {
                let mut judge = Judge::forgetful();
                layout.read(name, &path, contents).is_some_and(|found| {
                    let verdict = judge.judge(&found);
                    found.is_same_registration(&record) && judge.is_proof(&found, verdict)
                })
            };
            match remove_if(&path, name, still_dead) {
                Ok(went) => went,
                Err(error) => {
                    self.failed(path, &error);
                    return error.code() == ErrorCode::Busy;
                }
            }
        };
        if went {
            self.done.removed.push(Removed { path, reason: Some(reason), record: Some(record) });
        }
        false
    }

    /// Removes a temporary file of a dead writer at once; that of one who cannot be judged when it
    /// is old.
    fn temp(&mut self, listing: &Listing, name: &OsStr, path: PathBuf) {
        let Some(writer) = name.to_str().and_then(Writer::of) else { return };
        let reason = match writer.is_dead() {
            Some(true) => Some(Reason::Gone),
            Some(false) => return,
            None => {
                let age = listing.stamp(name).and_then(|stamp| stamp.age());
                if age.is_none_or(|age| age < TEMP_PATIENCE) {
                    return;
                }
                None
            }
        };
        if !self.options.dry_run {
            // Its name is never used twice, so nobody's lock is needed.
            let removed = match std::fs::remove_file(&path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
                Err(error) => Err(Error::os("sweep", &path, error)),
            };
            match removed {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.failed(path, &error),
            }
        }
        self.done.removed.push(Removed { path, reason, record: None });
    }

    fn sidecars(&mut self, folder: &Path) -> Result<()> {
        self.folder(folder, &Layout::Sidecars)?;
        // The layout of a folder for each session: one level, and no link is followed.
        let below = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            if let Err(error) = self.folder(&entry.path(), &Layout::Sidecars) {
                self.failed(entry.path(), &error);
            }
        }
        Ok(())
    }

    /// Files of claims whose holders died. The lock itself died with them.
    fn claims(&mut self, folder: &Path) -> Result<()> {
        let Some(listing) = Listing::open(folder)? else { return Ok(()) };
        let is_claim = |name: &OsStr| Path::new(name).extension() == Some(OsStr::new("json"));
        let mut judge = Judge::of_many();
        for name in listing.names(is_claim)? {
            let path = folder.join(name);
            match claim::sweep(&path, &mut judge, self.options.dry_run) {
                Ok(Some(dead)) => {
                    let (record, reason) = (Some(dead.record), Some(dead.reason));
                    self.done.removed.push(Removed { path, reason, record });
                }
                Ok(None) => {}
                Err(error) => self.failed(path, &error),
            }
        }
        Ok(())
    }

    fn failed(&mut self, path: PathBuf, error: &Error) {
        let (code, reason) = (error.code(), error.reason());
        self.done.failed.push(Skipped { path, code, reason });
    }
}

/// Removes a file under its folder's lock, if what it holds at that moment is what was expected.
fn remove_if(path: &Path, name: &OsStr, expected: impl Fn(&Contents) -> bool) -> Result<bool> {
    let Some(folder) = Folder::lock(Target::of("sweep", path)?)? else { return Ok(false) };
    match folder.read(name) {
        Ok(contents) if expected(&contents) => folder.remove(name),
        Ok(_) => Ok(false),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
