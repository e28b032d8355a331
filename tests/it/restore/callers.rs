//! Callers who share a restore, leave it, or come too late, and restores that go wrong.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sessionreg::ErrorCode;
use sessionreg::restore::{Action, Failure, Opaque, RestoreOptions, RestoreTable, Settled, Stage};

use super::{
    attachments, begin, code_of, cwd, lease_of, live, number_of, owner, sharer, stage, state, table,
};

#[test]
fn all_who_share_get_the_very_same_state_and_one_of_them_is_not_attached() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let sharers: Vec<_> = (0..10).map(|_| sharer(&table, Action::Load, "x")).collect();
    assert_eq!(attachments(&table, "x"), Some(11), "they are counted before anything is settled");
    let first = restoring.complete(Ok(state(7))).expect("a session");
    let mut all = vec![first];
    all.extend(sharers.into_iter().map(|waiting| lease_of(waiting.wait())));
    assert_eq!(all.iter().filter(|lease| !lease.is_attached()).count(), 1);
    assert!(all.iter().all(|lease| Arc::ptr_eq(lease.state(), all[0].state())));
    assert_eq!(attachments(&table, "x"), Some(11));
}

#[test]
fn a_failure_is_the_same_object_for_all_and_leaves_nothing_behind() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let waiting = sharer(&table, Action::Load, "x");
    let cause: Opaque = Arc::new("what the caller throws");
    let failure = restoring.complete(Err(Failure::Caller(Arc::clone(&cause))));
    for failure in [failure.expect_err("it"), waiting.wait().expect_err("it")] {
        let Failure::Caller(theirs) = failure else { panic!("another failure: {failure}") };
        assert!(Arc::ptr_eq(&theirs, &cause));
    }
    assert!(table.sessions().is_empty());
    assert_eq!(number_of(live(&table, Action::Resume, "x").state()), 1, "a retry starts clean");
}

#[test]
fn no_such_session_is_said_with_its_code() {
    let lost = Failure::coded(ErrorCode::NotFound, "there is no transcript");
    let failed = table().restore(Action::Load, "x", cwd(), |_| Err(lost));
    let failure = failed.expect_err("it");
    assert_eq!(failure.code(), Some(ErrorCode::NotFound));
    assert_eq!(failure.to_string(), "failed to restore the session: there is no transcript");
}

#[test]
fn a_panic_of_the_restore_is_a_failure_of_all_and_the_id_is_free() {
    let table = table();
    let mut waiting = None;
    let failed = table.restore(Action::Load, "x", cwd(), |_| {
        waiting = Some(sharer(&table, Action::Load, "x"));
        panic!("on purpose");
    });
    assert_eq!(code_of(waiting.expect("a sharer").wait()), Some(ErrorCode::Panic));
    let failure = failed.expect_err("it");
    assert_eq!(failure.to_string(), "failed to restore the session: on purpose");
    assert!(table.sessions().is_empty());
}

/// A payload that panics when it is dropped would abort a process that drops it carelessly.
#[test]
fn what_a_panic_carries_is_not_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("once more");
        }
    }
    let failed = table().restore(Action::Load, "x", cwd(), |_| std::panic::panic_any(Bomb));
    assert_eq!(code_of(failed), Some(ErrorCode::Panic));
}

#[test]
fn a_sharer_who_leaves_drops_his_own_share_only() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let [one, two] = [(); 2].map(|()| sharer(&table, Action::Load, "x"));
    drop(one);
    let lease = restoring.complete(Ok(state(1))).expect("a session");
    assert!(!lease.is_attached());
    assert!(lease_of(two.wait()).is_attached());
    assert_eq!(attachments(&table, "x"), Some(1), "two were counted, one of which is released");
}

#[test]
fn when_the_owner_leaves_the_first_who_waits_is_the_owner_of_the_same_run() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let [one, two] = [(); 2].map(|()| sharer(&table, Action::Load, "x"));
    drop(caller);
    assert!(run.context().cancelled().is_none(), "somebody waits");
    drop(sharer(&table, Action::Load, "x"));
    run.complete(Ok(state(1)));
    let (one, two) = (lease_of(one.wait()), lease_of(two.wait()));
    assert_eq!((one.is_attached(), two.is_attached()), (false, true));
    assert_eq!(attachments(&table, "x"), Some(2));
}

