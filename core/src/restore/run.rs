//! The one run of a restore, in the hands of whoever has to carry it out.

use std::any::Any;
use std::cell::RefCell;
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
    /// This reads and writes files. Of the other calls those do that let a session with a claim go:
    /// its end, and the end of its restore.
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
            hand_over(&self.context.place);
        }
    }
}

/// How often a run may be handed over within the callback to which it was handed over.
const MAX_NESTED: usize = 16;

thread_local! {
    /// How deep this thread is in callbacks like that, and what is left for the outermost.
    static HANDED: RefCell<(usize, Vec<Place>)> = const { RefCell::new((0, Vec::new())) };
}

/// The next caller may drop what he is handed at once, and so may the thousand after him: no stack
/// is deep enough for that.
fn hand_over(place: &Place) {
    let is_too_deep = handed(|depth, later| {
        if *depth == MAX_NESTED {
            later.push(place.clone());
            return true;
        }
        *depth += 1;
        false
    });
    if is_too_deep == Some(true) {
        return;
    }
    place.change(State::hand_over);
    while let Some(place) = handed(|depth, later| later.pop_if(|_| *depth == 1)).flatten() {
        place.change(State::hand_over);
    }
    handed(|depth, _| *depth -= 1);
}

/// Nothing, if this thread is at its end already.
fn handed<T>(look: impl FnOnce(&mut usize, &mut Vec<Place>) -> T) -> Option<T> {
    let look = |handed: &RefCell<(usize, Vec<Place>)>| {
        let (depth, later) = &mut *handed.borrow_mut();
        look(depth, later)
    };
    HANDED.try_with(look).ok()
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
        // A lone owner who looks here is the only one who minds the time.
        self.place.change(State::look_at_the_clock);
        self.signal.given()
    }

    /// Has the function called when nobody waits for the restore any more: now, if that is so.
    /// It is dropped uncalled if the restore ends before. Of the time nobody tells who does not mind
    /// it: a caller who waits, a timer that calls [`Share::time_out`](super::Share::time_out), or
    /// whoever looks by [`cancelled`](Self::cancelled).
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
