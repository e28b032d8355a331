//! The state of a table, and what may happen to it.
//!
//! Of one id: absent → [`Phase::Restoring`] → [`Phase::Live`] → absent. A restore whose callers were
//! all told something else first (time, cancellation, shutdown, a dead channel) is
//! [`Phase::Abandoned`] until its run has ended. Nothing else can bring a reserved id to life. What
//! holds whenever the lock is free:
//!
//! 1. There is an entry for an id from its reservation until its run has ended without a session,
//!    or its session has. So live + spawning + restoring sessions are the entries.
//! 2. A restoring or abandoned entry has exactly one [`Run`], which ends it; a live one has none.
//! 3. The members of a restore are its callers in the order in which they came; there is at least
//!    one, and the first is the owner. Without any the entry is abandoned.
//! 4. A member has not been told anything. Whoever takes it out of its group tells it, or it left.
//! 5. A channel is used by the entries that name it: restoring or live ones.
//! 6. In a closing table every entry is abandoned.
//!
//! Nothing in here runs anybody's code: what has to be told, called or dropped goes to [`After`].

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::after::{After, Callback};
use super::failure::{self, Failure, Opaque};
use super::lease::{EndReason, Lease, Restored};
use super::once::Once;
use super::primitives::thread::ThreadId;
use super::ring::Stream;
use super::run::{Restoring, Run};
use super::signal::Signal;
use super::status::{Action, Stage, Status};
use super::table::{Begun, Place, RestoreTable};
use super::waiting::{Seat, Settled, Waiting};
use crate::error::Result;
use crate::session_id::SessionId;

/// Everything that a table's lock guards.
#[derive(Default)]
pub(super) struct State {
    entries: HashMap<Arc<str>, Entry>,
    channels: HashMap<u64, Users>,
    /// Live sessions that were spawned, the oldest first.
    spawned: BTreeMap<u64, Arc<str>>,
    /// Closers that wait for the last entry.
    closers: Vec<Arc<Once<()>>>,
    closing: bool,
    serial: u64,
}

struct Entry {
    id: Arc<str>,
    /// Tells it from every other entry that had, or will have, its id.
    serial: u64,
    action: Action,
    phase: Phase,
    channel: Option<u64>,
    /// The thread on which the restore runs, where it is known.
    thread: Option<ThreadId>,
    /// What goes with the entry.
    held: Vec<Box<dyn Any + Send>>,
}

enum Phase {
    Restoring(Group),
    Abandoned,
    Live(Live),
}

/// A caller of a restore, ordered by when he came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    came: u64,
    /// Another one each time that he waits.
    serial: u64,
}

impl Member {
    fn new(serial: u64) -> Self {
        Self { came: serial, serial }
    }
}

struct Group {
    members: BTreeMap<Member, Arc<Seat>>,
    deadline: Option<Instant>,
    signal: Arc<Signal>,
    stream: Arc<Stream>,
}

struct Live {
    session: Arc<Restored>,
    stream: Arc<Stream>,
    attachments: usize,
    /// Somebody wanted it to end, and was told that it is attached.
    is_unwanted: bool,
    /// Its place among the spawned ones.
    spawned: Option<u64>,
}

/// A channel that can be used. One that is dying is not in the table any more.
struct Users {
    ids: BTreeSet<Arc<str>>,
    on_teardown: Callback,
}

impl Entry {
    fn place(&self, table: &RestoreTable) -> Place {
        Place { table: table.clone(), id: Arc::clone(&self.id), serial: self.serial }
    }
}

