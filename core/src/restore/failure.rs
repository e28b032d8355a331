//! What a restore fails with, the same for everybody who shared it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::status::Action;
use crate::error::{Details, Error, ErrorCode};

/// A value of the caller's that the table only passes on: the state of a session, the data of an
/// event, what a restore failed with. It is never dropped under a lock of the table.
pub type Opaque = Arc<dyn Any + Send + Sync>;

/// When to ask again for what is busy now.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why a restore failed: of this library, or whatever the restore itself said. Clones share it.
#[derive(Clone, Debug)]
pub enum Failure {
    /// An error with a code.
    Error(Arc<Error>),
    /// What the restore failed with, as it gave it.
    Caller(Opaque),
}

impl Failure {
    /// A failure of the restore with one of the codes of this library:
    /// [`ErrorCode::NotFound`] says that there is no such session.
    pub fn coded(code: ErrorCode, reason: impl Into<String>) -> Self {
        failed(code, reason).into()
    }

    /// The code, where it has one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.error().map(Error::code)
    }

    /// The error, if it is one.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Error(error) => Some(error),
            Self::Caller(_) => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Arc::new(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Caller(_) => f.write_str("failed to restore the session"),
        }
    }
}

impl std::error::Error for Failure {}

fn failed(code: ErrorCode, reason: impl Into<String>) -> Error {
    Error::value(code, "restore", "the session", reason)
}

pub(super) fn closing() -> Error {
    failed(ErrorCode::Closing, "the table is shutting down")
}

pub(super) fn cancelled() -> Error {
    failed(ErrorCode::Cancelled, "whoever asked for it has left")
}

pub(super) fn timed_out() -> Error {
    failed(ErrorCode::Timeout, "it took longer than allowed")
}

pub(super) fn over() -> Error {
    failed(ErrorCode::InvalidInput, "this restore is over")
}

pub(super) fn waits_for_itself(verb: &'static str, what: &'static str) -> Error {
    let reason = "this thread runs a restore, and would wait for itself";
    Error::value(ErrorCode::InvalidInput, verb, what, reason)
}

pub(super) fn gone_again() -> Error {
    failed(ErrorCode::NotFound, "it ended as soon as it was restored")
}

pub(super) fn not_live(verb: &'static str) -> Error {
    Error::value(ErrorCode::NotFound, verb, "the session", "no live session has this id")
}

pub(super) fn channel_closed(reason: &str) -> Error {
    failed(ErrorCode::Closed, format!("the channel that carries it is closed: {reason}"))
        .with_details(Details { reason: Some("channel_closed"), ..Details::default() })
}

pub(super) fn in_progress(
    id: &str,
    active: Action,
    requested: Option<Action>,
    is_abandoned: bool,
) -> Error {
    let reason = if is_abandoned { "abandoned" } else { "restoring" };
    let text = match (is_abandoned, requested) {
        (true, _) => format!("an abandoned {active} of it has not ended yet"),
        (false, Some(requested)) => format!("a {requested} cannot join a {active}"),
        (false, None) => format!("a {active} of it is under way"),
    };
    let verb = if requested.is_some() { "restore" } else { "end" };
    let error = Error::value(ErrorCode::RestoreInProgress, verb, "the session", text);
    error.with_details(Details {
        session_id: Some(id.to_owned()),
        active: Some(active.as_str()),
        requested: requested.map(|action| action.as_str().to_owned()),
        reason: Some(reason),
        retry_after: Some(RETRY_AFTER),
        ..Details::default()
    })
}

pub(super) fn session_limit(limit: usize) -> Error {
    failed(ErrorCode::SessionLimit, format!("there are {limit} sessions already")).with_details(
        Details { limit: Some(limit), retry_after: Some(RETRY_AFTER), ..Details::default() },
    )
}

pub(super) fn subscriber_limit(limit: usize) -> Error {
    let text = format!("it has {limit} subscribers already");
    Error::value(ErrorCode::SubscriberLimit, "subscribe to", "the session", text)
        .with_details(Details { limit: Some(limit), ..Details::default() })
}
