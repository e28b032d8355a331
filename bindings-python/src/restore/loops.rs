//! What `sessionreg._loops` has: coroutines, for event loops of asyncio.

use pyo3::prelude::*;

use crate::lazy::Lazy;

pub(super) static RESTORE: Lazy = Lazy::new(MODULE, "restore");
pub(super) static CLOSE: Lazy = Lazy::new(MODULE, "close");
pub(super) static NEXT_EVENT: Lazy = Lazy::new(MODULE, "next_event");
static ITSELF: Lazy = Lazy::new(MODULE, "itself");

const MODULE: &str = "sessionreg._loops";

/// An awaitable that gives this at once.
pub(super) fn ready(value: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    ITSELF.get(value.py())?.call1((value,))
}

/// An awaitable that gives nothing at once.
pub(super) fn nothing(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    ready(py.None().into_bound(py))
}
