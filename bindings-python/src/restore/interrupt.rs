//! Waiting that ends when somebody presses Ctrl-C, and never where an event loop would stand still.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::failure::cancelled;
use super::signal::Signal;
use crate::error::invalid;
use crate::lazy::Lazy;

/// How long nobody looks whether a signal came.
const PART: Duration = Duration::from_millis(50);

/// Calls a function that waits for some time, until it has found something; `None` at the
/// deadline.
pub(super) fn wait<T: Send>(
    py: Python<'_>,
    deadline: Option<Instant>,
    signal: Option<&Signal>,
    mut wait_for: impl FnMut(Duration) -> Option<T> + Send,
) -> PyResult<Option<T>> {
    // Python runs handlers of signals on the main thread alone.
    let part = if signal.is_some() || is_main_thread(py)? { PART } else { Duration::MAX };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let part = left.map_or(part, |left| left.min(part));
        if let Some(found) = py.detach(|| wait_for(part)) {
            return Ok(Some(found));
        }
        py.check_signals()?;
        if let Some(signal) = signal
            && signal.is_set(py)?
        {
            return Err(cancelled(py));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(None);
        }
    }
}

/// A message without content: how it is sent, and how to wait for it, or for it never to come.
pub(super) fn message() -> (impl FnOnce() + Send + Sync, impl FnMut(Duration) -> Option<()> + Send)
{
    let (tell, told) = mpsc::channel();
    let send = move || {
        // Nobody waits for it any more, perhaps.
        let _ = tell.send(());
    };
    let wait_for = move |part| match told.recv_timeout(part) {
        Err(mpsc::RecvTimeoutError::Timeout) => None,
        _ => Some(()),
    };
    (send, wait_for)
}

/// Refuses what would stop the event loop that runs on this thread, perhaps for ever: what it
/// waits for may be a task of that loop.
pub(super) fn refuse_on_event_loop(py: Python<'_>, instead: &str) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?;
    // A program that has not loaded it runs no loop.
    let events = modules.call_method1("get", ("asyncio.events",))?;
    if events.is_none() || events.call_method0("_get_running_loop")?.is_none() {
        return Ok(());
    }
    let message =
        format!("failed to wait: the event loop of this thread would stand still, use `{instead}`");
    Err(invalid(py, &message))
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    static MAIN_THREAD: Lazy = Lazy::new("threading", "main_thread");
    static GET_IDENT: Lazy = Lazy::new("threading", "get_ident");
    MAIN_THREAD.get(py)?.call0()?.getattr("ident")?.eq(GET_IDENT.get(py)?.call0()?)
}
