//! The restore table under a scheduler that decides at every lock who goes on: thousands of orders
//! of events that a machine would hardly ever show.
//!
//! The files are those of the library; only its locks and threads are the scheduler's.

#![cfg(unix)]
#![allow(dead_code, unreachable_pub, reason = "what is used elsewhere is not used here")]

#[path = "../../core/src/error.rs"]
mod error;
#[path = "../../core/src/session_id.rs"]
mod session_id;

#[path = "../../core/src/restore"]
mod restore {
    mod after;
    pub mod channel;
    pub mod failure;
    pub mod lease;
    mod once;
    pub mod options;
    pub mod ring;
    pub mod run;
    mod signal;
    mod state;
    pub mod status;
    pub mod subscription;
    mod sync;
    pub mod table;
    pub mod waiting;

    mod primitives {
        pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard};
        pub(super) use shuttle::thread;
    }
}

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use error::ErrorCode;
use restore::channel::Channel;
use restore::failure::{Failure, Opaque};
use restore::lease::{EndReason, Lease};
use restore::options::RestoreOptions;
use restore::ring::Event;
use restore::run::Context;
use restore::status::Action;
use restore::table::{Begun, RestoreTable};
use restore::waiting::{Settled, Share};
use shuttle::thread;

/// How many orders of events each test tries.
const ORDERS: usize = 2_000;

fn explore(test: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(test, ORDERS);
    // Few changes of thread, at the places where they hurt most.
    shuttle::check_pct(test, ORDERS, 3);
}

fn table() -> RestoreTable {
    RestoreTable::new(RestoreOptions::default().timeout(Duration::MAX))
}

fn cwd() -> &'static Path {
    Path::new(if cfg!(windows) { r"C:\srv" } else { "/srv" })
}

fn state() -> Opaque {
    Arc::new(())
}

fn begin(table: &RestoreTable) -> Begun {
    table.begin(Action::Load, "x", cwd()).expect("a place in the table")
}

fn restore(
    table: &RestoreTable,
    function: impl FnOnce(&Context) -> Result<Opaque, Failure>,
) -> Result<Lease, Failure> {
    table.restore(Action::Load, "x", cwd(), function)
}

#[test]
fn whoever_leaves_and_whenever_the_rest_share_one_restore() {
    explore(|| {
        let table = table();
        let running = Arc::new(AtomicUsize::new(0));
        let run = |running: &AtomicUsize| {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "a second run");
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
        };
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (table, running) = (table.clone(), Arc::clone(&running));
                thread::spawn(move || match table.begin(Action::Load, "x", cwd()) {
                    // The second and third leave as soon as they can: as a caller, or altogether.
                    Ok(Begun::Owner(restoring)) if number == 1 => {
                        let (work, caller) = restoring.split();
                        drop(caller);
                        run(&running);
                        work.complete(Ok(state()));
                    }
                    Ok(Begun::Owner(restoring)) if number == 2 => drop(restoring),
                    Ok(Begun::Sharer(waiting)) if number == 1 => drop(waiting),
                    Ok(Begun::Sharer(waiting)) => match waiting.wait() {
                        Ok(Settled::Owner(restoring)) => {
                            let lease = restoring.run(|_| {
                                run(&running);
                                Ok(state())
                            });
                            drop(lease.expect("he has stayed"));
                        }
                        Ok(Settled::Lease(lease)) => drop(lease),
                        Err(failure) => assert_eq!(failure.code(), Some(ErrorCode::NotFound)),
                    },
                    Ok(Begun::Owner(restoring)) => {
                        let lease = restoring.run(|_| {
                            run(&running);
                            Ok(state())
                        });
                        drop(lease.expect("he has stayed"));
                    }
                    Ok(Begun::Attached(lease)) => drop(lease),
                    Err(error) => assert_eq!(error.code(), ErrorCode::RestoreInProgress),
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert!(table.sessions().is_empty(), "{:?}", table.sessions());
    });
}

#[test]
fn one_of_a_group_is_not_attached_and_every_share_is_counted() {
    explore(|| {
        let table = table();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let table = table.clone();
                thread::spawn(move || restore(&table, |_| Ok(state())).expect("a session"))
            })
            .collect();
        let leases: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(leases.iter().filter(|lease| !lease.is_attached()).count(), 1);
        assert_eq!(table.sessions()[0].attachments, 3);
        assert_eq!(leases.iter().filter(|lease| lease.release()).count(), 1);
    });
}

/// The callback is called, or the caller has left; and not both, and not neither.
#[test]
fn a_callback_is_neither_lost_nor_called_for_one_who_left() {
    explore(|| {
        let table = table();
        let Begun::Owner(restoring) = begin(&table) else { panic!("the first is the owner") };
        let Begun::Sharer(waiting) = begin(&table) else { panic!("the second shares") };
        let (work, caller) = restoring.split();
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let leaver = thread::spawn(move || {
            let share = waiting.on_settled(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            });
            usize::from(share.cancel())
        });
        let worker = thread::spawn(move || work.complete(Ok(state())));
        let closer = thread::spawn({
            let table = table.clone();
            move || table.close(Duration::MAX).expect("every run has ended")
        });
        let left = leaver.join().expect("no panic");
        worker.join().expect("no panic");
        closer.join().expect("no panic");
        assert_eq!(told.load(Ordering::SeqCst) + left, 1);
        drop(caller.wait());
        assert!(table.sessions().is_empty());
    });
}

