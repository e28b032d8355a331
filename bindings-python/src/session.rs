//! The class `Session`: a handle of the core's, which nothing but a call ever closes.

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sessionreg::{ErrorCode, Registry, Session as Core, Ticket};

use crate::convert::text;
use crate::error::{detached, guard, of_core};
use crate::holder::Holder;
use crate::paths::to_path;
use crate::record::{Given, Record};
use crate::{new, patch};

/// A session that this process registered, or helps to keep up to date; `Registry` makes them.
///
/// Calls may come from any thread and are carried out in the order in which they were made. Each
/// gives True when it is done; False if the session is inert, or the call failed and the failure
/// went to `on_error`.
///
/// Only `close` removes the record, and `with` at its end, and only on the handle that registered
/// its own process; elsewhere both are `leave`. Garbage collection, the end of a thread or of the
/// interpreter, and forked children never do. After a SIGKILL the record stays, and its verdict
/// tells that the process is gone.
///
/// In a forked child every call is `ClosedError`: the registration is its parent's, and a child
/// that is an agent of its own registers itself.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Session {
    core: Core,
    on_error: Option<Py<PyAny>>,
}

#[pymethods]
impl Session {
    /// Change what is said of the session, by a dict, by keywords, or both.
    ///
    /// It is a JSON merge patch over the names of fields: None removes, what is not named stays, a
    /// dict is merged into the one that is there. A name that is no field is a key of `extra`.
    /// `pid`, `session_id` and the rest of the identity cannot be changed. A status other than
    /// `waiting` drops `waiting_for`; the times of the update, and of the status, follow. Several
    /// processes may update one session: none of their changes is lost.
    ///
    /// `InvalidInputError` for what cannot be changed or written; `BusyError` if the folder's lock
    /// cannot be had within 250 ms; `HeldError` if its file is another registration's now; for a
    /// helper `NotFoundError` if the session was closed; `ClosedError` after `close` and `leave`.
    #[pyo3(signature = (patch=None, /, **changes))]
    fn update(
        &self,
        py: Python<'_>,
        patch: Given<'_, '_>,
        changes: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        self.call(py, || {
            let patch = patch::of_arguments(py, patch, changes)?;
            Ok(move || self.core.submit_update(patch))
        })
    }

    /// Go on with another session in the same process, as `/clear` and `/resume` of a CLI do.
    ///
    /// What is said of the former session's work (`status`, `waiting_for`, `name`,
    /// `transcript_path`) goes; the patch says what the new one is, as in `update`. The session can
    /// be found at every instant. With the id that it has, nothing happens. If it fails, the old
    /// record still stands.
    #[pyo3(signature = (new_id, patch=None, /, **changes))]
    fn switch(
        &self,
        py: Python<'_>,
        new_id: &Bound<'_, PyAny>,
        patch: Given<'_, '_>,
        changes: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<bool> {
        self.call(py, || {
            let new_id = text("new_id", new_id)?;
            let patch = patch::of_arguments(py, patch, changes)?;
            Ok(move || self.core.submit_switch(new_id, patch))
        })
    }

    /// Put the record back, if somebody removed or damaged it.
    fn refresh(&self, py: Python<'_>) -> PyResult<bool> {
        self.call(py, || Ok(|| self.core.submit_refresh()))
    }

    /// Let go of the session; its record stays. Later calls are `ClosedError`.
    fn leave(&self, py: Python<'_>) -> PyResult<bool> {
        self.call(py, || Ok(|| self.core.submit_leave()))
    }

    /// End the session: its record goes, and nothing of it is written any more.
    ///
    /// If it fails the session stays open, and may be closed again. Later calls are `ClosedError`.
    /// On a handle on another process's session this is `leave`.
    fn close(&self, py: Python<'_>) -> PyResult<bool> {
        self.call(py, || Ok(|| self.core.submit_close()))
    }

    /// The record as it was last written, or found, by this handle.
    #[getter]
    fn record(&self, py: Python<'_>) -> PyResult<Record> {
        guard(py, || Ok(Record::of_core(py.detach(|| self.core.record()))))
    }

    /// The id of the session that is served now.
    #[getter]
    fn session_id(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(py.detach(|| self.core.record().session_id)))
    }

    /// The process that serves the session.
    #[getter]
    fn pid(&self, py: Python<'_>) -> PyResult<u32> {
        guard(py, || Ok(py.detach(|| self.core.record().pid)))
    }

