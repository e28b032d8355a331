//! What a table says of its sessions.

use std::fmt;

/// How a session comes to life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It is restored, and its history is published.
    Load,
    /// It is restored without its history: what is published meanwhile is not kept.
    Resume,
    /// It is a new one.
    Spawn,
}

impl Action {
    /// `load`, `resume` or `spawn`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Resume => "resume",
            Self::Spawn => "spawn",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Its restore runs, and somebody waits for it.
    Restoring,
    /// Its restore runs, and its outcome will be discarded.
    Abandoned,
    /// It is there.
    Live,
}

impl Stage {
    /// `restoring`, `abandoned` or `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restoring => "restoring",
            Self::Abandoned => "abandoned",
            Self::Live => "live",
        }
    }
}

/// What a table says of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Its id.
    pub session_id: String,
    /// How it came, or comes, to life.
    pub action: Action,
    /// How far it has come.
    pub stage: Stage,
    /// Leases that were not released; of a restore, callers that wait for it.
    pub attachments: usize,
    /// Subscribers of its events.
    pub subscribers: usize,
}
