//! The class `RestoreTable`.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sessionreg::restore::{Action, Begun, canonical};
use sessionreg::{ErrorCode, RestoreOptions, RestoreTable as Core};

use super::callback::call;
use super::caller;
use super::channel::Channel;
use super::failure::cancelled;
use super::interrupt::{message, refuse_on_event_loop, wait};
use super::lease::Lease;
use super::loops;
use super::own::Own;
use super::share::begun;
use super::signal::Signal;
use super::status::RestoreStatus;
use super::subscription::Subscription;
use super::value::of_object;
use crate::convert::{boolean, path, seconds, text, u64};
use crate::error::{detached, guard, invalid, of_core};
use crate::record::Given;
use crate::registry::Registry;

/// The sessions of a daemon, each of which is restored once, however many ask for it.
///
/// `workspace` binds the table to a folder: sessions of other folders are refused. `limit` is how
/// many sessions there may be, live or on their way, 0 for any number. A restore may take
/// `timeout` seconds, None for any time. `ring_capacity` is how many events of a session are
/// kept. With a `registry`, and the `agent` whose sessions they are, a session that another
/// process serves or has claimed is `HeldError`; otherwise it is claimed before its restore
/// begins, until it ends or the restore has failed.
///
/// A table may be used from any thread and any event loop of asyncio at once, and has no threads
/// of its own. A forked child has none: every call is `ClosedError` there. Sessions stay live
/// until their last lease is released, or they are ended; to lose sight of the table does
/// neither.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct RestoreTable {
    core: Own<Core>,
    is_bound: bool,
    takes_claims: bool,
}

impl Drop for RestoreTable {
    /// Garbage collection keeps the claims of sessions that are live: only a call lets go of them,
    /// and the end of the process.
    fn drop(&mut self) {
        if self.takes_claims
            && let Some(core) = self.core.ours()
            && !core.sessions().is_empty()
        {
            mem::forget(Arc::clone(core));
        }
    }
}

/// Seconds; None for any time.
pub(super) struct Timeout(pub(super) Duration);

impl<'py> FromPyObject<'_, 'py> for Timeout {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self(Duration::MAX));
        }
        Duration::try_from_secs_f64(seconds("timeout", &value)?)
            .map(Self)
            .map_err(|_| invalid(value.py(), "failed to accept `timeout`: it is out of range"))
    }
}

