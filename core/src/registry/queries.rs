//! Questions about the sessions of a registry.

use super::{Entry, Registry};
use crate::error::Result;
use crate::liveness::State;
use crate::process::ancestry;

impl Registry {
    /// Every record, whatever its verdict.
    pub fn records(&self) -> Result<Vec<Entry>> {
        Ok(self.scan()?.entries)
    }

    /// The sessions whose process is there. Those that cannot be judged from here are not among
    /// them.
    pub fn live(&self) -> Result<Vec<Entry>> {
        let mut entries = self.records()?;
        entries.retain(is_alive);
        Ok(entries)
    }

    /// How many sessions [`live`](Self::live) gives.
    pub fn count_live(&self) -> Result<usize> {
        Ok(self.live()?.len())
    }

    /// The records of a process.
    pub fn find_by_pid(&self, pid: u32) -> Result<Vec<Entry>> {
        Ok(self.scan_where(&|of| of == pid, &|_| true)?.entries)
    }

    /// The records of a session; several processes may serve one.
    pub fn find_by_session(&self, session_id: &str) -> Result<Vec<Entry>> {
        Ok(self.scan_where(&|_| true, &|record| record.session_id == session_id)?.entries)
    }

    /// The records of a working folder, by exactly that text.
    pub fn find_by_work_dir(&self, work_dir: &str) -> Result<Vec<Entry>> {
        Ok(self.scan_where(&|_| true, &|record| record.work_dir == work_dir)?.entries)
    }

    /// The live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
    /// a language server, the sessions of the agent that started it.
    ///
    /// It goes by the process tree, never by inherited environment variables. None if no ancestor
    /// is registered, or `pid` is no process; several if one process serves several.
    pub fn owner_of(&self, pid: u32) -> Result<Vec<Entry>> {
        let mut entries = self.live()?;
        let owner = ancestry(pid).find(|pid| entries.iter().any(|entry| entry.record.pid == *pid));
        entries.retain(|entry| Some(entry.record.pid) == owner);
        Ok(entries)
    }

    /// The live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
    /// agents that run in it.
    pub fn find_under(&self, pid: u32) -> Result<Vec<Entry>> {
        let mut entries = self.live()?;
        entries.retain(|entry| ancestry(entry.record.pid).any(|ancestor| ancestor == pid));
        Ok(entries)
    }
}

fn is_alive(entry: &Entry) -> bool {
    entry.verdict.state == State::Alive
}
