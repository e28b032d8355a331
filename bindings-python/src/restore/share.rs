//! The class `_Share`: a caller of a restore on an event loop.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::restore::{Begun, Failure, Settled, Share as Core};

use super::callback::call;
use super::context::RestoreContext;
use super::failure::{cancelled, to_raise};
use super::lease::Lease;
use super::own::Own;
use super::run::Run;
use super::signal::Signal;
use crate::error::guard;

/// A caller's place in a restore; `wake` is called when he has been told its outcome.
#[pyclass(frozen, name = "_Share", module = "sessionreg._sessionreg")]
pub(crate) struct Share {
    core: Own<Core>,
    slot: Own<Mutex<Slot>>,
    deadline: Option<Instant>,
    signal: Option<Signal>,
}

/// What the caller was told.
enum Slot {
    Empty,
    Full(Result<Settled, Failure>),
    /// Nobody takes it.
    Left,
}

#[pymethods]
impl Share {
    /// How many seconds there are until its time is over; None if it may take any time.
    fn seconds_left(&self) -> Option<f64> {
        let left = self.deadline?.saturating_duration_since(Instant::now());
        Some(left.as_secs_f64())
    }

    /// Say that its time is over.
    fn time_out(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let core = self.core.get(py)?;
            py.detach(|| core.time_out());
            Ok(())
        })
    }

    /// Leave: what the caller has been told meanwhile is given back.
    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let (core, slot) = (self.core.get(py)?, self.slot.get(py)?);
            py.detach(|| {
                core.cancel();
                let left = mem::replace(&mut *lock(slot), Slot::Left);
                drop(left);
            });
            Ok(())
        })
    }

    /// Take what the caller was told: a lease, or a run of his own with his new place.
    fn take<'py>(&self, py: Python<'py>, wake: Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
        guard(py, || {
            let slot = self.slot.get(py)?;
            let told = py.detach(|| mem::replace(&mut *lock(slot), Slot::Left));
            match told {
                Slot::Full(Ok(Settled::Lease(lease))) => {
                    begun(py, Begun::Attached(lease), wake, None)
                }
                Slot::Full(Ok(Settled::Owner(restoring))) => {
                    let signal = self.signal.as_ref().map(|signal| signal.clone_ref(py));
                    begun(py, Begun::Owner(restoring), wake, signal)
                }
                Slot::Full(Err(failure)) => Err(to_raise(py, &failure)),
                Slot::Empty | Slot::Left => Err(cancelled(py)),
            }
        })
    }
}

/// What a request comes to, for an event loop: a lease, or a pair of the run, if it is the
/// caller's, and his share.
pub(super) fn begun(
    py: Python<'_>,
    begun: Begun,
    wake: Py<PyAny>,
    signal: Option<Signal>,
) -> PyResult<Bound<'_, PyAny>> {
    let begun = match begun {
        // Whoever would wait for what his own thread runs is refused.
        Begun::Sharer(waiting) => match py.detach(|| waiting.wait_for(Duration::ZERO)) {
            Err(waiting) => Begun::Sharer(waiting),
            Ok(Ok(Settled::Lease(lease))) => Begun::Attached(lease),
            Ok(Ok(Settled::Owner(restoring))) => Begun::Owner(restoring),
            Ok(Err(failure)) => return Err(to_raise(py, &failure)),
        },
        begun => begun,
    };
    let (run, waiting) = match begun {
        Begun::Attached(lease) => return Ok(Bound::new(py, Lease::of_core(lease))?.into_any()),
        Begun::Owner(restoring) => {
            let (run, waiting) = restoring.split();
            (Some(run), waiting)
        }
        Begun::Sharer(waiting) => (None, waiting),
    };
    let deadline = waiting.deadline();
    let slot = Own::new(Mutex::new(Slot::Empty));
    let told = Arc::clone(slot.get(py)?);
    let core = py.detach(|| {
        waiting.on_settled(move |outcome| {
            let mut slot = lock(&told);
            if matches!(*slot, Slot::Left) {
                drop(slot);
                drop(outcome);
            } else {
                *slot = Slot::Full(outcome);
                drop(slot);
                call(&wake);
            }
        })
    });
    let run = match run {
        Some(run) => {
            let signal = signal.as_ref().map(|signal| signal.clone_ref(py));
            let context = RestoreContext::new(run.context(), core.clone(), signal);
            Some(Run::of_core(run, Py::new(py, context)?))
        }
        None => None,
    };
    let share = Share { core: Own::new(core), slot, deadline, signal };
    (run, share).into_pyobject(py).map(Bound::<PyTuple>::into_any)
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
