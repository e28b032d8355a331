//! Two sessions on one pane of a terminal multiplexer: one took the place of the other.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::AgentSession;

/// Of the sessions that hooks report, which is superseded by which: keys, and session ids. Of those
/// on one pane the one with context usage wins, then that with the later transcript, then the
/// smaller session id.
pub(super) fn marks<'a>(
    sessions: impl Iterator<Item = &'a Arc<AgentSession>>,
) -> HashMap<String, String> {
    let mut by_pane: HashMap<(&str, &str), Vec<&AgentSession>> = HashMap::new();
    for session in sessions {
        if let Some(pane) = pane_of(session) {
            by_pane.entry(pane).or_default().push(session);
        }
    }
    let mut marks = HashMap::new();
    for rivals in by_pane.into_values().filter(|rivals| rivals.len() > 1) {
        let rank = |session: &&&AgentSession| {
            let mtime = session.transcript.as_ref().and_then(|transcript| transcript.mtime_ns);
            let id = Reverse(session.session_id.clone());
            (session.context_usage.is_some(), mtime.unwrap_or(0), id)
        };
        let Some(winner) = rivals.iter().max_by_key(rank) else { continue };
        let Some(id) = &winner.session_id else { continue };
        let losers = rivals.iter().filter(|session| session.key != winner.key);
        marks.extend(losers.map(|loser| (loser.key.clone(), id.clone())));
    }
    marks
}

/// Only of a record that hooks fed, which nobody takes back when its session ends.
fn pane_of(session: &AgentSession) -> Option<(&str, &str)> {
    let terminal = session.terminal.as_ref().filter(|_| session.sources.contains(&"hooks"))?;
    if terminal.multiplexer.as_deref() != Some("zellij") {
        return None;
    }
    let name = |text: &'_ Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    (name(&terminal.session) && name(&terminal.pane)).then_some(())?;
    Some((terminal.session.as_deref()?, terminal.pane.as_deref()?))
}
