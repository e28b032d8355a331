//! How sessions end, and tables.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sessionreg::ErrorCode;
use sessionreg::restore::{Action, Begun, EndReason, Event};

use super::{attachments, begin, code_of, cwd, live, owner, sharer, stage, state, table};

#[test]
fn the_last_release_ends_the_session_and_a_share_is_given_back_once() {
    let table = table();
    let first = live(&table, Action::Load, "x");
    let Ok(Begun::Attached(second)) = begin(&table, Action::Load, "x") else {
        panic!("it is live")
    };
    assert!(!first.release());
    assert!(!first.release(), "it has no second share to give back");
    drop(first);
    assert_eq!(attachments(&table, "x"), Some(1));
    assert!(second.release());
    assert_eq!(second.ended(), Some(EndReason::Released));
    assert_eq!(stage(&table, "x"), None);
}

#[test]
fn a_lease_of_a_former_life_does_not_touch_the_next_one() {
    let table = table();
    let former = live(&table, Action::Load, "x");
    table.end("x").expect("it is live");
    let next = live(&table, Action::Load, "x");
    assert!(!former.release());
    assert_eq!((former.ended(), next.ended()), (Some(EndReason::Ended), None));
}

#[test]
fn while_somebody_is_subscribed_the_last_release_does_not_end_the_session() {
    let table = table();
    let lease = live(&table, Action::Load, "x");
    let subscription = table.subscribe("x", None).expect("a subscriber");
    assert!(!lease.release());
    drop(subscription);
    assert_eq!(attachments(&table, "x"), Some(0), "nobody asked for its end");
    assert!(table.end_if_unattached("x").expect("it is live"));
}

/// A finalizer runs at a time of its own: it must not take a session from whoever uses it.
#[test]
fn a_lease_that_is_only_forgotten_ends_nothing() {
    let table = table();
    drop(live(&table, Action::Load, "x").without_release_on_drop());
    let Ok(Begun::Attached(second)) = begin(&table, Action::Load, "x") else {
        panic!("it is live")
    };
    assert!(!second.release());
    assert_eq!(attachments(&table, "x"), Some(1));
    assert!(!table.end_if_unattached("x").expect("it is live"), "it counts as attached");
    table.end("x").expect("it is live");
}

#[test]
fn an_attached_session_ends_only_with_the_last_who_leaves_it() {
    let table = table();
    let first = live(&table, Action::Load, "x");
    assert!(!table.end_if_unattached("x").expect("it is live"));
    // It is there as before, and others may still come.
    let Ok(Begun::Attached(second)) = begin(&table, Action::Load, "x") else {
        panic!("it is live")
    };
    let mut subscription = table.subscribe("x", None).expect("a subscriber");
    assert!(!first.release());
    assert!(!second.release());
    assert_eq!(attachments(&table, "x"), Some(0));
    assert!(subscription.try_next().is_none());
    drop(subscription);
    assert_eq!(second.ended(), Some(EndReason::Ended), "what was asked for is done");
}

#[test]
fn a_subscriber_who_is_evicted_is_not_waited_for() {
    let table = table();
    let lease = live(&table, Action::Load, "x");
    let _subscription = table.subscribe("x", None).expect("a subscriber");
    assert!(!table.end_if_unattached("x").expect("it is live"));
    assert!(!lease.release());
    while table.publish("x", state(0)).is_ok() {}
    assert_eq!(lease.ended(), Some(EndReason::Ended));
}

#[test]
fn what_is_not_live_cannot_be_ended() {
    let table = table();
    assert_eq!(table.end("x").expect_err("none").code(), ErrorCode::NotFound);
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let refused = |reason| {
        for ended in [table.end("x").err(), table.end_if_unattached("x").err()] {
            let error = ended.expect("it is not live");
            assert_eq!(error.code(), ErrorCode::RestoreInProgress);
            let details = error.details().expect("details");
            assert_eq!((details.reason, &details.requested), (Some(reason), &None));
        }
    };
    refused("restoring");
    drop(caller);
    refused("abandoned");
    drop(run);
}

