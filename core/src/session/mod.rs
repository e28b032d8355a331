//! A registered session, in the hands of whoever may change it.

mod files;
mod new;
mod queue;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use new::{New, OnError};
pub use queue::Ticket;
pub(crate) use state::Operation;

use crate::error::{Error, ErrorCode, Holder, Result};
use crate::fs;
use crate::liveness::State as Life;
use crate::record::{Patch, Record};
use crate::registry::{Entry, FileName, Registry};
use queue::Shared;
use state::State;

/// A session that this process registered, or helps to keep up to date.
///
/// Calls may come from any thread and are carried out in the order in which they were made. Only
/// [`close`](Self::close) removes the record, and dropping the handle that registered the calling
/// process itself; a handle on another process's session, the end of a thread and a forked child
/// never do, and after a SIGKILL the record tells by its verdict that the process is gone.
///
/// In a forked child every call is [`ErrorCode::Closed`]: the registration is its parent's, and a
/// child that is an agent of its own registers itself.
#[derive(Debug)]
#[must_use = "a session that is dropped is closed"]
pub struct Session {
    shared: Arc<Shared>,
    closes_on_drop: bool,
}

/// By what an existing registration is looked up.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum By<'a> {
    /// Its process.
    Pid(u32),
    /// Its session id.
    Session(&'a str),
}

impl Registry {
    /// Registers a session: publishes its PID file and, where it is asked for, its sidecar.
    ///
    /// It does not fail because another process holds a name: a sidecar whose holder may live is
    /// left alone, and [`Session::sidecar_holder`] names the holder. In a folder with one file for
    /// each process ([`crate::Dialect::Claude`]) the session is inert instead, and
    /// [`Session::pid_file_holder`] names the holder; a second session of one process is
    /// [`ErrorCode::InvalidInput`] there.
    ///
    /// With [`New::on_error`] it never fails: a session that could not be registered is inert.
    pub fn register(&self, new: &New) -> Result<Session> {
        match (self.register_or_tell(new), &new.on_error) {
            ((session, None), _) => Ok(session),
            ((session, Some(error)), Some(on_error)) => {
                on_error(&error);
                Ok(session)
            }
            ((_, Some(error)), None) => Err(error),
        }
    }

    /// The same for a caller that takes the failure and the inert session, both:
    /// [`New::on_error`] is not called.
    pub fn register_or_tell(&self, new: &New) -> (Session, Option<Error>) {
        let (state, error) = match State::register(self, new) {
            Ok(state) => (state, None),
            Err(error) => (State::inert(self, new), Some(error)),
        };
        (Session::new(state, new.on_error.clone()), error)
    }

    /// A handle on a registration that exists, for a short-lived helper such as a hook.
    ///
    /// [`ErrorCode::NotFound`] if no live registration of this library matches,
    /// [`ErrorCode::InvalidInput`] if several do, [`ErrorCode::PermissionDenied`] if it is another
    /// user's.
    pub fn open_session(&self, by: By<'_>) -> Result<Session> {
        let failed = |code, reason: &str| {
            Error::file(code, "open the session in", self.dir(), reason.to_owned())
        };
        let scan = match by {
            By::Pid(pid) => self.scan_where(&|of| of == pid, &|_| true),
            By::Session(id) => self.scan_where(&|_| true, &|record| record.session_id == id),
        }?;
        let is_ours =
            |entry: &&Entry| entry.record.instance.is_some() && entry.verdict.state == Life::Alive;
        let mut found = scan.entries.iter().filter(is_ours);
        match (found.next(), found.next()) {
            (Some(entry), None) => {
                let owner = entry.record.origin.get().and_then(|origin| origin.owner);
                if !fs::is_own(owner) {
                    return Err(failed(ErrorCode::PermissionDenied, "it is another user's"));
                }
                let state = State::visit(self, &entry.record, entry.path());
                Ok(Session::new(state, None))
            }
            (Some(_), Some(_)) => {
                Err(failed(ErrorCode::InvalidInput, "several live sessions match"))
            }
            (None, _) if is_hidden(&scan.skipped, by) => {
                Err(failed(ErrorCode::PermissionDenied, "it is another user's"))
            }
            (None, _) => Err(failed(ErrorCode::NotFound, "no live session matches")),
        }
    }
}

/// A file of the pid that was asked for is there, but not ours to read.
fn is_hidden(skipped: &[crate::registry::Skipped], by: By<'_>) -> bool {
    let of_pid = |path: &Path, pid| {
        path.file_name().is_some_and(|name| FileName::parse(name) == FileName::Of { pid })
    };
    let By::Pid(pid) = by else { return false };
    skipped
        .iter()
        .any(|skipped| skipped.code == ErrorCode::PermissionDenied && of_pid(&skipped.path, pid))
}

