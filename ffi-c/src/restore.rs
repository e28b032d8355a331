//! # Restoring a session once
//!
//! A daemon gets many requests to bring back one session. A restore table lets exactly one restore
//! run for it: requests of the same kind share its outcome, a request of another kind is refused at
//! once, and whoever comes later is attached to the live session.
//!
//! ```c
//! #include <sessionreg.h>
//! #include <stdio.h>
//! #include <stdlib.h>
//!
//! // The restore itself: what it makes is what every caller gets.
//! static char *read_transcript(const char *id) {
//!     char *transcript = malloc(64);
//!     if (transcript != NULL)
//!         snprintf(transcript, 64, "all that was said in %s", id);
//!     return transcript;
//! }
//!
//! // Any number of threads may do this: one of them reads the transcript, the others wait for it.
//! static sessionreg_lease *load(sessionreg_restore_table *table, const char *id, const char *cwd,
//!                               sessionreg_error **error) {
//!     sessionreg_outcome outcome;
//!     sessionreg_lease *lease = NULL;
//!     sessionreg_restoring *restoring = NULL;
//!     sessionreg_waiting *waiting = NULL;
//!     if (sessionreg_restore_begin(table, SESSIONREG_ACTION_LOAD, id, cwd, &outcome, &lease,
//!                                  &restoring, &waiting, error) != SESSIONREG_STATUS_OK)
//!         return NULL;
//!     if (outcome == SESSIONREG_OUTCOME_SHARER)
//!         sessionreg_waiting_wait(waiting, -1, &outcome, &lease, &restoring, error);
//!     if (outcome == SESSIONREG_OUTCOME_OWNER)
//!         sessionreg_restoring_complete(restoring, read_transcript(id), free, &lease, error);
//!     sessionreg_restoring_free(restoring);
//!     sessionreg_waiting_free(waiting);
//!     return lease;
//! }
//!
//! int main(void) {
//!     sessionreg_restore_table *table = NULL;
//!     sessionreg_error *error = NULL;
//!     sessionreg_lease *lease = NULL;
//!     bool ended = false;
//!     if (sessionreg_restore_table_new(NULL, &table, &error) == SESSIONREG_STATUS_OK)
//!         lease = load(table, "3f1c", "/srv/project", &error);
//!     if (error != NULL)
//!         fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
//!     if (lease != NULL) {
//!         printf("%s\n", (const char *)sessionreg_lease_state(lease));
//!         sessionreg_lease_release(lease, &ended, NULL);
//!     }
//!     sessionreg_error_free(error);
//!     sessionreg_lease_free(lease);
//!     sessionreg_restore_table_close(table, -1, NULL);
//!     sessionreg_restore_table_free(table);
//!     return ended ? 0 : 1;
//! }
//! ```
//!
//! The library has no thread for this. Functions that it was given are called on the thread that
//! makes the call in question, and may call the table; they must return: no `longjmp`, no C++
//! exception.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use sessionreg::restore::{Action, RestoreOptions, RestoreTable, canonical};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, id_text, milliseconds, optional_text, path, shared, sized};
use crate::own::Owned;
use crate::registry::sessionreg_registry;
use crate::status::sessionreg_status;
use crate::text::{Terminated, hand_out};
use crate::words::{self, Word, word};

/// A restore table. Threads may use one at the same time; who frees it must be alone with it.
///
/// It belongs to its process: in a forked child every call on it, and on what it gave, is
/// `SESSIONREG_STATUS_CLOSED`.
pub struct sessionreg_restore_table {
    table: Owned<RestoreTable>,
    has_claims: bool,
}

impl sessionreg_restore_table {
    pub(crate) fn get(&self) -> Result<&RestoreTable, Failure> {
        self.table.get()
    }
}

/// Threads share tables.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_restore_table>();
};

/// How a session comes to life.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_action {
    /// None: of NULL.
    SESSIONREG_ACTION_NONE = 0,
    /// It is restored, and its history is published.
    SESSIONREG_ACTION_LOAD = 1,
    /// It is restored without its history: what is published meanwhile is not kept.
    SESSIONREG_ACTION_RESUME = 2,
    /// It is a new one.
    SESSIONREG_ACTION_SPAWN = 3,
}

const ACTIONS: [Action; 3] = [Action::Load, Action::Resume, Action::Spawn];

static ACTION_WORDS: [Word; 4] = [
    word(""),
    word(Action::Load.as_str()),
    word(Action::Resume.as_str()),
    word(Action::Spawn.as_str()),
];