#[test]
fn when_all_have_left_the_result_is_discarded_and_the_id_is_free_after_that() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let waiting = sharer(&table, Action::Load, "x");
    let (told, hears) = mpsc::channel();
    run.context().on_cancelled(move || told.send(()).expect("a listener"));
    drop(waiting);
    assert!(hears.try_recv().is_err());
    drop(caller);
    hears.try_recv().expect("the run hears that nobody waits");
    let why = run.context().cancelled().expect("the same again");
    assert_eq!(why.code(), Some(ErrorCode::Cancelled));

    // There is a run that has not ended: no second one beside it.
    for action in [Action::Load, Action::Resume] {
        let error = begin(&table, action, "x").expect_err("it is fenced");
        assert_eq!(error.details().expect("details").reason, Some("abandoned"));
    }
    let result: Opaque = Arc::new(1_u32);
    let kept = Arc::downgrade(&result);
    run.complete(Ok(result));
    assert!(kept.upgrade().is_none(), "it is dropped");
    assert!(table.sessions().is_empty());
    drop(live(&table, Action::Load, "x"));
}

/// A signal that comes late reaches who listens late.
#[test]
fn a_run_that_listens_too_late_hears_it_at_once() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    drop(caller);
    let (told, hears) = mpsc::channel();
    run.context().on_cancelled(move || told.send(()).expect("a listener"));
    hears.try_recv().expect("it has heard");
}

#[test]
fn a_run_that_ends_without_a_word_is_left_to_the_next_who_waits() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let [one, two] = [(); 2].map(|()| sharer(&table, Action::Load, "x"));
    drop(restoring);
    let Ok(Settled::Owner(restoring)) = one.wait() else { panic!("it is up to him") };
    assert_eq!(attachments(&table, "x"), Some(2));
    assert!(!restoring.complete(Ok(state(2))).expect("a session").is_attached());
    let two = lease_of(two.wait());
    assert!(two.is_attached());
    assert_eq!(number_of(two.state()), 2);
}

#[test]
fn a_run_that_ends_without_a_word_and_without_anybody_leaves_nothing() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    drop((run, caller));
    assert!(table.sessions().is_empty());
    drop(owner(&table, Action::Load, "x"));
    assert!(table.sessions().is_empty());
}

#[test]
fn a_convenient_restore_takes_over_what_is_left_to_it() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let other = table.clone();
    let sharer = thread::spawn(move || {
        let lease = other.restore(Action::Load, "x", cwd(), |_| Ok(state(9))).expect("a session");
        (lease.is_attached(), number_of(lease.state()))
    });
    while attachments(&table, "x") != Some(2) {
        thread::yield_now();
    }
    drop(restoring);
    assert_eq!(sharer.join().expect("no panic"), (false, 9));
}

#[test]
fn sharers_time_out_in_time_and_the_owner_when_his_function_returns() {
    let timeout = Duration::from_millis(50);
    let table = RestoreTable::new(RestoreOptions::default().timeout(timeout));
    let start = Instant::now();
    let calls = AtomicU32::new(0);
    let owners = table.restore(Action::Load, "x", cwd(), |context| {
        assert_eq!(
            code_of(sharer(&table, Action::Load, "x").wait_elsewhere()),
            Some(ErrorCode::Timeout)
        );
        assert!(start.elapsed() >= timeout);
        assert_eq!(context.cancelled().and_then(|why| why.code()), Some(ErrorCode::Timeout));
        // The function has not returned: nobody else gets to run one.
        assert_eq!(stage(&table, "x"), Some(Stage::Abandoned));
        let error = begin(&table, Action::Load, "x").expect_err("it is fenced");
        assert_eq!(error.code(), ErrorCode::RestoreInProgress);
        assert_eq!(error.details().expect("details").reason, Some("abandoned"));
        // A panic would be discarded as any late result is.
        calls.fetch_add(1, Ordering::Relaxed);
        Ok(state(1))
    });
    assert_eq!(code_of(owners), Some(ErrorCode::Timeout));
    assert!(table.sessions().is_empty(), "its late result is discarded");
    let again = table.restore(Action::Load, "x", cwd(), |_| Ok(state(2))).expect("a session");
    assert_eq!((number_of(again.state()), calls.into_inner()), (2, 1));
}

