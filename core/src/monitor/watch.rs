//! One reader of a monitor, with its cursor, and a descriptor for event loops.

#[cfg(unix)]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::events::Bell;
#[cfg(unix)]
use super::events::Readiness;
use super::{Batch, Shared};
use crate::error::{Error, ErrorCode, Result};

/// A reader of a [`super::Monitor`]: it gets the full state first, and then what changed.
///
/// It may be used from any thread, by one at a time.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    cursor: Mutex<Option<String>>,
    /// Rung by readers who noticed something that this one has not seen.
    bell: Arc<Bell>,
    /// Made when it is asked for.
    #[cfg(unix)]
    readiness: OnceLock<Readiness>,
}

impl Watch {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self> {
        let mut state = shared.open()?;
        let bell = Arc::new(Bell::new().map_err(|error| unavailable(&error))?);
        // The full state is there to be fetched.
        bell.ring();
        state.watches.push(Arc::downgrade(&bell));
        drop(state);
        Ok(Self {
            shared: Arc::clone(shared),
            cursor: Mutex::default(),
            bell,
            #[cfg(unix)]
            readiness: OnceLock::new(),
        })
    }

    /// Goes on from a cursor of an earlier batch, such as the `Last-Event-ID` of a client, instead
    /// of the full state.
    #[must_use]
    pub fn from_cursor(self, cursor: impl Into<String>) -> Self {
        *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor.into());
        self
    }

    /// Waits for the next batch; see [`super::Monitor::wait`].
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Batch>> {
        // First: in a forked child the lock may be held by a thread that is not there, and the bell
        // is the parent's too.
        drop(self.shared.open()?);
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the state is looked at: what comes after that rings again.
        self.bell.silence();
        let batch = self.shared.wait(cursor.as_deref(), timeout)?;
        if let Some(batch) = &batch {
            *cursor = Some(batch.cursor.clone());
        }
        Ok(batch)
    }

    /// A descriptor that is readable when [`next`](Self::next) is worth calling: for `poll(2)` and
    /// event loops. It is this reader's until it is dropped, and is only to be waited for.
    ///
    /// After `next` with a timeout of zero gave nothing it is not readable before there is
    /// something, except for moments in which that has yet to be found out. When the monitor is
    /// closed it becomes readable.
    ///
    /// [`ErrorCode::Unavailable`] on systems without such descriptors, and where the system has no
    /// more of them: Linux has 500 of one monitor, of which 100 fit into one event loop.
    #[cfg(unix)]
    pub fn fd(&self) -> Result<std::os::fd::BorrowedFd<'_>> {
        let readiness = if let Some(readiness) = self.readiness.get() {
            readiness
        } else {
            let state = self.shared.open()?;
            let Some(events) = &state.events else {
                return Err(unavailable(&std::io::ErrorKind::NotConnected.into()));
            };
            let made = Readiness::of(&self.bell, events).map_err(|error| unavailable(&error))?;
            // Of two that are made at once one goes.
            self.readiness.get_or_init(|| made)
        };
        readiness.fd().ok_or_else(|| unavailable(&std::io::ErrorKind::Unsupported.into()))
    }
}

fn unavailable(error: &std::io::Error) -> Error {
    Error::value(ErrorCode::Unavailable, "watch", "the sessions", error.to_string())
}
