//! How the locks of a table are taken.

use std::time::Instant;

pub(super) use super::primitives::{Condvar, Mutex, MutexGuard};

/// Nobody's code runs under a lock: a panic cannot have left anything half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits for a change until the deadline; `None` once that is over.
pub(super) fn wait<'a, T>(
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> Option<MutexGuard<'a, T>> {
    let Some(deadline) = deadline else {
        return Some(changed.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner));
    };
    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
    let waited = changed.wait_timeout(guard, left);
    Some(waited.unwrap_or_else(std::sync::PoisonError::into_inner).0)
}