#[pymethods]
impl RestoreTable {
    #[new]
    #[pyo3(
        signature = (
            workspace=None, limit=None, timeout=Timeout(Duration::from_secs(60)), registry=None,
            agent=None, *, ring_capacity=None,
        ),
        text_signature = "(workspace=None, limit=20, timeout=60.0, registry=None, agent=None, *, \
            ring_capacity=4000)",
    )]
    #[allow(clippy::needless_pass_by_value)] // Arguments of Python's.
    fn new(
        py: Python<'_>,
        workspace: Given<'_, '_>,
        limit: Given<'_, '_>,
        timeout: Timeout,
        registry: Option<&Bound<'_, Registry>>,
        agent: Given<'_, '_>,
        ring_capacity: Given<'_, '_>,
    ) -> PyResult<Self> {
        guard(py, || {
            let mut options = RestoreOptions::default().timeout(timeout.0);
            let (is_bound, takes_claims) = (workspace.is_some(), registry.is_some());
            if let Some(workspace) = workspace {
                let workspace = path("workspace", workspace)?;
                options = options
                    .workspace(py.detach(|| canonical(&workspace)))
                    .map_err(|error| of_core(py, &error))?;
            }
            if let Some(limit) = limit {
                options = options.limit(count("limit", limit)?);
            }
            if let Some(capacity) = ring_capacity {
                options = options.ring_capacity(count("ring_capacity", capacity)?);
            }
            match (registry, agent) {
                (Some(registry), Some(agent)) => {
                    let registry = Arc::clone(registry.get().core());
                    options = options
                        .across(registry, &text("agent", agent)?)
                        .map_err(|error| of_core(py, &error))?;
                }
                (None, None) => {}
                _ => {
                    let message = "failed to make the table: a registry and an agent go together";
                    return Err(invalid(py, message));
                }
            }
            Ok(Self { core: Own::new(Core::new(options)), is_bound, takes_claims })
        })
    }

    /// Restore a session, or share in what another caller restores.
    ///
    /// `action` is `load` or `resume`, `cwd` the absolute folder in which the session works. A
    /// live session is attached to at once. Otherwise `function(context)` is called on this
    /// thread, unless another caller's runs already: it is called at most once, and what it
    /// returns is the `state` of everybody's lease. What it raises is raised to everybody, the
    /// very object; `LookupError` and `NotFoundError` say that there is no such session, and
    /// arrive as `NotFoundError`. An exception that is no `Exception`, such as
    /// `KeyboardInterrupt`, is its caller's alone: the first who waits runs his own function
    /// instead.
    ///
    /// In this order: `ClosingError` after `close`; `InvalidInputError` for a relative `cwd`;
    /// `WorkspaceMismatchError`; `RestoreInProgressError` if the session is restored by the other
    /// action, or an abandoned restore of it has not ended; `SessionLimitError`; `HeldError`.
    /// Then what the restore comes to: `TimeoutError`, to sharers in time, to the owner when his
    /// function returns; `ClosedError` if its channel dies; `NotFoundError` if the session ended
    /// at once; `CancelledError` once `signal` is set, an object with `is_set` such as a
    /// `threading.Event`, that is looked at twenty times a second.
    ///
    /// `InvalidInputError` on a thread whose event loop runs: that is for `restore_async`; and for
    /// the session that this very thread restores. A function that waits for it by another thread
    /// waits for itself, until `TimeoutError`.
    #[pyo3(signature = (action, session_id, cwd, function, signal=None))]
    fn restore(
        &self,
        action: &Bound<'_, PyAny>,
        session_id: &Bound<'_, PyAny>,
        cwd: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
        signal: Given<'_, '_>,
    ) -> PyResult<Lease> {
        let py = action.py();
        guard(py, || {
            let action = restoring(action)?;
            self.restore_here(py, "restore_async", (action, session_id, cwd), function, signal)
        })
    }

    /// Restore a session on the event loop of asyncio that runs.
    ///
    /// As `restore`, with a function that gives a coroutine, which becomes a task. A task that is
    /// cancelled while it waits here drops its own share, and nobody else's; its coroutine, if it
    /// runs, is cancelled and awaited, and the first who still waits runs his own instead.
    /// `TimeoutError` comes in time to everybody. A coroutine for which nobody waits any more is
    /// cancelled; what comes of it is discarded. One that waits for its own session waits for
    /// itself, until `TimeoutError`. With a registry, the session is claimed in a thread of the
    /// loop's default executor.
    #[pyo3(signature = (action, session_id, cwd, function, signal=None))]
    fn restore_async<'py>(
        slf: &Bound<'py, Self>,
        action: &Bound<'py, PyAny>,
        session_id: &Bound<'py, PyAny>,
        cwd: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        signal: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        guard(py, || {
            restoring(action)?;
            callable("function", function)?;
            Signal::of_argument(signal)?;
            loops::RESTORE.get(py)?.call1((slf, action, session_id, cwd, function, signal))
        })
    }

    /// Enter a session that is not restored, under the same rules and the same limit.
    ///
    /// As `restore` in all else.
    #[pyo3(signature = (session_id, cwd, function, signal=None))]
    fn spawn(
        &self,
        session_id: &Bound<'_, PyAny>,
        cwd: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
        signal: Given<'_, '_>,
    ) -> PyResult<Lease> {
        let py = session_id.py();
        guard(py, || {
            let request = (Action::Spawn, session_id, cwd);
            self.restore_here(py, "spawn_async", request, function, signal)
        })
    }

    /// Enter a session that is not restored, as `restore_async` does.
    #[pyo3(signature = (session_id, cwd, function, signal=None))]
    fn spawn_async<'py>(
        slf: &Bound<'py, Self>,
        session_id: &Bound<'py, PyAny>,
        cwd: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        signal: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        guard(py, || {
            callable("function", function)?;
            Signal::of_argument(signal)?;
            let action = Action::Spawn.as_str();
            loops::RESTORE.get(py)?.call1((slf, action, session_id, cwd, function, signal))
        })
    }

    /// Make a channel for sessions of this table.
    ///
    /// `on_teardown()` is called once, on whatever thread, when the last session and the last
    /// restore that it carries are gone, unless `Channel.exited` came first. What it raises goes
    /// to `sys.unraisablehook`.
    fn channel(&self, on_teardown: &Bound<'_, PyAny>) -> PyResult<Channel> {
        let py = on_teardown.py();
        guard(py, || {
            callable("on_teardown", on_teardown)?;
            let on_teardown = on_teardown.clone().unbind();
            let core = self.core.get(py)?;
            Ok(Channel::of_core(py.detach(|| core.channel(move || call(&on_teardown)))))
        })
    }

    /// End a live session, whoever is attached to it; tells whether it has ended.
    ///
    /// With `only_if_unattached` a session to which somebody is attached stays, for False, and
    /// ends when the last of those attached and subscribed has left. `NotFoundError` if there is
    /// no such session, `RestoreInProgressError` if it is not live yet.
    #[pyo3(
        signature = (session_id, *, only_if_unattached=None),
        text_signature = "($self, session_id, *, only_if_unattached=False)",
    )]
    fn end(
        &self,
        session_id: &Bound<'_, PyAny>,
        only_if_unattached: Given<'_, '_>,
    ) -> PyResult<bool> {
        let py = session_id.py();
        guard(py, || {
            let id = text("session_id", session_id)?;
            let only =
                only_if_unattached.map_or(Ok(false), |only| boolean("only_if_unattached", only))?;
            let core = self.core.get(py)?;
            detached(py, || {
                if only { core.end_if_unattached(&id) } else { core.end(&id).map(|()| true) }
            })
        })
    }

    /// Publish an event of a session that is live or being loaded; gives its id.
    ///
    /// None while it is being resumed: what an agent says then, its clients know already.
    /// `NotFoundError` if there is no such session. Subscribers get the very object.
    fn publish(
        &self,
        session_id: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Option<String>> {
        let py = session_id.py();
        guard(py, || {
            let (id, data) = (text("session_id", session_id)?, of_object(data));
            let core = self.core.get(py)?;
            Ok(detached(py, || core.publish(&id, data))?.map(|event| event.to_string()))
        })
    }

    /// Follow the events of a live session.
    ///
    /// From now on; or from the event that was seen last, `last_event_id`, of which the number
    /// alone will do: 0 is before the first. `NotFoundError` if there is no such live session,
    /// `SubscriberLimitError` if it has 64 subscribers, `InvalidInputError` for what is no id of
    /// an event.
    #[pyo3(signature = (session_id, last_event_id=None))]
    fn subscribe(
        &self,
        session_id: &Bound<'_, PyAny>,
        last_event_id: Given<'_, '_>,
    ) -> PyResult<Subscription> {
        let py = session_id.py();
        guard(py, || {
            let id = text("session_id", session_id)?;
            let last = last_event_id.filter(|last| !last.is_none());
            let last = last.map(|last| text("last_event_id", last)).transpose()?;
            let core = self.core.get(py)?;
            detached(py, || core.subscribe(&id, last.as_deref())).map(Subscription::of_core)
        })
    }

    /// Return what is known of a session; None if it is neither live nor on its way.
    fn status(&self, session_id: &Bound<'_, PyAny>) -> PyResult<Option<RestoreStatus>> {
        let py = session_id.py();
        guard(py, || {
            let id = text("session_id", session_id)?;
            let core = self.core.get(py)?;
            let all = py.detach(|| core.sessions());
            Ok(all.into_iter().find(|one| one.session_id == id).map(RestoreStatus::of_core))
        })
    }

    /// Return every session, live or on its way, in the order of the ids.
    fn sessions(&self, py: Python<'_>) -> PyResult<Vec<RestoreStatus>> {
        guard(py, || {
            let core = self.core.get(py)?;
            let all = py.detach(|| core.sessions());
            Ok(all.into_iter().map(RestoreStatus::of_core).collect())
        })
    }

    /// Return the session that is meant by requests which name none, if there is one.
    ///
    /// Of those that were spawned, the one that has been live for the longest time; never a
    /// restored one.
    fn default_target(&self, py: Python<'_>) -> PyResult<Option<String>> {
        guard(py, || {
            let core = self.core.get(py)?;
            Ok(py.detach(|| core.default_target()))
        })
    }

    /// Shut the table down.
    ///
    /// It begins nothing any more, ends all sessions (`daemon_shutdown`), tells all callers
    /// (`ClosingError`), and waits until every restore has ended, for `timeout` seconds at most,
    /// None for any time. `TimeoutError` if some have not: the table stays as it is, and may be
    /// closed again. `InvalidInputError`, and nothing is changed, on a thread that runs a restore
    /// itself or whose event loop runs.
    #[pyo3(signature = (timeout=Timeout(Duration::MAX)), text_signature = "($self, timeout=None)")]
    #[allow(clippy::needless_pass_by_value)]
    fn close(&self, py: Python<'_>, timeout: Timeout) -> PyResult<()> {
        guard(py, || {
            refuse_on_event_loop(py, "close_async")?;
            let core = self.core.get(py)?;
            let deadline = Instant::now().checked_add(timeout.0);
            let (tell, until_told) = message();
            self.close_then(py, tell)?;
            wait(py, deadline, None, until_told)?;
            // Whether they have ended is for the core to say.
            detached(py, || core.close(Duration::ZERO))
        })
    }

    /// Shut the table down, as `close` does, on an event loop.
    #[pyo3(signature = (timeout=None))]
    fn close_async<'py>(
        slf: &Bound<'py, Self>,
        timeout: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        guard(py, || {
            if let Some(timeout) = timeout {
                timeout.extract::<Timeout>()?;
            }
            loops::CLOSE.get(py)?.call1((slf, timeout))
        })
    }

    /// Ask for a session without waiting.
    #[pyo3(signature = (action, session_id, cwd, wake, signal=None))]
    fn _begin<'py>(
        &self,
        action: &Bound<'py, PyAny>,
        session_id: &Bound<'py, PyAny>,
        cwd: &Bound<'py, PyAny>,
        wake: Py<PyAny>,
        signal: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = action.py();
        guard(py, || {
            let is_spawned = text("action", action)? == Action::Spawn.as_str();
            let action = if is_spawned { Action::Spawn } else { restoring(action)? };
            let signal = Signal::of_argument(signal)?;
            begun(py, self.begin(py, (action, session_id, cwd))?, wake, signal)
        })
    }

    /// Whether sessions are claimed before they are restored, which reads and writes files.
    #[getter]
    fn _takes_claims(&self) -> bool {
        self.takes_claims
    }

    /// Shut down without waiting; `wake` is called when every restore has ended.
    fn _begin_close(&self, py: Python<'_>, wake: Py<PyAny>) -> PyResult<()> {
        guard(py, || self.close_then(py, move || call(&wake)))
    }

    /// Shut down, and raise if some restore has not ended.
    fn _close_now(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let core = self.core.get(py)?;
            detached(py, || core.close(Duration::ZERO))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let sessions = self.core.get(py).map_or(0, |core| py.detach(|| core.sessions().len()));
            Ok(format!("<RestoreTable, {sessions} sessions>"))
        })
    }
}