#[test]
fn a_channel_is_torn_down_once_and_never_under_a_restore() {
    explore(|| {
        let table = table();
        let torn_down = Arc::new(AtomicUsize::new(0));
        let channel = {
            let torn_down = Arc::clone(&torn_down);
            table.channel(move || {
                torn_down.fetch_add(1, Ordering::SeqCst);
            })
        };
        let restore_on = |id: &'static str, channel: Channel| {
            let (table, torn_down) = (table.clone(), Arc::clone(&torn_down));
            thread::spawn(move || {
                let lease = table.restore(Action::Load, id, cwd(), |context| {
                    context.carried_by(&channel)?;
                    thread::yield_now();
                    assert_eq!(torn_down.load(Ordering::SeqCst), 0, "a restore is pending on it");
                    if id == "y" { Err(failed()) } else { Ok(state()) }
                });
                match lease {
                    Ok(lease) => assert!(lease.release()),
                    Err(failure) if id == "y" && failure.code() == Some(ErrorCode::Io) => {}
                    // The others were through with it before.
                    Err(failure) => assert_eq!(failure.code(), Some(ErrorCode::Closed)),
                }
            })
        };
        let threads = ["x", "y", "z"].map(|id| restore_on(id, channel.clone()));
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert_eq!(torn_down.load(Ordering::SeqCst), 1);
        assert!(!channel.is_open());
    });
}

fn failed() -> Failure {
    Failure::coded(ErrorCode::Io, "on purpose")
}

#[test]
fn the_death_of_a_channel_reaches_its_session_however_far_that_is() {
    explore(|| {
        let table = table();
        let channel = table.channel(|| panic!("it is dead"));
        let Begun::Owner(restoring) = begin(&table) else { panic!("the first is the owner") };
        let (work, caller) = restoring.split();
        work.context().carried_by(&channel).expect("an open channel");
        let worker = thread::spawn(move || work.complete(Ok(state())));
        let killer = thread::spawn(move || channel.exited("killed"));
        match caller.wait() {
            Ok(Settled::Lease(lease)) => {
                killer.join().expect("no panic");
                assert_eq!(lease.ended(), Some(EndReason::ChannelClosed));
            }
            Ok(Settled::Owner(_)) => panic!("its run has not left"),
            Err(failure) => assert_eq!(failure.code(), Some(ErrorCode::Closed)),
        }
        worker.join().expect("no panic");
        assert!(table.sessions().is_empty());
    });
}

#[test]
fn an_end_for_the_unattached_never_takes_a_session_from_anybody() {
    explore(|| {
        let table = table();
        let first = restore(&table, |_| Ok(state())).expect("a session");
        let ender = thread::spawn({
            let table = table.clone();
            move || table.end_if_unattached("x").unwrap_or(true)
        });
        let attacher = thread::spawn({
            let table = table.clone();
            move || {
                let lease = restore(&table, |_| Ok(state())).expect("a session");
                assert_eq!(lease.ended(), None, "he is attached to it");
                lease.release();
            }
        });
        first.release();
        ender.join().expect("no panic");
        attacher.join().expect("no panic");
        assert!(table.sessions().is_empty());
    });
}

#[test]
fn a_subscriber_gets_all_events_and_the_end_and_waits_for_neither_in_vain() {
    explore(|| {
        let table = table();
        let lease = restore(&table, |_| Ok(state())).expect("a session");
        let mut subscription = table.subscribe("x", None).expect("a subscriber");
        let publisher = thread::spawn({
            let table = table.clone();
            move || {
                for _ in 0..3 {
                    table.publish("x", state()).expect("it is live");
                }
                table.end("x").expect("it is live");
            }
        });
        let mut kinds = vec![];
        while let Some(event) = subscription.next(Duration::MAX) {
            if let Event::Published { id, .. } = &event {
                assert_eq!(id.number(), kinds.len() as u64 + 1);
            }
            kinds.push(event.kind());
        }
        assert_eq!(kinds, ["published", "published", "published", "ended"]);
        publisher.join().expect("no panic");
        drop(lease);
    });
}

#[test]
fn what_is_unwanted_ends_with_whoever_leaves_it_last() {
    explore(|| {
        let table = table();
        let lease = restore(&table, |_| Ok(state())).expect("a session");
        let subscription = table.subscribe("x", None).expect("a subscriber");
        assert!(!table.end_if_unattached("x").expect("it is live"));
        let reader = thread::spawn(move || drop(subscription));
        lease.release();
        reader.join().expect("no panic");
        assert!(table.sessions().is_empty());
    });
}

/// Its time is over while it ends well, and while its owner leaves it to the next.
#[test]
fn whatever_comes_first_everybody_is_told_once() {
    for is_left in [false, true] {
        explore(move || {
            let table = table();
            let Begun::Owner(restoring) = begin(&table) else { panic!("the first is the owner") };
            let told = Arc::new(AtomicUsize::new(0));
            let shares: Vec<_> = (0..2)
                .map(|_| {
                    let Begun::Sharer(waiting) = begin(&table) else { panic!("the rest share") };
                    let told = Arc::clone(&told);
                    waiting.on_settled(move |outcome| {
                        told.fetch_add(1, Ordering::SeqCst);
                        drop(outcome);
                    })
                })
                .collect();
            let (work, caller) = restoring.split();
            let timer = thread::spawn(move || shares.iter().for_each(Share::time_out));
            let worker = thread::spawn(move || {
                if is_left {
                    drop(caller);
                    drop(work);
                } else {
                    work.complete(Ok(state()));
                    drop(caller);
                }
            });
            timer.join().expect("no panic");
            worker.join().expect("no panic");
            assert_eq!(told.load(Ordering::SeqCst), 2);
            assert!(table.sessions().is_empty(), "{:?}", table.sessions());
        });
    }
}