impl From<Action> for sessionreg_action {
    fn from(action: Action) -> Self {
        match action {
            Action::Load => Self::SESSIONREG_ACTION_LOAD,
            Action::Resume => Self::SESSIONREG_ACTION_RESUME,
            Action::Spawn => Self::SESSIONREG_ACTION_SPAWN,
            _ => Self::SESSIONREG_ACTION_NONE,
        }
    }
}

/// The action of a number.
pub(crate) fn action_of(number: u32) -> Result<Action, Failure> {
    let index = number.checked_sub(1).and_then(|index| usize::try_from(index).ok());
    let action = index.and_then(|index| ACTIONS.get(index)).copied();
    action.ok_or_else(|| Failure::argument("action", "no action has that number"))
}

/// The word for an action, the same in every language, such as `load`. NULL for
/// `SESSIONREG_ACTION_NONE` and for a number that is no action. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_action_string(action: u32) -> *const c_char {
    guard::value(ptr::null(), || words::find(&ACTION_WORDS, action))
}

/// How a restore table is set up. What is pointed to is copied, or shared.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_restore_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// Accept sessions of this folder alone, an absolute path. Default: of every folder.
    pub workspace: *const c_char,
    /// How many sessions there may be, live or on their way; 0: any number. Default: 20.
    pub limit: usize,
    /// How long a restore may take, in milliseconds; -1: any time. Default: 60000.
    pub timeout_ms: i64,
    /// How many events of a session are kept for later subscribers. Default: 4000.
    pub ring_capacity: usize,
    /// Restore no session of `agent` that another process serves, by this registry, or has claimed;
    /// and claim each before its restore begins, until it ends or the restore has failed. The
    /// registry may be closed and freed before the table. Default: other processes are not asked.
    pub registry: *const sessionreg_registry,
    /// The program whose sessions these are: `[a-z][a-z0-9-]{0,31}`, not `schema`. It must be given
    /// with a registry, and only then.
    pub agent: *const c_char,
}

/// Makes an empty restore table.
///
/// `SESSIONREG_STATUS_INVALID_INPUT` for a workspace that is not absolute, and for what is no agent;
/// `SESSIONREG_STATUS_CLOSED` for a registry of the process that this one was forked from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_table_new(
    options: *const sessionreg_restore_options,
    table: Option<&mut MaybeUninit<Box<sessionreg_restore_table>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let out = given(table, "table")?;
        let (options, has_claims) = if options.is_null() {
            (RestoreOptions::default(), false)
        } else {
            // SAFETY: the caller keeps the header's conventions, and filled the structure in, whose
            // members may be any bytes.
            unsafe { read(sized(options, "options")?.assume_init())? }
        };
        let table = Owned::new(RestoreTable::new(options));
        out.write(Box::new(sessionreg_restore_table { table, has_claims }));
        Ok(())
    })
}

/// The options, and whether sessions are claimed.
///
/// # Safety
/// Each pointer is NULL, or to what its member says, which stays for the time of this call.
unsafe fn read(options: sessionreg_restore_options) -> Result<(RestoreOptions, bool), Failure> {
    let mut read = RestoreOptions::default()
        .limit(options.limit)
        .timeout(milliseconds(options.timeout_ms, "timeout_ms")?.unwrap_or(Duration::MAX))
        .ring_capacity(options.ring_capacity);
    if !options.workspace.is_null() {
        // SAFETY: the caller's promise.
        read = read.workspace(canonical(unsafe { path(options.workspace, "workspace")? }))?;
    }
    // SAFETY: the caller's promise.
    let (registry, agent) =
        unsafe { (options.registry.as_ref(), optional_text(options.agent, "agent")?) };
    match (registry, agent) {
        (None, None) => Ok((read, false)),
        (Some(registry), Some(agent)) => Ok((read.across(registry.share()?, agent)?, true)),
        (None, Some(_)) => Err(Failure::argument("registry", "it is NULL, but an agent is given")),
        (Some(_), None) => Err(Failure::argument("agent", "it is NULL, but a registry is given")),
    }
}

/// Ends a live session, whoever is attached to it.
///
/// `SESSIONREG_STATUS_NOT_FOUND` if there is no such session,
/// `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` if it is not live yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_end(
    table: *mut sessionreg_restore_table,
    session_id: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (table, id) =
            unsafe { (shared(table, "table")?.get()?, id_text(session_id, "session_id")?) };
        Ok(table.end(id)?)
    })
}