/// What is asked for: how, which session, and where it works.
type Request<'a, 'py> = (Action, &'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>);

impl RestoreTable {
    fn begin(&self, py: Python<'_>, (action, session_id, cwd): Request<'_, '_>) -> PyResult<Begun> {
        let (id, cwd) = (text("session_id", session_id)?, path("cwd", cwd)?);
        let core = self.core.get(py)?;
        detached(py, || {
            // No disk is waited for where there is nothing to compare it with.
            let cwd = if self.is_bound { canonical(&cwd) } else { cwd };
            core.begin(action, &id, &cwd)
        })
    }

    /// Shuts down without waiting, unless this thread would wait for itself in what follows.
    fn close_then(&self, py: Python<'_>, then: impl FnOnce() + Send + 'static) -> PyResult<()> {
        let core = self.core.get(py)?;
        py.detach(|| {
            match core.close(Duration::ZERO) {
                Err(error) if error.code() != ErrorCode::Timeout => return Err(error),
                _ => core.begin_close().on_settled(then),
            }
            Ok(())
        })
        .map_err(|error| of_core(py, &error))
    }

    fn restore_here(
        &self,
        py: Python<'_>,
        on_event_loop: &str,
        request: Request<'_, '_>,
        function: &Bound<'_, PyAny>,
        signal: Given<'_, '_>,
    ) -> PyResult<Lease> {
        refuse_on_event_loop(py, on_event_loop)?;
        callable("function", function)?;
        let signal = Signal::of_argument(signal)?;
        if signal.as_ref().map_or(Ok(false), |signal| signal.is_set(py))? {
            return Err(cancelled(py));
        }
        caller::restore(py, self.begin(py, request)?, function, signal)
    }
}

fn restoring(action: &Bound<'_, PyAny>) -> PyResult<Action> {
    match text("action", action)?.as_str() {
        "load" => Ok(Action::Load),
        "resume" => Ok(Action::Resume),
        _ => {
            let message = "failed to accept `action`: it is neither `load` nor `resume`";
            Err(invalid(action.py(), message))
        }
    }
}

fn callable(name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if value.is_callable() {
        Ok(())
    } else {
        Err(PyTypeError::new_err(format!("`{name}` must be callable")))
    }
}

fn count(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    usize::try_from(u64(name, value)?)
        .map_err(|_| invalid(value.py(), &format!("failed to accept `{name}`: it is out of range")))
}
