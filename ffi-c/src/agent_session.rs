//! # Agent sessions
//!
//! A session of an agent on this machine, as all that speak of it describe it together.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use sessionreg::AgentSession;

use crate::agent_texts::Texts;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::given;
use crate::status::sessionreg_status;
use crate::text::hand_out;

/// An agent session as it was at one time, borrowed from a snapshot, a list or a batch, or a copy of
/// one. It never changes: threads may look at one at the same time.
pub struct sessionreg_agent_session {
    session: Arc<AgentSession>,
    /// Of thousands in a snapshot few are asked for.
    texts: OnceLock<Box<Texts>>,
}

impl sessionreg_agent_session {
    pub(crate) fn of_all(sessions: &[Arc<AgentSession>]) -> Vec<Self> {
        sessions.iter().map(Self::new).collect()
    }

    fn new(session: &Arc<AgentSession>) -> Self {
        Self { session: Arc::clone(session), texts: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> &AgentSession {
        &self.session
    }

    pub(crate) fn texts(&self) -> &Texts {
        self.texts.get_or_init(Box::default)
    }
}

/// Threads share agent sessions.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_agent_session>();
};

/// Gives a copy that outlives what the session is borrowed from, for the caller to free. It costs
/// little: what a session says is there once.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_clone(
    session: Option<&sessionreg_agent_session>,
    copy: Option<&mut MaybeUninit<Box<sessionreg_agent_session>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        given(copy, "copy")?.write(Box::new(sessionreg_agent_session::new(&session.session)));
        Ok(())
    })
}

/// Whether two sessions say the same. NULL is equal to nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_equal(
    session: Option<&sessionreg_agent_session>,
    other: Option<&sessionreg_agent_session>,
) -> bool {
    guard::value(false, || {
        session.zip(other).is_some_and(|(session, other)| session.get() == other.get())
    })
}

/// Gives all that is known of a session as one line of JSON, for the caller to free.
///
/// The keys are the names of the functions that tell the same, such as `work_dir`; `terminal`,
/// `transcript` and `context_usage` are objects, the verdict is `state` and `reason`. What is absent
/// is left out. `mtime_ns` is text, and a path that is not Unicode has replacement characters.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_to_json(
    session: Option<&sessionreg_agent_session>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        let json = given(json, "json")?;
        json.write(hand_out(session.get().to_json())?);
        Ok(())
    })
}

/// Frees a copy; a session that is borrowed goes with what it is borrowed from. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_free(session: Option<Box<sessionreg_agent_session>>) {
    guard::value((), || drop(session));
}
