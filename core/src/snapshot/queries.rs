//! Questions about the sessions of a snapshot: those of a registry.

use std::sync::Arc;

use super::{AgentSession, Snapshot};
use crate::liveness::State;
use crate::process::ancestry;

type Found = Vec<Arc<AgentSession>>;

impl Snapshot {
    /// The sessions whose process is there. Those that cannot be judged from here are not among
    /// them.
    pub fn live(&self) -> Found {
        self.with(is_alive)
    }

    /// How many sessions [`live`](Self::live) gives.
    pub fn count_live(&self) -> usize {
        self.sessions.iter().filter(|session| is_alive(session)).count()
    }

    /// The sessions of a process.
    pub fn find_by_pid(&self, pid: u32) -> Found {
        self.with(|session| session.pid == Some(pid))
    }

    /// The entries of a session; several processes may serve one.
    pub fn find_by_session(&self, session_id: &str) -> Found {
        self.with(|session| session.session_id.as_deref() == Some(session_id))
    }

    /// The sessions in a working folder, by exactly that text.
    pub fn find_by_work_dir(&self, work_dir: &str) -> Found {
        self.with(|session| session.work_dir.as_deref() == Some(work_dir))
    }

    /// The live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
    /// a language server, the sessions of the agent that started it.
    ///
    /// It goes by the process tree as it is now, never by inherited environment variables.
    pub fn owner_of(&self, pid: u32) -> Found {
        let live = self.live();
        let owner = ancestry(pid).find(|pid| live.iter().any(|session| session.pid == Some(*pid)));
        live.into_iter().filter(|session| owner.is_some() && session.pid == owner).collect()
    }

    /// The live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
    /// agents that run in it.
    pub fn find_under(&self, pid: u32) -> Found {
        let is_under = |of: u32| ancestry(of).any(|ancestor| ancestor == pid);
        self.with(|session| is_alive(session) && session.pid.is_some_and(is_under))
    }

    fn with(&self, is_wanted: impl Fn(&AgentSession) -> bool) -> Found {
        self.sessions.iter().filter(|session| is_wanted(session)).cloned().collect()
    }
}

fn is_alive(session: &AgentSession) -> bool {
    session.verdict.state == State::Alive
}
