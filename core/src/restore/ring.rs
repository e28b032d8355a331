//! The events of one session: the last ones are kept, and subscribers follow.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::after::{Callback, guarded};
use super::failure::{self, Opaque};
use super::lease::EndReason;
use super::sync::{Condvar, Mutex, lock, wait};
use crate::error::{Error, ErrorCode, Result};

/// How many live events may wait for a subscriber.
const MAX_QUEUED: u64 = 256;

/// How many subscribers a session may have.
const MAX_SUBSCRIBERS: usize = 64;

/// What a subscriber gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Something that was published.
    Published {
        /// Where it stands.
        id: EventId,
        /// What was published.
        data: Opaque,
    },
    /// The event that the subscriber named as its last is of another life of the session: what
    /// follows is all that is kept of this one.
    NewEpoch,
    /// That many events, which would come here, are not kept any more.
    Gap {
        /// How many.
        missed: u64,
    },
    /// The last event: too many waited for the subscriber, who may subscribe anew.
    Evicted,
    /// The last event: the session is not live any more.
    Ended(EndReason),
}

impl Event {
    /// `published`, `new_epoch`, `gap`, `evicted` or `ended`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Published { .. } => "published",
            Self::NewEpoch => "new_epoch",
            Self::Gap { .. } => "gap",
            Self::Evicted => "evicted",
            Self::Ended(_) => "ended",
        }
    }
}

/// Where an event stands: its text is `<epoch>-<number>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    epoch: Arc<str>,
    number: u64,
}

impl EventId {
    /// Which life of which session: random, lower-case hexadecimal.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The first event of an epoch has the number 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}

/// What has been published to one session, and who follows.
///
/// Events are kept once: a subscriber is a place among them. Beyond the ring's capacity as many are
/// kept as may wait for a subscriber, so that none is missing that waits for one.
pub(super) struct Stream {
    epoch: Arc<str>,
    capacity: u64,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Opaque>,
    /// The number of the last event.
    last: u64,
    readers: BTreeMap<u64, Reader>,
    next_reader: u64,
    ended: Option<EndReason>,
}

struct Reader {
    /// What comes before all that is read from the ring.
    first: VecDeque<Event>,
    /// The number of the event that it got last.
    read: u64,
    /// Up to here events were there before it: they do not count as waiting.
    live_after: u64,
    /// What an evicted one still gets: it is no subscriber any more.
    rest: Option<VecDeque<Event>>,
    has_got_end: bool,
    ready: Arc<Condvar>,
    on_ready: Option<Callback>,
}

/// What there is for a subscriber.
pub(super) enum Next {
    Event(Event),
    /// Nothing yet.
    Pending,
    /// It has got its last event.
    Over,
}

impl Stream {
    pub(super) fn new(epoch: String, capacity: usize) -> Self {
        // No machine has that many events in memory.
        let capacity = u64::try_from(capacity).unwrap_or(u64::MAX).min(u64::MAX / 2);
        Self { epoch: epoch.into(), capacity, ring: Mutex::default() }
    }

    /// Adds an event. Gives its place and whether a subscriber was evicted.
    pub(super) fn publish(&self, data: Opaque) -> Result<(EventId, bool)> {
        let mut ring = lock(&self.ring);
        if ring.ended.is_some() {
            drop(ring);
            return Err(failure::not_live("publish to"));
        }
        ring.last += 1;
        ring.events.push_back(data);
        let mut callbacks = vec![];
        let mut is_evicted = false;
        let Ring { events, readers, last, .. } = &mut *ring;
        let last = *last;
        for reader in readers.values_mut().filter(|reader| reader.rest.is_none()) {
            if last - reader.read.max(reader.live_after) > MAX_QUEUED {
                is_evicted = true;
                let mut rest = mem::take(&mut reader.first);
                rest.extend((reader.read + 1..last).filter_map(|number| {
                    let data = event_at(events, last, number)?;
                    Some(self.published(number, data))
                }));
                rest.push_back(Event::Evicted);
                reader.rest = Some(rest);
            }
            reader.ready.notify_one();
            callbacks.extend(reader.on_ready.take());
        }
        let kept = self.capacity + MAX_QUEUED;
        let oldest = if last > kept { ring.events.pop_front() } else { None };
        drop(ring);
        drop(oldest);
        for callback in callbacks {
            guarded(callback);
        }
        Ok((EventId { epoch: Arc::clone(&self.epoch), number: last }, is_evicted))
    }

    fn published(&self, number: u64, data: Opaque) -> Event {
        Event::Published { id: EventId { epoch: Arc::clone(&self.epoch), number }, data }
    }

