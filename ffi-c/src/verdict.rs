//! # Is the process still there?
//!
//! Dead is said only on proof, and the wall clock is no proof.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::slice;

use sessionreg::{Reason, State, Verdict};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given};
use crate::record::sessionreg_record;
use crate::status::sessionreg_status;
use crate::words::{self, Word, word};

/// Whether the process of a record is there.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_state {
    /// It cannot be told from here.
    SESSIONREG_STATE_UNKNOWN = 0,
    /// It is.
    SESSIONREG_STATE_ALIVE = 1,
    /// It is not, and that is proven.
    SESSIONREG_STATE_DEAD = 2,
}

/// Why a verdict says what it says; each reason belongs to one state.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_reason {
    /// Nothing was judged.
    SESSIONREG_REASON_NONE = 0,
    /// Alive. The process exists and its identity equals the record's.
    SESSIONREG_REASON_VERIFIED = 1,
    /// Alive. The process exists, but the record, or the system, has no identity to compare.
    SESSIONREG_REASON_UNVERIFIED = 2,
    /// Dead. No such process in this namespace.
    SESSIONREG_REASON_GONE = 3,
    /// Dead. It has exited and was not reaped.
    SESSIONREG_REASON_ZOMBIE = 4,
    /// Dead. Another process has the pid now.
    SESSIONREG_REASON_REUSED = 5,
    /// Dead. The host was started anew since; the record lies on a local file system.
    SESSIONREG_REASON_REBOOTED = 6,
    /// Alive. The program holds its own kernel lock.
    SESSIONREG_REASON_LOCK_HELD = 7,
    /// Alive. The program holds its transcript open.
    SESSIONREG_REASON_FILE_OPEN = 8,
    /// Dead. Nobody holds the program's kernel lock.
    SESSIONREG_REASON_LOCK_FREE = 9,
    /// Dead. Nobody holds the transcript open.
    SESSIONREG_REASON_FILE_CLOSED = 10,
    /// Dead. The terminal pane is gone.
    SESSIONREG_REASON_PANE_GONE = 11,
    /// Unknown. The record was written on another host.
    SESSIONREG_REASON_OTHER_HOST = 12,
    /// Unknown. The pid is meant in another PID namespace.
    SESSIONREG_REASON_OTHER_NAMESPACE = 13,
    /// Unknown. The pid is meant on another operating system.
    SESSIONREG_REASON_OTHER_PLATFORM = 14,
    /// Unknown. The file's owner is not the user of the process that it names.
    SESSIONREG_REASON_PERMISSION = 15,
    /// Unknown. The start was read in another time namespace and nothing else can be compared.
    SESSIONREG_REASON_CLOCK = 16,
    /// Unknown. What would be needed to tell is missing from the record.
    SESSIONREG_REASON_NO_IDENTITY = 17,
    /// Unknown. The session is being started.
    SESSIONREG_REASON_STARTING = 18,
    /// Unknown. The session was being started, too long ago.
    SESSIONREG_REASON_STALE = 19,
    /// Unknown. This system gives no way to tell.
    SESSIONREG_REASON_UNSUPPORTED = 20,
    /// Unknown. No process can have this pid; the system was not asked.
    SESSIONREG_REASON_INVALID = 21,
}

/// The answer of `sessionreg_liveness`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_verdict {
    /// Alive, dead or unknown.
    pub state: sessionreg_state,
    /// Why.
    pub reason: sessionreg_reason,
}

const STATES: [State; 3] = [State::Unknown, State::Alive, State::Dead];

static STATE_WORDS: [Word; STATES.len()] = {
    let mut words = [word(""); STATES.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = word(STATES[index].as_str());
        index += 1;
    }
    words
};

