//! One who follows the events of a session.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ring::{Event, Next, Stream};
use super::state::State;
use super::table::Place;

/// The events of a session, from a place on, for one subscriber.
///
/// It may be asked from one thread at a time. Dropping it unsubscribes.
pub struct Subscription {
    place: Place,
    stream: Arc<Stream>,
    key: u64,
    is_over: bool,
}

impl Subscription {
    pub(super) fn new(place: Place, stream: Arc<Stream>, key: u64) -> Self {
        Self { place, stream, key, is_over: false }
    }

    /// The next event. `None` if there was none in time, or the subscriber has had its last one.
    pub fn next(&mut self, timeout: Duration) -> Option<Event> {
        let next = self.stream.next(self.key, Instant::now().checked_add(timeout));
        self.event(next)
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<Event> {
        let next = self.stream.try_next(self.key);
        self.event(next)
    }

    fn event(&mut self, next: Next) -> Option<Event> {
        match next {
            Next::Event(event) => {
                self.is_over |= matches!(event, Event::Evicted | Event::Ended(_));
                Some(event)
            }
            Next::Pending => None,
            Next::Over => {
                self.is_over = true;
                None
            }
        }
    }

    /// Whether the subscriber has had its last event.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Has the function called, once, when there is an event, or none will come: now, if that is
    /// so. It takes the place of one that was not called yet.
    pub fn on_ready(&self, callback: impl FnOnce() + Send + 'static) {
        self.stream.on_ready(self.key, Box::new(callback));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stream.unsubscribe(self.key);
        self.place.change(State::unsubscribed);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("session_id", &self.place.id)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
