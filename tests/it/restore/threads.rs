//! Many threads on one table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use sessionreg::ErrorCode;
use sessionreg::restore::{
    Action, Failure, Lease, RestoreOptions, RestoreTable, Run, Settled, Waiting,
};

use super::{begin, code_of, cwd, number_of, owner, sharer, state, table};

const THREADS: usize = 64;

fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Looks first and acts then, as one does without a table.
#[derive(Default)]
struct Naive(Mutex<HashMap<String, u32>>);

impl Naive {
    fn restore(&self, id: &str, function: impl FnOnce() -> u32) -> u32 {
        let known = self.0.lock().expect("no panic").get(id).copied();
        known.unwrap_or_else(|| {
            let state = function();
            self.0.lock().expect("no panic").insert(id.to_owned(), state);
            state
        })
    }
}

#[test]
fn of_a_thousand_requests_one_restores_and_all_get_the_same() {
    let calls = AtomicU32::new(0);
    let slow = || {
        thread::sleep(Duration::from_millis(20));
        calls.fetch_add(1, Ordering::Relaxed) + 1
    };
    let table = table();
    let leases: Vec<Lease> = at_once(1_000, |_| {
        table.restore(Action::Load, "x", cwd(), |_| Ok(state(slow()))).expect("a session")
    });
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(leases.iter().filter(|lease| !lease.is_attached()).count(), 1);
    assert!(leases.iter().all(|lease| number_of(lease.state()) == 1));
    let released: Vec<_> = at_once(leases.len(), |number| leases[number].release());
    assert_eq!(released.iter().filter(|ended| **ended).count(), 1, "the last one ends it");
    assert!(table.sessions().is_empty());

    calls.store(0, Ordering::Relaxed);
    let naive = Naive::default();
    at_once(THREADS, |_| naive.restore("x", slow));
    assert!(calls.load(Ordering::Relaxed) > 1, "the naive way restores several times");
}

/// Threads that begin, share, leave, fail, hand over, release and end as they like.
#[test]
fn whatever_threads_do_one_restore_runs_and_nothing_is_left_over() {
    const IDS: usize = 4;
    const LIMIT: usize = 3;
    let table = RestoreTable::new(RestoreOptions::default().limit(LIMIT));
    let running: [AtomicUsize; IDS] = Default::default();
    let torn_down = Arc::new(AtomicU32::new(0));
    let opened = AtomicU32::new(0);
    let violations = AtomicU32::new(0);
    let states = Arc::new(());
    at_once(THREADS, |thread| {
        let mut random = numbers_of(thread);
        for _ in 0..200 {
            let number = random() % IDS;
            let id = format!("s{number}");
            let action = if random().is_multiple_of(4) { Action::Resume } else { Action::Load };
            let fate = random() % 8;
            let mut function = |context: &sessionreg::restore::Context| {
                // A panic in here would be an outcome like any other.
                let is_second = running[number].fetch_add(1, Ordering::SeqCst) != 0;
                violations.fetch_add(u32::from(is_second), Ordering::SeqCst);
                if random().is_multiple_of(2) {
                    let torn_down = Arc::clone(&torn_down);
                    let channel = table.channel(move || {
                        torn_down.fetch_add(1, Ordering::SeqCst);
                    });
                    // It fails if the last caller has left meanwhile.
                    let carried = context.carried_by(&channel);
                    opened.fetch_add(u32::from(carried.is_ok()), Ordering::SeqCst);
                }
                if random().is_multiple_of(4) {
                    thread::sleep(Duration::from_micros(50));
                }
                let is_over_limit = table.sessions().len() > LIMIT;
                violations.fetch_add(u32::from(is_over_limit), Ordering::SeqCst);
                running[number].fetch_sub(1, Ordering::SeqCst);
                match fate {
                    0 => Err(Failure::coded(ErrorCode::NotFound, "on purpose")),
                    1 => std::panic::resume_unwind(Box::new("on purpose")),
                    _ => Ok(Arc::new(Arc::clone(&states)) as sessionreg::restore::Opaque),
                }
            };
            let begun = begin(&table, action, &id);
            let restoring = match begun {
                Ok(sessionreg::restore::Begun::Attached(lease)) => {
                    drop(table.publish(&id, state(1)));
                    drop(lease);
                    continue;
                }
                Ok(sessionreg::restore::Begun::Sharer(waiting)) => {
                    match waiting.wait_for(Duration::from_micros(20 * fate as u64)) {
                        Ok(Ok(Settled::Owner(restoring))) => restoring,
                        Ok(Ok(Settled::Lease(_lease))) => {
                            drop(table.end_if_unattached(&id));
                            continue;
                        }
                        // It failed, or he has waited for long enough.
                        Ok(Err(_)) | Err(_) => continue,
                    }
                }
                Ok(sessionreg::restore::Begun::Owner(restoring)) => restoring,
                Err(_) => continue,
            };
            match fate {
                // He has it run without waiting for it, or leaves it to others.
                2 => {
                    let (run, waiting): (Run, Waiting) = restoring.split();
                    drop(waiting);
                    let result = function(&run.context());
                    run.complete(result);
                }
                3 => drop(restoring),
                4 => drop(restoring.run(function).map(|_| table.end(&id))),
                _ => drop(restoring.run(function)),
            }
        }
    });
    assert_eq!(violations.into_inner(), 0, "a second run, or too many sessions");
    assert!(table.sessions().is_empty(), "{:?}", table.sessions());
    assert_eq!(Arc::strong_count(&states), 1, "a state was not dropped");
    assert_eq!(torn_down.load(Ordering::SeqCst), opened.load(Ordering::SeqCst), "once each");
}

