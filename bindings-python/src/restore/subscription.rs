//! The class `Subscription`: one who follows the events of a session.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::restore::{Event, Subscription as Core};

use super::callback::Wake;
use super::event::SessionEvent;
use super::interrupt::{message, refuse_on_event_loop, wait};
use super::loops::{self, nothing, ready};
use super::own::Own;
use super::table::Timeout;
use crate::error::{guard, invalid};

/// The events of a session, from a place on; `RestoreTable.subscribe` makes it.
///
/// It is an iterator and an async iterator of `SessionEvent`s, and ends after the last one,
/// `evicted` or `ended`. One thread, or one task, may wait for its next event at a time; a second
/// one is an `InvalidInputError`. `close`, the end of `with` or `async with`, and garbage
/// collection unsubscribe.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Subscription {
    core: Own<Mutex<Option<Following>>>,
    is_waited_for: AtomicBool,
}

struct Following {
    core: Core,
    /// Of whoever is told when there is something.
    wake: Weak<dyn Any + Send + Sync>,
}

/// What there is for a subscriber.
enum Polled {
    Event(Event),
    /// Nothing yet: whoever asked is told when there is something.
    Pending,
    Over,
}

/// The turn of the one who may wait.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[pymethods]
impl Subscription {
    /// Wait for the next event, for some seconds at most; None for any time.
    ///
    /// None if there was none in time, or the subscriber has had its last one: `over` tells. With
    /// 0 it never waits. Any other wait on a thread whose event loop runs is an
    /// `InvalidInputError`.
    #[pyo3(signature = (timeout=Timeout(Duration::MAX)), text_signature = "($self, timeout=None)")]
    #[allow(clippy::needless_pass_by_value)] // An argument of Python's.
    fn next(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Option<SessionEvent>> {
        guard(py, || {
            if !timeout.0.is_zero() {
                refuse_on_event_loop(py, "async for")?;
            }
            let _turn = self.turn(py)?;
            let deadline = Instant::now().checked_add(timeout.0);
            loop {
                let (tell, until_told) = message();
                match self.poll(py, tell)? {
                    Polled::Event(event) => return Ok(Some(SessionEvent::of_core(py, event))),
                    Polled::Over => return Ok(None),
                    // Told, or never to be: the subscription was closed then.
                    Polled::Pending => {
                        if wait(py, deadline, None, until_told)?.is_none() {
                            return Ok(None);
                        }
                    }
                }
            }
        })
    }

    /// Whether the subscriber has had its last event, or has unsubscribed.
    #[getter]
    fn over(&self, py: Python<'_>) -> PyResult<bool> {
        guard(py, || {
            let core = self.core.get(py)?;
            Ok(py.detach(|| lock(core).as_ref().is_none_or(|this| this.core.is_over())))
        })
    }

    /// Unsubscribe: whoever waits for the next event gets none. A second time does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let core = self.core.get(py)?;
            py.detach(|| {
                let left = lock(core).take();
                drop(left);
            });
            Ok(())
        })
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<SessionEvent>> {
        self.next(py, Timeout(Duration::MAX))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        loops::NEXT_EVENT.get(slf.py())?.call1((slf,))
    }

    fn __aenter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        ready(slf.into_any())
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        _exception: &Bound<'_, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.close(py)?;
        nothing(py)
    }

    /// Take the next event, if there is one; else have `wake` called, once, when that changes.
    fn _poll(&self, py: Python<'_>, wake: Py<PyAny>) -> PyResult<Option<SessionEvent>> {
        guard(py, || {
            let wake = Wake::new(wake);
            match self.poll(py, wake)? {
                Polled::Event(event) => Ok(Some(SessionEvent::of_core(py, event))),
                Polled::Pending | Polled::Over => Ok(None),
            }
        })
    }

    /// Take the turn of the one who may wait.
    fn _begin_wait(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            std::mem::forget(self.turn(py)?);
            Ok(())
        })
    }

    /// Give the turn back.
    fn _end_wait(&self) {
        drop(Turn(&self.is_waited_for));
    }
}

impl Subscription {
    pub(super) fn of_core(core: Core) -> Self {
        let following = Following { core, wake: Weak::<()>::new() };
        Self { core: Own::new(Mutex::new(Some(following))), is_waited_for: AtomicBool::new(false) }
    }

    fn turn(&self, py: Python<'_>) -> PyResult<Turn<'_>> {
        if self.is_waited_for.swap(true, Ordering::AcqRel) {
            let message = "failed to wait for the next event: somebody else waits for it";
            return Err(invalid(py, message));
        }
        Ok(Turn(&self.is_waited_for))
    }

    /// What wakes is dropped when there is something, or when that will not be told.
    fn poll(&self, py: Python<'_>, wake: impl Any + Send + Sync) -> PyResult<Polled> {
        let core = self.core.get(py)?;
        Ok(py.detach(|| {
            // To drop it may call Python, which may call this: both the new one and the one whose
            // place it takes are kept until the lock is open again.
            let wake: Arc<dyn Any + Send + Sync> = Arc::new(wake);
            let mut former = None;
            let mut following = lock(core);
            let polled = match &mut *following {
                None => Polled::Over,
                Some(this) => match this.core.try_next() {
                    Some(event) => Polled::Event(event),
                    None if this.core.is_over() => Polled::Over,
                    None => {
                        former = this.wake.upgrade();
                        this.wake = Arc::downgrade(&wake);
                        let wake = Arc::clone(&wake);
                        this.core.on_ready(move || drop(wake));
                        Polled::Pending
                    }
                },
            };
            drop(following);
            drop((former, wake));
            polled
        }))
    }
}

fn lock(core: &Mutex<Option<Following>>) -> MutexGuard<'_, Option<Following>> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
