//! The class `Watch`: one reader of a monitor, with a cursor of its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::{ErrorCode, Incarnation, Watch as Core};

use crate::batch::Batch;
use crate::convert::duration;
use crate::error::{detached, exception, guard, of_core};
use crate::lazy::Lazy;
use crate::monitor::Monitor;
use crate::record::Given;

/// How often a watch is looked at that can have no descriptor.
const WITHOUT_DESCRIPTOR: Duration = Duration::from_millis(50);

/// A reader of a monitor; `Monitor.watch` makes it.
///
/// As an iterator, in `for` and in `async for`, it gives batches as they come, the full state
/// first, and ends when the monitor or the watch is closed. Any number of watches may be followed
/// in one event loop. If several threads read from one watch, each batch goes to one of them.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Watch {
    /// It stays open while somebody watches.
    monitor: Py<Monitor>,
    process: Incarnation,
    place: Mutex<Place>,
    is_closed: AtomicBool,
    waiters: Mutex<Vec<(usize, Waiter)>>,
}

/// Where it has got to.
struct Place {
    cursor: Option<String>,
    /// The core's own, once a descriptor is needed.
    reader: Option<Core>,
}

/// Who is told that the watch is closed.
enum Waiter {
    /// A thread: its pipe hangs up when this end is dropped.
    #[cfg(unix)]
    Thread { _writer: std::io::PipeWriter },
    /// An event loop: this is to be called.
    Loop(Py<PyAny>),
}

#[pymethods]
impl Watch {
    /// The cursor of the last batch, or the one to begin from; None before the first.
    #[getter]
    fn cursor(&self, py: Python<'_>) -> Option<String> {
        py.detach(|| self.lock(&self.place)?.cursor.clone())
    }

    /// Wait for the next batch; None if there was none within `timeout` seconds.
    ///
    /// Without `timeout` it waits without end. Signal handlers run meanwhile, so Ctrl-C ends it;
    /// `ClosedError` as soon as the monitor or the watch is closed.
    #[pyo3(signature = (timeout=None))]
    fn next(&self, py: Python<'_>, timeout: Given<'_, '_>) -> PyResult<Option<Batch>> {
        guard(py, || {
            let timeout = timeout.map(|timeout| duration("timeout", timeout)).transpose()?;
            let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            loop {
                if let Some(batch) = self.take(py)? {
                    return Ok(Some(batch));
                }
                let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
                if rest == Some(Duration::ZERO) {
                    return Ok(None);
                }
                self.pause(py, rest)?;
            }
        })
    }

    /// Return a descriptor that is readable when `next` is worth calling, for event loops.
    ///
    /// It is the watch's until that is closed, and is only to be waited for. After `next(0)` gave
    /// None it is not readable before there is something, except for moments in which that has yet
    /// to be found out; when the monitor is closed it becomes readable. `UnavailableError` on
    /// systems without such descriptors, and where the kernel allows no more: Linux stops at a
    /// hundred in one event loop. `async for` takes one for each loop, not one for each watch.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        guard(py, || self.descriptor(py))
    }

    /// End the iteration, in any thread. A second call does nothing; the monitor stays open.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            self.is_closed.store(true, Ordering::SeqCst);
            self.tell_waiters(py);
            py.detach(|| self.lock(&self.place).map(|mut place| place.reader.take()));
            Ok(())
        })
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        match self.next(py, None) {
            Err(error) if is_closed(py, &error) => Ok(None),
            batch => batch,
        }
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static FOLLOW: Lazy = Lazy::new("sessionreg._watching", "follow");
        FOLLOW.get(slf.py())?.call1((slf, &slf.get().monitor))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.monitor)?;
        // Who holds it now will be there when the next collection comes.
        let Ok(waiters) = self.waiters.try_lock() else { return Ok(()) };
        for (_, waiter) in &*waiters {
            match waiter {
                Waiter::Loop(call) => visit.call(call)?,
                #[cfg(unix)]
                Waiter::Thread { .. } => {}
            }
        }
        Ok(())
    }

    /// Have something called when the watch is closed, in the thread that closes it.
    fn _on_close(&self, py: Python<'_>, call: Py<PyAny>) -> usize {
        let token = self.enter(Waiter::Loop(call));
        if self.is_closed.load(Ordering::SeqCst) {
            self.tell_waiters(py);
        }
        token
    }

    /// Do not have it called any more.
    fn _forget(&self, token: usize) {
        drop(self.leave(token));
    }
}

impl Watch {
    pub(crate) fn new(monitor: Bound<'_, Monitor>, cursor: Option<String>) -> PyResult<Self> {
        let (py, core) = (monitor.py(), monitor.get().core());
        // Only to hear whether the monitor is closed: that there is no descriptor is no failure.
        match py.detach(|| core.watch().map(drop)) {
            Err(error) if error.code() == ErrorCode::Closed => return Err(of_core(py, &error)),
            _ => {}
        }
        Ok(Self {
            monitor: monitor.unbind(),
            process: Incarnation::now(),
            place: Mutex::new(Place { cursor, reader: None }),
            is_closed: AtomicBool::new(false),
            waiters: Mutex::default(),
        })
    }

