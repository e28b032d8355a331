//! The one run of a restore, in the hands of whoever has to carry it out.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::channel::Channel;
use super::failure::{self, Failure, Opaque};
use super::lease::Lease;
use super::primitives::thread;
use super::signal::Signal;
use super::state::State;
use super::table::Place;
use super::waiting::{Settled, Waiting};
use crate::error::{Error, ErrorCode, Result};

/// A restore that its caller has to run: the run, and the caller's own place among those who wait.
///
/// Dropping it cancels the caller and ends the run without an outcome: the next one who waits runs
/// the restore instead, and without any the id is free again.
#[must_use = "a restore that is dropped is left to others"]
#[derive(Debug)]
pub struct Restoring {
    // First the caller leaves, then the run: it must not be handed to him.
    waiting: Waiting,
    run: Run,
}

impl Restoring {
    pub(super) fn new(run: Run, waiting: Waiting) -> Self {
        Self { waiting, run }
    }

    /// Carries the restore out on this thread, and gives what its caller is told.
    ///
    /// It is [secured](Run::secure) first. A panic of the function is [`ErrorCode::Panic`] for every
    /// caller.
    pub fn run(
        self,
        function: impl FnOnce(&Context) -> std::result::Result<Opaque, Failure>,
    ) -> std::result::Result<Lease, Failure> {
        let context = self.run.context();
        self.run.on_this_thread();
        let secured = self.run.secure().map_err(Failure::from);
        let result = match secured.and_then(|()| context.cancelled().map_or(Ok(()), Err)) {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| function(&context)))
                .unwrap_or_else(|panic| Err(panicked(panic))),
            Err(failure) => Err(failure),
        };
        self.complete(result)
    }

    /// Ends the run, and gives what its caller is told: [`ErrorCode::Timeout`] if it took longer
    /// than allowed, [`ErrorCode::Closing`] if the table is shutting down, [`ErrorCode::Closed`] if
    /// its channel is dead.
    pub fn complete(
        self,
        result: std::result::Result<Opaque, Failure>,
    ) -> std::result::Result<Lease, Failure> {
        self.run.complete(result);
        match self.waiting.told()? {
            Settled::Lease(lease) => Ok(lease),
            Settled::Owner(_) => Err(failure::cancelled().into()),
        }
    }

    /// The two apart, for an event loop: the caller is told, or cancelled, while the run goes on.
    pub fn split(self) -> (Run, Waiting) {
        (self.run, self.waiting)
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let failure = Failure::coded(ErrorCode::Panic, text.unwrap_or("the restore panicked"));
    // To drop it might panic again.
    std::mem::forget(panic);
    failure
}

/// The run of a restore: there is never more than one for a session.
///
/// Dropping it ends it without an outcome: the first one who waits runs the restore instead.
#[must_use = "a run that is dropped is left to others"]
pub struct Run {
    context: Context,
    is_over: bool,
}

impl Run {
    pub(super) fn new(place: Place, signal: Arc<Signal>) -> Self {
        Self { context: Context { place, signal }, is_over: false }
    }

    /// Takes what has to be had before the restore may begin: the claim of
    /// [`RestoreOptions::across`](super::RestoreOptions::across). It goes when the session ends, or
    /// the restore has failed. What fails here is what the run is to be completed with.
    ///
    /// This is the only call of a table that reads or writes files.
    pub fn secure(&self) -> Result<()> {
        let place = &self.context.place;
        let Some(guard) = &place.table.options().guard else { return Ok(()) };
        let held = guard(&place.id)?;
        place.change(|state, place, after| state.hold(place, held, after));
        Ok(())
    }

    /// Says that this thread carries the run out: until its end, a call that would have the thread
    /// wait for that end is [`ErrorCode::InvalidInput`].
    pub fn on_this_thread(&self) {
        let this_thread = thread::current().id();
        self.context.place.change(|state, place, _| state.runs_on(place, this_thread));
    }

    /// What the function that restores the session is given.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Ends the run. The state, or the failure, is for all who still wait; too late, it is
    /// discarded.
    pub fn complete(mut self, result: std::result::Result<Opaque, Failure>) {
        self.is_over = true;
        self.context.place.change(|state, place, after| state.complete(place, result, after));
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_over {
            self.context.place.change(State::hand_over);
        }
    }
}

/// What a restore can know, and say, while it runs.
#[derive(Clone)]
pub struct Context {
    place: Place,
    signal: Arc<Signal>,
}

impl Context {
    /// The session.
    pub fn session_id(&self) -> &str {
        &self.place.id
    }

    /// Why nobody waits for the restore any more, once that is so: its time is over, its callers
    /// have left, the table is shutting down, or its channel is dead. Its outcome will be discarded.
    pub fn cancelled(&self) -> Option<Failure> {
        self.signal.given()
    }

    /// Has the function called when nobody waits for the restore any more: now, if that is so.
    /// It is dropped uncalled if the restore ends before.
    pub fn on_cancelled(&self, callback: impl FnOnce() + Send + 'static) {
        self.signal.on_given(Box::new(callback));
    }

    /// This channel carries the session from now on: it is not torn down before the session, and
    /// its death is that of the session.
    ///
    /// [`ErrorCode::Closed`] if the channel is dead or being torn down, [`ErrorCode::Cancelled`] if
    /// nobody waits any more, [`ErrorCode::InvalidInput`] for a channel of another table, or after
    /// the end of the restore.
    pub fn carried_by(&self, channel: &Channel) -> Result<()> {
        let Some(serial) = channel.serial_in(&self.place.table) else {
            let reason = "it is a channel of another table";
            return Err(Error::value(ErrorCode::InvalidInput, "use", "the channel", reason));
        };
        self.place.change(|state, place, after| state.carry(place, serial, after))
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Run").field(&self.context.place.id).finish()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context").field(&self.place.id).finish()
    }
}
