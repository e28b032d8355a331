//! # Carrying a restore out
//!
//! Whoever is the owner of a restore has to run it: to bring the session back, in whatever way, and
//! to say how that ended.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use sessionreg::ErrorCode;
use sessionreg::restore::{self, Context, Restoring, Run, Settled, Waiting};

use crate::channel::sessionreg_channel;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, shared, text};
use crate::lease::sessionreg_lease;
use crate::own::{Owned, Pointer};
use crate::status::sessionreg_status;
use crate::text::{Terminated, sessionreg_text};

/// A restore in the hands of its owner. Threads may use one at the same time; who frees it must be
/// alone with it.
pub struct sessionreg_restoring {
    running: Owned<Running>,
    session_id: Terminated,
}

struct Running {
    context: Context,
    /// Until it has ended.
    run: Mutex<Option<Ours>>,
}

struct Ours {
    /// The owner's own place among those who wait, unless he took it apart.
    place: Option<Waiting>,
    run: Run,
}

impl sessionreg_restoring {
    /// Takes what has to be had before the restore may begin. Without it the restore has failed, for
    /// everybody.
    pub(crate) fn secured(restoring: Restoring) -> Result<Box<Self>, Failure> {
        let (run, place) = restoring.split();
        if let Err(error) = run.secure() {
            let failure = restore::Failure::from(error);
            run.complete(Err(failure.clone()));
            return Err(failure.into());
        }
        let context = run.context();
        let session_id = Terminated::new(context.session_id().as_bytes());
        let run = Mutex::new(Some(Ours { place: Some(place), run }));
        let running = Owned::new(Running { context, run });
        Ok(Box::new(Self { running, session_id }))
    }

    /// Does something with the run, if it has not ended.
    pub(crate) fn with<T>(
        &self,
        body: impl FnOnce(&mut Option<Waiting>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut run = self.running.get()?.run.lock().unwrap_or_else(PoisonError::into_inner);
        body(&mut run.as_mut().ok_or(OVER)?.place)
    }

    fn end(&self) -> Result<Ours, Failure> {
        let mut run = self.running.get()?.run.lock().unwrap_or_else(PoisonError::into_inner);
        run.take().ok_or(OVER)
    }
}

/// Threads share restores.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_restoring>();
};

const OVER: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to use the restore: it is completed",
);

/// Lets go of a state that nobody needs any more. It may be called on every thread that uses the
/// table; it may call the table, and must return.
pub type sessionreg_drop = Option<unsafe extern "C" fn(state: *mut c_void)>;

/// The session that is to be restored.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restoring_session_id(
    restoring: Option<&sessionreg_restoring>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        restoring.map_or(sessionreg_text::ABSENT, |restoring| restoring.session_id.lend())
    })
}

/// Whether nobody waits for the restore any more: its time is over, its callers have left, the table
/// is shutting down, or its channel is dead. Its outcome will be discarded, so it may as well be cut
/// short; it has to be completed all the same.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restoring_cancelled(restoring: Option<&sessionreg_restoring>) -> bool {
    guard::value(false, || {
        let running = restoring.and_then(|restoring| restoring.running.get().ok());
        running.is_some_and(|running| running.context.cancelled().is_some())
    })
}

/// Says which channel carries the session from now on: it is not torn down before the session, and
/// its death is that of the session.
///
/// `SESSIONREG_STATUS_CLOSED` if the channel is dead or torn down, `SESSIONREG_STATUS_CANCELLED` if
/// nobody waits any more, `SESSIONREG_STATUS_INVALID_INPUT` for a channel of another table. A restore
/// that was completed is `SESSIONREG_STATUS_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restoring_carried_by(
    restoring: *mut sessionreg_restoring,
    channel: Option<&sessionreg_channel>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let restoring = unsafe { shared(restoring, "restoring")? };
        let channel = given(channel, "channel")?;
        restoring.with(|_| Ok(()))?;
        Ok(restoring.running.get()?.context.carried_by(channel.get()?)?)
    })
}

/// Ends the restore, which went well, and gives the owner's lease; NULL if his place was taken apart
/// by `sessionreg_restoring_split`. `state`, which may be NULL, is what everybody gets who waits or
/// comes later.
///
/// The state is the table's from here on, whatever this returns: `drop_state`, which may be NULL, is
/// called with it when nobody has it any more, or at once if it comes too late. It has come too late
/// with `SESSIONREG_STATUS_TIMEOUT`, `SESSIONREG_STATUS_CANCELLED`, `SESSIONREG_STATUS_CLOSING` and,
/// if the channel is dead, `SESSIONREG_STATUS_CLOSED`.
///
/// `SESSIONREG_STATUS_CLOSED` as well if the restore was completed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restoring_complete(
    restoring: *mut sessionreg_restoring,
    state: *mut c_void,
    drop_state: sessionreg_drop,
    lease: Option<&mut MaybeUninit<Option<Box<sessionreg_lease>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    // SAFETY: the caller keeps the header's conventions. It is made first: whatever happens, the
    // state is let go.
    let state = unsafe { Pointer::new(state, drop_state) };
    guard::status(error, move || {
        // SAFETY: the caller keeps the header's conventions.
        let restoring = unsafe { shared(restoring, "restoring")? };
        let lease = given(lease, "lease")?;
        let Ours { place, run } = restoring.end()?;
        run.complete(Ok(Arc::new(state)));
        lease.write(place.map(told).transpose()?);
        Ok(())
    })
}

/// What the owner is told at the end of his run.
fn told(place: Waiting) -> Result<Box<sessionreg_lease>, Failure> {
    match place.wait()? {
        Settled::Lease(lease) => Ok(sessionreg_lease::boxed(lease)),
        // Whoever ended his run is not asked to run it.
        Settled::Owner(_) => Err(OVER),
    }
}

/// Ends the restore, which failed: `status` and `message` become the error of everybody who waits.
/// Nothing is left behind, and a retry starts anew. `SESSIONREG_STATUS_NOT_FOUND` says that there is
/// no such session.
///
/// `SESSIONREG_STATUS_CLOSED` if the restore was completed before, and
/// `SESSIONREG_STATUS_INVALID_INPUT` if the status is none of a failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restoring_fail(
    restoring: *mut sessionreg_restoring,
    status: u32,
    message: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (restoring, message) =
            unsafe { (shared(restoring, "restoring")?, text(message, "message")?) };
        // Statuses are numbered as codes are, and success before all.
        let index = status.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let code = index.and_then(|index| ErrorCode::ALL.get(index)).copied();
        let code = code.ok_or_else(|| Failure::argument("status", "it is none of a failure"))?;
        restoring.end()?.run.complete(Err(restore::Failure::coded(code, message)));
        Ok(())
    })
}

/// Frees a restore. One that was not completed is left to others: the first one who waits becomes
/// its owner, and without any the session is free again. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restoring_free(restoring: Option<Box<sessionreg_restoring>>) {
    guard::value((), || drop(restoring));
}