/// Nobody else is there who would mind the time.
#[test]
fn a_lone_owner_who_looks_learns_that_his_time_is_over() {
    let timeout = Duration::from_millis(20);
    let table = RestoreTable::new(RestoreOptions::default().timeout(timeout));
    let patience = Instant::now() + Duration::from_secs(30);
    let mut has_learnt = false;
    let outcome = table.restore(Action::Load, "x", cwd(), |context| {
        while !has_learnt && Instant::now() < patience {
            has_learnt = context.cancelled().is_some();
        }
        Ok(state(1))
    });
    assert!(has_learnt);
    assert_eq!(code_of(outcome), Some(ErrorCode::Timeout));
}

/// Callbacks that drop what they are given: each of them hands the run to the next one.
#[test]
fn any_number_of_callers_may_leave_the_run_to_the_next_one() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let handed = Arc::new(AtomicU32::new(0));
    for _ in 0..100_000 {
        let handed = Arc::clone(&handed);
        drop(sharer(&table, Action::Load, "x").on_settled(move |outcome| {
            assert!(matches!(outcome, Ok(Settled::Owner(_))));
            handed.fetch_add(1, Ordering::Relaxed);
        }));
    }
    drop(restoring);
    assert_eq!(handed.load(Ordering::Relaxed), 100_000);
    assert!(table.sessions().is_empty());
}

/// The timer of one who was told, or has left, may fire late: others are not his business.
#[test]
fn whoever_does_not_wait_any_more_times_nobody_out() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let (tell, told) = mpsc::channel();
    let next = sharer(&table, Action::Load, "x");
    let handed = next.on_settled(move |outcome| tell.send(outcome).expect("a listener"));
    let left = sharer(&table, Action::Load, "x").on_settled(drop);
    assert!(left.cancel());
    left.time_out();
    drop(restoring);
    let Ok(Ok(Settled::Owner(restoring))) = told.try_recv() else { panic!("he is the next") };
    handed.time_out();
    left.time_out();
    let lease = restoring.complete(Ok(state(1))).expect("nobody's time is over");
    assert!(!lease.is_attached());
}

trait Elsewhere {
    fn wait_elsewhere(self) -> Result<Settled, Failure>;
}

impl Elsewhere for sessionreg::restore::Waiting {
    /// Waits on another thread than that which runs the restore.
    fn wait_elsewhere(self) -> Result<Settled, Failure> {
        thread::spawn(|| self.wait()).join().expect("no panic")
    }
}

/// With no time at all: whoever comes next learns it, without anybody who minds a clock.
#[test]
fn a_restore_whose_time_is_over_is_joined_by_nobody() {
    let table = RestoreTable::new(RestoreOptions::default().timeout(Duration::ZERO));
    let restoring = owner(&table, Action::Load, "x");
    let error = begin(&table, Action::Load, "x").expect_err("it is over");
    assert_eq!(error.details().expect("details").reason, Some("abandoned"));
    assert_eq!(code_of(restoring.complete(Ok(state(1)))), Some(ErrorCode::Timeout));
    // Neither does it become live in time because nobody has looked meanwhile.
    let restoring = owner(&table, Action::Load, "x");
    assert_eq!(code_of(restoring.complete(Ok(state(1)))), Some(ErrorCode::Timeout));
    assert!(table.sessions().is_empty());
}

#[test]
fn the_timer_of_one_caller_settles_it_for_all() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let waiting = sharer(&table, Action::Load, "x");
    let (tell, told) = mpsc::channel();
    let share = caller.on_settled(move |outcome| tell.send(outcome).expect("a listener"));
    share.time_out();
    assert_eq!(code_of(told.try_recv().expect("it was called")), Some(ErrorCode::Timeout));
    assert_eq!(code_of(waiting.wait()), Some(ErrorCode::Timeout));
    // Once it is settled there is nothing left to settle.
    share.time_out();
    run.complete(Ok(state(1)));
    let lease = live(&table, Action::Load, "x");
    share.time_out();
    assert_eq!(lease.ended(), None);
}

