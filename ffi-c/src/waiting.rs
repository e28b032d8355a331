//! # Asking for a session
//!
//! A request never waits. What it comes to is one of three: the session is live, it is up to the
//! caller to restore it, or somebody else does and the caller shares in that.

use std::ffi::c_char;
use std::mem::{self, MaybeUninit};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sessionreg::restore::{self, Begun, Settled, Share, Waiting, canonical};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, id_text, milliseconds, path, shared};
use crate::lease::sessionreg_lease;
use crate::own::Owned;
use crate::restore::{action_of, sessionreg_restore_table};
use crate::restoring::sessionreg_restoring;
use crate::status::sessionreg_status;

/// What a request comes to.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_outcome {
    /// The session is live: there is a `lease`.
    SESSIONREG_OUTCOME_ATTACHED = 1,
    /// It is up to the caller to restore the session: there is a `restoring`.
    SESSIONREG_OUTCOME_OWNER = 2,
    /// The session is being restored, and the caller is counted: there is a `waiting`.
    SESSIONREG_OUTCOME_SHARER = 3,
}

/// A caller's place among those who wait for one restore. Threads may use one at the same time, so
/// that one may cancel what another waits for; who frees it must be alone with it.
pub struct sessionreg_waiting {
    place: Owned<Place>,
}

struct Place {
    share: Share,
    deadline: Option<Instant>,
    mailbox: Arc<Mailbox>,
}

/// Where the caller is told.
#[derive(Default)]
struct Mailbox {
    told: Mutex<Told>,
    changed: Condvar,
}

#[derive(Default)]
enum Told {
    #[default]
    Nothing,
    Outcome(Result<Settled, restore::Failure>),
    /// The caller has it.
    Over,
    Cancelled,
}

impl sessionreg_waiting {
    fn boxed(waiting: Waiting) -> Box<Self> {
        let deadline = waiting.deadline();
        let mailbox = Arc::new(Mailbox::default());
        let at = Arc::clone(&mailbox);
        let share = waiting.on_settled(move |outcome| at.put(outcome));
        Box::new(Self { place: Owned::new(Place { share, deadline, mailbox }) })
    }
}

/// Threads share places.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_waiting>();
};

impl Mailbox {
    fn put(&self, outcome: Result<Settled, restore::Failure>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*told, Told::Nothing) {
            *told = Told::Outcome(outcome);
            self.changed.notify_all();
        } else {
            // Whoever left needs nothing; to drop it may run somebody's code.
            drop(told);
            drop(outcome);
        }
    }

    /// What the caller is told; `None` at the deadline, without which it waits for ever.
    fn take(&self, deadline: Option<Instant>) -> Option<Result<Settled, Failure>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match mem::replace(&mut *told, Told::Over) {
                Told::Nothing => *told = Told::Nothing,
                Told::Outcome(outcome) => {
                    self.changed.notify_all();
                    return Some(outcome.map_err(Failure::from));
                }
                Told::Over => return Some(Err(OVER)),
                Told::Cancelled => {
                    *told = Told::Cancelled;
                    return Some(Err(CANCELLED));
                }
            }
            told = match deadline {
                None => self.changed.wait(told).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now());
                    let left = left.filter(|left| !left.is_zero())?;
                    let waited = self.changed.wait_timeout(told, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Place {
    /// What the caller is told, if that is before the timeout.
    fn wait(&self, timeout: Duration) -> Option<Result<Settled, Failure>> {
        let own = Instant::now().checked_add(timeout);
        let until = [own, self.deadline].into_iter().flatten().min();
        let told = self.mailbox.take(until);
        if told.is_some() || self.deadline.is_none_or(|deadline| Instant::now() < deadline) {
            return told;
        }
        // Whoever settled it first tells this caller in a moment.
        self.share.time_out();
        self.mailbox.take(None)
    }

    /// The caller leaves; `false` if he has left, or was told, before.
    fn cancel(&self) -> bool {
        let mut told = self.mailbox.told.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*told, Told::Over | Told::Cancelled) {
            return false;
        }
        let before = mem::replace(&mut *told, Told::Cancelled);
        drop(told);
        self.mailbox.changed.notify_all();
        // What he was told in vain is a lease, perhaps: it is released.
        drop(before);
        self.share.cancel();
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.cancel();
    }
}

const OVER: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to wait for the session: the outcome was given before",
);

