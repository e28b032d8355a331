//! # What errors of a restore table say besides
//!
//! Of an error that has no such thing to say, the value is absent.

use sessionreg::Details;

use crate::error::sessionreg_error;
use crate::guard;
use crate::text::{Terminated, sessionreg_text};

/// The details of an error, as C has them.
pub(crate) struct Told {
    session_id: Option<Terminated>,
    active: Option<Terminated>,
    requested: Option<Terminated>,
    reason: Option<Terminated>,
    bound: Option<Terminated>,
    retry_after: Option<f64>,
    limit: Option<i64>,
}

impl From<&Details> for Told {
    fn from(details: &Details) -> Self {
        let text = |text: Option<&str>| Some(Terminated::new(text?.as_bytes()));
        Self {
            session_id: text(details.session_id.as_deref()),
            active: text(details.active),
            requested: text(details.requested.as_deref()),
            reason: text(details.reason),
            bound: text(details.bound.as_deref()),
            retry_after: details.retry_after.map(|time| time.as_secs_f64()),
            limit: details.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)),
        }
    }
}

/// The session that is being restored: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_session_id(error: Option<&sessionreg_error>) -> sessionreg_text {
    lend(error, |told| told.session_id.as_ref())
}

/// What is going on, `load`, `resume` or `spawn`: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_active(error: Option<&sessionreg_error>) -> sessionreg_text {
    lend(error, |told| told.active.as_ref())
}

/// What was asked for: the same words, of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`; a folder, cut at
/// 4096 bytes, of `SESSIONREG_STATUS_WORKSPACE_MISMATCH`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_requested(error: Option<&sessionreg_error>) -> sessionreg_text {
    lend(error, |told| told.requested.as_ref())
}

/// `restoring`, or `abandoned` if nobody waits for that restore any more: of
/// `SESSIONREG_STATUS_RESTORE_IN_PROGRESS`; `channel_closed`: of `SESSIONREG_STATUS_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_reason(error: Option<&sessionreg_error>) -> sessionreg_text {
    lend(error, |told| told.reason.as_ref())
}

/// The folder that the table is bound to: of `SESSIONREG_STATUS_WORKSPACE_MISMATCH`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_bound(error: Option<&sessionreg_error>) -> sessionreg_text {
    lend(error, |told| told.bound.as_ref())
}

/// After how many seconds to try again: of `SESSIONREG_STATUS_RESTORE_IN_PROGRESS` and
/// `SESSIONREG_STATUS_SESSION_LIMIT`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_retry_after(error: Option<&sessionreg_error>) -> f64 {
    guard::value(f64::NAN, || told(error).and_then(|told| told.retry_after).unwrap_or(f64::NAN))
}

/// How many there may be: of `SESSIONREG_STATUS_SESSION_LIMIT` and
/// `SESSIONREG_STATUS_SUBSCRIBER_LIMIT`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_error_limit(error: Option<&sessionreg_error>) -> i64 {
    guard::value(-1, || told(error).and_then(|told| told.limit).unwrap_or(-1))
}

fn told(error: Option<&sessionreg_error>) -> Option<&Told> {
    error.and_then(|error| error.details.as_ref())
}

fn lend(
    error: Option<&sessionreg_error>,
    text: impl FnOnce(&Told) -> Option<&Terminated>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        told(error).and_then(text).map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}
