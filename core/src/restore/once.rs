//! A value that is handed over once, to one who waits for it or left a callback.

use std::mem;
use std::time::Instant;

use super::after::guarded;
use super::sync::{Condvar, Mutex, lock, wait};

/// Where one value is handed over. Nobody's code runs under its lock.
pub(super) struct Once<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

enum State<T> {
    Empty,
    Awaited(Box<dyn FnOnce(T) + Send>),
    Full(T),
    /// It was taken, or nobody wants it.
    Over,
}

/// A value with the callback that it is for; without, nobody wants it any more.
pub(super) struct Rest<T> {
    callback: Option<Box<dyn FnOnce(T) + Send>>,
    value: T,
}

impl<T> Rest<T> {
    pub(super) fn run(self) {
        let Self { callback, value } = self;
        guarded(|| match callback {
            Some(callback) => callback(value),
            None => drop(value),
        });
    }
}

impl<T> Once<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Empty), ready: Condvar::new() }
    }

    /// Hands the value over. Gives what is left to do for that, which runs somebody's code.
    pub(super) fn settle(&self, value: T) -> Option<Rest<T>> {
        let mut state = lock(&self.state);
        match mem::replace(&mut *state, State::Over) {
            State::Empty => {
                *state = State::Full(value);
                drop(state);
                self.ready.notify_one();
                None
            }
            State::Awaited(callback) => Some(Rest { callback: Some(callback), value }),
            State::Full(_) | State::Over => Some(Rest { callback: None, value }),
        }
    }

    /// Waits for the value; `None` at the deadline, without which it waits for ever.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<T> {
        let mut state = lock(&self.state);
        loop {
            match mem::replace(&mut *state, State::Over) {
                State::Full(value) => return Some(value),
                other => *state = other,
            }
            state = wait(&self.ready, state, deadline)?;
        }
    }

    /// Calls the function with the value: now, if it is there.
    pub(super) fn on_settled(&self, callback: impl FnOnce(T) + Send + 'static) {
        let mut state = lock(&self.state);
        match mem::replace(&mut *state, State::Over) {
            State::Full(value) => {
                drop(state);
                guarded(|| callback(value));
            }
            _ => *state = State::Awaited(Box::new(callback)),
        }
    }

    /// Nobody wants the value any more.
    pub(super) fn leave(&self) {
        let left = mem::replace(&mut *lock(&self.state), State::Over);
        guarded(|| drop(left));
    }
}
