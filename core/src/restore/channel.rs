//! One agent process that carries several sessions.

use std::fmt;
use std::sync::Arc;

use super::table::RestoreTable;

/// A channel of a table. It is torn down once, when the last session and the last restore that it
/// carries are gone, and carries nothing after that. Clones are the same channel.
#[derive(Clone)]
pub struct Channel(Arc<Handle>);

struct Handle {
    table: RestoreTable,
    serial: u64,
}

impl Channel {
    pub(super) fn new(table: RestoreTable, serial: u64) -> Self {
        Self(Arc::new(Handle { table, serial }))
    }

    /// Whether it can carry a session: it is neither dead nor being torn down.
    pub fn is_open(&self) -> bool {
        self.0.table.change(|state, _| state.is_open(self.0.serial))
    }

    /// Its process is dead: its sessions end
    /// ([`ChannelClosed`](super::EndReason::ChannelClosed)), and its restores fail with
    /// [`Closed`](crate::ErrorCode::Closed). It is not torn down any more. `info` becomes part of
    /// the error's text.
    pub fn exited(&self, info: &str) {
        self.0.table.change(|state, after| state.channel_exited(self.0.serial, info, after));
    }

    /// Its number, if it is one of this table.
    pub(super) fn serial_in(&self, table: &RestoreTable) -> Option<u64> {
        table.is(&self.0.table).then_some(self.0.serial)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.table.change(|state, after| state.forget_channel(self.serial, after));
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}