/// The beginning of a restore.
impl State {
    /// One more caller. See [`RestoreTable::begin`] for the order of the checks.
    pub(super) fn begin(
        &mut self,
        table: &RestoreTable,
        (action, id, cwd): (Action, &str, &Path),
        after: &mut After,
    ) -> Result<Begun> {
        if self.closing {
            return Err(failure::closing());
        }
        let options = table.options();
        options.check(cwd)?;
        let id = SessionId::new(id)?;
        let id = id.as_str();
        self.expire(id, after);
        let serial = self.next();
        if let Some(entry) = self.entries.get_mut(id) {
            let place = entry.place(table);
            return match &mut entry.phase {
                Phase::Live(live) => {
                    live.attachments += 1;
                    Ok(Begun::Attached(Lease::new(place, Arc::clone(&live.session), true)))
                }
                Phase::Restoring(group) if entry.action == action => {
                    Ok(Begun::Sharer(group.admit(place, Member::new(serial))))
                }
                Phase::Restoring(_) => {
                    Err(failure::in_progress(id, entry.action, Some(action), false))
                }
                Phase::Abandoned => Err(failure::in_progress(id, entry.action, Some(action), true)),
            };
        }
        if options.limit != 0 && self.entries.len() >= options.limit {
            return Err(failure::session_limit(options.limit));
        }
        let id: Arc<str> = id.into();
        let mut group = Group {
            members: BTreeMap::new(),
            deadline: Instant::now().checked_add(options.timeout),
            signal: Arc::new(Signal::new()),
            stream: table.new_stream(serial),
        };
        let place = Place { table: table.clone(), id: Arc::clone(&id), serial };
        let owner = group.admit(place.clone(), Member::new(serial));
        let run = Run::new(place, Arc::clone(&group.signal));
        let entry = Entry {
            id: Arc::clone(&id),
            serial,
            action,
            phase: Phase::Restoring(group),
            channel: None,
            thread: None,
            held: vec![],
        };
        self.entries.insert(id, entry);
        Ok(Begun::Owner(Restoring::new(run, owner)))
    }

    /// Numbers entries, members and channels.
    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

impl Group {
    fn admit(&mut self, place: Place, member: Member) -> Waiting {
        let seat = Arc::new(Once::new());
        self.members.insert(member, Arc::clone(&seat));
        Waiting::new(place, member, seat, self.deadline)
    }

    fn is_overdue(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn tell_all(self, failure: &Failure, after: &mut After) {
        after.drop((self.stream, self.signal));
        for seat in self.members.into_values() {
            after.settle(seat, Err(failure.clone()));
        }
    }
}

/// The end of a restore.
impl State {
    /// Its run has ended, and says how.
    pub(super) fn complete(
        &mut self,
        place: &Place,
        result: std::result::Result<Opaque, Failure>,
        after: &mut After,
    ) {
        self.expire(&place.id, after);
        let serial = self.next();
        let Some(entry) = self.entry(place) else { return after.drop(result) };
        match (mem::replace(&mut entry.phase, Phase::Abandoned), result) {
            (Phase::Restoring(group), Ok(state)) => {
                let session = Arc::new(Restored::new(state));
                entry.phase = Phase::Live(Live {
                    session: Arc::clone(&session),
                    stream: group.stream,
                    attachments: group.members.len(),
                    is_unwanted: false,
                    spawned: (entry.action == Action::Spawn).then_some(serial),
                });
                entry.thread = None;
                if entry.action == Action::Spawn {
                    self.spawned.insert(serial, Arc::clone(&place.id));
                }
                for (index, seat) in group.members.into_values().enumerate() {
                    let lease = Lease::new(place.clone(), Arc::clone(&session), index > 0);
                    after.settle(seat, Ok(Settled::Lease(lease)));
                }
            }
            (Phase::Restoring(group), Err(failure)) => {
                group.tell_all(&failure, after);
                after.drop(failure);
                self.remove(&place.id, after);
            }
            (_, result) => {
                after.drop(result);
                self.remove(&place.id, after);
            }
        }
    }

