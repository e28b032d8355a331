//! The sessions of this machine, watched: snapshots that look only at what changed, and a stream of
//! changes for any number of readers.

mod clean_up;
mod events;
mod journal;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use clean_up::{CleanUpOptions, CleanedUp, Tidied};
pub use watch::Watch;

use crate::error::{Error, ErrorCode, Result};
use crate::process::Own;
use crate::record::now;
use crate::snapshot::{AgentSession, Picture, Snapshot, Work, batch_text};
use crate::sources::Sources;
use events::{Bell, Events};
use journal::Journal;

/// How changes are watched for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MonitorOptions {
    /// How long changes are gathered after the first of them, so that a burst is one batch
    /// (default: 20 ms, at most a minute).
    pub fold: Duration,
    /// How often that is looked at of which nobody tells (default: 2 s, 10 ms to a day); see
    /// [`Monitor::polled`].
    pub poll: Duration,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self { fold: Duration::from_millis(20), poll: Duration::from_secs(2) }
    }
}

impl MonitorOptions {
    /// The same options with `fold` set.
    #[must_use]
    pub fn fold(mut self, fold: Duration) -> Self {
        self.fold = fold;
        self
    }

    /// The same options with `poll` set.
    #[must_use]
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }
}

/// What changed since a cursor. Entries are whole.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Batch {
    /// From where to go on: the `id` of a Server-Sent Event.
    pub cursor: String,
    /// `added` is all there is: the cursor was none, too old, or another monitor's.
    pub reset: bool,
    /// Sessions that are listed now and were not.
    pub added: Vec<Arc<AgentSession>>,
    /// Sessions of which something changed.
    pub changed: Vec<Arc<AgentSession>>,
    /// The keys of sessions that are not listed any more.
    pub removed: Vec<String>,
    /// When the latest of it was noticed, in seconds since the Unix epoch.
    pub at: f64,
}

impl Batch {
    /// The batch as one line of JSON, with entries as [`AgentSession::to_json`] has them: the
    /// `data` of a Server-Sent Event.
    pub fn to_json(&self) -> String {
        batch_text(self)
    }
}

/// Something that nobody tells the changes of, and how often it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Polled {
    /// What it is, in words, such as `processes` or `folder /srv/x`.
    pub what: String,
    /// How often.
    pub every: Duration,
}

/// Watches the sessions of this machine.
///
/// It keeps what was read, is told by the system of changes of files and of processes that exit,
/// and has no thread of its own: who waits does the work, and any number of threads may wait. Where
/// nothing changes, nothing wakes. Opening it looks at nothing yet.
///
/// A forked child cannot use its parent's: there every call is [`ErrorCode::Closed`].
#[derive(Debug)]
pub struct Monitor(Arc<Shared>);

struct Shared {
    own: Own,
    options: MonitorOptions,
    state: Mutex<State>,
    /// The last reader has left.
    left: Condvar,
}

struct State {
    picture: Picture,
    journal: Journal,
    /// None once it is closed.
    events: Option<Events>,
    /// What is to be looked at.
    work: Work,
    /// When the changes that are being gathered are due.
    due: Option<Instant>,
    next_poll: Option<Instant>,
    is_started: bool,
    /// Whether one of the readers waits for the system; the others wait for it.
    is_led: bool,
    readers: usize,
    is_closed: bool,
    /// Of readers that wait for another.
    bells: Vec<Arc<Bell>>,
    watches: Vec<Weak<Bell>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Monitor {
    /// A monitor of these sources.
    ///
    /// [`ErrorCode::Unavailable`] if the system does not give what waiting takes: a few
    /// descriptors.
    pub fn new(sources: Sources) -> Result<Self> {
        Self::with(sources, MonitorOptions::default())
    }

    /// The same, with options.
    pub fn with(sources: Sources, mut options: MonitorOptions) -> Result<Self> {
        options.fold = options.fold.min(LONGEST_FOLD);
        options.poll = options.poll.clamp(SHORTEST_POLL, LONGEST_POLL);
        let failed = |error: std::io::Error| {
            Error::value(ErrorCode::Unavailable, "open", "the monitor", error.to_string())
        };
        let state = State {
            picture: Picture::new(sources),
            journal: Journal::new(),
            events: Some(Events::new().map_err(failed)?),
            work: Work::default(),
            due: None,
            next_poll: None,
            is_started: false,
            is_led: false,
            readers: 0,
            is_closed: false,
            bells: Vec::new(),
            watches: Vec::new(),
        };
        let own = Own::now();
        let (state, left) = (Mutex::new(state), Condvar::new());
        Ok(Self(Arc::new(Shared { own, options, state, left })))
    }

    /// Every agent session as it is now; see [`crate::snapshot`]. Only what changed is looked at.
    ///
    /// What is polled, such as which processes there are, is as old as the last poll at most.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut state = self.0.open()?;
        state.pump(self.0.options, Gather::No);
        let cursor = state.journal.cursor();
        Ok(state.picture.snapshot(cursor))
    }

