//! Random histories of a table, against a model that is too simple to be wrong.

mod real;
mod simple;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::sample::Index;
use sessionreg::restore::{Action, Begun, Failure, Stage};

use super::cwd;
use real::{Real, pick, token, tracked};
use simple::{Life, Model};

const IDS: [&str; 4] = ["a", "b", "c", "d"];
const LIMIT: usize = 3;
const CAPACITY: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Begin(Action, usize),
    Complete(Index, bool),
    DropRun(Index),
    Cancel(Index),
    TimeOut(Index),
    Release(Index),
    DropLease(Index),
    End(usize),
    EndIfUnattached(usize),
    Publish(usize, u32),
    Subscribe(usize, Since),
    Read(Index),
    Unsubscribe(Index),
    OpenChannel,
    Carry(Index, Index),
    Exit(Index),
    Close,
}

/// From where on a subscriber wants events.
#[derive(Clone, Copy, Debug)]
enum Since {
    Now,
    Number(u64),
    OtherEpoch,
}

fn step() -> impl Strategy<Value = Step> {
    let action = prop_oneof![Just(Action::Load), Just(Action::Resume), Just(Action::Spawn)];
    let id = 0..IDS.len();
    let index = any::<Index>;
    let since =
        prop_oneof![Just(Since::Now), (0..12_u64).prop_map(Since::Number), Just(Since::OtherEpoch)];
    let step = prop_oneof![
        24 => (action, id.clone()).prop_map(|(action, id)| Step::Begin(action, id)),
        8 => (index(), any::<bool>()).prop_map(|(run, well)| Step::Complete(run, well)),
        2 => index().prop_map(Step::DropRun),
        4 => index().prop_map(Step::Cancel),
        1 => index().prop_map(Step::TimeOut),
        8 => index().prop_map(Step::Release),
        2 => index().prop_map(Step::DropLease),
        2 => id.clone().prop_map(Step::End),
        4 => id.clone().prop_map(Step::EndIfUnattached),
        8 => (id.clone(), prop_oneof![30 => 1..4_u32, 1 => 250..300_u32])
            .prop_map(|(id, count)| Step::Publish(id, count)),
        8 => (id, since).prop_map(|(id, since)| Step::Subscribe(id, since)),
        8 => index().prop_map(Step::Read),
        4 => index().prop_map(Step::Unsubscribe),
        3 => Just(Step::OpenChannel),
        6 => (index(), index()).prop_map(|(run, channel)| Step::Carry(run, channel)),
        1 => index().prop_map(Step::Exit),
    ];
    // Hardly anything happens after it.
    prop_oneof![300 => step, 1 => Just(Step::Close)]
}

/// What a caller was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Lease { is_attached: bool, state: usize },
    Owner,
    Failed(String),
}