    /// Its run has ended without a word: whoever is the first to wait for it runs it instead.
    pub(super) fn hand_over(&mut self, place: &Place, after: &mut After) {
        self.expire(&place.id, after);
        let serial = self.next();
        let Some(entry) = self.entry(place) else { return };
        let Phase::Restoring(group) = &mut entry.phase else {
            return self.remove(&place.id, after);
        };
        let Some((member, seat)) = group.members.pop_first() else { return };
        entry.thread = None;
        let channel = entry.channel.take();
        // What the run before has published is part of nothing.
        after.drop(mem::replace(&mut group.stream, place.table.new_stream(serial)));
        after.drop(mem::replace(&mut group.signal, Arc::new(Signal::new())));
        let run = Run::new(place.clone(), Arc::clone(&group.signal));
        let again = group.admit(place.clone(), Member { serial, ..member });
        after.settle(seat, Ok(Settled::Owner(Restoring::new(run, again))));
        self.leave(channel, &place.id, after);
    }

    /// A caller has left; `false` if it had been told something before.
    pub(super) fn cancel(&mut self, place: &Place, member: Member, after: &mut After) -> bool {
        let Some(Entry { phase: Phase::Restoring(group), .. }) = self.entry(place) else {
            return false;
        };
        if group.members.remove(&member).is_none() {
            return false;
        }
        if group.members.is_empty() {
            self.abandon(&place.id, &failure::cancelled().into(), after);
        }
        true
    }

    /// The time of a restore is over, says a caller of it. One who does not wait any more may not
    /// decide that.
    pub(super) fn time_out(&mut self, place: &Place, member: Member, after: &mut After) {
        let Some(Entry { phase: Phase::Restoring(group), .. }) = self.entry(place) else { return };
        if group.members.contains_key(&member) || group.is_overdue() {
            self.abandon(&place.id, &failure::timed_out().into(), after);
        }
    }

    /// Perhaps its time is over, and nobody has noticed.
    pub(super) fn look_at_the_clock(&mut self, place: &Place, after: &mut After) {
        if self.entry(place).is_some() {
            self.expire(&place.id, after);
        }
    }

    fn expire(&mut self, id: &str, after: &mut After) {
        if let Some(Entry { phase: Phase::Restoring(group), .. }) = self.entries.get(id)
            && group.is_overdue()
        {
            self.abandon(id, &failure::timed_out().into(), after);
        }
    }

    /// All callers are told; the id stays reserved until the run has ended.
    fn abandon(&mut self, id: &str, why: &Failure, after: &mut After) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        if !matches!(entry.phase, Phase::Restoring(_)) {
            return;
        }
        if let Phase::Restoring(group) = mem::replace(&mut entry.phase, Phase::Abandoned) {
            after.call(group.signal.give(why));
            group.tell_all(why, after);
        }
        let channel = entry.channel.take();
        self.leave(channel, id, after);
    }

    /// The end of an entry, whatever it was.
    fn remove(&mut self, id: &str, after: &mut After) {
        let Some(mut entry) = self.entries.remove(id) else { return };
        let channel = entry.channel.take();
        after.drop(entry);
        self.leave(channel, id, after);
        if self.entries.is_empty() && self.closing {
            after.closed(mem::take(&mut self.closers));
        }
    }

    fn entry(&mut self, place: &Place) -> Option<&mut Entry> {
        self.entries.get_mut(&place.id).filter(|entry| entry.serial == place.serial)
    }

    fn live(&mut self, place: &Place) -> Option<&mut Live> {
        match &mut self.entry(place)?.phase {
            Phase::Live(live) => Some(live),
            _ => None,
        }
    }
}

/// What a run can say before it ends.
impl State {
    pub(super) fn runs_on(&mut self, place: &Place, thread: ThreadId) {
        if let Some(entry) = self.entry(place) {
            entry.thread = Some(thread);
        }
    }

    /// Whether this very thread runs that restore, and would wait for itself.
    pub(super) fn is_run_by(&mut self, place: &Place, thread: ThreadId) -> bool {
        self.entry(place).is_some_and(|entry| entry.thread == Some(thread))
    }

    /// Lets something go when the entry does.
    pub(super) fn hold(&mut self, place: &Place, what: Box<dyn Any + Send>, after: &mut After) {
        match self.entry(place) {
            Some(entry) => entry.held.push(what),
            None => after.drop(what),
        }
    }

