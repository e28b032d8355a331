//! The table, as its users see it.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::after::After;
use super::channel::Channel;
use super::failure::{self, Failure, Opaque};
use super::lease::Lease;
use super::once::Once;
use super::options::RestoreOptions;
use super::primitives::thread;
use super::ring::{EventId, Stream};
use super::run::{Context, Restoring};
use super::state::State;
use super::status::{Action, Status};
use super::subscription::Subscription;
use super::sync::{Mutex, lock};
use super::waiting::{Settled, Waiting};
use crate::error::{Error, ErrorCode, Result};

/// The sessions of a daemon, each of which is restored once, however many ask for it.
///
/// It may be used from any thread; clones are the same table. See [the module](super).
#[derive(Clone)]
pub struct RestoreTable(Arc<Shared>);

struct Shared {
    options: RestoreOptions,
    state: Mutex<State>,
    epochs: RandomState,
}

/// One life of one session, in its table.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) table: RestoreTable,
    pub(super) id: Arc<str>,
    pub(super) serial: u64,
}

impl Place {
    /// Changes the table, and does what is left to do after that.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, &Self, &mut After) -> T) -> T {
        self.table.change(|state, after| change(state, self, after))
    }
}

/// What a request to restore a session comes to.
#[derive(Debug)]
#[must_use = "whoever does not take it up has left"]
pub enum Begun {
    /// The session is live.
    Attached(Lease),
    /// It is up to the caller to restore it.
    Owner(Restoring),
    /// It is being restored: the caller is counted, and shares the outcome.
    Sharer(Waiting),
}

impl RestoreTable {
    /// An empty table.
    pub fn new(options: RestoreOptions) -> Self {
        Self(Arc::new(Shared { options, state: Mutex::default(), epochs: RandomState::new() }))
    }

    /// Asks for a session, without waiting. In this order:
    ///
    /// 1. [`ErrorCode::Closing`] if the table is shutting down.
    /// 2. [`ErrorCode::InvalidInput`] if the working folder is not absolute,
    ///    [`ErrorCode::WorkspaceMismatch`] if it is not the workspace that the table is bound to (it
    ///    is to be a [canonical](super::canonical) path), [`ErrorCode::InvalidId`] for what is no
    ///    [`SessionId`](crate::SessionId).
    /// 3. A live session is attached to, whatever the action and the limit.
    /// 4. [`ErrorCode::RestoreInProgress`] if it is being restored by another action, or if a
    ///    restore was abandoned that has not ended yet.
    /// 5. A restore by the same action is shared.
    /// 6. [`ErrorCode::SessionLimit`] if there are as many sessions as allowed.
    /// 7. The caller is the owner of a new restore, and has to run it.
    pub fn begin(&self, action: Action, id: &str, cwd: &Path) -> Result<Begun> {
        self.change(|state, after| state.begin(self, (action, id, cwd), after))
    }

    /// Restores a session, or shares in what another caller restores: [`begin`](Self::begin) and
    /// all that follows, on this thread.
    ///
    /// The function is called at most once, and not by sharers. It gives the state that all of them
    /// get, or why it failed; [`Failure::coded`] with [`ErrorCode::NotFound`] says that there is no
    /// such session. [`ErrorCode::Timeout`] comes to sharers in time, to the owner when his function
    /// returns.
    pub fn restore(
        &self,
        action: Action,
        id: &str,
        cwd: &Path,
        function: impl FnOnce(&Context) -> std::result::Result<Opaque, Failure>,
    ) -> std::result::Result<Lease, Failure> {
        let restoring = match self.begin(action, id, cwd)? {
            Begun::Attached(lease) => return Ok(lease),
            Begun::Owner(restoring) => restoring,
            Begun::Sharer(waiting) => match waiting.wait()? {
                Settled::Lease(lease) => return Ok(lease),
                Settled::Owner(restoring) => restoring,
            },
        };
        restoring.run(function)
    }

    /// Enters a session that is not restored, by the same rules: one at a time for an id, within the
    /// limit, and one that is live is attached to.
    pub fn spawn(
        &self,
        id: &str,
        cwd: &Path,
        function: impl FnOnce(&Context) -> std::result::Result<Opaque, Failure>,
    ) -> std::result::Result<Lease, Failure> {
        self.restore(Action::Spawn, id, cwd, function)
    }

    /// Ends a live session, whoever is attached to it.
    ///
    /// [`ErrorCode::NotFound`] if there is no such session, [`ErrorCode::RestoreInProgress`] if it is
    /// not live yet.
    pub fn end(&self, id: &str) -> Result<()> {
        self.change(|state, after| state.end(id, after))
    }