/// What a subscriber got.
#[derive(Clone, Debug, PartialEq)]
enum Got {
    Published(u64, u32),
    NewEpoch,
    Gap(u64),
    Evicted,
    Ended(&'static str),
}

type Tried = Result<(), TestCaseError>;

/// The model and the table, to which the same happens.
struct Both {
    model: Model,
    real: Real,
    /// The number of the step: callers, runs, subscribers and channels are called after it.
    number: usize,
}

impl Both {
    fn step(&mut self, step: &Step) -> Tried {
        self.number += 1;
        match *step {
            Step::Begin(action, id) => self.begin(action, id),
            Step::Complete(run, well) => {
                if let Some(run) = pick(&self.real.runs, run) {
                    self.complete(run, well);
                }
                Ok(())
            }
            Step::DropRun(run) => {
                if let Some(run) = pick(&self.real.runs, run) {
                    self.real.runs.remove(&run);
                    self.model.drop_run(run, self.number);
                }
                Ok(())
            }
            Step::Cancel(caller) => self.cancel(caller),
            Step::TimeOut(caller) => {
                // One that has been told already must not time anything out.
                for share in &self.real.former {
                    share.time_out();
                }
                if let Some(caller) = pick(&self.real.shares, caller) {
                    self.real.shares[&caller].time_out();
                    self.model.time_out(caller);
                }
                Ok(())
            }
            Step::Release(lease) => self.release(lease, true),
            Step::DropLease(lease) => self.release(lease, false),
            Step::End(id) => self.end(id),
            Step::EndIfUnattached(id) => self.end_if_unattached(id),
            Step::Publish(id, count) => self.publish(id, count),
            Step::Subscribe(id, since) => self.subscribe(id, since),
            Step::Read(subscriber) => self.read(subscriber),
            Step::Unsubscribe(subscriber) => {
                if let Some(key) = pick(&self.real.subscriptions, subscriber) {
                    self.real.subscriptions.remove(&key);
                    self.model.unsubscribe(key);
                }
                Ok(())
            }
            Step::OpenChannel => {
                let (number, torn_down) = (self.number, Arc::clone(&self.real.torn_down));
                let on_teardown = move || torn_down.lock().expect("no panic").push(number);
                self.real.channels.insert(number, self.real.table.channel(on_teardown));
                self.model.channels.insert(number, BTreeSet::new());
                Ok(())
            }
            Step::Carry(run, channel) => self.carry(run, channel),
            Step::Exit(channel) => {
                if let Some(channel) = pick(&self.real.channels, channel) {
                    self.real.channels[&channel].exited("killed");
                    self.model.exit(channel);
                }
                Ok(())
            }
            Step::Close => {
                let closed = Arc::clone(&self.real.closed);
                self.real.table.begin_close().on_settled(move || {
                    closed.fetch_add(1, Ordering::Relaxed);
                });
                self.model.close();
                Ok(())
            }
        }?;
        self.compare()
    }

    fn begin(&mut self, action: Action, id: usize) -> Tried {
        let Self { model, real, number } = self;
        let expected = model.begin(action, id, *number);
        let told = match token(real.table.begin(action, IDS[id], cwd())) {
            Ok(Begun::Attached(lease)) => Ok(Some(real.keep(lease))),
            Ok(Begun::Owner(restoring)) => {
                real.wait_for(*number, *number, restoring);
                Ok(Some(Told::Owner))
            }
            Ok(Begun::Sharer(waiting)) => {
                real.leave_callback(*number, waiting);
                Ok(None)
            }
            Err(token) => Err(token),
        };
        prop_assert_eq!(told, expected);
        Ok(())
    }

    fn complete(&mut self, run: usize, well: bool) {
        let result = if well { Ok(tracked(run)) } else { Err(Failure::Caller(tracked(run))) };
        self.real.runs.remove(&run).expect("one of them").complete(result);
        self.model.complete(run, well);
    }

    fn cancel(&mut self, caller: Index) -> Tried {
        let Some(caller) = pick(&self.real.shares, caller) else { return Ok(()) };
        let share = self.real.shares.remove(&caller).expect("one of them");
        prop_assert_eq!(share.cancel(), self.model.cancel(caller));
        Ok(())
    }

    fn release(&mut self, index: Index, explicitly: bool) -> Tried {
        let leases = &mut self.real.leases;
        if leases.is_empty() {
            return Ok(());
        }
        let (id, life, lease) = leases.swap_remove(index.index(leases.len()));
        let expected = self.model.release(id, life);
        if explicitly {
            prop_assert_eq!(lease.release(), expected);
            prop_assert!(!lease.release(), "a share is given back once");
        }
        Ok(())
    }

    fn end(&mut self, id: usize) -> Tried {
        let refusal = self.model.refusal_to_end(id);
        prop_assert_eq!(token(self.real.table.end(IDS[id])).err(), refusal);
        if refusal.is_none() {
            self.model.end(id, "ended");
        }
        Ok(())
    }

    fn end_if_unattached(&mut self, id: usize) -> Tried {
        let expected = match self.model.refusal_to_end(id) {
            Some(token) => Err(token),
            None => Ok(self.model.end_if_unattached(id)),
        };
        prop_assert_eq!(token(self.real.table.end_if_unattached(IDS[id])), expected);
        Ok(())
    }

    fn publish(&mut self, id: usize, count: u32) -> Tried {
        for data in 0..count {
            let published = self.real.table.publish(IDS[id], tracked(data as usize));
            let number = token(published).map(|event| event.map(|event| event.number()));
            prop_assert_eq!(number, self.model.publish(id, data));
        }
        Ok(())
    }

