//! Processes of agents, and the sessions that only name their folder.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::AgentSession;
use super::super::programs::{self, Candidate};
use super::super::world::World;
use super::groups::GroupKey;
use super::{Notices, Picture};
use crate::liveness::{Reason, State};
use crate::process::ProcessInfo;

impl Picture {
    /// Looks for processes of agents of which nothing else tells.
    pub(super) fn read_processes(
        &mut self,
        world: &World,
        dirty: &mut HashSet<GroupKey>,
        notices: &mut dyn Notices,
    ) {
        self.multiplexers.ask(self.names_a_pane());
        let Some(table) = world.table() else { return };
        let processes = table.processes();
        for process in &processes {
            if let Some(terminal) = self.terminals.get_mut(&process.pid) {
                terminal.clone_from(&process.terminal);
            } else if self.by_process.contains(&process.pid) {
                self.terminals.insert(process.pid, process.terminal.clone());
            }
        }
        let before =
            std::mem::replace(&mut self.candidates, programs::candidates(table, &processes));
        for candidate in &self.candidates {
            notices.watch_process(candidate.process.pid);
        }
        for pid in before.iter().map(|candidate| candidate.process.pid) {
            let is_there = self.candidates.iter().any(|candidate| candidate.process.pid == pid);
            if !is_there && !self.by_process.contains(&pid) {
                notices.forget_process(pid);
            }
        }
        dirty
            .extend(self.groups.keys().filter(|key| matches!(key, GroupKey::Process(..))).cloned());
        dirty.extend(self.hooked.iter().cloned());
    }

    /// Of the processes of which something was noticed, some are not there any more.
    pub(super) fn drop_candidates(&mut self, processes: &HashSet<u32>, world: &World) {
        self.candidates.retain(|candidate| {
            let known = &candidate.process;
            let is_it = |now: &ProcessInfo| now.start == known.start && !now.has_exited;
            !processes.contains(&known.pid) || world.process(known.pid).as_ref().is_some_and(is_it)
        });
    }

    fn names_a_pane(&self) -> bool {
        let groups = self.hooked.iter().filter_map(|key| self.groups.get(key));
        groups.flat_map(|group| &group.traces).any(|id| {
            self.judged.get(id).is_some_and(|judged| judged.seen.session.terminal.is_some())
        })
    }

    /// Which session that waits for a process has which: only where one process and one session of
    /// a program are left in a folder. Two of either cannot be told apart, and are not. The
    /// processes that are left stand for themselves.
    pub(super) fn match_processes(
        &mut self,
        dirty: &mut HashSet<GroupKey>,
    ) -> HashMap<String, Candidate> {
        let is_served = |candidate: &&Candidate| {
            let traces = self.by_process.get(&candidate.process.pid);
            let mut states =
                traces.iter().filter_map(|id| self.judged.get(id)).map(|of| of.verdict.state);
            states.any(|state| state == State::Alive)
        };
        let mut free: Vec<Candidate> =
            self.candidates.iter().filter(|candidate| !is_served(candidate)).cloned().collect();
        let groups = self.hooked.iter().filter_map(|key| self.groups.get(key));
        let waiting: Vec<&Arc<AgentSession>> = groups
            .flat_map(|group| &group.merged)
            .filter(|session| waits_for_a_process(session))
            .collect();
        let mut matched = HashMap::new();
        for session in &waiting {
            let is_rival = |other: &&&Arc<AgentSession>| {
                other.work_dir == session.work_dir && other.agent == session.agent
            };
            let found: Vec<usize> =
                (0..free.len()).filter(|index| free[*index].may_serve(session)).collect();
            if let ([only], 1) = (found.as_slice(), waiting.iter().filter(is_rival).count()) {
                matched.insert(session.key.clone(), free.remove(*only));
            }
        }
        if !self.sources.processes {
            return matched;
        }
        let is_process = |key: &&GroupKey| matches!(key, GroupKey::Process(..));
        let known: Vec<GroupKey> = self.groups.keys().take_while(is_process).cloned().collect();
        let now: HashMap<GroupKey, &Candidate> = free
            .iter()
            .map(|free| (GroupKey::Process(free.process.pid, free.process.start), free))
            .collect();
        for key in known {
            if !now.contains_key(&key)
                && let Some(group) = self.groups.get_mut(&key)
            {
                group.merged.clear();
                dirty.insert(key);
            }
        }
        for (key, free) in now {
            let group = self.groups.entry(key.clone()).or_default();
            if group.merged.is_empty() {
                group.merged = vec![Arc::new(programs::session_of(free))];
                dirty.insert(key);
            }
        }
        matched
    }
}

/// A session of a hook that only names its folder.
pub(super) fn waits_for_a_process(session: &AgentSession) -> bool {
    session.pid.is_none()
        && session.verdict.reason == Reason::NoIdentity
        && session.agent.as_deref() == Some("claude-code")
}