const LEFT: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to cancel the caller: he has left, or was given the outcome",
);

const CANCELLED: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CANCELLED,
    "failed to wait for the session: the caller has left",
);

const GONE_AGAIN: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_NOT_FOUND,
    "failed to restore the session: it ended as soon as it was restored",
);

/// Asks for a session, without waiting. `action` is a `sessionreg_action`, `cwd` the folder in which
/// the session works; links in it are followed.
///
/// One of `lease`, `restoring` and `waiting` comes out, as `outcome` says, for the caller to free;
/// the two others become NULL. In this order:
///
/// 1. `SESSIONREG_STATUS_CLOSING` if the table is shutting down.
/// 2. `SESSIONREG_STATUS_INVALID_INPUT` if the folder is not an absolute path,
///    `SESSIONREG_STATUS_WORKSPACE_MISMATCH` if the table is bound to another one,
///    `SESSIONREG_STATUS_INVALID_ID` for what cannot be part of a path.
/// 3. A live session is attached to, whatever the action and the limit.
/// 4. `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` if it is being restored by another action, or if a
///    restore was abandoned that has not ended yet.
/// 5. A restore by the same action is shared.
/// 6. `SESSIONREG_STATUS_SESSION_LIMIT` if there are as many sessions as allowed.
/// 7. The caller is the owner of a new restore. With a registry, `SESSIONREG_STATUS_HELD` if another
///    process serves or claims the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_begin(
    table: *mut sessionreg_restore_table,
    action: u32,
    session_id: *const c_char,
    cwd: *const c_char,
    outcome: Option<&mut MaybeUninit<sessionreg_outcome>>,
    lease: Option<&mut MaybeUninit<Option<Box<sessionreg_lease>>>>,
    restoring: Option<&mut MaybeUninit<Option<Box<sessionreg_restoring>>>>,
    waiting: Option<&mut MaybeUninit<Option<Box<sessionreg_waiting>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (table, id, cwd) = unsafe {
            (shared(table, "table")?, id_text(session_id, "session_id")?, path(cwd, "cwd")?)
        };
        let action = action_of(action)?;
        let waiting = given(waiting, "waiting")?;
        let out = Out::new(outcome, lease, restoring)?;
        waiting.write(match table.get()?.begin(action, id, &canonical(cwd))? {
            Begun::Attached(lease) => {
                out.settled(Settled::Lease(lease))?;
                None
            }
            Begun::Owner(restoring) => {
                out.settled(Settled::Owner(restoring))?;
                None
            }
            Begun::Sharer(place) => {
                out.sharer();
                Some(sessionreg_waiting::boxed(place))
            }
        });
        Ok(())
    })
}

/// Where the outcome of a request goes.
struct Out<'a> {
    outcome: &'a mut MaybeUninit<sessionreg_outcome>,
    lease: &'a mut MaybeUninit<Option<Box<sessionreg_lease>>>,
    restoring: &'a mut MaybeUninit<Option<Box<sessionreg_restoring>>>,
}

impl<'a> Out<'a> {
    fn new(
        outcome: Option<&'a mut MaybeUninit<sessionreg_outcome>>,
        lease: Option<&'a mut MaybeUninit<Option<Box<sessionreg_lease>>>>,
        restoring: Option<&'a mut MaybeUninit<Option<Box<sessionreg_restoring>>>>,
    ) -> Result<Self, Failure> {
        let (outcome, lease) = (given(outcome, "outcome")?, given(lease, "lease")?);
        Ok(Self { outcome, lease, restoring: given(restoring, "restoring")? })
    }

    fn settled(self, settled: Settled) -> Result<(), Failure> {
        match settled {
            Settled::Lease(lease) => {
                self.lease.write(Some(sessionreg_lease::boxed(lease)));
                self.restoring.write(None);
                self.outcome.write(sessionreg_outcome::SESSIONREG_OUTCOME_ATTACHED);
            }
            Settled::Owner(restoring) => {
                self.restoring.write(Some(sessionreg_restoring::secured(restoring)?));
                self.lease.write(None);
                self.outcome.write(sessionreg_outcome::SESSIONREG_OUTCOME_OWNER);
            }
        }
        Ok(())
    }

    fn sharer(self) {
        self.lease.write(None);
        self.restoring.write(None);
        self.outcome.write(sessionreg_outcome::SESSIONREG_OUTCOME_SHARER);
    }
}

