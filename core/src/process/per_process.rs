//! A value that a forked child starts anew, instead of what its parent had.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Incarnation;

/// One value for each process that runs on this memory. A child never takes a lock that a thread
/// of its parent may have held when it was forked.
pub(crate) struct PerProcess<T>(OnceLock<Box<Node<T>>>);

struct Node<T> {
    incarnation: Incarnation,
    value: Mutex<T>,
    /// That of a child.
    next: PerProcess<T>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let incarnation = Incarnation::now();
        let mut list = self;
        loop {
            let node = list.0.get_or_init(|| {
                Box::new(Node { incarnation, value: Mutex::default(), next: Self::new() })
            });
            if node.incarnation == incarnation {
                return node.value.lock().unwrap_or_else(PoisonError::into_inner);
            }
            list = &node.next;
        }
    }
}