    /// Ends a live session if nobody is attached to it, and tells whether it did. Otherwise it ends
    /// when the last of those attached and subscribed has left.
    ///
    /// Fails as [`end`](Self::end) does.
    pub fn end_if_unattached(&self, id: &str) -> Result<bool> {
        self.change(|state, after| state.end_if_unattached(id, after))
    }

    /// A channel for sessions of this table. The function is called when the last session and the
    /// last restore that it carries are gone, unless [`Channel::exited`] came first.
    pub fn channel(&self, on_teardown: impl FnOnce() + Send + 'static) -> Channel {
        let serial = self.change(|state, _| state.open_channel(Box::new(on_teardown)));
        Channel::new(self.clone(), serial)
    }

    /// Publishes an event of a session that is live or being restored.
    ///
    /// `None` while it is being resumed: what an agent says then, its clients know already.
    /// [`ErrorCode::NotFound`] if there is no such session.
    pub fn publish(&self, id: &str, data: Opaque) -> Result<Option<EventId>> {
        let found = self.change(|state, _| state.stream_for_publishing(self, id))?;
        let Some((place, stream)) = found else { return Ok(None) };
        let (event_id, is_evicted) = stream.publish(data)?;
        if is_evicted {
            place.change(State::unsubscribed);
        }
        Ok(Some(event_id))
    }

    /// Follows the events of a live session from now on, or from the one that was seen last: the
    /// text of an [`EventId`], or its number alone. 0 is before the first.
    ///
    /// [`ErrorCode::NotFound`] if there is no such live session, [`ErrorCode::SubscriberLimit`] if it
    /// has 64 subscribers, [`ErrorCode::InvalidInput`] for what is no id of an event.
    pub fn subscribe(&self, id: &str, last_event_id: Option<&str>) -> Result<Subscription> {
        self.change(|state, _| {
            let (place, stream) = state.stream_for_reading(self, id)?;
            let key = stream.subscribe(last_event_id)?;
            Ok(Subscription::new(place, stream, key))
        })
    }

    /// The session that is meant by requests which name none: of those that were spawned, the one
    /// that has been live for the longest time. A restored session never is.
    pub fn default_target(&self) -> Option<String> {
        self.change(|state, _| state.default_target()).map(|id| id.to_string())
    }

    /// Every session, live or on its way, in the order of the ids.
    pub fn sessions(&self) -> Vec<Status> {
        self.change(|state, _| state.sessions())
    }

    /// Shuts the table down: begins nothing any more, ends all sessions
    /// ([`DaemonShutdown`](super::EndReason::DaemonShutdown)), tells all callers
    /// ([`ErrorCode::Closing`]), and waits until every run has ended.
    ///
    /// [`ErrorCode::Timeout`] if some run has not: the table stays as it is, and may be closed
    /// again. [`ErrorCode::InvalidInput`], and nothing is changed, on a thread that runs a restore
    /// itself.
    pub fn close(&self, timeout: Duration) -> Result<()> {
        let this_thread = thread::current().id();
        if self.change(|state, _| state.runs_any(this_thread)) {
            return Err(failure::waits_for_itself("close", "the table"));
        }
        self.begin_close().wait(timeout)
    }

    /// The same without waiting.
    pub fn begin_close(&self) -> Closing {
        let all_ended = Arc::new(Once::new());
        self.change(|state, after| state.close(Arc::clone(&all_ended), after));
        Closing { table: self.clone(), all_ended }
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, &mut After) -> T) -> T {
        let mut after = After::default();
        let result = change(&mut lock(&self.0.state), &mut after);
        after.run();
        result
    }

    pub(super) fn options(&self) -> &RestoreOptions {
        &self.0.options
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn new_stream(&self, serial: u64) -> Arc<Stream> {
        let epoch = format!("{:016x}", self.0.epochs.hash_one(serial));
        Arc::new(Stream::new(epoch, self.0.options.ring_capacity))
    }
}

impl fmt::Debug for RestoreTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreTable")
            .field("options", self.options())
            .field("sessions", &self.sessions())
            .finish()
    }
}

/// A table that is shutting down.
#[must_use = "it may have runs that have not ended"]
pub struct Closing {
    table: RestoreTable,
    all_ended: Arc<Once<()>>,
}

impl Closing {
    /// Waits until every run has ended; [`ErrorCode::Timeout`] if that takes longer.
    pub fn wait(self, timeout: Duration) -> Result<()> {
        self.all_ended.wait(Instant::now().checked_add(timeout)).ok_or_else(|| {
            let running = self.table.change(|state, _| state.closer_left(&self.all_ended));
            let reason = format!("restores that have not ended: {running}");
            Error::value(ErrorCode::Timeout, "close", "the table", reason)
        })
    }

    /// Has the function called when every run has ended.
    pub fn on_settled(self, callback: impl FnOnce() + Send + 'static) {
        self.all_ended.on_settled(|()| callback());
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Closing").field(&self.table).finish()
    }
}