    /// Waits until something changed since `cursor`, at most for `timeout` (`None`: without end).
    /// Without a cursor, and with one that is too old or another monitor's, it gives the full state
    /// at once.
    ///
    /// `None` if nothing changed in that time, or if a signal came. [`ErrorCode::Closed`] as soon
    /// as the monitor is closed.
    pub fn wait(&self, cursor: Option<&str>, timeout: Option<Duration>) -> Result<Option<Batch>> {
        self.0.wait(cursor, timeout)
    }

    /// A reader with a cursor and a descriptor of its own.
    pub fn watch(&self) -> Result<Watch> {
        Watch::new(&self.0)
    }

    /// What is looked at every so often because nobody tells of its changes.
    pub fn polled(&self) -> Result<Vec<Polled>> {
        let mut state = self.0.open()?;
        state.pump(self.0.options, Gather::Yes);
        let every = self.0.options.poll;
        Ok(state.polled().into_iter().map(|what| Polled { what, every }).collect())
    }

    /// Records in this library's own data folder with how many tokens the present turns of
    /// hook-fed sessions began, for other programs and later monitors; tells how many were new.
    ///
    /// A monitor keeps them in memory anyway. What the hooks wrote is not touched.
    pub fn record_turn_start(&self) -> Result<usize> {
        let turns = {
            let mut state = self.0.open()?;
            state.pump(self.0.options, Gather::No);
            state.picture.turns().clone()
        };
        turns.record()
    }

    /// Removes what is left over in data folders fed by hooks, and only in those named here:
    /// records of sessions that are `starting` for an hour, or whose zellij session is known to be
    /// gone; records that another one superseded on its pane; event logs without a record that
    /// nobody wrote to for a day.
    ///
    /// Only ever a file that was read, and only if it is still as it was.
    pub fn clean_up(&self, folders: &[PathBuf], options: CleanUpOptions) -> Result<CleanedUp> {
        let sources = self.0.open()?.picture.sources().clone();
        Ok(clean_up::clean_up(&sources, folders, options))
    }

    /// Ends every wait, and gives back descriptors and memory. It returns when nobody waits any
    /// more; a second call does nothing.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Whether changes are gathered before they are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gather {
    Yes,
    No,
}

impl Shared {
    /// The state, of a monitor that is open in this process.
    fn open(&self) -> Result<MutexGuard<'_, State>> {
        let closed =
            |reason: &str| Error::value(ErrorCode::Closed, "use", "the monitor", reason.to_owned());
        // Looked at before the lock: a thread that held it may not be there any more after a fork.
        if !self.own.is_this_process() {
            return Err(closed("it belongs to the process that opened it"));
        }
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return Err(closed("it was closed"));
        }
        Ok(state)
    }

    fn wait(&self, cursor: Option<&str>, timeout: Option<Duration>) -> Result<Option<Batch>> {
        // Of a time that is further off than the clock reaches, there is no end.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut was_interrupted = false;
        loop {
            let mut state = self.open()?;
            state.pump(self.options, Gather::Yes);
            if let Some(batch) = state.news(cursor) {
                return Ok(Some(batch));
            }
            let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
            let is_over =
                rest.is_some_and(|rest| rest.is_zero()) || timeout == Some(Duration::ZERO);
            if was_interrupted || is_over {
                return Ok(None);
            }
            was_interrupted = self.sleep(state, rest);
        }
    }

    /// Sleeps until something may have changed; tells whether a signal ended it.
    fn sleep(&self, mut state: MutexGuard<'_, State>, rest: Option<Duration>) -> bool {
        let Some(events) = &state.events else { return false };
        let sleeper = events.sleeper();
        let leads = !state.is_led;
        // The leader has one too: others may take in what would have woken it.
        let bell = Bell::new().ok().map(Arc::new);
        state.bells.extend(bell.clone());
        state.is_led |= leads;
        state.readers += 1;
        drop(state);

        let was_interrupted = match &bell {
            Some(bell) if leads => sleeper.sleep(bell, rest),
            Some(bell) => bell.wait(rest),
            // Without a descriptor for a bell: nothing is missed, only late.
            None => {
                std::thread::sleep(rest.unwrap_or(NO_BELL).min(NO_BELL));
                false
            }
        };

        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.readers -= 1;
        if leads {
            state.is_led = false;
            // One of those who waited for this one takes its place. Nothing is there to be fetched.
            state.wake_readers();
        }
        if let Some(bell) = bell {
            state.bells.retain(|other| !Arc::ptr_eq(other, &bell));
        }
        if state.readers == 0 && state.is_closed {
            self.left.notify_all();
        }
        was_interrupted
    }

    fn close(&self) {
        // A child has copies of descriptors, which go with it.
        let Ok(mut state) = self.open() else { return };
        state.is_closed = true;
        if let Some(events) = &state.events {
            events.wake();
        }
        state.ring();
        while state.readers > 0 {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.events = None;
        state.picture = Picture::new(Sources::none());
        state.journal = Journal::new();
    }
}