    fn subscribe(&mut self, id: usize, since: Since) -> Tried {
        let text = match since {
            Since::Now => None,
            Since::Number(number) => Some(number.to_string()),
            Since::OtherEpoch => Some("0-0".to_owned()),
        };
        let subscription = token(self.real.table.subscribe(IDS[id], text.as_deref()));
        let expected = self.model.subscribe(id, since, self.number);
        prop_assert_eq!(subscription.as_ref().err(), expected.as_ref().err());
        let number = self.number;
        self.real.subscriptions.extend(subscription.ok().map(|one| (number, one)));
        Ok(())
    }

    /// All that is there: what is missing would come to light much later.
    fn read(&mut self, subscriber: Index) -> Tried {
        let Some(key) = pick(&self.real.subscriptions, subscriber) else { return Ok(()) };
        loop {
            let got = self.real.read(key);
            prop_assert_eq!(&got, &self.model.read(key));
            if got.is_none() {
                return Ok(());
            }
        }
    }

    fn carry(&mut self, run: Index, channel: Index) -> Tried {
        let Some(run) = pick(&self.real.runs, run) else { return Ok(()) };
        let Some(channel) = pick(&self.real.channels, channel) else { return Ok(()) };
        let carried = self.real.runs[&run].context().carried_by(&self.real.channels[&channel]);
        prop_assert_eq!(token(carried), self.model.carry(run, channel));
        Ok(())
    }

    fn compare(&mut self) -> Tried {
        let Self { model, real, number } = self;
        let mut expected = std::mem::take(&mut model.told);
        let mut told = real.told(*number);
        expected.sort();
        told.sort();
        prop_assert_eq!(told, expected);

        let sessions =
            real.table.sessions().into_iter().map(|one| {
                (one.session_id, one.action, one.stage, one.attachments, one.subscribers)
            });
        let expected = IDS.iter().enumerate().filter_map(|(id, name)| {
            let (action, stage, attachments) = match &model.lives[id] {
                Life::Absent => return None,
                Life::Restoring { action, callers, .. } => {
                    (*action, Stage::Restoring, callers.len())
                }
                Life::Abandoned { action } => (*action, Stage::Abandoned, 0),
                Life::Live { action, leases, .. } => (*action, Stage::Live, *leases),
            };
            Some(((*name).to_owned(), action, stage, attachments, model.subscribers(id)))
        });
        prop_assert_eq!(sessions.collect::<Vec<_>>(), expected.collect::<Vec<_>>());

        let target = model.spawned.first().map(|id| IDS[*id].to_owned());
        prop_assert_eq!(real.table.default_target(), target);
        prop_assert_eq!(real.closed.load(Ordering::Relaxed), model.closed);
        prop_assert_eq!(&*real.torn_down.lock().expect("no panic"), &model.torn_down);
        for (key, channel) in &real.channels {
            prop_assert_eq!(channel.is_open(), model.channels.contains_key(key));
        }
        prop_assert!(real.runs.keys().eq(model.runs.keys()));
        for (run, id) in &model.runs {
            let is_cancelled = real.runs[run].context().cancelled().is_some();
            prop_assert_eq!(is_cancelled, matches!(model.lives[*id], Life::Abandoned { .. }));
        }
        Ok(())
    }

    /// Whatever is still under way comes to its end, and nothing is left.
    fn finish(mut self) -> Tried {
        self.step(&Step::Close)?;
        while let Some(run) = self.model.runs.keys().next().copied() {
            self.complete(run, true);
            self.compare()?;
        }
        prop_assert!(self.real.table.sessions().is_empty());
        prop_assert_eq!(self.real.finish(), 0, "a state leaked");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: u32::try_from(crate::rounds(200, 1_000)).expect("a number"),
        // A history that is half as short tells as much, and soon.
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_is_that_of_the_model(steps in proptest::collection::vec(step(), 110..160)) {
        let mut both = Both { model: Model::new(), real: Real::new(), number: 0 };
        for step in &steps {
            both.step(step)?;
        }
        both.finish()?;
    }
}
