//! The files of one session id, merged.

use std::sync::Arc;

use super::super::AgentSession;
use super::super::assess::{Judged, STARTING};
use super::super::merge;
use super::super::store::{Seen, TraceId};
use super::super::world::World;
use super::Picture;
use crate::fs;
use crate::liveness::{Reason, State};
use crate::sources::Evidence;
use crate::usage;

/// The sessions of one id, or one process without a session. Ordered as a snapshot is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum GroupKey {
    Process(u32, u64),
    Session(Arc<str>),
}

#[derive(Default)]
pub(super) struct Group {
    pub(super) traces: Vec<TraceId>,
    /// What its own files say together.
    pub(super) merged: Vec<Arc<AgentSession>>,
    /// The same, as other sessions and the processes complete it.
    pub(super) listed: Vec<Arc<AgentSession>>,
    /// Sessions that died too long ago to be listed.
    long_dead: usize,
    /// When the clock alone changes something, in milliseconds since the Unix epoch.
    pub(super) deadline: Option<u64>,
}

impl Picture {
    /// Merges what the files of one group say.
    pub(super) fn merge_group(&mut self, key: &GroupKey, world: &World, time: f64) {
        let Some(group) = self.groups.get(key) else { return };
        let current = group.traces.iter().filter_map(|id| self.judged.get(id));
        let mut current: Vec<&Judged> = current.filter(|of| !self.is_outdated(of)).collect();
        if current.len() > 1 {
            current.sort_by(|one, other| one.seen.rank().cmp(&other.seen.rank()));
        }
        let mut last = f64::MIN;
        let mut hook = None;
        let mut starting = false;
        for judged in &current {
            last = last.max(judged.seen.written);
            if let Evidence::Hook(found) = &judged.seen.evidence {
                hook = Some(found.clone());
                starting |= judged.verdict.reason == Reason::Starting;
            }
        }
        let mut merged = merge::merge(current.iter().map(|judged| judged.entry()).collect());
        let limit = self.sources.dead_within.as_secs_f64();
        let mut expiries: Vec<f64> = Vec::new();
        let before = merged.len();
        for session in merged.iter().filter(|session| session.verdict.state == State::Dead) {
            let known = self.by_key.get_key_value(session.key.as_str());
            if let Some((key, known)) = known
                && known.verdict.state == State::Alive
            {
                self.died.insert(Arc::clone(key), time);
            }
        }
        merged.retain(|session| {
            if session.verdict.state != State::Dead {
                return true;
            }
            let seen_to_die = self.died.get(session.key.as_str()).copied();
            let last = [Some(last), session.updated_at, session.started_at, seen_to_die];
            let last = last.into_iter().flatten().fold(f64::MIN, f64::max);
            expiries.push(last + limit);
            time < last + limit
        });
        let long_dead = before - merged.len();
        for session in &mut merged {
            self.describe(session, world);
            if let (Some(hook), Some(id)) = (&hook, session.session_id.as_deref()) {
                let current = session.context_usage.map(|usage| usage.current_tokens);
                self.turns.note(id, hook, current);
                let start = self.turns.of(id).filter(|_| session.turn_start_tokens.is_none());
                if start.is_some() {
                    Arc::make_mut(session).turn_start_tokens = start;
                }
            }
        }
        if starting && let Some(hook) = &hook {
            expiries.push(hook.stamp.modified_seconds() + STARTING.as_secs_f64());
        }
        let Some(group) = self.groups.get_mut(key) else { return };
        let deadline = expiries.into_iter().map(millis).filter(|at| *at > millis(time)).min();
        self.long_dead = self.long_dead + long_dead - group.long_dead;
        group.long_dead = long_dead;
        group.merged = merged;
        if let Some(old) = group.deadline.take() {
            self.deadlines.remove(&(old, key.clone()));
        }
        if let Some(at) = deadline {
            group.deadline = Some(at);
            self.deadlines.insert((at, key.clone()));
        }
    }

    /// Whether a later record of the same registration speaks of another session. Of two that are
    /// equally late the one with the smaller session id counts: one registration is one entry.
    fn is_outdated(&self, judged: &Judged) -> bool {
        let Some((instance, revision)) = &judged.seen.registration else { return false };
        let others = self.by_instance.get(instance);
        if others.len() < 2 {
            return false;
        }
        let rank = |revision: u64, seen: &Seen| {
            (revision, std::cmp::Reverse(seen.session.session_id.clone()))
        };
        let own = rank(*revision, &judged.seen);
        others.iter().filter_map(|id| self.judged.get(id)).any(|other| {
            let later = other.seen.registration.as_ref().map_or(0, |(_, revision)| *revision);
            other.seen.session.session_id != judged.seen.session.session_id
                && rank(later, &other.seen) > own
        })
    }

    /// What is looked up only for sessions that are listed.
    fn describe(&mut self, session: &mut Arc<AgentSession>, world: &World) {
        if let Some(path) = session.transcript.as_ref().map(|transcript| &transcript.path)
            && let Some(mtime) = fs::modified_nanos(path)
        {
            let format = session.agent.as_deref().and_then(usage::Format::of_agent);
            let usage = format.and_then(|format| match self.usages.get(path) {
                Some((known, usage)) if *known == mtime => *usage,
                _ => {
                    // A transcript that cannot be read tells nothing of its session.
                    let usage = usage::read(path, format).ok().flatten();
                    self.usages.insert(path.clone(), (mtime, usage));
                    usage
                }
            });
            let session = Arc::make_mut(session);
            session.context_usage = usage;
            if let Some(transcript) = &mut session.transcript {
                transcript.mtime_ns = Some(mtime);
            }
        }
        if session.verdict.state == State::Alive
            && session.tty.is_none()
            && let Some(pid) = session.pid
        {
            let read = || world.process(pid).and_then(|process| process.terminal);
            let terminal = self.terminals.entry(pid).or_insert_with(read);
            if terminal.is_some() {
                Arc::make_mut(session).tty.clone_from(terminal);
            }
        }
    }
}

pub(super) fn group_of(seen: &Seen) -> GroupKey {
    GroupKey::Session(seen.session.session_id.as_deref().unwrap_or_default().into())
}

/// In milliseconds, rounded up: a deadline has not passed before it is over.
pub(super) fn millis(seconds: f64) -> u64 {
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // Saturates.
    let millis = (seconds * 1000.0).ceil() as u64;
    millis
}
