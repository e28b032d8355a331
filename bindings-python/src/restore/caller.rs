//! A restore on the thread of its caller.

use std::sync::mpsc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use sessionreg::restore::{Begun, Failure, Opaque, Restoring, Settled, Waiting};

use super::context::RestoreContext;
use super::failure::{cancelled, of_raised, to_raise};
use super::interrupt::wait;
use super::lease::Lease;
use super::signal::Signal;
use super::value::of_object;

/// Waits for what a request comes to, or carries the restore out.
pub(super) fn restore(
    py: Python<'_>,
    begun: Begun,
    function: &Bound<'_, PyAny>,
    signal: Option<Signal>,
) -> PyResult<Lease> {
    let settled = match begun {
        Begun::Attached(lease) => Settled::Lease(lease),
        Begun::Owner(restoring) => Settled::Owner(restoring),
        Begun::Sharer(waiting) => share(py, waiting, signal.as_ref())?,
    };
    match settled {
        Settled::Lease(lease) => Ok(Lease::of_core(lease)),
        Settled::Owner(restoring) => carry_out(py, restoring, function, signal),
    }
}

/// Waits for the outcome. Whoever is interrupted leaves by dropping his place.
fn share(py: Python<'_>, waiting: Waiting, signal: Option<&Signal>) -> PyResult<Settled> {
    let mut place = Some(waiting);
    let outcome = wait(py, None, signal, move |part| match place.take()?.wait_for(part) {
        Ok(outcome) => Some(outcome),
        Err(again) => {
            place = Some(again);
            None
        }
    })?;
    match outcome {
        Some(outcome) => outcome.map_err(|failure| to_raise(py, &failure)),
        None => Err(cancelled(py)),
    }
}

fn carry_out(
    py: Python<'_>,
    restoring: Restoring,
    function: &Bound<'_, PyAny>,
    signal: Option<Signal>,
) -> PyResult<Lease> {
    let (run, waiting) = restoring.split();
    let (tell, told) = mpsc::channel();
    let share = waiting.on_settled(move |outcome| drop(tell.send(outcome)));
    let own_signal = signal.as_ref().map(|signal| signal.clone_ref(py));
    let context = RestoreContext::new(run.context(), share.clone(), own_signal);
    let context = Bound::new(py, context)?;
    let secured = py.detach(|| {
        run.on_this_thread();
        run.secure()
    });
    let result = match secured {
        Ok(()) => match call(function, &context, signal.as_ref()) {
            Ok(result) => result,
            Err(raised) => {
                py.detach(|| {
                    share.cancel();
                    drop(run);
                    drop(told);
                });
                return Err(raised);
            }
        },
        Err(error) => Err(error.into()),
    };
    let left = signal.map_or(Ok(false), |signal| signal.is_set(py));
    let stays = matches!(left, Ok(false));
    let outcome = py.detach(move || {
        if !stays {
            share.cancel();
        }
        run.complete(result);
        // Whoever settled it has told, or tells in a moment; a caller who left is told nothing.
        told.recv().ok()
    });
    left?;
    match outcome {
        Some(Ok(Settled::Lease(lease))) => Ok(Lease::of_core(lease)),
        Some(Err(failure)) => Err(to_raise(py, &failure)),
        Some(Ok(Settled::Owner(_))) | None => Err(cancelled(py)),
    }
}

/// What the restore comes to. What is raised is about this caller, and nobody else.
fn call(
    function: &Bound<'_, PyAny>,
    context: &Bound<'_, RestoreContext>,
    signal: Option<&Signal>,
) -> PyResult<Result<Opaque, Failure>> {
    let py = function.py();
    // It took its time to secure it: perhaps this caller, or everybody, has left since.
    if signal.map_or(Ok(false), |signal| signal.is_set(py))? {
        return Err(cancelled(py));
    }
    if let Some(failure) = context.get().given_up(py)? {
        return Ok(Err(failure));
    }
    match function.call1((context,)) {
        Ok(state) => Ok(Ok(of_object(&state))),
        Err(raised) if raised.is_instance_of::<PyException>(py) => Ok(Err(of_raised(py, raised))),
        // Ctrl-C, or the end of the thread.
        Err(raised) => Err(raised),
    }
}
