//! How a running restore learns that nobody waits for it any more.

use std::mem;

use super::after::{Callback, guarded};
use super::failure::Failure;
use super::sync::{Mutex, lock};

/// Is given once, to any number of listeners.
pub(super) struct Signal(Mutex<State>);

enum State {
    Quiet(Vec<Callback>),
    Given(Failure),
}

impl Signal {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::Quiet(vec![])))
    }

    /// What has to be called, where no lock is held.
    pub(super) fn give(&self, why: &Failure) -> Vec<Callback> {
        match mem::replace(&mut *lock(&self.0), State::Given(why.clone())) {
            State::Quiet(callbacks) => callbacks,
            State::Given(_) => vec![],
        }
    }

    pub(super) fn given(&self) -> Option<Failure> {
        match &*lock(&self.0) {
            State::Quiet(_) => None,
            State::Given(why) => Some(why.clone()),
        }
    }

    /// Calls the function with the signal: now, if it was given.
    pub(super) fn on_given(&self, callback: Callback) {
        let late = match &mut *lock(&self.0) {
            State::Quiet(callbacks) => {
                callbacks.push(callback);
                None
            }
            State::Given(_) => Some(callback),
        };
        if let Some(callback) = late {
            guarded(callback);
        }
    }
}
