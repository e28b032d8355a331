//! A caller's share of a live session.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::failure::Opaque;
use super::state::State;
use super::table::Place;

/// Why a session is not live any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// Its last lease was released, and nobody was subscribed.
    Released,
    /// It was ended.
    Ended,
    /// The channel that carried it is dead.
    ChannelClosed,
    /// The table was closed.
    DaemonShutdown,
}

impl EndReason {
    /// `released`, `ended`, `channel_closed` or `daemon_shutdown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Ended => "ended",
            Self::ChannelClosed => "channel_closed",
            Self::DaemonShutdown => "daemon_shutdown",
        }
    }
}

/// What every lease of a session shares.
pub(super) struct Restored {
    state: Opaque,
    ended: OnceLock<EndReason>,
}

impl Restored {
    pub(super) fn new(state: Opaque) -> Self {
        Self { state, ended: OnceLock::new() }
    }

    pub(super) fn end(&self, why: EndReason) {
        self.ended.get_or_init(|| why);
    }
}

/// A share of a live session. The last one to be released ends it, if nobody is subscribed.
///
/// Dropping it releases it. Languages that drop what nobody refers to any more, at a time of their
/// own, must not end a session by that: see [`without_release_on_drop`](Self::without_release_on_drop).
#[must_use = "a lease that is dropped is released"]
pub struct Lease {
    place: Place,
    session: Arc<Restored>,
    is_attached: bool,
    is_released: AtomicBool,
    releases_on_drop: bool,
}

impl Lease {
    pub(super) fn new(place: Place, session: Arc<Restored>, is_attached: bool) -> Self {
        let is_released = AtomicBool::new(false);
        Self { place, session, is_attached, is_released, releases_on_drop: true }
    }

    /// The session.
    pub fn session_id(&self) -> &str {
        &self.place.id
    }

    /// Whether the session was there already, or was restored for another caller.
    pub fn is_attached(&self) -> bool {
        self.is_attached
    }

    /// What the restore gave: the same for every caller.
    pub fn state(&self) -> &Opaque {
        &self.session.state
    }

    /// Why the session is not live any more, if it is not.
    pub fn ended(&self) -> Option<EndReason> {
        self.session.ended.get().copied()
    }

    /// Gives the share back; `true` if that ended the session. A second time it does nothing.
    pub fn release(&self) -> bool {
        if self.is_released.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.place.change(State::release)
    }

    /// The same lease, which stays counted when it is dropped: the session then lives until it is
    /// ended by its id, its channel dies or the table is closed.
    pub fn without_release_on_drop(mut self) -> Self {
        self.releases_on_drop = false;
        self
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.releases_on_drop {
            self.release();
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("session_id", &self.place.id)
            .field("is_attached", &self.is_attached)
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}
