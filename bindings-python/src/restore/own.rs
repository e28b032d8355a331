//! What belongs to the process that made it.

use std::mem;
use std::sync::Arc;

use pyo3::prelude::*;
use sessionreg::ErrorCode;

use crate::error::exception;

/// Something of a table. A forked child neither uses nor drops it: a thread that the child does
/// not have may have held its lock, and a claim that goes with it is the parent's.
pub(super) struct Own<T> {
    value: Arc<T>,
    pid: u32,
}

impl<T> Own<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: Arc::new(value), pid: std::process::id() }
    }

    pub(super) fn get(&self, py: Python<'_>) -> PyResult<&Arc<T>> {
        if self.is_ours() {
            return Ok(&self.value);
        }
        let message = "failed to use the table: it belongs to the process that this one was \
                       forked from";
        Err(exception(py, ErrorCode::Closed, message, None, None))
    }

    /// What may be read everywhere, since it takes no lock.
    pub(super) fn read(&self) -> &T {
        &self.value
    }

    fn is_ours(&self) -> bool {
        self.pid == std::process::id()
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if !self.is_ours() {
            mem::forget(Arc::clone(&self.value));
        }
    }
}
