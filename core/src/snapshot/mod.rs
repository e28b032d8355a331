//! Every agent session on this machine, merged from all that speak of it.

mod assess;
mod entry;
mod index;
mod json;
mod merge;
mod multiplexers;
mod picture;
mod programs;
mod queries;
mod store;
mod supersede;
mod turns;
mod world;

use std::sync::Arc;

pub use entry::{AgentSession, Transcript};
pub(crate) use json::batch_text;
pub(crate) use picture::{Change, HookFile, Notices, Picture, Work};

use crate::registry::Skipped;
use crate::sources::Sources;

/// Every agent session on this machine at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// The sessions, ordered by session id, then pid; those without an id come first.
    pub sessions: Vec<Arc<AgentSession>>,
    /// Files that were meant to be traces and are none, or could not be read, ordered by path.
    pub skipped: Vec<Skipped>,
    /// How many dead sessions are older than [`Sources::dead_within`] and not listed.
    pub dead_before: usize,
    /// From where [`crate::Monitor::wait`] goes on, if a monitor took the snapshot.
    pub cursor: String,
    /// When it was taken, in seconds since the Unix epoch.
    pub taken_at: f64,
}

/// Looks for agent sessions. Nothing is written, created, locked or removed, and, unless
/// multiplexers are to be asked, nothing is started.
///
/// One bad file never hides anything else: it is in [`Snapshot::skipped`], with the reason. A
/// [`crate::Monitor`] keeps what was read, and looks again only at what changed.
pub fn snapshot(sources: &Sources) -> Snapshot {
    Picture::once(sources.clone()).snapshot(String::new())
}
