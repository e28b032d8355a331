//! From what a file says, and what the system shows, to a verdict.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::store::Seen;
use super::world::World;
use crate::fs;
use crate::liveness::{Judge, Reason, Verdict};
use crate::process::Lock;
use crate::snapshot::AgentSession;
use crate::sources::{Evidence, Hook};

/// How long a session may be starting.
pub(super) const STARTING: Duration = Duration::from_secs(60 * 60);

/// A trace, and what the system says of its process.
pub(super) struct Judged {
    pub(super) seen: Arc<Seen>,
    pub(super) verdict: Verdict,
    pub(super) pid: Option<u32>,
}

impl Judged {
    /// The session, as this trace alone tells of it.
    pub(super) fn entry(&self) -> Arc<AgentSession> {
        let session = &self.seen.session;
        if session.verdict == self.verdict && session.pid == self.pid {
            return Arc::clone(session);
        }
        let mut session = AgentSession::clone(session);
        session.verdict = self.verdict;
        session.pid = self.pid;
        Arc::new(session)
    }
}

/// Notes a verdict where it will be listed, if nobody else has it yet.
pub(super) fn note_verdict(seen: &mut Arc<Seen>, verdict: Verdict) {
    if let Some(seen) = Arc::get_mut(seen)
        && let Some(session) = Arc::get_mut(&mut seen.session)
    {
        session.verdict = verdict;
    }
}

impl Seen {
    pub(super) fn is_hook(&self) -> bool {
        matches!(self.evidence, Evidence::Hook(_))
    }

    /// The transcript of which is asked who holds it open.
    pub(super) fn transcript(&self) -> Option<PathBuf> {
        match &self.evidence {
            Evidence::Codex { transcript, .. } => Some(transcript.clone()),
            Evidence::Hook(hook) if hook.agent == "codex" => hook.transcript.clone(),
            _ => None,
        }
    }

    /// Its log, of which the usage is read.
    pub(super) fn transcript_file(&self) -> Option<&Path> {
        self.session.transcript.as_ref().map(|transcript| transcript.path.as_path())
    }

    /// The file that its process keeps locked.
    pub(super) fn lock(&self) -> Option<&Path> {
        match &self.evidence {
            Evidence::Codex { lock, .. } => lock.as_deref(),
            _ => None,
        }
    }
}

/// By what the record says of its process; `None` if there is no such record.
pub(super) fn by_record(seen: &Seen, judge: &mut Judge) -> Option<Verdict> {
    match &seen.evidence {
        Evidence::Record(record) => Some(judge.judge(record)),
        Evidence::PidLock(record) => Some(match judge.judge(record) {
            // The process is younger than its lock: the lock was a former one's.
            verdict if verdict.reason == Reason::NoIdentity => Reason::Stale.into(),
            verdict => verdict,
        }),
        Evidence::Codex { .. } | Evidence::Hook(_) => None,
    }
}

/// By locks and open files, which also tell the process. `known` is the one that was found before.
/// `None`: all processes would have to be searched, and now is not the time.
pub(super) fn by_system(
    seen: &Seen,
    world: &World,
    known: Option<u32>,
) -> Option<(Verdict, Option<u32>)> {
    match &seen.evidence {
        Evidence::Codex { lock, transcript } => {
            let lock = lock.as_ref().filter(|lock| fs::file_id(lock).is_some());
            match lock.and_then(|lock| world.lock_of(lock)) {
                Some(Lock::HeldBy(pid)) => Some((Reason::LockHeld.into(), Some(pid))),
                Some(Lock::Free) => Some((Reason::LockFree.into(), None)),
                // No lock, as before version 0.147, or none that can be judged from here.
                None => by_transcript(transcript, world, known),
            }
        }
        Evidence::Hook(hook) => by_hook(hook, world, known),
        Evidence::Record(_) | Evidence::PidLock(_) => Some((Reason::NoIdentity.into(), None)),
    }
}

fn by_transcript(path: &Path, world: &World, known: Option<u32>) -> Option<(Verdict, Option<u32>)> {
    let (pid, reason) = world.transcript(path, known)?;
    Some((reason.into(), pid))
}

/// A hook names no process; for claude one may be found by the other traces of its session.
fn by_hook(hook: &Hook, world: &World, known: Option<u32>) -> Option<(Verdict, Option<u32>)> {
    if hook.is_starting {
        let is_stale = hook.stamp.age().is_some_and(|age| age >= STARTING);
        return Some((if is_stale { Reason::Stale } else { Reason::Starting }.into(), None));
    }
    match (hook.agent.as_str(), &hook.transcript) {
        ("codex", Some(transcript)) => by_transcript(transcript, world, known),
        _ => Some((Reason::NoIdentity.into(), None)),
    }
}