    /// What is there now.
    fn take(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(closed(py));
        }
        let monitor = self.monitor.get().core();
        let at_once = Some(Duration::ZERO);
        let taken = detached(py, || {
            // A forked child hears that the monitor is not its own.
            let Some(mut place) = self.lock(&self.place) else {
                return monitor.wait(None, at_once);
            };
            let batch = match &place.reader {
                Some(reader) => reader.next(at_once)?,
                None => monitor.wait(place.cursor.as_deref(), at_once)?,
            };
            if let Some(batch) = &batch {
                place.cursor = Some(batch.cursor.clone());
            }
            Ok(batch)
        })?;
        Ok(taken.map(Batch::of_core))
    }

    /// Waits, in vain at times, until there may be something to take.
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "it only sleeps there"))]
    fn pause(&self, py: Python<'_>, rest: Option<Duration>) -> PyResult<()> {
        #[cfg(unix)]
        if let (Ok(descriptor), Ok((reader, writer))) = (self.descriptor(py), std::io::pipe()) {
            use std::os::fd::AsRawFd as _;

            let token = self.enter(Waiter::Thread { _writer: writer });
            let ended = if self.is_closed.load(Ordering::SeqCst) {
                Ok(())
            } else {
                poll(py, [descriptor, reader.as_raw_fd()], rest)
            };
            drop(self.leave(token));
            return ended;
        }
        let rest = rest.unwrap_or(WITHOUT_DESCRIPTOR).min(WITHOUT_DESCRIPTOR);
        py.detach(|| std::thread::sleep(rest));
        py.check_signals()
    }

    #[cfg(unix)]
    fn descriptor(&self, py: Python<'_>) -> PyResult<i32> {
        use std::os::fd::AsRawFd as _;

        let monitor = self.monitor.get().core();
        let descriptor = detached(py, || {
            let place = self.lock(&self.place).filter(|_| self.is_ours());
            // A forked child hears that the monitor is not its own.
            let Some(mut place) = place else { return monitor.watch().map(|_| None) };
            if self.is_closed.load(Ordering::SeqCst) {
                return Ok(None);
            }
            let reader = match place.reader.take() {
                Some(reader) => reader,
                None => match &place.cursor {
                    Some(cursor) => monitor.watch()?.from_cursor(cursor),
                    None => monitor.watch()?,
                },
            };
            let reader = place.reader.insert(reader);
            reader.fd().map(|fd| Some(fd.as_raw_fd()))
        })?;
        descriptor.ok_or_else(|| closed(py))
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self)]
    fn descriptor(&self, py: Python<'_>) -> PyResult<i32> {
        let message = "failed to watch the sessions: this system has no descriptor for it";
        Err(exception(py, ErrorCode::Unavailable, message, None, None))
    }

    fn enter(&self, waiter: Waiter) -> usize {
        static TOKENS: AtomicUsize = AtomicUsize::new(0);
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        if let Some(mut waiters) = self.lock(&self.waiters) {
            waiters.push((token, waiter));
        }
        token
    }

    fn leave(&self, token: usize) -> Option<Waiter> {
        let mut waiters = self.lock(&self.waiters)?;
        let position = waiters.iter().position(|(of, _)| *of == token)?;
        Some(waiters.swap_remove(position).1)
    }

    fn tell_waiters(&self, py: Python<'_>) {
        let waiters = self.lock(&self.waiters).map(|mut waiters| std::mem::take(&mut *waiters));
        // The loops of a forked child's parent are its parent's.
        let is_ours = self.is_ours();
        for (_, waiter) in waiters.unwrap_or_default() {
            if let Waiter::Loop(call) = waiter
                && is_ours
                && let Err(raised) = call.call0(py)
            {
                raised.write_unraisable(py, Some(call.bind(py)));
            }
        }
    }

    fn is_ours(&self) -> bool {
        self.process.is_now()
    }

    /// What a thread of this process may hold for a moment; in a forked child, where that thread is
    /// not there, `None`.
    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        if self.is_ours() {
            Some(mutex.lock().unwrap_or_else(PoisonError::into_inner))
        } else {
            mutex.try_lock().ok()
        }
    }
}

fn closed(py: Python<'_>) -> PyErr {
    exception(py, ErrorCode::Closed, "failed to use the watch: it was closed", None, None)
}

fn is_closed(py: Python<'_>, error: &PyErr) -> bool {
    static CLOSED: Lazy = Lazy::new("sessionreg.errors", "ClosedError");
    CLOSED.get(py).is_ok_and(|closed| error.is_instance(py, &closed))
}

/// Waits for descriptors as Python itself does, which runs handlers of signals meanwhile.
#[cfg(unix)]
fn poll(py: Python<'_>, descriptors: [i32; 2], rest: Option<Duration>) -> PyResult<()> {
    static POLL: Lazy = Lazy::new("select", "poll");
    static POLLIN: Lazy = Lazy::new("select", "POLLIN");
    // It refuses times of some weeks.
    const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let poll = POLL.get(py)?.call0()?;
    for descriptor in descriptors {
        poll.call_method1("register", (descriptor, POLLIN.get(py)?))?;
    }
    let millis = rest.map(|rest| rest.min(A_DAY).as_secs_f64() * 1000.0);
    poll.call_method1("poll", (millis,)).map(drop)
}
