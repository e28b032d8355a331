//! At most one process of a user on a host may hold the claim of a session.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::Registry;
use crate::error::{Error, ErrorCode, Holder, Result};
use crate::fs::{self, LockFile};
use crate::liveness::{Judge, Reason, State, liveness};
use crate::paths;
use crate::process::{Own, PerProcess};
use crate::record::{Record, is_agent};
use crate::session_id::SessionId;
use crate::sidecar;

/// What this process claims. A second open and close of a lock's file would drop the lock.
static HELD: PerProcess<Vec<Holder>> = PerProcess::new();

/// How often a lock is asked for again whose file does not name a living holder: it is on its way
/// from one to another.
const ATTEMPTS: u32 = 20;

/// The right to serve a session, held until it is released or this process ends.
///
/// Dropping it releases it, but for a copy in a forked child, which holds nothing.
#[derive(Debug)]
#[must_use = "a claim that is dropped is released"]
pub struct Claim {
    lock: Option<LockFile>,
    record: Record,
    path: PathBuf,
    own: Own,
}

impl Registry {
    /// Claims a session for this process, so that no other can resume its transcript.
    ///
    /// [`ErrorCode::Held`] names the holder, as far as it is known; a second claim by the same
    /// process is held too. The claim is a lock of the kernel's that dies with its holder: none is
    /// ever stale, and none times out. Claims lie in `claims` of [`paths::home`], whatever the
    /// folder of this registry.
    pub fn claim(&self, agent: &str, session_id: &str) -> Result<Claim> {
        claim(agent, session_id)
    }
}

/// See [`Registry::claim`]; it does not depend on the registry's folder.
pub(crate) fn claim(agent: &str, session_id: &str) -> Result<Claim> {
    if !is_agent(agent) {
        let reason = "it is not of the form [a-z][a-z0-9-]{0,31}, or is `schema`";
        return Err(Error::value(ErrorCode::InvalidInput, "accept", "the agent", reason));
    }
    let id = SessionId::new(session_id)?;
    fs::ensure_folder(&paths::home()?.join("claims"))?;
    let path = folder()?.join(name_of(agent, id.as_str()));
    let mut record = Record::new(id.as_str(), work_dir());
    record.agent = Some(agent.to_owned());

    let mut held = HELD.lock();
    if let Some(holder) = held.iter().find(|holder| holder.path == path) {
        return Err(Error::held("claim", holder.clone()));
    }
    let lock = lock(&path)?;
    if let Err(error) = sidecar::write(&path, &record) {
        // Best effort: the error to report is the one that came first.
        let _ = lock.release();
        return Err(error);
    }
    held.push(record.holder(&path));
    Ok(Claim { lock: Some(lock), record, path, own: Own::now() })
}

/// The record of a claim's holder. Anybody may read it: the lock is on another file, of which
/// nobody is told, since to close that would drop the lock.
fn name_of(agent: &str, session_id: &str) -> String {
    format!("{agent}.{session_id}.json")
}

fn lock_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock"))
}

/// Where claims lie. However that is spelled, this process must not open a file of it twice.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = paths::home()?.join("claims");
    Ok(std::fs::canonicalize(&folder).unwrap_or(folder))
}

fn lock(path: &Path) -> Result<LockFile> {
    let mut holder = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            sleep(Duration::from_millis(1));
        }
        if let Some(lock) = LockFile::try_lock(&lock_of(path))? {
            return Ok(lock);
        }
        holder = sidecar::read(path)?.filter(|record| liveness(record).state != State::Dead);
        if holder.is_some() {
            break;
        }
    }
    let holder = holder.map_or_else(|| Holder::unknown(path), |record| record.holder(path));
    Err(Error::held("claim", holder))
}

/// Where the claimant works; a folder that was removed, or is no text, is not worth failing for.
fn work_dir() -> String {
    let folder = std::env::current_dir().ok();
    folder.and_then(|folder| folder.to_str().map(str::to_owned)).unwrap_or_else(|| "/".to_owned())
}

impl Claim {
    /// The file that tells who claims the session.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go. Another process may have the claim from now on.
    ///
    /// In a forked child it is [`ErrorCode::Closed`]: the claim is its parent's.
    pub fn release(mut self) -> Result<()> {
        if !self.own.is_this_process() {
            let reason = "the claim belongs to the process that this one was forked from";
            return Err(Error::file(ErrorCode::Closed, "release", &self.path, reason));
        }
        self.let_go()
    }

    fn let_go(&mut self) -> Result<()> {
        let Some(lock) = self.lock.take() else { return Ok(()) };
        let mut held = HELD.lock();
        held.retain(|holder| holder.path != self.path);
        let cleared = sidecar::clear_if(&self.path, &self.record);
        // While the table is locked: nobody of this process opens the file in between.
        lock.release()?;
        cleared.map(drop)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.own.is_this_process() {
            // Whoever wants to know calls `release`.
            let _ = self.let_go();
        }
    }
}

/// A claim whose holder is proven dead.
pub(super) struct DeadClaim {
    pub(super) record: Record,
    pub(super) reason: Reason,
}

/// Removes the files of a claim whose holder is proven dead, unless somebody has claimed it since.
pub(super) fn sweep(path: &Path, judge: &mut Judge, dry_run: bool) -> Result<Option<DeadClaim>> {
    let held = HELD.lock();
    if held.iter().any(|holder| holder.path == path) {
        return Ok(None);
    }
    // What cannot be read, or is not called as it should be, stays.
    let Some(record) = sidecar::read(path)? else { return Ok(None) };
    let name = record.agent.as_deref().map(|agent| name_of(agent, &record.session_id));
    let verdict = judge.judge(&record);
    if path.file_name() != name.as_deref().map(OsStr::new) || !judge.is_proof(&record, verdict) {
        return Ok(None);
    }
    if !dry_run {
        let Some(lock) = LockFile::try_lock(&lock_of(path))? else { return Ok(None) };
        let cleared = sidecar::clear_if(path, &record);
        lock.release()?;
        if !cleared? {
            return Ok(None);
        }
    }
    Ok(Some(DeadClaim { record, reason: verdict.reason }))
}