/// Numbers that differ from thread to thread, and are the same in every run.
fn numbers_of(thread: usize) -> impl FnMut() -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(thread as u64 + 1);
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize
    }
}

#[test]
fn a_shutdown_in_the_middle_of_a_hundred_restores_returns_after_the_last() {
    let table = table();
    let in_flight = AtomicUsize::new(0);
    let go_on = AtomicBool::new(false);
    thread::scope(|scope| {
        let restores: Vec<_> = (0..100)
            .map(|number| {
                let (table, in_flight, go_on) = (&table, &in_flight, &go_on);
                scope.spawn(move || {
                    table.restore(Action::Load, &format!("s{number}"), cwd(), |context| {
                        in_flight.fetch_add(1, Ordering::SeqCst);
                        while context.cancelled().is_none() || !go_on.load(Ordering::SeqCst) {
                            thread::sleep(Duration::from_micros(200));
                        }
                        in_flight.fetch_sub(1, Ordering::SeqCst);
                        Ok(state(1))
                    })
                })
            })
            .collect();
        while in_flight.load(Ordering::SeqCst) < 100 {
            thread::yield_now();
        }
        let sharers: Vec<_> =
            (0..100).map(|number| sharer(&table, Action::Load, &format!("s{number}"))).collect();
        let closing = table.begin_close();
        for waiting in sharers {
            assert_eq!(code_of(waiting.wait()), Some(ErrorCode::Closing), "at once");
        }
        assert_eq!(in_flight.load(Ordering::SeqCst), 100, "none has ended yet");
        go_on.store(true, Ordering::SeqCst);
        closing.wait(Duration::from_secs(60)).expect("they end");
        assert_eq!(in_flight.load(Ordering::SeqCst), 0);
        assert!(table.sessions().is_empty());
        for restore in restores {
            let outcome = restore.join().expect("no panic");
            assert_eq!(code_of(outcome), Some(ErrorCode::Closing));
        }
    });
}

/// Whoever leaves at the very moment at which he is told neither keeps a share nor loses another's.
#[test]
fn callers_who_leave_while_they_are_told_leave_no_share_behind() {
    for round in 0..500 {
        let table = table();
        let (run, caller) = owner(&table, Action::Load, "x").split();
        let sharers: Vec<_> = (0..4).map(|_| sharer(&table, Action::Load, "x")).collect();
        let told = Arc::new(AtomicUsize::new(0));
        let shares: Vec<_> = sharers
            .into_iter()
            .map(|waiting| {
                let told = Arc::clone(&told);
                waiting.on_settled(move |_| {
                    told.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        let work = Mutex::new(Some(run));
        let left = at_once(3, |number| match number {
            0 => {
                work.lock().expect("no panic").take().expect("once").complete(Ok(state(round)));
                0
            }
            number => {
                shares[(number - 1) * 2..number * 2].iter().filter(|one| one.cancel()).count()
            }
        });
        let lease = match caller.wait() {
            Ok(Settled::Lease(lease)) => lease,
            other => panic!("the owner has stayed: {other:?}"),
        };
        let left: usize = left.into_iter().sum();
        assert_eq!(told.load(Ordering::SeqCst) + left, 4, "told, or left, and not both");
        assert!(lease.release(), "his is the last share, for callbacks have dropped theirs");
    }
}

#[test]
fn a_subscriber_misses_nothing_while_threads_publish() {
    let table = RestoreTable::new(RestoreOptions::default().ring_capacity(100_000));
    let _lease = super::live(&table, Action::Load, "x");
    let per_thread = 200;
    let published = u64::from(per_thread) * THREADS as u64;
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let mut last = "0".to_owned();
                let table = &table;
                scope.spawn(move || {
                    let mut seen = 0;
                    // An evicted one goes on where it was.
                    while seen < published {
                        let mut events = table.subscribe("x", Some(&last)).expect("a subscriber");
                        while let Some(event) = events.next(Duration::from_secs(60)) {
                            let sessionreg::restore::Event::Published { id, .. } = event else {
                                assert_eq!(event.kind(), "evicted");
                                break;
                            };
                            seen += 1;
                            assert_eq!(id.number(), seen, "each one once, in order");
                            last = id.to_string();
                            if seen == published {
                                break;
                            }
                        }
                    }
                })
            })
            .collect();
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..per_thread {
                    table.publish("x", state(number)).expect("a session");
                }
            });
        }
        for reader in readers {
            reader.join().expect("no panic");
        }
    });
}