    pub(super) fn carry(&mut self, place: &Place, channel: u64, after: &mut After) -> Result<()> {
        if !self.channels.contains_key(&channel) {
            return Err(failure::channel_closed("it was torn down"));
        }
        let Some(entry) = self.entry(place) else { return Err(failure::over()) };
        match entry.phase {
            Phase::Restoring(_) => {}
            Phase::Abandoned => return Err(failure::cancelled()),
            Phase::Live(_) => return Err(failure::over()),
        }
        let before = entry.channel.replace(channel);
        if before != Some(channel) {
            if let Some(users) = self.channels.get_mut(&channel) {
                users.ids.insert(Arc::clone(&place.id));
            }
            self.leave(before, &place.id, after);
        }
        Ok(())
    }
}

/// Live sessions.
impl State {
    /// Whether that ended the session.
    pub(super) fn release(&mut self, place: &Place, after: &mut After) -> bool {
        let Some(live) = self.live(place) else { return false };
        live.attachments -= 1;
        let why = if live.is_unwanted { EndReason::Ended } else { EndReason::Released };
        let is_last = live.attachments == 0 && live.stream.subscribers() == 0;
        if is_last {
            self.end_live(&place.id, why, after);
        }
        is_last
    }

    /// A subscriber has left: perhaps it was the last that an unwanted session waited for.
    pub(super) fn unsubscribed(&mut self, place: &Place, after: &mut After) {
        let is_over = |live: &mut Live| {
            live.is_unwanted && live.attachments == 0 && live.stream.subscribers() == 0
        };
        if self.live(place).is_some_and(is_over) {
            self.end_live(&place.id, EndReason::Ended, after);
        }
    }

    pub(super) fn end(&mut self, id: &str, after: &mut After) -> Result<()> {
        self.live_to_end(id, after)?;
        self.end_live(id, EndReason::Ended, after);
        Ok(())
    }

    /// Whether the session has ended; else it will, with the last who leaves it.
    pub(super) fn end_if_unattached(&mut self, id: &str, after: &mut After) -> Result<bool> {
        let live = self.live_to_end(id, after)?;
        if live.attachments > 0 {
            live.is_unwanted = true;
            return Ok(false);
        }
        self.end_live(id, EndReason::Ended, after);
        Ok(true)
    }

    fn live_to_end(&mut self, id: &str, after: &mut After) -> Result<&mut Live> {
        self.expire(id, after);
        let entry = self.entries.get_mut(id).ok_or_else(|| failure::not_live("end"))?;
        match &mut entry.phase {
            Phase::Live(live) => Ok(live),
            Phase::Restoring(_) => Err(failure::in_progress(id, entry.action, None, false)),
            Phase::Abandoned => Err(failure::in_progress(id, entry.action, None, true)),
        }
    }

    fn end_live(&mut self, id: &str, why: EndReason, after: &mut After) {
        let Some(Entry { phase: Phase::Live(live), .. }) = self.entries.get(id) else { return };
        live.session.end(why);
        after.call(live.stream.end(why));
        if let Some(serial) = live.spawned {
            self.spawned.remove(&serial);
        }
        self.remove(id, after);
    }

    /// Where an event of this session goes; `None` if it is not kept.
    pub(super) fn stream_for_publishing(
        &self,
        table: &RestoreTable,
        id: &str,
    ) -> Result<Option<(Place, Arc<Stream>)>> {
        let entry = self.entries.get(id).ok_or_else(|| failure::not_live("publish to"))?;
        let stream = match &entry.phase {
            Phase::Restoring(_) if entry.action == Action::Resume => return Ok(None),
            Phase::Restoring(group) => &group.stream,
            Phase::Live(live) => &live.stream,
            Phase::Abandoned => return Err(failure::not_live("publish to")),
        };
        Ok(Some((entry.place(table), Arc::clone(stream))))
    }

