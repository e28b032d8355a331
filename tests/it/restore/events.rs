//! Events: the ring, and those who follow it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sessionreg::ErrorCode;
use sessionreg::restore::{
    Action, EndReason, Event, Opaque, RestoreOptions, RestoreTable, Subscription,
};

use super::{cwd, live, number_of, owner, state, table};

/// What there is for a subscriber now: numbers of events with what they hold, and words.
fn all(subscription: &mut Subscription) -> Vec<String> {
    std::iter::from_fn(|| subscription.try_next())
        .map(|event| match event {
            Event::Published { id, data } => format!("{}:{}", id.number(), number_of(&data)),
            Event::Gap { missed } => format!("gap {missed}"),
            Event::Ended(why) => why.as_str().to_owned(),
            other => other.kind().to_owned(),
        })
        .collect()
}

/// Publishes all of them, and gives the id of the last.
fn publish(table: &RestoreTable, numbers: std::ops::Range<u32>) -> String {
    let publish = |number| table.publish("x", state(number)).expect("a session");
    numbers.fold(None, |_, number| publish(number)).expect("an event").to_string()
}

fn small() -> RestoreTable {
    RestoreTable::new(RestoreOptions::default().ring_capacity(3))
}

#[test]
fn what_a_load_publishes_is_in_the_ring_in_order_when_it_returns() {
    let table = table();
    let lease = table.restore(Action::Load, "x", cwd(), |context| {
        for number in 0..100 {
            table.publish(context.session_id(), state(number))?;
        }
        Ok(state(1))
    });
    let _lease = lease.expect("a session");
    let mut subscription = table.subscribe("x", Some("0")).expect("a subscriber");
    let expected: Vec<_> = (0..100).map(|number| format!("{}:{number}", number + 1)).collect();
    assert_eq!(all(&mut subscription), expected);
}

#[test]
fn a_resume_publishes_nothing_until_it_is_live() {
    let table = table();
    let lease = table.restore(Action::Resume, "x", cwd(), |context| {
        assert_eq!(table.publish(context.session_id(), state(0))?, None);
        Ok(state(1))
    });
    let _lease = lease.expect("a session");
    let mut subscription = table.subscribe("x", Some("0")).expect("a subscriber");
    assert_eq!(all(&mut subscription), [""; 0]);
    publish(&table, 7..8);
    assert_eq!(all(&mut subscription), ["1:7"]);
}

#[test]
fn a_failed_load_leaves_no_events_for_the_next_one() {
    let table = table();
    let restoring = owner(&table, Action::Load, "x");
    let first = publish(&table, 0..5);
    drop(restoring);
    let _lease = live(&table, Action::Load, "x");
    let mut subscription = table.subscribe("x", Some("0")).expect("a subscriber");
    assert_eq!(all(&mut subscription), [""; 0]);
    let second = publish(&table, 5..6);
    let epoch = |id: &str| id.rsplit_once('-').expect("an id").0.to_owned();
    assert_ne!(epoch(&first), epoch(&second));
}

#[test]
fn without_a_last_event_only_live_ones_come_and_with_one_those_after_it() {
    let table = table();
    let _lease = live(&table, Action::Load, "x");
    let second = publish(&table, 1..3);
    publish(&table, 3..5);
    let mut from_now = table.subscribe("x", None).expect("a subscriber");
    let mut from_second = table.subscribe("x", Some(&second)).expect("a subscriber");
    let mut from_last = table.subscribe("x", Some("4")).expect("a subscriber");
    publish(&table, 5..6);
    assert_eq!(all(&mut from_now), ["5:5"]);
    assert_eq!(all(&mut from_second), ["3:3", "4:4", "5:5"]);
    assert_eq!(all(&mut from_last), ["5:5"]);
}

#[test]
fn what_the_ring_has_dropped_is_a_gap_that_a_subscriber_sees() {
    let table = small();
    let _lease = live(&table, Action::Load, "x");
    publish(&table, 1..11);
    let seen_from = |seen| all(&mut table.subscribe("x", Some(seen)).expect("a subscriber"));
    assert_eq!(seen_from("0"), ["gap 7", "8:8", "9:9", "10:10"]);
    assert_eq!(seen_from("6"), ["gap 1", "8:8", "9:9", "10:10"]);
    assert_eq!(seen_from("7"), ["8:8", "9:9", "10:10"]);
    assert_eq!(seen_from("10"), [""; 0]);
}

#[test]
fn an_event_of_another_life_is_told_from_those_of_this_one() {
    let table = small();
    let lease = live(&table, Action::Load, "x");
    let former = publish(&table, 1..3);
    drop(lease);
    let _lease = live(&table, Action::Load, "x");
    publish(&table, 1..6);
    let seen_from = |seen: &str| all(&mut table.subscribe("x", Some(seen)).expect("a subscriber"));
    assert_eq!(seen_from(&former), ["new_epoch", "gap 2", "3:3", "4:4", "5:5"]);
    assert_eq!(seen_from("someone-elses-2"), ["new_epoch", "gap 2", "3:3", "4:4", "5:5"]);
    // Nobody has seen what was not published.
    assert_eq!(seen_from("6"), ["new_epoch", "gap 2", "3:3", "4:4", "5:5"]);
}

#[test]
fn what_is_no_id_of_an_event_is_refused() {
    let table = table();
    let _lease = live(&table, Action::Load, "x");
    for id in ["", "-", "x", "x-", "-1x", "+1", "x-+1", "1.0", "99999999999999999999"] {
        let error = table.subscribe("x", Some(id)).expect_err("no id");
        assert_eq!(error.code(), ErrorCode::InvalidInput, "{id}");
    }
    assert_eq!(table.sessions()[0].subscribers, 0);
}

