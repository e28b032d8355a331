//! # The sessions of a table

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use sessionreg::restore::{Stage, Status};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::given;
use crate::restore::{sessionreg_action, sessionreg_restore_table};
use crate::status::sessionreg_status;
use crate::text::{Terminated, sessionreg_text};
use crate::words::{self, Word, word};

/// Every session of a table, at one time. It never changes: threads may look at one at the same time.
/// What is borrowed from it stays until it is freed.
pub struct sessionreg_restored_list {
    sessions: Vec<sessionreg_restored>,
}

/// What a table says of one session, borrowed from a list. It never changes: threads may look at one
/// at the same time.
pub struct sessionreg_restored {
    session_id: Terminated,
    action: sessionreg_action,
    stage: sessionreg_stage,
    attachments: usize,
    subscribers: usize,
}

/// Threads share lists.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_restored_list>();
};

/// How far a session has come.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_stage {
    /// None: of NULL.
    SESSIONREG_STAGE_NONE = 0,
    /// Its restore runs, and somebody waits for it.
    SESSIONREG_STAGE_RESTORING = 1,
    /// Its restore runs, and its outcome will be discarded.
    SESSIONREG_STAGE_ABANDONED = 2,
    /// It is there.
    SESSIONREG_STAGE_LIVE = 3,
}

static STAGE_WORDS: [Word; 4] = [
    word(""),
    word(Stage::Restoring.as_str()),
    word(Stage::Abandoned.as_str()),
    word(Stage::Live.as_str()),
];

impl From<Stage> for sessionreg_stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Restoring => Self::SESSIONREG_STAGE_RESTORING,
            Stage::Abandoned => Self::SESSIONREG_STAGE_ABANDONED,
            Stage::Live => Self::SESSIONREG_STAGE_LIVE,
            _ => Self::SESSIONREG_STAGE_NONE,
        }
    }
}

impl From<Status> for sessionreg_restored {
    fn from(status: Status) -> Self {
        Self {
            session_id: Terminated::new(status.session_id.as_bytes()),
            action: status.action.into(),
            stage: status.stage.into(),
            attachments: status.attachments,
            subscribers: status.subscribers,
        }
    }
}

/// The word for a stage, the same in every language, such as `live`. NULL for
/// `SESSIONREG_STAGE_NONE` and for a number that is no stage. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_stage_string(stage: u32) -> *const c_char {
    guard::value(ptr::null(), || words::find(&STAGE_WORDS, stage))
}

/// Lists every session of a table, live or on its way, in the order of the ids.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restore_sessions(
    table: Option<&sessionreg_restore_table>,
    list: Option<&mut MaybeUninit<Box<sessionreg_restored_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let table = given(table, "table")?.get()?;
        let sessions = table.sessions().into_iter().map(sessionreg_restored::from).collect();
        given(list, "list")?.write(Box::new(sessionreg_restored_list { sessions }));
        Ok(())
    })
}

/// How many sessions there are.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_list_len(list: Option<&sessionreg_restored_list>) -> usize {
    guard::value(0, || list.map_or(0, |list| list.sessions.len()))
}

/// A session, borrowed. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_list_get(
    list: Option<&sessionreg_restored_list>,
    index: usize,
) -> Option<&sessionreg_restored> {
    guard::value(None, || list.and_then(|list| list.sessions.get(index)))
}

/// Its id.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_session_id(
    session: Option<&sessionreg_restored>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        session.map_or(sessionreg_text::ABSENT, |session| session.session_id.lend())
    })
}

/// How it came, or comes, to life.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_action(
    session: Option<&sessionreg_restored>,
) -> sessionreg_action {
    const NONE: sessionreg_action = sessionreg_action::SESSIONREG_ACTION_NONE;
    guard::value(NONE, || session.map_or(NONE, |session| session.action))
}

/// How far it has come.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_stage(
    session: Option<&sessionreg_restored>,
) -> sessionreg_stage {
    const NONE: sessionreg_stage = sessionreg_stage::SESSIONREG_STAGE_NONE;
    guard::value(NONE, || session.map_or(NONE, |session| session.stage))
}

/// Leases that were not released; of a restore, callers that wait for it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_attachments(session: Option<&sessionreg_restored>) -> usize {
    guard::value(0, || session.map_or(0, |session| session.attachments))
}

/// Subscribers of its events.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_subscribers(session: Option<&sessionreg_restored>) -> usize {
    guard::value(0, || session.map_or(0, |session| session.subscribers))
}

/// Frees a list, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_restored_list_free(list: Option<Box<sessionreg_restored_list>>) {
    guard::value((), || drop(list));
}