    pub(super) fn stream_for_reading(
        &self,
        table: &RestoreTable,
        id: &str,
    ) -> Result<(Place, Arc<Stream>)> {
        match self.entries.get(id) {
            Some(entry @ Entry { phase: Phase::Live(live), .. }) => {
                Ok((entry.place(table), Arc::clone(&live.stream)))
            }
            _ => Err(failure::not_live("subscribe to")),
        }
    }

    pub(super) fn default_target(&self) -> Option<Arc<str>> {
        self.spawned.values().next().cloned()
    }

    pub(super) fn sessions(&self) -> Vec<Status> {
        let status = |entry: &Entry| {
            let (stage, attachments, subscribers) = match &entry.phase {
                Phase::Restoring(group) => (Stage::Restoring, group.members.len(), 0),
                Phase::Abandoned => (Stage::Abandoned, 0, 0),
                Phase::Live(live) => (Stage::Live, live.attachments, live.stream.subscribers()),
            };
            let (session_id, action) = (entry.id.to_string(), entry.action);
            Status { session_id, action, stage, attachments, subscribers }
        };
        let mut all: Vec<_> = self.entries.values().map(status).collect();
        all.sort_by(|a, b| a.session_id.cmp(&b.session_id));
        all
    }
}

/// Channels.
impl State {
    pub(super) fn open_channel(&mut self, on_teardown: Callback) -> u64 {
        let serial = self.next();
        self.channels.insert(serial, Users { ids: BTreeSet::new(), on_teardown });
        serial
    }

    pub(super) fn is_open(&self, channel: u64) -> bool {
        self.channels.contains_key(&channel)
    }

    /// A session that it carried is gone, or failed: the last one takes the channel with it.
    fn leave(&mut self, channel: Option<u64>, id: &str, after: &mut After) {
        let Some(channel) = channel else { return };
        let Some(users) = self.channels.get_mut(&channel) else { return };
        users.ids.remove(id);
        if users.ids.is_empty()
            && let Some(users) = self.channels.remove(&channel)
        {
            after.call([users.on_teardown]);
        }
    }

    /// Its process is dead, and so are the sessions and restores that it carried.
    pub(super) fn channel_exited(&mut self, channel: u64, info: &str, after: &mut After) {
        let Some(users) = self.channels.remove(&channel) else { return };
        let why = failure::channel_closed(info).into();
        for id in users.ids {
            self.end_live(&id, EndReason::ChannelClosed, after);
            self.abandon(&id, &why, after);
        }
        after.drop(users.on_teardown);
    }

    /// Nobody has a handle of it any more: if nothing uses it, nothing ever will.
    pub(super) fn forget_channel(&mut self, channel: u64, after: &mut After) {
        if self.channels.get(&channel).is_some_and(|users| users.ids.is_empty()) {
            after.drop(self.channels.remove(&channel).map(|users| users.on_teardown));
        }
    }
}

/// Shutdown.
impl State {
    /// Whether this thread runs a restore, for the end of which it would wait.
    pub(super) fn runs_any(&self, thread: ThreadId) -> bool {
        self.entries.values().any(|entry| entry.thread == Some(thread))
    }

    pub(super) fn close(&mut self, closer: Arc<Once<()>>, after: &mut After) {
        self.closing = true;
        let mut ids: Vec<_> = self.entries.keys().cloned().collect();
        ids.sort();
        let why = failure::closing().into();
        self.closers.push(closer);
        for id in ids {
            self.end_live(&id, EndReason::DaemonShutdown, after);
            self.abandon(&id, &why, after);
        }
        if self.entries.is_empty() {
            after.closed(mem::take(&mut self.closers));
        }
    }

    /// A closer does not wait any more: gives how many restores still run.
    pub(super) fn closer_left(&mut self, closer: &Arc<Once<()>>) -> usize {
        self.closers.retain(|other| !Arc::ptr_eq(other, closer));
        self.entries.len()
    }
}