impl Session {
    fn new(state: State, on_error: Option<OnError>) -> Self {
        let closes_on_drop = state.is_owner();
        Self { shared: Arc::new(Shared::new(state, on_error)), closes_on_drop }
    }

    /// Changes what is said of the session.
    ///
    /// A status other than `waiting` drops `waiting_for`; the times of the update, and of the
    /// status, follow. Several processes may update one session: none of their changes is lost.
    ///
    /// Like every call of a session it gives `true` when it is done; `false` if the session is
    /// inert, or failed and the failure went to [`New::on_error`].
    pub fn update(&self, patch: Patch) -> Result<bool> {
        self.submit(Operation::Update(patch)).wait()
    }

    /// Goes on with another session in the same process, as `/clear` and `/resume` of a CLI do.
    ///
    /// Status, what it waits for, name and transcript are reset before the patch is applied. The
    /// new sidecar is there before the PID file changes, and the old one goes after it: at every
    /// instant the session is found. If it fails, the old record still stands. The id that it has
    /// already changes nothing.
    pub fn switch(&self, new_id: impl Into<String>, patch: Patch) -> Result<bool> {
        self.submit(Operation::Switch(new_id.into(), patch)).wait()
    }

    /// Puts the record back if somebody removed or damaged it, and reads the identity of the
    /// process again.
    pub fn refresh(&self) -> Result<bool> {
        self.submit(Operation::Refresh).wait()
    }

    /// Lets go of the session and leaves its record. Later calls are [`ErrorCode::Closed`].
    pub fn leave(&self) -> Result<bool> {
        self.submit(Operation::Leave).wait()
    }

    /// Ends the session: its record goes, and nothing of it is written any more.
    ///
    /// If it fails the session stays open, and may be closed again. Later calls are
    /// [`ErrorCode::Closed`]. On a handle on another process's session this is
    /// [`leave`](Self::leave).
    pub fn close(&self) -> Result<bool> {
        self.submit(Operation::Close).wait()
    }

    /// Puts a call in its place in the order of calls, at once; it is carried out when the ticket,
    /// or that of a later call, is waited for. For callers with an event loop.
    pub fn submit_update(&self, patch: Patch) -> Ticket {
        self.submit(Operation::Update(patch))
    }

    /// [`switch`](Self::switch), as [`submit_update`](Self::submit_update) does it.
    pub fn submit_switch(&self, new_id: impl Into<String>, patch: Patch) -> Ticket {
        self.submit(Operation::Switch(new_id.into(), patch))
    }

    /// [`refresh`](Self::refresh), as [`submit_update`](Self::submit_update) does it.
    pub fn submit_refresh(&self) -> Ticket {
        self.submit(Operation::Refresh)
    }

    /// [`leave`](Self::leave), as [`submit_update`](Self::submit_update) does it.
    pub fn submit_leave(&self) -> Ticket {
        self.submit(Operation::Leave)
    }

    /// [`close`](Self::close), as [`submit_update`](Self::submit_update) does it.
    pub fn submit_close(&self) -> Ticket {
        self.submit(Operation::Close)
    }

    fn submit(&self, operation: Operation) -> Ticket {
        Shared::submit(&self.shared, operation)
    }

    /// The record as it was last written, or found, by this handle.
    pub fn record(&self) -> Record {
        Record::clone(&self.shared.view().record)
    }

    /// The PID file, if there is one.
    pub fn path(&self) -> Option<PathBuf> {
        self.shared.view().path.clone()
    }

    /// The sidecar, if there is one and its name is not another process's.
    pub fn sidecar_path(&self) -> Option<PathBuf> {
        self.shared.view().sidecar_path.clone()
    }

    /// Who has the name of the sidecar instead.
    pub fn sidecar_holder(&self) -> Option<Holder> {
        self.shared.view().sidecar_holder.clone()
    }

    /// Who has the name of the PID file instead, where a process has only one.
    pub fn pid_file_holder(&self) -> Option<Holder> {
        self.shared.view().pid_file_holder.clone()
    }

    /// Whether the session is registered: neither inert nor closed.
    pub fn is_registered(&self) -> bool {
        self.shared.view().is_registered
    }

    /// The same handle, which leaves the record when it is dropped: for languages that drop what
    /// nobody refers to any more, at a time of their own.
    pub fn without_close_on_drop(mut self) -> Self {
        self.closes_on_drop = false;
        self
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.closes_on_drop && self.shared.is_this_process() {
            // Whoever wants to know calls `close`.
            let _ = self.submit(Operation::Close).wait_and_tell();
        }
    }
}
