//! The table, with all that its callers hold.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::sample::Index;
use sessionreg::restore::{
    Channel, Event, Failure, Lease, Opaque, RestoreOptions, RestoreTable, Restoring, Run, Settled,
    Share, Subscription, Waiting,
};

use super::{CAPACITY, Got, IDS, LIMIT, Told};

thread_local! {
    /// What a state looks at when it is dropped: it could not, under the table's lock.
    static LOOKED_AT: RefCell<Option<RestoreTable>> = const { RefCell::new(None) };
    static STATES: Cell<usize> = const { Cell::new(0) };
}

struct Tracked(u32);

pub(super) fn tracked(number: usize) -> Opaque {
    STATES.set(STATES.get() + 1);
    Arc::new(Tracked(u32::try_from(number).expect("a small number")))
}

fn number_of(state: &Opaque) -> u32 {
    state.downcast_ref::<Tracked>().expect("one of these").0
}

impl Drop for Tracked {
    fn drop(&mut self) {
        STATES.set(STATES.get() - 1);
        LOOKED_AT.with_borrow(|table| table.as_ref().map(RestoreTable::sessions));
    }
}

type Log = Arc<Mutex<Vec<(usize, Result<Settled, Failure>)>>>;

pub(super) struct Real {
    pub(super) table: RestoreTable,
    log: Log,
    pub(super) runs: BTreeMap<usize, Run>,
    pub(super) shares: BTreeMap<usize, Share>,
    /// Of callers who do not wait any more, or by another share.
    pub(super) former: Vec<Share>,
    pub(super) leases: Vec<(usize, usize, Lease)>,
    pub(super) subscriptions: BTreeMap<usize, Subscription>,
    pub(super) channels: BTreeMap<usize, Channel>,
    pub(super) torn_down: Arc<Mutex<Vec<usize>>>,
    pub(super) closed: Arc<AtomicUsize>,
}

pub(super) fn token<T>(result: sessionreg::Result<T>) -> Result<T, &'static str> {
    result.map_err(|error| error.code().as_str())
}

pub(super) fn pick<K: Copy + Ord, V>(map: &BTreeMap<K, V>, index: Index) -> Option<K> {
    (!map.is_empty()).then(|| *map.keys().nth(index.index(map.len())).expect("one of them"))
}

impl Real {
    pub(super) fn new() -> Self {
        let options = RestoreOptions::default().limit(LIMIT).ring_capacity(CAPACITY);
        let table = RestoreTable::new(options.timeout(Duration::MAX));
        LOOKED_AT.set(Some(table.clone()));
        STATES.set(0);
        Self {
            table,
            log: Log::default(),
            runs: BTreeMap::new(),
            shares: BTreeMap::new(),
            former: vec![],
            leases: vec![],
            subscriptions: BTreeMap::new(),
            channels: BTreeMap::new(),
            torn_down: Arc::default(),
            closed: Arc::default(),
        }
    }

    pub(super) fn wait_for(&mut self, caller: usize, run: usize, restoring: Restoring) {
        let (real, waiting) = restoring.split();
        self.runs.insert(run, real);
        self.leave_callback(caller, waiting);
    }

    pub(super) fn leave_callback(&mut self, caller: usize, waiting: Waiting) {
        let log = Arc::clone(&self.log);
        let share = waiting
            .on_settled(move |outcome| log.lock().expect("no panic").push((caller, outcome)));
        self.former.extend(self.shares.insert(caller, share));
    }

    /// What callers were told since the last time. A new owner's run gets this number.
    pub(super) fn told(&mut self, next_run: usize) -> Vec<(usize, Told)> {
        let log = std::mem::take(&mut *self.log.lock().expect("no panic"));
        log.into_iter()
            .map(|(caller, outcome)| {
                let told = match outcome {
                    Ok(Settled::Lease(lease)) => self.keep(lease),
                    Ok(Settled::Owner(restoring)) => {
                        self.wait_for(caller, next_run, restoring);
                        Told::Owner
                    }
                    Err(Failure::Error(error)) => Told::Failed(error.code().to_string()),
                    Err(Failure::Caller(failure)) => {
                        Told::Failed(format!("failure {}", number_of(&failure)))
                    }
                };
                (caller, told)
            })
            .collect()
    }

    /// Keeps a lease; what it tells is the outcome of its caller.
    pub(super) fn keep(&mut self, lease: Lease) -> Told {
        let id = IDS.iter().position(|id| *id == lease.session_id()).expect("one of the ids");
        // A life is called after the run that began it.
        let state = number_of(lease.state()) as usize;
        let told = Told::Lease { is_attached: lease.is_attached(), state };
        self.leases.push((id, state, lease));
        told
    }

    pub(super) fn read(&mut self, key: usize) -> Option<Got> {
        Some(match self.subscriptions.get_mut(&key).expect("one").try_next()? {
            Event::Published { id, data } => Got::Published(id.number(), number_of(&data)),
            Event::NewEpoch => Got::NewEpoch,
            Event::Gap { missed } => Got::Gap(missed),
            Event::Evicted => Got::Evicted,
            Event::Ended(why) => Got::Ended(why.as_str()),
            other => panic!("an event of which the model knows nothing: {other:?}"),
        })
    }

    /// Lets everything go. Gives how many states are left.
    pub(super) fn finish(self) -> usize {
        drop(self);
        LOOKED_AT.set(None);
        STATES.get()
    }
}