const LONGEST_FOLD: Duration = Duration::from_secs(60);
const SHORTEST_POLL: Duration = Duration::from_millis(10);
const LONGEST_POLL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a reader sleeps that could get no bell.
const NO_BELL: Duration = Duration::from_millis(10);

impl State {
    /// Takes in what happened. What changed is told when it was gathered for long enough.
    fn pump(&mut self, options: MonitorOptions, gather: Gather) {
        let Some(events) = &mut self.events else { return };
        let time = Instant::now();
        if !self.is_started {
            self.is_started = true;
            self.picture.update(&Work::all(), events);
            self.journal.start();
            self.next_poll = Some(time + options.poll);
        }
        events.take(&mut self.work);
        let polls = self.picture.needs_process_list() || events.polls();
        if polls && self.next_poll.is_some_and(|next| next <= time) {
            events.poll(&mut self.work);
            self.work.process_list = true;
        }
        let is_past = self.picture.deadline().is_some_and(|at| millis(now()) >= at);
        let has_work = !self.work.is_empty() || is_past;
        if has_work && self.due.is_none() {
            self.due = Some(time + options.fold);
            events.hold();
        }
        let is_due = self.due.is_some_and(|due| due <= time);
        if is_due || ((has_work || self.picture.has_put_off()) && gather == Gather::No) {
            events.take(&mut self.work);
            self.work.now = gather == Gather::No;
            let work = std::mem::take(&mut self.work);
            let changes = self.picture.update(&work, events);
            events.release();
            self.due = None;
            if work.process_list {
                self.next_poll = Some(Instant::now() + options.poll);
            }
            if self.journal.note(changes) {
                self.ring();
            }
        }
        self.arm(options);
    }

    /// Sets when a reader has to wake although nothing happens.
    fn arm(&mut self, options: MonitorOptions) {
        let Some(events) = &mut self.events else { return };
        let polls = self.picture.needs_process_list() || events.polls();
        if polls && self.next_poll.is_none() {
            self.next_poll = Some(Instant::now() + options.poll);
        }
        let until_deadline = self.picture.deadline().map(|at| {
            // A timer that is set again and again may be a short one.
            let rest = Duration::from_millis(at.saturating_sub(millis(now())));
            Instant::now() + rest.min(LONGEST_POLL)
        });
        let next = [self.due, self.next_poll.filter(|_| polls), until_deadline, events.later()];
        events.arm(next.into_iter().flatten().min());
    }

    fn news(&self, cursor: Option<&str>) -> Option<Batch> {
        self.journal.since(cursor, &self.picture)
    }

    fn wake_readers(&self) {
        for bell in &self.bells {
            bell.ring();
        }
    }

    /// There is something to be fetched, or an end.
    fn ring(&mut self) {
        self.wake_readers();
        self.watches.retain(|watch| watch.upgrade().inspect(|bell| bell.ring()).is_some());
    }

    fn polled(&self) -> Vec<String> {
        let mut polled = Vec::new();
        if self.picture.needs_process_list() {
            polled.push("processes".to_owned());
        }
        if self.picture.sources().multiplexers {
            polled.push("multiplexers".to_owned());
        }
        polled.extend(self.events.iter().flat_map(Events::polled));
        polled
    }
}

fn millis(seconds: f64) -> u64 {
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // Saturates.
    let millis = (seconds * 1000.0) as u64;
    millis
}
