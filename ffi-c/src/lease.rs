//! # Leases
//!
//! Whoever was given a live session has a share of it. The last one that is released ends the
//! session, if nobody is subscribed to it.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionreg::restore::{EndReason, Lease};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, shared};
use crate::own::{Owned, Pointer};
use crate::status::sessionreg_status;
use crate::text::{Terminated, sessionreg_text};
use crate::words::{self, Word, word};

/// A share of a live session. Threads may use one at the same time; who frees it must be alone with
/// it.
pub struct sessionreg_lease {
    lease: Owned<Lease>,
    session_id: Terminated,
    is_released: AtomicBool,
}

impl sessionreg_lease {
    pub(crate) fn boxed(lease: Lease) -> Box<Self> {
        let session_id = Terminated::new(lease.session_id().as_bytes());
        let is_released = AtomicBool::new(false);
        // Whatever frees it: a share is given back by a call that says so.
        let lease = Owned::new(lease.without_release_on_drop());
        Box::new(Self { lease, session_id, is_released })
    }
}

/// Threads share leases.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_lease>();
};

/// Why a session is not live any more.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_end_reason {
    /// It is live.
    SESSIONREG_END_REASON_NONE = 0,
    /// Its last lease was released, and nobody was subscribed.
    SESSIONREG_END_REASON_RELEASED = 1,
    /// It was ended.
    SESSIONREG_END_REASON_ENDED = 2,
    /// The channel that carried it is dead.
    SESSIONREG_END_REASON_CHANNEL_CLOSED = 3,
    /// The table was closed.
    SESSIONREG_END_REASON_DAEMON_SHUTDOWN = 4,
}

static END_WORDS: [Word; 5] = [
    word(""),
    word(EndReason::Released.as_str()),
    word(EndReason::Ended.as_str()),
    word(EndReason::ChannelClosed.as_str()),
    word(EndReason::DaemonShutdown.as_str()),
];

impl From<Option<EndReason>> for sessionreg_end_reason {
    fn from(reason: Option<EndReason>) -> Self {
        match reason {
            None => Self::SESSIONREG_END_REASON_NONE,
            Some(EndReason::Released) => Self::SESSIONREG_END_REASON_RELEASED,
            Some(EndReason::ChannelClosed) => Self::SESSIONREG_END_REASON_CHANNEL_CLOSED,
            Some(EndReason::DaemonShutdown) => Self::SESSIONREG_END_REASON_DAEMON_SHUTDOWN,
            Some(_) => Self::SESSIONREG_END_REASON_ENDED,
        }
    }
}

/// The word for such a reason, the same in every language, such as `released`. NULL for
/// `SESSIONREG_END_REASON_NONE` and for a number that is no such reason. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_end_reason_string(reason: u32) -> *const c_char {
    guard::value(ptr::null(), || words::find(&END_WORDS, reason))
}

/// The session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_lease_session_id(lease: Option<&sessionreg_lease>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        lease.map_or(sessionreg_text::ABSENT, |lease| lease.session_id.lend())
    })
}

/// Whether the session was there already, or was restored for another caller.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_lease_attached(lease: Option<&sessionreg_lease>) -> bool {
    guard::value(false, || look(lease).is_some_and(Lease::is_attached))
}

/// What the restore was completed with, the same for everybody. It stays until the lease is freed,
/// released or not. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_lease_state(lease: Option<&sessionreg_lease>) -> *mut c_void {
    guard::value(ptr::null_mut(), || {
        let state = look(lease).and_then(|lease| lease.state().downcast_ref::<Pointer>());
        state.map_or(ptr::null_mut(), Pointer::get)
    })
}

/// Why the session is not live any more; `SESSIONREG_END_REASON_NONE` if it is.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_lease_ended(
    lease: Option<&sessionreg_lease>,
) -> sessionreg_end_reason {
    guard::value(sessionreg_end_reason::SESSIONREG_END_REASON_NONE, || {
        look(lease).and_then(Lease::ended).into()
    })
}

fn look(lease: Option<&sessionreg_lease>) -> Option<&Lease> {
    lease.and_then(|lease| lease.lease.peek())
}

/// Gives the share back, and tells whether that ended the session. `SESSIONREG_STATUS_CLOSED` if it
/// was released before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_lease_release(
    lease: *mut sessionreg_lease,
    ended: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let handle = unsafe { shared(lease, "lease")? };
        let ended = given(ended, "ended")?;
        let lease = handle.lease.get()?;
        if handle.is_released.swap(true, Ordering::AcqRel) {
            return Err(Failure::Refused(
                sessionreg_status::SESSIONREG_STATUS_CLOSED,
                "failed to release the lease: it is released",
            ));
        }
        ended.write(lease.release());
        Ok(())
    })
}

/// Frees a lease. One that was not released stays counted: the session lives until it is ended, its
/// channel dies or the table is closed. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_lease_free(lease: Option<Box<sessionreg_lease>>) {
    guard::value((), || drop(lease));
}
