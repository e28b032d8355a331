//! # Snapshots
//!
//! Every agent session on this machine at one moment: which process serves it, in which folder, what
//! it is doing, whether it lives, and how that is known.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;

use sessionreg::{AgentSession, Snapshot};

use crate::agent_session::sessionreg_agent_session;
use crate::agent_sessions::sessionreg_agent_sessions;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, text};
use crate::skipped::sessionreg_skipped;
use crate::sources::{sessionreg_sources, sources_or_default};
use crate::status::sessionreg_status;
use crate::text::{Terminated, hand_out, sessionreg_text};

/// What was found, at one time. It never changes: threads may look at one at the same time. What is
/// borrowed from it stays until it is freed.
pub struct sessionreg_snapshot {
    snapshot: Snapshot,
    sessions: Vec<sessionreg_agent_session>,
    skipped: Vec<sessionreg_skipped>,
    cursor: Option<Terminated>,
}

impl From<Snapshot> for sessionreg_snapshot {
    fn from(snapshot: Snapshot) -> Self {
        let cursor = Some(snapshot.cursor.as_bytes()).filter(|cursor| !cursor.is_empty());
        Self {
            sessions: sessionreg_agent_session::of_all(&snapshot.sessions),
            skipped: snapshot.skipped.iter().map(sessionreg_skipped::from).collect(),
            cursor: cursor.map(Terminated::new),
            snapshot,
        }
    }
}

/// Threads share snapshots.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_snapshot>();
};

/// Looks for agent sessions, where `sources` says or, if it is NULL, where the programs have them by
/// default; gives a snapshot, for the caller to free.
///
/// Nothing is written, created, locked or removed, and, unless multiplexers are to be asked, nothing
/// is started. One bad file never hides anything else: it is among the skipped ones. A
/// `sessionreg_monitor` keeps what was read, and looks again only at what changed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_take(
    sources: Option<&sessionreg_sources>,
    snapshot: Option<&mut MaybeUninit<Box<sessionreg_snapshot>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let snapshot = given(snapshot, "snapshot")?;
        let taken = sessionreg::snapshot(&sources_or_default(sources));
        snapshot.write(Box::new(taken.into()));
        Ok(())
    })
}

/// How many sessions there are.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_len(snapshot: Option<&sessionreg_snapshot>) -> usize {
    guard::value(0, || snapshot.map_or(0, |snapshot| snapshot.sessions.len()))
}

/// A session, borrowed; they are ordered by session id, then pid, and those without an id come
/// first. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_get(
    snapshot: Option<&sessionreg_snapshot>,
    index: usize,
) -> Option<&sessionreg_agent_session> {
    guard::value(None, || snapshot.and_then(|snapshot| snapshot.sessions.get(index)))
}

/// How many files were skipped: they were meant to be traces and are none, or could not be read.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_skipped_len(snapshot: Option<&sessionreg_snapshot>) -> usize {
    guard::value(0, || snapshot.map_or(0, |snapshot| snapshot.skipped.len()))
}

/// A file that was skipped, borrowed; they are ordered by path. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_skipped_get(
    snapshot: Option<&sessionreg_snapshot>,
    index: usize,
) -> Option<&sessionreg_skipped> {
    guard::value(None, || snapshot.and_then(|snapshot| snapshot.skipped.get(index)))
}

/// How many dead sessions are not listed, as they died too long ago: see
/// `sessionreg_sources_set_dead_within`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_dead_before(snapshot: Option<&sessionreg_snapshot>) -> usize {
    guard::value(0, || snapshot.map_or(0, |snapshot| snapshot.snapshot.dead_before))
}

/// From where `sessionreg_monitor_wait` goes on, if a monitor took the snapshot; absent otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_cursor(
    snapshot: Option<&sessionreg_snapshot>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        snapshot
            .and_then(|snapshot| snapshot.cursor.as_ref())
            .map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// When it was taken, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_taken_at(snapshot: Option<&sessionreg_snapshot>) -> f64 {
    guard::value(f64::NAN, || snapshot.map_or(f64::NAN, |snapshot| snapshot.snapshot.taken_at))
}

/// Gives a snapshot as one line of JSON, for the caller to free: `cursor`, `taken_at`,
/// `dead_before`, `sessions` as `sessionreg_agent_session_to_json` has them, and `skipped`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_to_json(
    snapshot: Option<&sessionreg_snapshot>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let snapshot = given(snapshot, "snapshot")?;
        let json = given(json, "json")?;
        json.write(hand_out(snapshot.snapshot.to_json())?);
        Ok(())
    })
}

/// Lists the sessions whose process is there. Those that cannot be judged from here are not among
/// them.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_live(
    snapshot: Option<&sessionreg_snapshot>,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(snapshot, sessions, Snapshot::live))
}

/// Counts the sessions that `sessionreg_snapshot_live` lists.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_count_live(snapshot: Option<&sessionreg_snapshot>) -> usize {
    guard::value(0, || snapshot.map_or(0, |snapshot| snapshot.snapshot.count_live()))
}

/// Lists the sessions of a process, whatever their verdict.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_find_by_pid(
    snapshot: Option<&sessionreg_snapshot>,
    pid: u32,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(snapshot, sessions, |snapshot| snapshot.find_by_pid(pid)))
}

/// Lists the entries of a session, whatever their verdict; several processes may serve one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_snapshot_find_by_session(
    snapshot: Option<&sessionreg_snapshot>,
    session_id: *const c_char,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(snapshot, "snapshot")?;
        // SAFETY: the caller keeps the header's conventions.
        let id = unsafe { text(session_id, "session_id")? };
        find(snapshot, sessions, |snapshot| snapshot.find_by_session(id))
    })
}

/// Lists the sessions of a working folder, by exactly that text, whatever their verdict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_snapshot_find_by_work_dir(
    snapshot: Option<&sessionreg_snapshot>,
    work_dir: *const c_char,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(snapshot, "snapshot")?;
        // SAFETY: the caller keeps the header's conventions.
        let work_dir = unsafe { text(work_dir, "work_dir")? };
        find(snapshot, sessions, |snapshot| snapshot.find_by_work_dir(work_dir))
    })
}

/// Lists the live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
/// a language server, the sessions of the agent that started it.
///
/// It goes by the process tree as it is now, never by inherited environment variables.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_owner_of(
    snapshot: Option<&sessionreg_snapshot>,
    pid: u32,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(snapshot, sessions, |snapshot| snapshot.owner_of(pid)))
}

/// Lists the live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
/// agents that run in it. It goes by the process tree as it is now.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_find_under(
    snapshot: Option<&sessionreg_snapshot>,
    pid: u32,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(snapshot, sessions, |snapshot| snapshot.find_under(pid)))
}

fn find(
    snapshot: Option<&sessionreg_snapshot>,
    sessions: Option<&mut MaybeUninit<Box<sessionreg_agent_sessions>>>,
    question: impl FnOnce(&Snapshot) -> Vec<Arc<AgentSession>>,
) -> Result<(), Failure> {
    let snapshot = given(snapshot, "snapshot")?;
    let sessions = given(sessions, "sessions")?;
    sessions.write(Box::new(question(&snapshot.snapshot).into()));
    Ok(())
}

/// Frees a snapshot, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_snapshot_free(snapshot: Option<Box<sessionreg_snapshot>>) {
    guard::value((), || drop(snapshot));
}