#[test]
fn a_sharer_who_looks_after_the_session_has_ended_finds_none() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let waiting = sharer(&table, Action::Load, "x");
    let lease = restoring.complete(Ok(state(1))).expect("a session");
    table.end("x").expect("it is live");
    assert_eq!(code_of(waiting.wait()), Some(ErrorCode::NotFound));
    assert_eq!(lease.ended(), Some(EndReason::Ended));
}

#[test]
fn only_a_spawned_session_is_meant_by_requests_that_name_none() {
    let table = table();
    let _loaded = live(&table, Action::Load, "loaded");
    let _resumed = live(&table, Action::Resume, "resumed");
    assert_eq!(table.default_target(), None);
    let first = table.spawn("first", cwd(), |_| Ok(state(1))).expect("a session");
    let _second = table.spawn("second", cwd(), |_| Ok(state(2))).expect("a session");
    // Attaching to a restored one does not make it one of them.
    let _attached = table.spawn("loaded", cwd(), |_| Ok(state(3))).expect("a session");
    assert_eq!(table.default_target().as_deref(), Some("first"));
    drop(first);
    assert_eq!(table.default_target().as_deref(), Some("second"));
    // Restored under the id of a former one, it is no target either.
    let _first = live(&table, Action::Load, "first");
    assert_eq!(table.default_target().as_deref(), Some("second"));
    table.end("second").expect("it is live");
    assert_eq!(table.default_target(), None);
}

#[test]
fn closing_ends_every_session_and_begins_none() {
    let table = table();
    let leases: Vec<_> = ["x", "y"].map(|id| live(&table, Action::Load, id)).into();
    let mut subscription = table.subscribe("x", None).expect("a subscriber");
    table.close(Duration::ZERO).expect("nothing runs");
    assert!(leases.iter().all(|lease| lease.ended() == Some(EndReason::DaemonShutdown)));
    let last = subscription.try_next().expect("a last event");
    assert!(matches!(last, Event::Ended(EndReason::DaemonShutdown)), "{last:?}");
    assert_eq!(begin(&table, Action::Load, "x").expect_err("no").code(), ErrorCode::Closing);
    table.close(Duration::ZERO).expect("a second time");
}

#[test]
fn closing_waits_until_every_run_has_ended_though_its_callers_are_told_at_once() {
    let table = table();
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let waiting = sharer(&table, Action::Load, "x");
    let error = table.close(Duration::from_millis(1)).expect_err("one runs");
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert_eq!(error.to_string(), "failed to close the table: restores that have not ended: 1");
    assert_eq!(code_of(waiting.wait()), Some(ErrorCode::Closing));
    assert_eq!(code_of(caller.wait()), Some(ErrorCode::Closing));
    assert_eq!(run.context().cancelled().and_then(|why| why.code()), Some(ErrorCode::Closing));

    let (tell, told) = mpsc::channel();
    table.begin_close().on_settled(move || tell.send(()).expect("a listener"));
    let other = table.clone();
    let closer = thread::spawn(move || other.close(Duration::from_secs(60)));
    assert!(told.try_recv().is_err());
    run.complete(Ok(state(1)));
    told.try_recv().expect("it was called");
    closer.join().expect("no panic").expect("every run has ended");
    assert!(table.sessions().is_empty(), "a result that comes after that is discarded");
}

#[test]
fn a_restore_that_is_done_after_the_table_has_closed_enters_nothing() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let closing = table.begin_close();
    assert_eq!(code_of(restoring.complete(Ok(state(1)))), Some(ErrorCode::Closing));
    closing.wait(Duration::ZERO).expect("every run has ended");
}

#[test]
fn a_lease_that_nobody_took_is_given_back() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let waiting = sharer(&table, Action::Load, "x");
    let lease = restoring.complete(Ok(state(1))).expect("a session");
    drop(waiting);
    assert_eq!(attachments(&table, "x"), Some(1));
    drop(begin(&table, Action::Load, "x"));
    assert!(lease.release(), "it was the last");
}