    /// The PID file; None if there is none.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        guard(py, || py.detach(|| self.core.path()).map(|path| to_path(py, &path)).transpose())
    }

    /// The sidecar; None if there is none, or its name is another process's.
    #[getter]
    fn sidecar_path<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        guard(py, || {
            py.detach(|| self.core.sidecar_path()).map(|path| to_path(py, &path)).transpose()
        })
    }

    /// Who has the name of the sidecar instead.
    #[getter]
    fn sidecar_holder(&self, py: Python<'_>) -> PyResult<Option<Holder>> {
        guard(py, || Ok(py.detach(|| self.core.sidecar_holder()).as_ref().map(Holder::of_core)))
    }

    /// Who has the name of the PID file instead, where a process has only one.
    #[getter]
    fn pid_file_holder(&self, py: Python<'_>) -> PyResult<Option<Holder>> {
        guard(py, || Ok(py.detach(|| self.core.pid_file_holder()).as_ref().map(Holder::of_core)))
    }

    /// Whether the session is registered: neither inert nor closed.
    #[getter]
    fn registered(&self, py: Python<'_>) -> PyResult<bool> {
        guard(py, || Ok(py.detach(|| self.core.is_registered())))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let closed = guard(py, || Ok(py.detach(|| self.core.submit_close().wait_and_tell())))?;
        match closed {
            Err(error) if error.code() == ErrorCode::Closed => Ok(()),
            closed => self.tell(py, closed.map_err(|error| of_core(py, &error))).map(drop),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let (record, is_registered) =
                py.detach(|| (self.core.record(), self.core.is_registered()));
            let id = record.session_id.into_pyobject(py)?.repr()?.extract::<String>()?;
            let standing = if is_registered { "registered" } else { "not registered" };
            Ok(format!("<Session {id} of pid {}, {standing}>", record.pid))
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.on_error)
    }
}

impl Session {
    /// A handle on somebody's registration.
    pub(crate) fn of_core(core: Core) -> Self {
        Self { core: core.without_close_on_drop(), on_error: None }
    }

    /// Registers a session of these arguments.
    pub(crate) fn register(
        py: Python<'_>,
        registry: &Registry,
        arguments: &[(&str, Given<'_, '_>)],
        on_error: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let on_error = on_error.filter(|on_error| !on_error.is_none());
        if on_error.is_some_and(|on_error| !on_error.is_callable()) {
            return Err(PyTypeError::new_err("`on_error` must be callable"));
        }
        let on_error = on_error.map(|on_error| on_error.clone().unbind());
        let (new, accepted) = new::of_arguments(arguments);
        if on_error.is_none() {
            accepted?;
            let core = detached(py, || registry.register(&new))?;
            return Ok(Self::of_core(core));
        }
        let (core, failure) = py.detach(|| registry.register_or_tell(&new));
        let session = Self { core: core.without_close_on_drop(), on_error };
        let failed = |failure| Err(of_core(py, &failure));
        session.tell(py, accepted.and_then(|()| failure.map_or(Ok(true), failed)))?;
        Ok(session)
    }

    /// Takes the arguments of a call, and carries it out without holding the interpreter: it may
    /// have to wait for another thread's.
    fn call<S: FnOnce() -> Ticket + Send>(
        &self,
        py: Python<'_>,
        arguments: impl FnOnce() -> PyResult<S>,
    ) -> PyResult<bool> {
        let done = guard(py, || {
            let submit = arguments()?;
            detached(py, || submit().wait_and_tell())
        });
        self.tell(py, done)
    }

    /// What a call gives: with `on_error` a failure goes there.
    fn tell(&self, py: Python<'_>, done: PyResult<bool>) -> PyResult<bool> {
        let Some(on_error) = &self.on_error else { return done };
        let is_failure = |raised: &PyErr| raised.is_instance_of::<PyException>(py);
        let Err(failure) = done else { return done };
        if !is_failure(&failure) {
            return Err(failure);
        }
        match on_error.call1(py, (failure,)) {
            Ok(_) => Ok(false),
            Err(raised) if is_failure(&raised) => {
                raised.write_unraisable(py, Some(on_error.bind(py)));
                Ok(false)
            }
            // Ctrl-C, or `sys.exit`: it is not about this call.
            Err(raised) => Err(raised),
        }
    }
}