#[test]
fn a_subscriber_for_whom_too_much_waits_gets_that_and_then_learns_that_it_is_evicted() {
    // Such a ring alone would not hold what waits.
    let table = small();
    let _lease = live(&table, Action::Load, "x");
    publish(&table, 0..3);
    let mut slow = table.subscribe("x", Some("0")).expect("a subscriber");
    let mut quick = table.subscribe("x", None).expect("a subscriber");
    publish(&table, 3..259);
    assert_eq!(all(&mut quick).len(), 256);
    assert_eq!(table.sessions()[0].subscribers, 2, "256 may wait, besides what was there before");
    publish(&table, 259..260);
    assert_eq!(table.sessions()[0].subscribers, 1);
    publish(&table, 260..1_000);
    let expected: Vec<_> = (0..259)
        .map(|number| format!("{}:{number}", number + 1))
        .chain(["evicted".to_owned()])
        .collect();
    assert_eq!(all(&mut slow), expected);
    assert!(slow.is_over());
    assert!(slow.next(Duration::from_secs(60)).is_none(), "there is nothing to wait for");
}

#[test]
fn sixty_four_subscribers_are_the_most() {
    let table = table();
    let _lease = live(&table, Action::Load, "x");
    let mut all: Vec<_> =
        (0..64).map(|_| table.subscribe("x", None).expect("a subscriber")).collect();
    let error = table.subscribe("x", None).expect_err("one too many");
    assert_eq!(error.code(), ErrorCode::SubscriberLimit);
    assert_eq!(error.details().expect("details").limit, Some(64));
    all.pop();
    assert!(table.subscribe("x", None).is_ok());
}

#[test]
fn the_end_of_the_session_is_the_last_event_after_all_others() {
    let table = table();
    let lease = live(&table, Action::Load, "x");
    let mut subscription = table.subscribe("x", None).expect("a subscriber");
    publish(&table, 1..3);
    table.end("x").expect("it is live");
    assert_eq!(all(&mut subscription), ["1:1", "2:2", "ended"]);
    assert!(subscription.is_over());
    assert_eq!(lease.ended(), Some(EndReason::Ended));
    for error in [table.publish("x", state(1)).err(), table.subscribe("x", None).err()] {
        assert_eq!(error.expect("it is gone").code(), ErrorCode::NotFound);
    }
}

#[test]
fn events_are_for_sessions_that_somebody_waits_for() {
    let table = table();
    assert_eq!(table.publish("x", state(1)).expect_err("none").code(), ErrorCode::NotFound);
    let (run, caller) = owner(&table, Action::Load, "x").split();
    let error = table.subscribe("x", None).expect_err("it is not live");
    assert_eq!(error.code(), ErrorCode::NotFound);
    drop(caller);
    assert_eq!(table.publish("x", state(1)).expect_err("abandoned").code(), ErrorCode::NotFound);
    drop(run);
}

#[test]
fn a_subscriber_is_woken_by_an_event_and_by_the_end() {
    let table = table();
    let _lease = live(&table, Action::Load, "x");
    let mut subscription = table.subscribe("x", None).expect("a subscriber");
    let other = table.clone();
    let reader = thread::spawn(move || {
        let mut kinds = vec![];
        while let Some(event) = subscription.next(Duration::from_secs(60)) {
            kinds.push(event.kind());
        }
        kinds
    });
    for _ in 0..3 {
        other.publish("x", state(1)).expect("a session");
        thread::sleep(Duration::from_millis(2));
    }
    other.end("x").expect("it is live");
    assert_eq!(reader.join().expect("no panic"), ["published", "published", "published", "ended"]);
}

#[test]
fn a_callback_comes_once_for_what_is_there_and_for_what_comes() {
    let table = table();
    let _lease = live(&table, Action::Load, "x");
    let mut subscription = table.subscribe("x", None).expect("a subscriber");
    let (tell, told) = mpsc::channel();
    let callback = || {
        let tell = tell.clone();
        move || tell.send(()).expect("a listener")
    };
    subscription.on_ready(callback());
    assert!(told.try_recv().is_err());
    publish(&table, 0..2);
    assert_eq!(told.try_iter().count(), 1);
    subscription.on_ready(callback());
    assert_eq!(told.try_iter().count(), 1, "there is one already");
    all(&mut subscription);
    subscription.on_ready(callback());
    table.end("x").expect("it is live");
    assert_eq!(told.try_iter().count(), 1);
    all(&mut subscription);
    subscription.on_ready(callback());
    assert_eq!(told.try_iter().count(), 1, "none will come");
}

/// Events are the caller's, and dropped where he may do as he likes.
#[test]
fn what_the_ring_drops_may_publish() {
    struct Speaks(RestoreTable);
    impl Drop for Speaks {
        fn drop(&mut self) {
            drop(self.0.publish("y", state(1)));
        }
    }
    let table = RestoreTable::new(RestoreOptions::default().ring_capacity(0));
    let _leases = ["x", "y"].map(|id| live(&table, Action::Load, id));
    let mut subscription = table.subscribe("y", None).expect("a subscriber");
    for _ in 0..300 {
        let event: Opaque = std::sync::Arc::new(Speaks(table.clone()));
        table.publish("x", event).expect("a session");
    }
    assert_eq!(all(&mut subscription).len(), 300 - 256);
}
