//! What is done once the table is unlocked: nobody's code runs under its lock.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::once::{Once, Rest};
use super::waiting::{Outcome, Seat};

pub(super) type Callback = Box<dyn FnOnce() + Send>;

/// What a change of the table leaves to be done, in the order of its fields: when somebody learns
/// that a session is gone, what it held is gone too.
#[derive(Default)]
pub(super) struct After {
    drops: Vec<Box<dyn Any + Send>>,
    settled: Vec<(Arc<Seat>, Outcome)>,
    calls: Vec<Callback>,
    closed: Vec<Arc<Once<()>>>,
}

impl After {
    /// Drops what may run somebody's code.
    pub(super) fn drop(&mut self, what: impl Any + Send) {
        self.drops.push(Box::new(what));
    }

    pub(super) fn settle(&mut self, seat: Arc<Seat>, outcome: Outcome) {
        self.settled.push((seat, outcome));
    }

    pub(super) fn call(&mut self, callbacks: impl IntoIterator<Item = Callback>) {
        self.calls.extend(callbacks);
    }

    pub(super) fn closed(&mut self, waiting: Vec<Arc<Once<()>>>) {
        self.closed.extend(waiting);
    }

    /// Does it all. Its caller holds no lock.
    pub(super) fn run(self) {
        for what in self.drops {
            guarded(|| drop(what));
        }
        // Who waits on another thread goes on before anybody's code runs on this one.
        let told: Vec<_> =
            self.settled.into_iter().filter_map(|(seat, outcome)| seat.settle(outcome)).collect();
        let closed: Vec<_> =
            self.closed.into_iter().filter_map(|waiting| waiting.settle(())).collect();
        told.into_iter().for_each(Rest::run);
        self.calls.into_iter().for_each(guarded);
        closed.into_iter().for_each(Rest::run);
    }
}

/// Runs somebody's code such that its panic keeps nobody else from what is theirs. The panic hook
/// has told of it.
pub(super) fn guarded(code: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(code)) {
        // To drop it might panic again.
        std::mem::forget(panic);
    }
}