/// Every reason, in the order of `Reason::ALL`; the first has the number 1.
const REASONS: [sessionreg_reason; Reason::ALL.len()] = {
    use sessionreg_reason as r;
    let all = [
        r::SESSIONREG_REASON_VERIFIED,
        r::SESSIONREG_REASON_UNVERIFIED,
        r::SESSIONREG_REASON_GONE,
        r::SESSIONREG_REASON_ZOMBIE,
        r::SESSIONREG_REASON_REUSED,
        r::SESSIONREG_REASON_REBOOTED,
        r::SESSIONREG_REASON_LOCK_HELD,
        r::SESSIONREG_REASON_FILE_OPEN,
        r::SESSIONREG_REASON_LOCK_FREE,
        r::SESSIONREG_REASON_FILE_CLOSED,
        r::SESSIONREG_REASON_PANE_GONE,
        r::SESSIONREG_REASON_OTHER_HOST,
        r::SESSIONREG_REASON_OTHER_NAMESPACE,
        r::SESSIONREG_REASON_OTHER_PLATFORM,
        r::SESSIONREG_REASON_PERMISSION,
        r::SESSIONREG_REASON_CLOCK,
        r::SESSIONREG_REASON_NO_IDENTITY,
        r::SESSIONREG_REASON_STARTING,
        r::SESSIONREG_REASON_STALE,
        r::SESSIONREG_REASON_UNSUPPORTED,
        r::SESSIONREG_REASON_INVALID,
    ];
    let mut index = 0;
    while index < all.len() {
        assert!(all[index] as usize == index + 1, "a reason is not at its place");
        index += 1;
    }
    all
};

static REASON_WORDS: [Word; Reason::ALL.len() + 1] = {
    let mut words = [word(""); Reason::ALL.len() + 1];
    let mut index = 1;
    while index < words.len() {
        words[index] = word(Reason::ALL[index - 1].as_str());
        index += 1;
    }
    words
};

impl sessionreg_verdict {
    pub(crate) const ABSENT: Self = Self {
        state: sessionreg_state::SESSIONREG_STATE_UNKNOWN,
        reason: sessionreg_reason::SESSIONREG_REASON_NONE,
    };
}

impl From<Reason> for sessionreg_reason {
    fn from(reason: Reason) -> Self {
        let position = Reason::ALL.iter().position(|known| *known == reason);
        position.map_or(Self::SESSIONREG_REASON_UNSUPPORTED, |index| REASONS[index])
    }
}

impl From<Verdict> for sessionreg_verdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            state: match verdict.state {
                State::Alive => sessionreg_state::SESSIONREG_STATE_ALIVE,
                State::Dead => sessionreg_state::SESSIONREG_STATE_DEAD,
                _ => sessionreg_state::SESSIONREG_STATE_UNKNOWN,
            },
            reason: verdict.reason.into(),
        }
    }
}

/// Judges whether the process of a record is still there, and says how that is known.
///
/// Never a guess. A record that was read remembers its file: without one neither `permission` nor
/// `rebooted` is said.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_liveness(
    record: Option<&sessionreg_record>,
    verdict: Option<&mut MaybeUninit<sessionreg_verdict>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        given(verdict, "verdict")?.write(sessionreg::liveness(record.get()).into());
        Ok(())
    })
}

/// Judges `count` records at once: each process and each folder is asked for once. `verdicts` has
/// room for `count`, and the first is that of the first record.
///
/// Both may be NULL if there is no record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_liveness_all(
    records: *const *const sessionreg_record,
    count: usize,
    verdicts: *mut sessionreg_verdict,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        if count == 0 {
            return Ok(());
        }
        if records.is_null() {
            return Err(Failure::argument("records", "it is NULL"));
        }
        if verdicts.is_null() {
            return Err(Failure::argument("verdicts", "it is NULL"));
        }
        if count > isize::MAX.cast_unsigned() / size_of::<sessionreg_verdict>() {
            return Err(Failure::argument("count", "no array is so long"));
        }
        // SAFETY: not NULL, and `count` pointers, each NULL or a record, by the caller's promise.
        let records =
            unsafe { slice::from_raw_parts(records.cast::<Option<&sessionreg_record>>(), count) };
        // SAFETY: not NULL, and room for `count` verdicts, by the caller's promise.
        let room = unsafe {
            slice::from_raw_parts_mut(verdicts.cast::<MaybeUninit<sessionreg_verdict>>(), count)
        };
        let records = records
            .iter()
            .map(|record| Ok(given(*record, "records")?.get()))
            .collect::<Result<Vec<_>, Failure>>()?;
        for (slot, verdict) in room.iter_mut().zip(sessionreg::liveness_all(records)) {
            slot.write(verdict.into());
        }
        Ok(())
    })
}

/// The word for a state, the same in every language, such as `alive`. NULL for a number that is no
/// state. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_state_string(state: u32) -> *const c_char {
    guard::value(std::ptr::null(), || words::find(&STATE_WORDS, state))
}

/// The word for a reason, the same in every language, such as `verified`. NULL for
/// `SESSIONREG_REASON_NONE` and for a number that is no reason. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_reason_string(reason: u32) -> *const c_char {
    guard::value(std::ptr::null(), || words::find(&REASON_WORDS, reason))
}
