//! # Batches
//!
//! What changed since a cursor. Put together in the order in which they come, batches are the state:
//! `added` and `changed` have whole sessions, to be kept by their keys, and `removed` has keys.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use sessionreg::Batch;

use crate::agent_session::sessionreg_agent_session;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::given;
use crate::status::sessionreg_status;
use crate::text::{Terminated, hand_out, sessionreg_text};

/// What changed. It never changes itself: threads may look at one at the same time. What is borrowed
/// from it stays until it is freed.
pub struct sessionreg_batch {
    batch: Batch,
    cursor: Terminated,
    added: Vec<sessionreg_agent_session>,
    changed: Vec<sessionreg_agent_session>,
    removed: Vec<Terminated>,
}

impl From<Batch> for sessionreg_batch {
    fn from(batch: Batch) -> Self {
        Self {
            cursor: Terminated::new(batch.cursor.as_bytes()),
            added: sessionreg_agent_session::of_all(&batch.added),
            changed: sessionreg_agent_session::of_all(&batch.changed),
            removed: batch.removed.iter().map(|key| Terminated::new(key.as_bytes())).collect(),
            batch,
        }
    }
}

/// Threads share batches.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_batch>();
};

/// From where to go on: the `id` of a Server-Sent Event.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_cursor(batch: Option<&sessionreg_batch>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        batch.map_or(sessionreg_text::ABSENT, |batch| batch.cursor.lend())
    })
}

/// Whether `added` is all there is, and what was known before is to be forgotten: there was no
/// cursor, or it was too old, or another monitor's.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_reset(batch: Option<&sessionreg_batch>) -> bool {
    guard::value(false, || batch.is_some_and(|batch| batch.batch.reset))
}

/// When the latest of it was noticed, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_at(batch: Option<&sessionreg_batch>) -> f64 {
    guard::value(f64::NAN, || batch.map_or(f64::NAN, |batch| batch.batch.at))
}

/// How many sessions are listed now and were not.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_added_len(batch: Option<&sessionreg_batch>) -> usize {
    guard::value(0, || batch.map_or(0, |batch| batch.added.len()))
}

/// A session that is listed now and was not, borrowed. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_added_get(
    batch: Option<&sessionreg_batch>,
    index: usize,
) -> Option<&sessionreg_agent_session> {
    guard::value(None, || batch.and_then(|batch| batch.added.get(index)))
}

/// Of how many sessions something changed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_changed_len(batch: Option<&sessionreg_batch>) -> usize {
    guard::value(0, || batch.map_or(0, |batch| batch.changed.len()))
}

/// A session of which something changed, as it is now, borrowed. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_changed_get(
    batch: Option<&sessionreg_batch>,
    index: usize,
) -> Option<&sessionreg_agent_session> {
    guard::value(None, || batch.and_then(|batch| batch.changed.get(index)))
}

/// How many sessions are not listed any more.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_removed_len(batch: Option<&sessionreg_batch>) -> usize {
    guard::value(0, || batch.map_or(0, |batch| batch.removed.len()))
}

/// The key of a session that is not listed any more. Absent beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_removed_get(
    batch: Option<&sessionreg_batch>,
    index: usize,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        batch
            .and_then(|batch| batch.removed.get(index))
            .map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// Gives a batch as one line of JSON, for the caller to free: `cursor`, `reset`, `at`, `added` and
/// `changed` with sessions as `sessionreg_agent_session_to_json` has them, and `removed`. It is the
/// `data` of a Server-Sent Event.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_to_json(
    batch: Option<&sessionreg_batch>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let batch = given(batch, "batch")?;
        let json = given(json, "json")?;
        json.write(hand_out(batch.batch.to_json())?);
        Ok(())
    })
}

/// Frees a batch, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_batch_free(batch: Option<Box<sessionreg_batch>>) {
    guard::value((), || drop(batch));
}
