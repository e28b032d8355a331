//! A caller of a restore, who waits for its outcome.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure::{self, Failure};
use super::lease::Lease;
use super::once::Once;
use super::primitives::thread;
use super::run::Restoring;
use super::state::Member;
use super::table::Place;

/// What a caller is told in the end.
pub(super) type Outcome = Result<Settled, Failure>;

/// Where a caller is told.
pub(super) type Seat = Once<Outcome>;

/// What a caller who waited gets, if nothing failed.
#[derive(Debug)]
pub enum Settled {
    /// The session is live, and this is the caller's share of it.
    Lease(Lease),
    /// Whoever ran the restore has left without an outcome, and the caller is the first of those
    /// who still wait: it is up to him to run it, in what is left of its time.
    Owner(Restoring),
}

/// A caller's place in a restore that runs; it is counted already.
///
/// Dropping it cancels the caller, and nobody else: if he was the owner, the next one is.
#[must_use = "a caller that is dropped has left"]
pub struct Waiting {
    share: Share,
    deadline: Option<Instant>,
    is_told: bool,
}

/// A caller who has left a callback, see [`Waiting::on_settled`]. Dropping it changes nothing.
#[derive(Clone)]
pub struct Share {
    place: Place,
    member: Member,
    seat: Arc<Seat>,
}

impl Waiting {
    pub(super) fn new(
        place: Place,
        member: Member,
        seat: Arc<Seat>,
        deadline: Option<Instant>,
    ) -> Self {
        Self { share: Share { place, member, seat }, deadline, is_told: false }
    }

    /// When the restore has taken longer than allowed; never, if it may take any time.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Waits until the restore is settled, or its time is over: [`Timeout`] then, for everybody.
    ///
    /// [`InvalidInput`] on the thread that runs that very restore. [`NotFound`] if it went well,
    /// but the session has ended since.
    ///
    /// [`InvalidInput`]: crate::ErrorCode::InvalidInput
    /// [`NotFound`]: crate::ErrorCode::NotFound
    /// [`Timeout`]: crate::ErrorCode::Timeout
    pub fn wait(mut self) -> Result<Settled, Failure> {
        loop {
            match self.wait_for(Duration::MAX) {
                Ok(outcome) => return outcome,
                Err(again) => self = again,
            }
        }
    }

    /// The same, for a part of that time at most: the caller is given back if it is not settled.
    pub fn wait_for(mut self, timeout: Duration) -> Result<Result<Settled, Failure>, Self> {
        let this_thread = thread::current().id();
        if self.share.place.change(|state, place, _| state.is_run_by(place, this_thread)) {
            return Ok(Err(failure::waits_for_itself("restore", "the session").into()));
        }
        let own = Instant::now().checked_add(timeout);
        let until = match (own, self.deadline) {
            (Some(own), Some(deadline)) => Some(own.min(deadline)),
            (own, deadline) => own.or(deadline),
        };
        let mut outcome = self.share.seat.wait(until);
        if outcome.is_none() {
            if self.deadline.is_none_or(|deadline| Instant::now() < deadline) {
                return Err(self);
            }
            // Whoever settled it first tells this caller in a moment.
            self.share.time_out();
            outcome = self.share.seat.wait(None);
        }
        self.is_told = true;
        Ok(outcome.map_or_else(|| Err(failure::cancelled().into()), checked))
    }

    /// Has the function called with the outcome, once.
    ///
    /// Nobody minds the time of a caller who left a callback: see [`Share::time_out`].
    pub fn on_settled(
        mut self,
        callback: impl FnOnce(Result<Settled, Failure>) + Send + 'static,
    ) -> Share {
        self.is_told = true;
        let share = self.share.clone();
        share.seat.on_settled(|outcome| callback(checked(outcome)));
        share
    }

    /// What is there already, or will be in a moment.
    pub(super) fn told(mut self) -> Outcome {
        self.is_told = true;
        self.share.seat.wait(None).unwrap_or_else(|| Err(failure::cancelled().into()))
    }
}

/// Of those who shared a restore nobody gets a session that is gone again.
fn checked(outcome: Outcome) -> Outcome {
    match outcome {
        Ok(Settled::Lease(lease)) if lease.is_attached() && lease.ended().is_some() => {
            Err(failure::gone_again().into())
        }
        outcome => outcome,
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_told {
            self.share.cancel();
            // What was told in vain is a lease, perhaps: it is released.
            self.share.seat.leave();
        }
    }
}

impl Share {
    /// The caller leaves. `true`: the callback will never be called. `false`: it has been, or is
    /// about to be, and what it is given is the caller's.
    pub fn cancel(&self) -> bool {
        let has_left =
            self.place.change(|state, place, after| state.cancel(place, self.member, after));
        if has_left {
            self.seat.leave();
        }
        has_left
    }

    /// The time allowed is over, says the timer of whoever waits: every caller of this restore is
    /// told so, if it is not settled. From a caller who does not wait any more it counts only if it
    /// is so.
    pub fn time_out(&self) {
        self.place.change(|state, place, after| state.time_out(place, self.member, after));
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("session_id", &self.share.place.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("session_id", &self.place.id).finish_non_exhaustive()
    }
}
