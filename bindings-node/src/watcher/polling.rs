//! Sleeping where monitors have no descriptors: they are asked every so often.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use sessionreg::Watch;

/// What one thread sleeps on, and any other wakes it by.
#[derive(Default)]
pub(super) struct Sleep {
    is_woken: Mutex<bool>,
    wake: Condvar,
}

impl Sleep {
    #[allow(clippy::unnecessary_wraps)] // Where it is made of descriptors, there may be none left.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(super) fn wake(&self) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    #[allow(clippy::unused_self)]
    pub(super) fn add(&self, _: u64, _: &Watch) -> bool {
        false
    }

    #[allow(clippy::unused_self)]
    pub(super) fn remove(&self, _: &Watch) {}

    pub(super) fn sleep(&self, limit: Option<Duration>, _: &mut Vec<u64>) {
        let woken = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        // The longest time there is counts as none.
        let limit = limit.unwrap_or(Duration::MAX);
        let slept = self.wake.wait_timeout_while(woken, limit, |woken| !*woken);
        let (mut woken, _) = slept.unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }
}
