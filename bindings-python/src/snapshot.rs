//! Every agent session on this machine at one moment.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use sessionreg::{AgentSession, Snapshot as Core};

use crate::agent_session::{self, Made};
use crate::convert::{text, u32};
use crate::error::guard;
use crate::scan::skipped;
use crate::sources::Sources;

/// Every agent session on this machine at one moment; `snapshot` takes it, or a `Monitor`.
///
/// Immutable. Lists are new ones on each access.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Snapshot {
    core: Core,
    sessions: Made,
}

#[pymethods]
impl Snapshot {
    /// The sessions, ordered by session id, then pid; those without an id come first.
    #[getter]
    fn sessions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || self.sessions.list(py, &self.core.sessions))
    }

    /// Files that were meant to be traces and are none, or could not be read, by path.
    #[getter]
    fn skipped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || skipped(py, self.core.skipped.clone()))
    }

    /// How many dead sessions are older than `Sources.dead_within` and not listed.
    #[getter]
    fn dead_before(&self) -> usize {
        self.core.dead_before
    }

    /// From where `Monitor.wait` goes on, if a monitor took the snapshot; else empty.
    #[getter]
    fn cursor(&self) -> &str {
        &self.core.cursor
    }

    /// When it was taken, in seconds since the Unix epoch.
    #[getter]
    fn taken_at(&self) -> f64 {
        self.core.taken_at
    }

    /// Return the sessions whose process is there; what cannot be judged is not among them.
    fn live<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.found(py, Core::live)
    }

    /// Return how many sessions `live` gives.
    fn count_live(&self) -> usize {
        self.core.count_live()
    }

    /// Return the sessions of a process.
    fn find_by_pid<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.found(pid.py(), |core| core.find_by_pid(of))
        })
    }

    /// Return the entries of a session; several processes may serve one.
    fn find_by_session<'py>(&self, session_id: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(session_id.py(), || {
            let of = text("session_id", session_id)?;
            self.found(session_id.py(), |core| core.find_by_session(&of))
        })
    }

    /// Return the sessions in a working folder, by exactly that text.
    fn find_by_work_dir<'py>(&self, work_dir: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(work_dir.py(), || {
            let of = text("work_dir", work_dir)?;
            self.found(work_dir.py(), |core| core.find_by_work_dir(&of))
        })
    }

    /// Return the live sessions of the nearest process that serves any, from `pid` upwards.
    ///
    /// Of a shell or a language server, those of the agent that started it. It goes by the process
    /// tree as it is now, never by inherited environment variables.
    fn owner_of<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.found(pid.py(), |core| core.owner_of(of))
        })
    }

    /// Return the live sessions of `pid` and of the processes below it.
    ///
    /// Of a terminal pane's shell, the agents that run in it.
    fn find_under<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.found(pid.py(), |core| core.find_under(of))
        })
    }

    /// Return the snapshot as one line of JSON.
    ///
    /// It has the attributes, sessions as `AgentSession.to_json`.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(py.detach(|| self.core.to_json())))
    }

    fn __repr__(&self) -> String {
        let Core { sessions, skipped, .. } = &self.core;
        format!("<Snapshot of {} sessions, {} skipped>", sessions.len(), skipped.len())
    }
}

impl Snapshot {
    pub(crate) fn of_core(core: Core) -> Self {
        Self { core, sessions: Made::new() }
    }

    fn found<'py>(
        &self,
        py: Python<'py>,
        find: impl FnOnce(&Core) -> Vec<Arc<AgentSession>> + Send,
    ) -> PyResult<Bound<'py, PyList>> {
        guard(py, || agent_session::list(py, py.detach(|| find(&self.core))))
    }
}

/// Look for agent sessions, by default in the homes of all known programs.
///
/// Nothing is written, created, locked or removed, and, unless multiplexers are to be asked,
/// nothing is started. One bad file never hides anything else: it is in `skipped`, with the
/// reason. A `Monitor` keeps what was read, and looks again only at what changed.
#[pyfunction]
#[pyo3(signature = (sources=None))]
pub(crate) fn snapshot(py: Python<'_>, sources: Option<&Bound<'_, Sources>>) -> PyResult<Snapshot> {
    let sources = Sources::given(sources);
    guard(py, || Ok(Snapshot::of_core(py.detach(|| sessionreg::snapshot(&sources)))))
}
