//! The calls of a session, in the order in which they were made.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::OnError;
use super::state::{Operation, State, View};
use crate::error::{Error, ErrorCode, Result};
use crate::process::Own;

/// A session's state and the calls that wait for it.
///
/// Whoever waits for a call carries out those before it too: an order without anybody waiting for
/// a thread that may never come.
pub(super) struct Shared {
    own: Own,
    pending: Mutex<VecDeque<Pending>>,
    state: Mutex<State>,
    view: Mutex<Arc<View>>,
    /// What a forked child is told: it must not wait for a lock that nobody will open.
    first_view: Arc<View>,
    on_error: Option<OnError>,
}

struct Pending {
    operation: Operation,
    slot: Slot,
}

type Slot = Arc<Mutex<Option<Result<bool>>>>;

impl Shared {
    pub(super) fn new(state: State, on_error: Option<OnError>) -> Self {
        let first_view = Arc::new(state.view());
        Self {
            own: state.own(),
            pending: Mutex::default(),
            view: Mutex::new(Arc::clone(&first_view)),
            state: Mutex::new(state),
            first_view,
            on_error,
        }
    }

    /// Not so in a forked child.
    pub(super) fn is_this_process(&self) -> bool {
        self.own.is_this_process()
    }

    pub(super) fn view(&self) -> Arc<View> {
        if self.is_this_process() {
            Arc::clone(&lock(&self.view))
        } else {
            Arc::clone(&self.first_view)
        }
    }

    pub(super) fn submit(shared: &Arc<Self>, operation: Operation) -> Ticket {
        let slot = Slot::default();
        if shared.is_this_process() {
            lock(&shared.pending).push_back(Pending { operation, slot: Arc::clone(&slot) });
        }
        Ticket { shared: Arc::clone(shared), slot }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.view()).finish()
    }
}

/// A call that has its place in the order of a session's calls.
#[must_use = "a call is carried out when its ticket is waited for"]
pub struct Ticket {
    shared: Arc<Shared>,
    slot: Slot,
}

impl Ticket {
    /// Carries the call out, and those before it. A failure goes to `on_error` where there is one.
    pub fn wait(self) -> Result<bool> {
        let on_error = self.shared.on_error.clone();
        match (self.wait_and_tell(), on_error) {
            (Err(error), Some(on_error)) => {
                on_error(&error);
                Ok(false)
            }
            (result, _) => result,
        }
    }

    /// The same, and the failure is always the caller's.
    pub fn wait_and_tell(self) -> Result<bool> {
        // A forked child waits for no lock, and carries nothing out.
        if !self.shared.is_this_process() {
            return Err(inherited());
        }
        let mut state = lock(&self.shared.state);
        loop {
            if let Some(result) = lock(&self.slot).take() {
                return result;
            }
            let next = lock(&self.shared.pending).pop_front();
            // Only a call that panicked is neither done nor waiting.
            let Some(next) = next else {
                let reason = "an earlier call on it panicked";
                return Err(Error::value(ErrorCode::Panic, "change", "the session", reason));
            };
            let result = state.run(next.operation);
            *lock(&self.shared.view) = Arc::new(state.view());
            *lock(&next.slot) = Some(result);
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

fn inherited() -> Error {
    let reason = "it belongs to the process that this one was forked from";
    Error::value(ErrorCode::Closed, "change", "the session", reason)
}

/// A panic while it was locked left nothing half changed that the next call would not read again.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