#[test]
fn a_part_of_the_wait_gives_the_caller_back() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let waiting = sharer(&table, Action::Load, "x");
    let waiting = waiting.wait_for(Duration::ZERO).expect_err("not yet");
    let waiting = waiting.wait_for(Duration::from_millis(1)).expect_err("not yet");
    let _lease = restoring.complete(Ok(state(1))).expect("a session");
    assert!(lease_of(waiting.wait_for(Duration::ZERO).expect("now")).is_attached());
}

#[test]
fn a_callback_that_comes_late_is_called_at_once_and_one_that_left_never() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let [late, gone] = [(); 2].map(|()| sharer(&table, Action::Load, "x"));
    let (tell, told) = mpsc::channel();
    let callback = |name: &'static str| {
        let tell = tell.clone();
        move |outcome| drop(tell.send((name, lease_of(outcome))))
    };
    let gone = gone.on_settled(callback("gone"));
    assert!(gone.cancel());
    assert!(!gone.cancel(), "a second time there is nothing to leave");
    run.complete(Ok(state(1)));
    let share = late.on_settled(callback("late"));
    assert!(!share.cancel(), "it was told");
    drop(caller.on_settled(callback("owner")));
    let told: Vec<_> = told.try_iter().map(|(name, lease)| (name, lease.is_attached())).collect();
    assert_eq!(told, [("late", true), ("owner", false)]);
}

#[test]
fn a_callback_may_call_the_table_and_its_panic_harms_nobody() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let [one, two] = [(); 2].map(|()| sharer(&table, Action::Load, "x"));
    drop(caller.on_settled(|_| panic!("on purpose")));
    let (tell, told) = mpsc::channel();
    let other = table.clone();
    drop(one.on_settled(move |outcome| {
        let lease = lease_of(outcome);
        other.publish("x", state(1)).expect("a live session");
        tell.send(other.sessions().len()).expect("a listener");
        other.end("x").expect("a live session");
        drop(lease);
    }));
    run.complete(Ok(state(1)));
    assert_eq!(told.try_recv(), Ok(1));
    assert_eq!(code_of(two.wait()), Some(ErrorCode::NotFound), "it is gone again");
}

/// The state may run anybody's code when it is dropped: a table that drops it under its lock would
/// wait for itself.
#[test]
fn what_the_table_drops_may_look_at_the_table() {
    struct Looks(RestoreTable);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.0.sessions();
        }
    }
    let table = table();
    let looks = || -> Opaque { Arc::new(Looks(table.clone())) };
    let held = |what: Box<dyn Any + Send>| drop(what);
    // A result that comes too late, a failure, a state whose session ends, and an event.
    let (run, caller) = owner(&table, Action::Load, "x").split();
    drop(caller);
    run.complete(Ok(looks()));
    let (run, caller) = owner(&table, Action::Load, "x").split();
    drop(caller);
    run.complete(Err(Failure::Caller(looks())));
    drop(owner(&table, Action::Load, "x").complete(Err(Failure::Caller(looks()))));
    let lease = owner(&table, Action::Load, "x").complete(Ok(looks())).expect("a session");
    table.publish("x", looks()).expect("a live session");
    let lease = lease.without_release_on_drop();
    held(Box::new(lease));
    table.end("x").expect("it is live");
    // Callbacks that are never called.
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let looker = looks();
    run.context().on_cancelled(move || drop(looker));
    let looker = looks();
    assert!(caller.on_settled(move |_| drop(looker)).cancel());
    drop(run);
    assert!(table.sessions().is_empty());
}

#[test]
fn a_thread_does_not_wait_for_a_restore_that_it_runs_itself() {
    let table = table();
    let lease = table.restore(Action::Load, "x", cwd(), |_| {
        let again = table.restore(Action::Load, "x", cwd(), |_| Ok(state(2)));
        assert_eq!(code_of(again), Some(ErrorCode::InvalidInput));
        let error = table.close(Duration::from_secs(60)).expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::InvalidInput);
        Ok(state(1))
    });
    let lease = lease.expect("a session, for nothing was changed");
    assert_eq!(attachments(&table, "x"), Some(1));
    assert!(lease.release());
}