/// Waits for the outcome of a restore, for `timeout_ms` milliseconds at most; 0 only looks, -1 waits
/// as long as the restore may take.
///
/// `SESSIONREG_OUTCOME_SHARER` says that there is none yet: the place stays, and one may wait again.
/// `SESSIONREG_OUTCOME_ATTACHED` comes with a lease. `SESSIONREG_OUTCOME_OWNER` says that whoever ran
/// the restore has left it, and that the caller is the first of those who still wait: it is up to him
/// to run it, in what is left of its time. Lease and restore are the caller's to free; what does not
/// come out becomes NULL.
///
/// A restore that failed gives everybody the same status: that with which it failed, or
/// `SESSIONREG_STATUS_TIMEOUT` if it took longer than the table allows,
/// `SESSIONREG_STATUS_CLOSING` if the table is shutting down, `SESSIONREG_STATUS_CLOSED` if its
/// channel is dead. `SESSIONREG_STATUS_NOT_FOUND` if it went well, but the session has ended since;
/// `SESSIONREG_STATUS_CANCELLED` if the caller was cancelled. A place whose outcome was given is
/// `SESSIONREG_STATUS_CLOSED`. Whoever has the restore to complete himself, on the same thread, waits
/// until its time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_waiting_wait(
    waiting: *mut sessionreg_waiting,
    timeout_ms: i64,
    outcome: Option<&mut MaybeUninit<sessionreg_outcome>>,
    lease: Option<&mut MaybeUninit<Option<Box<sessionreg_lease>>>>,
    restoring: Option<&mut MaybeUninit<Option<Box<sessionreg_restoring>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let waiting = unsafe { shared(waiting, "waiting")? };
        let out = Out::new(outcome, lease, restoring)?;
        let timeout = milliseconds(timeout_ms, "timeout_ms")?.unwrap_or(Duration::MAX);
        match waiting.place.get()?.wait(timeout).transpose()? {
            // The outcome may have lain there for a while.
            Some(Settled::Lease(lease)) if lease.is_attached() && lease.ended().is_some() => {
                return Err(GONE_AGAIN);
            }
            Some(settled) => out.settled(settled)?,
            None => out.sharer(),
        }
        Ok(())
    })
}

/// Takes the owner's own place among those who wait apart from his run, for the caller to free: one
/// thread carries the restore out then, while another waits for it, or cancels that. An owner who has
/// left has no part in the outcome; the run goes on for the others.
///
/// `SESSIONREG_STATUS_CLOSED` if that was done before, or the restore is completed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restoring_split(
    restoring: *mut sessionreg_restoring,
    waiting: Option<&mut MaybeUninit<Box<sessionreg_waiting>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let restoring = unsafe { shared(restoring, "restoring")? };
        let waiting = given(waiting, "waiting")?;
        let place = restoring.with(|place| {
            place.take().ok_or(Failure::Refused(
                sessionreg_status::SESSIONREG_STATUS_CLOSED,
                "failed to split the restore: it was split before",
            ))
        })?;
        waiting.write(sessionreg_waiting::boxed(place));
        Ok(())
    })
}

/// Cancels a caller, and nobody else: his share of the restore is dropped, and a thread that waits
/// for it is told `SESSIONREG_STATUS_CANCELLED`. A lease that was ready is released. If he was the
/// owner, the next one who waits is; without any the restore is abandoned.
///
/// `SESSIONREG_STATUS_CLOSED` if he was cancelled before, or has been given the outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_waiting_cancel(
    waiting: *mut sessionreg_waiting,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let waiting = unsafe { shared(waiting, "waiting")? };
        if !waiting.place.get()?.cancel() {
            return Err(LEFT);
        }
        Ok(())
    })
}

/// Says that the restore has taken long enough: everybody who waits for it is told
/// `SESSIONREG_STATUS_TIMEOUT`, as at the end of the time that the table allows. It changes nothing
/// if there is an outcome, or if the caller was cancelled or is the owner by now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_waiting_time_out(
    waiting: *mut sessionreg_waiting,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(waiting, "waiting")? }.place.get()?.share.time_out();
        Ok(())
    })
}

/// Frees a place; a caller who has not been given the outcome is cancelled. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_waiting_free(waiting: Option<Box<sessionreg_waiting>>) {
    guard::value((), || drop(waiting));
}
