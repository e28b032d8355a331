//! Channels: torn down once, by the last who leaves, and never handed out again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sessionreg::ErrorCode;
use sessionreg::restore::{
    Action, Channel, EndReason, Event, Failure, Lease, RestoreTable, Run, Waiting,
};

use super::{code_of, cwd, owner, sharer, stage, state, table};

/// A channel, and how often it was torn down.
fn channel(table: &RestoreTable) -> (Channel, Arc<AtomicU32>) {
    let torn_down = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&torn_down);
    let other = table.clone();
    let channel = table.channel(move || {
        // It may look at the table, in which the channel is dying already.
        other.sessions();
        count.fetch_add(1, Ordering::Relaxed);
    });
    (channel, torn_down)
}

fn count(torn_down: &AtomicU32) -> u32 {
    torn_down.load(Ordering::Relaxed)
}

fn on(table: &RestoreTable, channel: &Channel, id: &str) -> Lease {
    let carried = table.restore(Action::Load, id, cwd(), |context| {
        context.carried_by(channel)?;
        Ok(state(1))
    });
    carried.expect("a session")
}

fn pending_on(table: &RestoreTable, channel: &Channel, id: &str) -> (Run, Waiting) {
    let (run, waiting) = owner(table, Action::Load, id).split();
    run.context().carried_by(channel).expect("an open channel");
    (run, waiting)
}

#[test]
fn the_last_session_that_leaves_tears_the_channel_down_once() {
    let table = table();
    let (channel, torn_down) = channel(&table);
    let (one, two) = (on(&table, &channel, "one"), on(&table, &channel, "two"));
    assert!(one.release());
    assert_eq!((count(&torn_down), channel.is_open()), (0, true));
    assert!(two.release());
    assert_eq!((count(&torn_down), channel.is_open()), (1, false));
    let error = owner(&table, Action::Load, "x").run(|context| {
        context.carried_by(&channel)?;
        Ok(state(1))
    });
    assert_eq!(code_of(error), Some(ErrorCode::Closed), "it is never handed out again");
    channel.exited("status 0");
    assert_eq!(count(&torn_down), 1);
}

#[test]
fn a_channel_with_a_pending_restore_outlives_its_last_session() {
    let table = table();
    let (channel, torn_down) = channel(&table);
    let lease = on(&table, &channel, "live");
    let (run, waiting) = pending_on(&table, &channel, "pending");
    assert!(lease.release());
    assert_eq!(count(&torn_down), 0);
    run.complete(Ok(state(1)));
    drop(waiting);
    assert_eq!(count(&torn_down), 1, "its own session was the last");
}

#[test]
fn a_channel_with_a_pending_restore_outlives_the_failure_of_a_sibling() {
    let table = table();
    let (channel, torn_down) = channel(&table);
    let (run, waiting) = pending_on(&table, &channel, "pending");
    let failing: [fn(&RestoreTable, &Channel); 4] = [
        |table, channel| {
            let (run, _waiting) = pending_on(table, channel, "sibling");
            run.complete(Err(Failure::coded(ErrorCode::Io, "on purpose")));
        },
        |table, channel| {
            let (run, waiting) = pending_on(table, channel, "sibling");
            drop(waiting);
            drop(run);
        },
        |table, channel| {
            let (_run, waiting) = pending_on(table, channel, "sibling");
            waiting.on_settled(drop).time_out();
        },
        |table, channel| {
            let panics = |context: &sessionreg::restore::Context| {
                context.carried_by(channel)?;
                panic!("on purpose")
            };
            drop(table.restore(Action::Load, "sibling", cwd(), panics));
        },
    ];
    for fail in failing {
        fail(&table, &channel);
        assert_eq!((count(&torn_down), channel.is_open()), (0, true));
    }
    run.complete(Err(Failure::coded(ErrorCode::Io, "on purpose")));
    drop(waiting);
    assert_eq!(count(&torn_down), 1, "nothing is left that it could carry");
}

#[test]
fn the_death_of_a_channel_ends_its_sessions_and_fails_its_restores() {
    let table = table();
    let (channel, torn_down) = channel(&table);
    let lease = on(&table, &channel, "live");
    let mut subscription = table.subscribe("live", None).expect("a subscriber");
    let other = owner(&table, Action::Load, "other");
    let (run, waiting) = pending_on(&table, &channel, "pending");
    let second = sharer(&table, Action::Load, "pending");
    channel.exited("killed by signal 9");
    assert_eq!(lease.ended(), Some(EndReason::ChannelClosed));
    let last = subscription.try_next().expect("a last event");
    assert!(matches!(last, Event::Ended(EndReason::ChannelClosed)), "{last:?}");
    for caller in [waiting, second] {
        let failure = caller.wait().expect_err("it failed");
        assert_eq!(failure.code(), Some(ErrorCode::Closed));
        let details = failure.error().and_then(sessionreg::Error::details).expect("details");
        assert_eq!(details.reason, Some("channel_closed"));
        assert!(failure.to_string().ends_with("killed by signal 9"), "{failure}");
    }
    assert!(run.context().cancelled().is_some());
    assert!(stage(&table, "pending").is_some(), "its run has not ended");
    run.complete(Ok(state(1)));
    assert_eq!(stage(&table, "pending"), None, "what it brings is discarded");
    drop(other.complete(Ok(state(1))).expect("another's session"));
    assert_eq!(count(&torn_down), 0, "there is nothing left to tear down");
}

#[test]
fn a_restore_that_changes_its_channel_leaves_the_first_one() {
    let table = table();
    let ((first, first_down), (second, second_down)) = (channel(&table), channel(&table));
    let (run, waiting) = pending_on(&table, &first, "x");
    run.context().carried_by(&first).expect("as before");
    assert_eq!(count(&first_down), 0);
    run.context().carried_by(&second).expect("an open channel");
    assert_eq!(count(&first_down), 1);
    run.complete(Ok(state(1)));
    drop(waiting);
    assert_eq!(count(&second_down), 1);
}

#[test]
fn a_restore_that_is_over_can_be_carried_by_nothing() {
    let (table, other_table) = (table(), table());
    let (channel, torn_down) = channel(&table);
    let (run, waiting) = owner(&table, Action::Load, "x").split();
    let context = run.context();
    let elsewhere = other_table.channel(|| ());
    let code = |channel| context.carried_by(channel).expect_err("a refusal").code();
    assert_eq!(code(&elsewhere), ErrorCode::InvalidInput);
    drop(waiting);
    assert_eq!(code(&channel), ErrorCode::Cancelled);
    drop(run);
    assert_eq!(code(&channel), ErrorCode::InvalidInput);
    assert_eq!((count(&torn_down), channel.is_open()), (0, true));
}

#[test]
fn closing_the_table_tears_every_used_channel_down() {
    let table = table();
    let (channel, torn_down) = channel(&table);
    let lease = on(&table, &channel, "live");
    let (run, _waiting) = pending_on(&table, &channel, "pending");
    let closing = table.begin_close();
    assert_eq!(count(&torn_down), 1);
    drop((lease, run));
    closing.wait(std::time::Duration::ZERO).expect("every run has ended");
}