/// Ends a live session if nobody is attached to it, and tells whether it did. Otherwise it ends when
/// the last of those attached and subscribed has left.
///
/// Fails as `sessionreg_restore_end` does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_end_if_unattached(
    table: *mut sessionreg_restore_table,
    session_id: *const c_char,
    ended: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (table, id) =
            unsafe { (shared(table, "table")?.get()?, id_text(session_id, "session_id")?) };
        given(ended, "ended")?.write(table.end_if_unattached(id)?);
        Ok(())
    })
}

/// Publishes an event of a session that is live or being restored: any `size` bytes, which are
/// copied. `data` may be NULL if `size` is 0.
///
/// Gives the event's id, `<epoch>-<number>`, for the caller to free, unless `event_id` is NULL. It is
/// NULL while the session is being resumed: what an agent says then, its clients know already, and
/// it is not kept. `SESSIONREG_STATUS_NOT_FOUND` if there is no such session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_publish(
    table: *mut sessionreg_restore_table,
    session_id: *const c_char,
    data: *const c_void,
    size: usize,
    event_id: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (table, id) =
            unsafe { (shared(table, "table")?.get()?, id_text(session_id, "session_id")?) };
        let bytes = if size == 0 {
            &[]
        } else if data.is_null() {
            return Err(Failure::argument("data", "it is NULL"));
        } else if size > isize::MAX.cast_unsigned() {
            return Err(Failure::argument("size", "nothing is so large"));
        } else {
            // SAFETY: not NULL, and so many bytes, by the caller's promise.
            unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) }
        };
        let published = table.publish(id, std::sync::Arc::new(Terminated::new(bytes)))?;
        if let Some(event_id) = event_id {
            event_id.write(match published {
                Some(id) => hand_out(id.to_string())?,
                None => ptr::null_mut(),
            });
        }
        Ok(())
    })
}

/// Gives the session that is meant by requests which name none, for the caller to free: of those
/// that were spawned, the one that has been live for the longest time. NULL if there is none; a
/// restored session never is.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restore_default_target(
    table: Option<&sessionreg_restore_table>,
    session_id: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let table = given(table, "table")?.get()?;
        given(session_id, "session_id")?.write(match table.default_target() {
            Some(id) => hand_out(id)?,
            None => ptr::null_mut(),
        });
        Ok(())
    })
}

/// Shuts a table down: begins nothing any more, ends all sessions, tells everybody who waits
/// (`SESSIONREG_STATUS_CLOSING`), and waits until every restore has ended, for `timeout_ms`
/// milliseconds at most; -1: as long as that takes. It takes for ever on a thread that has a restore
/// to complete itself.
///
/// `SESSIONREG_STATUS_TIMEOUT` if some restore has not ended: the table is shutting down all the
/// same, and may be closed again, to wait for the rest. To close one that is closed is fine.
///
/// A thread that has just completed a restore, or released a lease, may still be letting go of the
/// state and of the claim: what `drop_state` needs has to stay until those threads have returned from
/// their calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_table_close(
    table: *mut sessionreg_restore_table,
    timeout_ms: i64,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let table = unsafe { shared(table, "table")? }.get()?;
        Ok(table.close(milliseconds(timeout_ms, "timeout_ms")?.unwrap_or(Duration::MAX))?)
    })
}

/// Frees a table; its sessions stay for those who have leases, and restores may be completed. Where
/// a registry was given, the claims of sessions that were not ended before are held until the
/// process ends: close it first. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restore_table_free(table: Option<Box<sessionreg_restore_table>>) {
    guard::value((), || {
        if let Some(handle) = table
            && handle.has_claims
            && let Ok(table) = handle.get()
            && !table.sessions().is_empty()
        {
            keep(table.clone());
        }
    });
}

/// A table that was freed before its sessions had ended: nobody else may claim them.
struct Kept {
    _table: RestoreTable,
    next: *mut Kept,
}

/// All of them. A list without a lock, as a forked child could inherit one that nobody opens.
static KEPT: AtomicPtr<Kept> = AtomicPtr::new(ptr::null_mut());

fn keep(table: RestoreTable) {
    let kept = Box::leak(Box::new(Kept { _table: table, next: KEPT.load(Ordering::Relaxed) }));
    while let Err(other) =
        KEPT.compare_exchange_weak(kept.next, kept, Ordering::Release, Ordering::Relaxed)
    {
        kept.next = other;
    }
}
