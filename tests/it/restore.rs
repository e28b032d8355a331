//! Restore once: each promise of `sessionreg::restore`, and one who tries to break it.

mod across;
mod callers;
mod channels;
mod ends;
mod events;
mod model;
mod order;
mod threads;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sessionreg::ErrorCode;
use sessionreg::restore::{
    Action, Begun, Failure, Lease, Opaque, RestoreOptions, RestoreTable, Restoring, Settled, Stage,
    Waiting,
};

/// A working folder that need not exist.
fn cwd() -> &'static Path {
    Path::new(if cfg!(windows) { r"C:\srv\project" } else { "/srv/project" })
}

/// A table of any number of sessions, whose restores may take any time.
fn table() -> RestoreTable {
    RestoreTable::new(RestoreOptions::default().limit(0).timeout(Duration::MAX))
}

fn state(number: u32) -> Opaque {
    Arc::new(number)
}

fn number_of(state: &Opaque) -> u32 {
    *state.downcast_ref().expect("a number")
}

fn begin(table: &RestoreTable, action: Action, id: &str) -> sessionreg::Result<Begun> {
    table.begin(action, id, cwd())
}

#[track_caller]
fn owner(table: &RestoreTable, action: Action, id: &str) -> Restoring {
    match begin(table, action, id) {
        Ok(Begun::Owner(restoring)) => restoring,
        other => panic!("not the owner: {other:?}"),
    }
}

#[track_caller]
fn sharer(table: &RestoreTable, action: Action, id: &str) -> Waiting {
    match begin(table, action, id) {
        Ok(Begun::Sharer(waiting)) => waiting,
        other => panic!("no sharer: {other:?}"),
    }
}

/// A live session, and its owner's lease.
#[track_caller]
fn live(table: &RestoreTable, action: Action, id: &str) -> Lease {
    owner(table, action, id).complete(Ok(state(1))).expect("a session")
}

#[track_caller]
fn lease_of(outcome: Result<Settled, Failure>) -> Lease {
    match outcome {
        Ok(Settled::Lease(lease)) => lease,
        other => panic!("no lease: {other:?}"),
    }
}

#[track_caller]
fn code_of<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Option<ErrorCode> {
    outcome.expect_err("a failure").code()
}

fn stage(table: &RestoreTable, id: &str) -> Option<Stage> {
    table.sessions().into_iter().find(|status| status.session_id == id).map(|status| status.stage)
}

fn attachments(table: &RestoreTable, id: &str) -> Option<usize> {
    let mut all = table.sessions().into_iter();
    all.find(|status| status.session_id == id).map(|status| status.attachments)
}
