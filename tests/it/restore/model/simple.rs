//! The model: one list after the other, and no thread.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sessionreg::restore::Action;

use super::{CAPACITY, Got, IDS, LIMIT, Since, Told};

const MAX_QUEUED: usize = 256;
const MAX_SUBSCRIBERS: usize = 64;

#[derive(Debug)]
pub(super) enum Life {
    Absent,
    Restoring {
        action: Action,
        callers: Vec<usize>,
        run: usize,
        events: Vec<u32>,
    },
    Abandoned {
        action: Action,
    },
    Live {
        action: Action,
        life: usize,
        state: usize,
        leases: usize,
        unwanted: bool,
        events: Vec<u32>,
    },
}

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) id: usize,
    pub(super) life: usize,
    queue: VecDeque<Got>,
    /// How many at the end of the queue were not there when it subscribed.
    live: usize,
    is_subscriber: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) lives: [Life; IDS.len()],
    /// Runs that have not ended: number → id.
    pub(super) runs: BTreeMap<usize, usize>,
    pub(super) readers: BTreeMap<usize, Reader>,
    /// Channels that can be used, and the ids that use them.
    pub(super) channels: BTreeMap<usize, BTreeSet<usize>>,
    pub(super) torn_down: Vec<usize>,
    pub(super) spawned: Vec<usize>,
    pub(super) told: Vec<(usize, Told)>,
    closers: usize,
    pub(super) closed: usize,
    is_closing: bool,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            lives: [const { Life::Absent }; IDS.len()],
            runs: BTreeMap::new(),
            readers: BTreeMap::new(),
            channels: BTreeMap::new(),
            torn_down: vec![],
            spawned: vec![],
            told: vec![],
            closers: 0,
            closed: 0,
            is_closing: false,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.lives.iter().filter(|life| !matches!(life, Life::Absent)).count()
    }

    /// What a new caller is told at once; nothing, if he waits.
    pub(super) fn begin(
        &mut self,
        action: Action,
        id: usize,
        number: usize,
    ) -> Result<Option<Told>, &'static str> {
        if self.is_closing {
            return Err("CLOSING");
        }
        let count = self.count();
        match &mut self.lives[id] {
            Life::Live { leases, state, .. } => {
                *leases += 1;
                Ok(Some(Told::Lease { is_attached: true, state: *state }))
            }
            Life::Restoring { action: active, callers, .. } if *active == action => {
                callers.push(number);
                Ok(None)
            }
            Life::Restoring { .. } | Life::Abandoned { .. } => Err("RESTORE_IN_PROGRESS"),
            Life::Absent if count >= LIMIT => Err("SESSION_LIMIT"),
            life @ Life::Absent => {
                *life =
                    Life::Restoring { action, callers: vec![number], run: number, events: vec![] };
                self.runs.insert(number, id);
                Ok(Some(Told::Owner))
            }
        }
    }

    pub(super) fn complete(&mut self, run: usize, well: bool) {
        let id = self.runs.remove(&run).expect("a run");
        match std::mem::replace(&mut self.lives[id], Life::Absent) {
            Life::Restoring { action, callers, events, .. } if well => {
                for (index, caller) in callers.iter().enumerate() {
                    self.told.push((*caller, Told::Lease { is_attached: index > 0, state: run }));
                }
                let leases = callers.len();
                self.lives[id] =
                    Life::Live { action, life: run, state: run, leases, unwanted: false, events };
                if action == Action::Spawn {
                    self.spawned.push(id);
                }
            }
            Life::Restoring { callers, .. } => {
                self.tell(callers, &format!("failure {run}"));
                self.leave(id);
            }
            _ => {}
        }
        self.look_closed();
    }

    pub(super) fn drop_run(&mut self, run: usize, next_run: usize) {
        let id = self.runs.remove(&run).expect("a run");
        let mut left = false;
        match &mut self.lives[id] {
            Life::Restoring { callers, run, events, .. } => {
                self.told.push((callers[0], Told::Owner));
                self.runs.insert(next_run, id);
                *run = next_run;
                events.clear();
                left = true;
            }
            life => *life = Life::Absent,
        }
        if left {
            self.leave(id);
        }
        self.look_closed();
    }

    pub(super) fn tell(&mut self, callers: Vec<usize>, what: &str) {
        self.told.extend(callers.into_iter().map(|caller| (caller, Told::Failed(what.to_owned()))));
    }

    pub(super) fn abandon(&mut self, id: usize, what: &str) {
        if let Life::Restoring { action, callers, .. } = &mut self.lives[id] {
            let (action, callers) = (*action, std::mem::take(callers));
            self.lives[id] = Life::Abandoned { action };
            self.tell(callers, what);
            self.leave(id);
        }
    }

    /// Whether he had not been told yet.
    pub(super) fn cancel(&mut self, caller: usize) -> bool {
        for id in 0..IDS.len() {
            if let Life::Restoring { callers, .. } = &mut self.lives[id]
                && let Some(place) = callers.iter().position(|other| *other == caller)
            {
                callers.remove(place);
                if callers.is_empty() {
                    self.abandon(id, "nobody hears this");
                }
                return true;
            }
        }
        false
    }

    pub(super) fn time_out(&mut self, caller: usize) {
        let waits = |life: &Life| matches!(life, Life::Restoring { callers, .. } if callers.contains(&caller));
        if let Some(id) = self.lives.iter().position(waits) {
            self.abandon(id, "TIMEOUT");
        }
    }

    pub(super) fn subscribers(&self, id: usize) -> usize {
        let Life::Live { life, .. } = self.lives[id] else { return 0 };
        self.readers.values().filter(|one| one.is_subscriber && one.life == life).count()
    }

    pub(super) fn release(&mut self, id: usize, of: usize) -> bool {
        let subscribers = self.subscribers(id);
        let Life::Live { life, leases, unwanted, .. } = &mut self.lives[id] else { return false };
        if *life != of {
            return false;
        }
        *leases -= 1;
        let (is_last, unwanted) = (*leases == 0 && subscribers == 0, *unwanted);
        if is_last {
            self.end(id, if unwanted { "ended" } else { "released" });
        }
        is_last
    }

    pub(super) fn look_idle(&mut self, id: usize) {
        let subscribers = self.subscribers(id);
        if subscribers == 0
            && matches!(self.lives[id], Life::Live { leases: 0, unwanted: true, .. })
        {
            self.end(id, "ended");
        }
    }

    pub(super) fn end(&mut self, id: usize, why: &'static str) {
        let Life::Live { life, .. } = std::mem::replace(&mut self.lives[id], Life::Absent) else {
            panic!("it is live");
        };
        for reader in self.readers.values_mut().filter(|one| one.life == life && one.is_subscriber)
        {
            reader.queue.push_back(Got::Ended(why));
            reader.is_subscriber = false;
        }
        self.spawned.retain(|spawned| *spawned != id);
        self.leave(id);
        self.look_closed();
    }

    pub(super) fn end_if_unattached(&mut self, id: usize) -> bool {
        let Life::Live { leases, unwanted, .. } = &mut self.lives[id] else { return false };
        *unwanted = true;
        let is_unattached = *leases == 0;
        if is_unattached {
            self.end(id, "ended");
        }
        is_unattached
    }

    pub(super) fn unsubscribe(&mut self, key: usize) {
        let reader = self.readers.remove(&key).expect("a reader");
        let is_there =
            |life: &Life| matches!(life, Life::Live { life, .. } if *life == reader.life);
        if is_there(&self.lives[reader.id]) {
            self.look_idle(reader.id);
        }
    }

    pub(super) fn refusal_to_end(&self, id: usize) -> Option<&'static str> {
        match self.lives[id] {
            Life::Live { .. } => None,
            Life::Absent => Some("NOT_FOUND"),
            Life::Restoring { .. } | Life::Abandoned { .. } => Some("RESTORE_IN_PROGRESS"),
        }
    }

    pub(super) fn publish(&mut self, id: usize, data: u32) -> Result<Option<u64>, &'static str> {
        let (events, life) = match &mut self.lives[id] {
            Life::Restoring { action: Action::Resume, .. } => return Ok(None),
            Life::Restoring { events, .. } => (events, None),
            Life::Live { events, life, .. } => (events, Some(*life)),
            _ => return Err("NOT_FOUND"),
        };
        events.push(data);
        let number = events.len() as u64;
        for reader in
            self.readers.values_mut().filter(|one| Some(one.life) == life && one.is_subscriber)
        {
            if reader.live == MAX_QUEUED {
                reader.queue.push_back(Got::Evicted);
                reader.is_subscriber = false;
            } else {
                reader.queue.push_back(Got::Published(number, data));
                reader.live += 1;
            }
        }
        self.look_idle(id);
        Ok(Some(number))
    }

    pub(super) fn subscribe(
        &mut self,
        id: usize,
        since: Since,
        key: usize,
    ) -> Result<(), &'static str> {
        if self.subscribers(id) >= MAX_SUBSCRIBERS {
            return Err("SUBSCRIBER_LIMIT");
        }
        let Life::Live { life, events, .. } = &self.lives[id] else { return Err("NOT_FOUND") };
        let mut queue = VecDeque::new();
        let seen = match since {
            Since::Now => None,
            Since::Number(number) if number <= events.len() as u64 => Some(number),
            _ => {
                queue.push_back(Got::NewEpoch);
                Some(0)
            }
        };
        let numbered: Vec<_> = (1..).zip(events.iter().copied()).collect();
        let kept = &numbered[numbered.len().saturating_sub(CAPACITY)..];
        if let Some(seen) = seen {
            let first_kept = kept.first().map_or(1, |(number, _)| *number);
            if seen + 1 < first_kept {
                queue.push_back(Got::Gap(first_kept - seen - 1));
            }
            queue.extend(
                kept.iter()
                    .filter(|(number, _)| *number > seen)
                    .map(|(number, data)| Got::Published(*number, *data)),
            );
        }
        self.readers.insert(key, Reader { id, life: *life, queue, live: 0, is_subscriber: true });
        Ok(())
    }

    pub(super) fn read(&mut self, key: usize) -> Option<Got> {
        let reader = self.readers.get_mut(&key).expect("a reader");
        let got = reader.queue.pop_front()?;
        let published = reader.queue.iter().filter(|got| matches!(got, Got::Published(..))).count();
        reader.live = reader.live.min(published);
        Some(got)
    }

    pub(super) fn carry(&mut self, run: usize, channel: usize) -> Result<(), &'static str> {
        if !self.channels.contains_key(&channel) {
            return Err("CLOSED");
        }
        let id = self.runs[&run];
        if !matches!(self.lives[id], Life::Restoring { .. }) {
            return Err("CANCELLED");
        }
        if !self.channels[&channel].contains(&id) {
            self.leave(id);
            self.channels.get_mut(&channel).expect("it is open").insert(id);
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, id: usize) {
        let of = self.channels.iter().find(|(_, users)| users.contains(&id)).map(|(key, _)| *key);
        if let Some(channel) = of {
            let users = self.channels.get_mut(&channel).expect("it is open");
            users.remove(&id);
            if users.is_empty() {
                self.channels.remove(&channel);
                self.torn_down.push(channel);
            }
        }
    }

    pub(super) fn exit(&mut self, channel: usize) {
        for id in self.channels.remove(&channel).unwrap_or_default() {
            match self.lives[id] {
                Life::Live { .. } => self.end(id, "channel_closed"),
                _ => self.abandon(id, "CLOSED"),
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closing = true;
        self.closers += 1;
        for id in 0..IDS.len() {
            match self.lives[id] {
                Life::Live { .. } => self.end(id, "daemon_shutdown"),
                _ => self.abandon(id, "CLOSING"),
            }
        }
        self.look_closed();
    }

    pub(super) fn look_closed(&mut self) {
        if self.is_closing && self.count() == 0 {
            self.closed += std::mem::take(&mut self.closers);
        }
    }
}
