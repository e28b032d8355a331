//! Several traces of one session become one entry.

use std::collections::HashMap;
use std::sync::Arc;

use super::AgentSession;
use crate::liveness::{Reason, State, Verdict};

/// Joins what speaks of one session: two traces of one process and session; and a trace without a
/// process with the only other of its agent and session id. Two processes of one session stay two.
pub(super) fn merge(sessions: Vec<Arc<AgentSession>>) -> Vec<Arc<AgentSession>> {
    if sessions.len() < 2 {
        return sessions;
    }
    let sessions = sessions.into_iter().map(Arc::unwrap_or_clone).collect();
    join_all(sessions).into_iter().map(Arc::new).collect()
}

fn join_all(sessions: Vec<AgentSession>) -> Vec<AgentSession> {
    let (with_pid, without): (Vec<_>, Vec<_>) =
        sessions.into_iter().partition(|session| session.pid.is_some());
    let mut merged: Vec<AgentSession> = Vec::with_capacity(with_pid.len());
    let mut by_process: HashMap<(Option<u32>, Option<String>), usize> = HashMap::new();
    for session in with_pid {
        let process = (session.pid, session.session_id.clone());
        match by_process.get(&process) {
            Some(&index) if is_one_process(&merged[index], &session) => {
                join(&mut merged[index], session);
            }
            _ => {
                by_process.insert(process, merged.len());
                merged.push(session);
            }
        }
    }
    let mut by_id: HashMap<(Option<String>, Option<String>), Vec<usize>> = HashMap::new();
    for (index, session) in merged.iter().enumerate() {
        by_id.entry((session.agent.clone(), session.session_id.clone())).or_default().push(index);
    }
    for session in without {
        let id = (session.agent.clone(), session.session_id.clone());
        match by_id.get(&id).map(Vec::as_slice) {
            Some(&[only]) if session.session_id.is_some() => join(&mut merged[only], session),
            _ => {
                by_id.entry(id).or_default().push(merged.len());
                merged.push(session);
            }
        }
    }
    merged
}

/// One pid may be that of two processes, in two namespaces or one after the other: then the
/// verdicts on them differ in kind.
fn is_one_process(one: &AgentSession, other: &AgentSession) -> bool {
    let elsewhere = |session: &AgentSession| {
        matches!(
            session.verdict.reason,
            Reason::OtherHost | Reason::OtherNamespace | Reason::OtherPlatform
        )
    };
    one.key == other.key || elsewhere(one) == elsewhere(other)
}

/// Takes over what the other trace knows better, or alone.
fn join(into: &mut AgentSession, other: AgentSession) {
    let is_newer = other.updated_at > into.updated_at;
    let is_better = strength(other.verdict) > strength(into.verdict);
    let AgentSession {
        key,
        agent,
        session_id: _,
        pid,
        tty,
        work_dir,
        kind,
        status,
        waiting_for,
        name,
        started_at,
        updated_at,
        parent_session_id,
        terminal,
        transcript,
        context_usage,
        turn_start_tokens,
        sources,
        files,
        verdict,
        superseded_by,
        extra,
    } = other;
    if is_better {
        into.key = key;
        into.verdict = verdict;
    }
    if status.is_some() && (is_newer || into.status.is_none()) {
        into.status = status;
        into.waiting_for = waiting_for;
    }
    if is_newer {
        into.updated_at = updated_at;
    }
    fill(&mut into.agent, agent);
    fill(&mut into.pid, pid);
    fill(&mut into.tty, tty);
    fill(&mut into.work_dir, work_dir);
    fill(&mut into.kind, kind);
    fill(&mut into.name, name);
    fill(&mut into.started_at, started_at);
    fill(&mut into.parent_session_id, parent_session_id);
    fill(&mut into.terminal, terminal);
    fill(&mut into.transcript, transcript);
    fill(&mut into.context_usage, context_usage);
    fill(&mut into.turn_start_tokens, turn_start_tokens);
    fill(&mut into.superseded_by, superseded_by);
    into.sources.extend(sources);
    into.sources.sort_unstable();
    into.sources.dedup();
    into.files.extend(files);
    into.files.sort_unstable();
    into.files.dedup();
    into.extra.add_missing(extra);
}

fn fill<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// How much a verdict is worth beside another on the same session: an identity before a lock before
/// an open file before a bare pid; anything before not knowing.
fn strength(verdict: Verdict) -> u8 {
    match verdict.reason {
        Reason::Verified | Reason::Reused | Reason::Rebooted => 7,
        Reason::LockHeld | Reason::LockFree => 6,
        Reason::FileOpen => 5,
        Reason::Zombie | Reason::Gone => 4,
        Reason::Unverified => 3,
        Reason::FileClosed | Reason::PaneGone => 2,
        reason if reason.state() == State::Unknown && reason != Reason::NoIdentity => 1,
        _ => 0,
    }
}
