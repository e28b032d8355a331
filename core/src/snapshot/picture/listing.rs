//! What is listed, and what of it changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::{AgentSession, supersede};
use super::groups::GroupKey;
use super::processes::waits_for_a_process;
use super::{Change, Picture};
use crate::liveness::{Reason, State};

impl Picture {
    /// Joins sessions with processes, panes and each other, and tells what changed.
    pub(super) fn complete(&mut self, mut dirty: HashSet<GroupKey>) -> Vec<Change> {
        // What one of them is depends on all of them.
        if self.needs_process_list() {
            dirty.extend(self.hooked.iter().cloned());
        }
        let mut matched = self.match_processes(&mut dirty);
        let marks = supersede::marks(
            self.hooked
                .iter()
                .filter_map(|key| self.groups.get(key))
                .flat_map(|group| &group.merged),
        );
        let mut before: HashMap<Arc<str>, Arc<AgentSession>> = HashMap::new();
        let mut after: Vec<Arc<AgentSession>> = Vec::with_capacity(dirty.len());
        for key in &dirty {
            let Some(group) = self.groups.get(key) else { continue };
            let mut listed: Vec<Arc<AgentSession>> = group.merged.clone();
            for session in &mut listed {
                if let Some(found) = matched.remove(&session.key) {
                    let session = Arc::make_mut(session);
                    session.pid = Some(found.process.pid);
                    session.tty.clone_from(&found.process.terminal);
                    session.verdict = Reason::Unverified.into();
                } else if waits_for_a_process(session) {
                    let verdict = self.multiplexers.judge(session);
                    if verdict != session.verdict {
                        Arc::make_mut(session).verdict = verdict;
                    }
                }
                if session.terminal.is_none()
                    && session.verdict.state == State::Alive
                    && let Some(pane) = session.pid.and_then(|pid| self.multiplexers.pane_of(pid))
                {
                    Arc::make_mut(session).terminal = Some(pane);
                }
                if let Some(winner) = marks.get(&session.key) {
                    Arc::make_mut(session).superseded_by = Some(winner.clone());
                }
            }
            if !self.sources.superseded {
                listed.retain(|session| session.superseded_by.is_none());
            }
            if listed.len() > 1 {
                listed.sort_by(|one, other| (one.pid, &one.key).cmp(&(other.pid, &other.key)));
                make_keys_unique(&mut listed);
            }
            let Some(group) = self.groups.get_mut(key) else { continue };
            let mut old = std::mem::take(&mut group.listed);
            let is_same = |one: &Arc<AgentSession>, other: &Arc<AgentSession>| {
                Arc::ptr_eq(one, other) || one == other
            };
            group.listed = listed
                .into_iter()
                .map(|session| {
                    if let Some(index) = old.iter().position(|old| is_same(old, &session)) {
                        // The same: what holds it already may go on comparing pointers.
                        return old.swap_remove(index);
                    }
                    after.push(Arc::clone(&session));
                    session
                })
                .collect();
            before.extend(old.into_iter().map(|old| (Arc::from(old.key.as_str()), old)));
            if group.traces.is_empty() && group.listed.is_empty() {
                self.groups.remove(key);
            }
        }
        self.note(before, after)
    }

    /// Keeps account of what is listed under which key.
    fn note(
        &mut self,
        before: HashMap<Arc<str>, Arc<AgentSession>>,
        after: Vec<Arc<AgentSession>>,
    ) -> Vec<Change> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        if is_first && !self.keeps {
            return Vec::new();
        }
        let mut changes = Vec::with_capacity(after.len());
        for session in after {
            let key: Arc<str> = session.key.as_str().into();
            let old = before.get(&key);
            self.by_key.insert(Arc::clone(&key), session);
            changes.push(Change { key, was_listed: old.is_some() });
        }
        let listed: HashSet<Arc<str>> =
            changes.iter().map(|change| Arc::clone(&change.key)).collect();
        for (key, _) in before.into_iter().filter(|(key, _)| !listed.contains(key)) {
            self.by_key.remove(&key);
            self.died.remove(&key);
            changes.push(Change { key, was_listed: true });
        }
        changes
    }
}

/// Two processes of two namespaces may have one pid and one session id.
fn make_keys_unique(sessions: &mut [Arc<AgentSession>]) {
    let mut known = HashSet::new();
    for session in sessions {
        let mut count = 1;
        while !known.insert(session.key.clone()) {
            count += 1;
            let session = Arc::make_mut(session);
            session.key = format!("{}#{count}", session.key);
        }
    }
}