    /// A new subscriber, who has seen everything up to an event; without one, all that there was.
    pub(super) fn subscribe(&self, last_event_id: Option<&str>) -> Result<u64> {
        let seen = last_event_id.map(parse).transpose()?;
        let mut ring = lock(&self.ring);
        if ring.ended.is_some() {
            return Err(failure::not_live("subscribe to"));
        }
        if ring.subscribers() >= MAX_SUBSCRIBERS {
            return Err(failure::subscriber_limit(MAX_SUBSCRIBERS));
        }
        let last = ring.last;
        let mut first = VecDeque::new();
        let mut read = last;
        if let Some((epoch, number)) = seen {
            let is_ours = epoch.is_none_or(|epoch| *epoch == *self.epoch) && number <= last;
            if !is_ours {
                first.push_back(Event::NewEpoch);
            }
            let number = if is_ours { number } else { 0 };
            read = number.max(last.saturating_sub(self.capacity));
            if read > number {
                first.push_back(Event::Gap { missed: read - number });
            }
        }
        let reader = Reader {
            first,
            read,
            live_after: last,
            rest: None,
            has_got_end: false,
            ready: Arc::new(Condvar::new()),
            on_ready: None,
        };
        ring.next_reader += 1;
        let key = ring.next_reader;
        ring.readers.insert(key, reader);
        Ok(key)
    }

    /// Takes what comes next; waits for it until the deadline.
    pub(super) fn next(&self, key: u64, deadline: Option<Instant>) -> Next {
        let mut ring = lock(&self.ring);
        loop {
            match self.take(&mut ring, key) {
                Next::Pending => {}
                next => return next,
            }
            let Some(ready) = ring.readers.get(&key).map(|reader| Arc::clone(&reader.ready)) else {
                return Next::Over;
            };
            match wait(&ready, ring, deadline) {
                Some(guard) => ring = guard,
                None => return Next::Pending,
            }
        }
    }

    pub(super) fn try_next(&self, key: u64) -> Next {
        self.take(&mut lock(&self.ring), key)
    }

    fn take(&self, ring: &mut Ring, key: u64) -> Next {
        let Ring { events, readers, last, ended, .. } = ring;
        let Some(reader) = readers.get_mut(&key) else { return Next::Over };
        if let Some(rest) = &mut reader.rest {
            return rest.pop_front().map_or(Next::Over, Next::Event);
        }
        if let Some(event) = reader.first.pop_front() {
            return Next::Event(event);
        }
        if let Some(data) = event_at(events, *last, reader.read + 1) {
            reader.read += 1;
            return Next::Event(self.published(reader.read, data));
        }
        match *ended {
            None => Next::Pending,
            Some(_) if reader.has_got_end => Next::Over,
            Some(why) => {
                reader.has_got_end = true;
                Next::Event(Event::Ended(why))
            }
        }
    }

    /// Has the function called when there is something for the subscriber: now, if there is, or if
    /// it has got its last event.
    pub(super) fn on_ready(&self, key: u64, callback: Callback) {
        let mut ring = lock(&self.ring);
        let last = ring.last;
        let is_over = ring.ended.is_some();
        let mut former = None;
        let now = match ring.readers.get_mut(&key) {
            Some(reader)
                if !is_over
                    && reader.rest.is_none()
                    && reader.first.is_empty()
                    && reader.read == last =>
            {
                former = reader.on_ready.replace(callback);
                None
            }
            _ => Some(callback),
        };
        drop(ring);
        drop(former);
        if let Some(callback) = now {
            guarded(callback);
        }
    }

    pub(super) fn unsubscribe(&self, key: u64) {
        let reader = lock(&self.ring).readers.remove(&key);
        drop(reader);
    }

    pub(super) fn subscribers(&self) -> usize {
        lock(&self.ring).subscribers()
    }

    /// The session is gone. What has to be called, where no lock is held.
    pub(super) fn end(&self, why: EndReason) -> Vec<Callback> {
        let mut ring = lock(&self.ring);
        ring.ended = Some(why);
        let mut callbacks = vec![];
        for reader in ring.readers.values_mut() {
            reader.ready.notify_one();
            callbacks.extend(reader.on_ready.take());
        }
        callbacks
    }
}

impl Ring {
    fn subscribers(&self) -> usize {
        self.readers.values().filter(|reader| reader.rest.is_none()).count()
    }
}

fn event_at(events: &VecDeque<Opaque>, last: u64, number: u64) -> Option<Opaque> {
    let from_end = usize::try_from(last.checked_sub(number)?).ok()?;
    let index = events.len().checked_sub(from_end + 1)?;
    events.get(index).cloned()
}

/// Epoch and number of an id; the epoch may be left out, where it is that of the session's life.
fn parse(id: &str) -> Result<(Option<&str>, u64)> {
    let (epoch, number) = match id.rsplit_once('-') {
        Some((epoch, number)) => (Some(epoch), number),
        None => (None, id),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match number.parse() {
        Ok(number) if is_number => Ok((epoch, number)),
        _ => {
            let reason = "it is neither `<epoch>-<number>` nor a number";
            Err(Error::value(ErrorCode::InvalidInput, "accept", "the last event id", reason))
        }
    }
}
