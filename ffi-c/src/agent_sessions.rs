//! # Lists of agent sessions

use std::sync::Arc;

use sessionreg::AgentSession;

use crate::agent_session::sessionreg_agent_session;
use crate::guard;

/// The answer to a question about a snapshot, which need not be there any more. It never changes:
/// threads may look at one at the same time. What is borrowed from it stays until it is freed.
pub struct sessionreg_agent_sessions(Vec<sessionreg_agent_session>);

impl From<Vec<Arc<AgentSession>>> for sessionreg_agent_sessions {
    fn from(sessions: Vec<Arc<AgentSession>>) -> Self {
        Self(sessionreg_agent_session::of_all(&sessions))
    }
}

/// How many sessions there are.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_sessions_len(
    sessions: Option<&sessionreg_agent_sessions>,
) -> usize {
    guard::value(0, || sessions.map_or(0, |sessions| sessions.0.len()))
}

/// A session, borrowed; they are ordered as in the snapshot. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_sessions_get(
    sessions: Option<&sessionreg_agent_sessions>,
    index: usize,
) -> Option<&sessionreg_agent_session> {
    guard::value(None, || sessions.and_then(|sessions| sessions.0.get(index)))
}

/// Frees a list, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_sessions_free(sessions: Option<Box<sessionreg_agent_sessions>>) {
    guard::value((), || drop(sessions));
}
