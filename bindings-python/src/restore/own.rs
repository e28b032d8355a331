//! What belongs to the process that made it.

use std::mem;
use std::sync::Arc;

use pyo3::prelude::*;
use sessionreg::{ErrorCode, Incarnation};

use crate::error::exception;

/// Something of a table. A forked child neither uses nor drops it: a thread that the child does
/// not have may have held its lock, and a claim that goes with it is the parent's.
pub(super) struct Own<T> {
    value: Arc<T>,
    process: Incarnation,
}

impl<T> Own<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: Arc::new(value), process: Incarnation::now() }
    }

    pub(super) fn get(&self, py: Python<'_>) -> PyResult<&Arc<T>> {
        self.ours().ok_or_else(|| {
            let message = "failed to use the table: it belongs to the process that this one was \
                           forked from";
            exception(py, ErrorCode::Closed, message, None, None)
        })
    }

    /// The same for whom nobody hears, such as a destructor.
    pub(super) fn ours(&self) -> Option<&Arc<T>> {
        self.process.is_now().then_some(&self.value)
    }

    /// What may be read everywhere, since it takes no lock.
    pub(super) fn read(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.ours().is_none() {
            mem::forget(Arc::clone(&self.value));
        }
    }
}
