//! The class `Registry`: a folder of PID files.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use sessionreg::{By, Dialect, Entry, Registry as Core, SweepOptions};

use crate::claim::Claim;
use crate::convert::{path, paths, text, u32, wrong_type};
use crate::error::{detached, guard, invalid, of_core};
use crate::lazy::Lazy;
use crate::paths::to_path;
use crate::record::Given;
use crate::scan::{self, Scan};
use crate::session::Session;
use crate::sweep::Swept;

/// The live sessions of a folder: register, find, sweep, claim.
///
/// Without `dir` it is the user's own registry: `sessions` in `SESSIONREG_HOME`, else below the
/// system's folder for such data (`~/.local/state/sessionreg` on Linux). The dialect of its records
/// follows from the folder: `qwen` and `claude` where those programs keep theirs, else `ours`;
/// given, it is taken as it is.
///
/// Opening does no input or output: a folder that is not there has no sessions, and is made by the
/// first registration. A registry may be used from any thread, and in forked children; it remembers
/// the files that it read, so that a second scan reads only what changed.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Registry {
    core: Arc<Core>,
}

#[pymethods]
impl Registry {
    #[new]
    #[pyo3(signature = (dir=None, dialect=None))]
    fn new(py: Python<'_>, dir: Given<'_, '_>, dialect: Given<'_, '_>) -> PyResult<Self> {
        guard(py, || {
            let dir = dir.map(|dir| path("dir", dir)).transpose()?;
            let dialect = dialect.map(self::dialect_of).transpose()?;
            let open = || match (dir, dialect) {
                (None, None) => Core::open_default(),
                (None, Some(dialect)) => {
                    Core::open_in(sessionreg::paths::home()?.join("sessions"), dialect)
                }
                (Some(dir), None) => Core::open(dir),
                (Some(dir), Some(dialect)) => Core::open_in(dir, dialect),
            };
            Ok(Self { core: Arc::new(detached(py, open)?) })
        })
    }

    /// The folder, an absolute path.
    #[getter]
    fn dir<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, self.core.dir())
    }

    /// The dialect of its records.
    #[getter]
    fn dialect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static DIALECT: Lazy = Lazy::new("sessionreg.dialects", "Dialect");
        DIALECT.get(py)?.call1((self.core.dialect().as_str(),))
    }

    /// Read every record and judge it; files that are none are told too.
    fn scan(&self, py: Python<'_>) -> PyResult<Scan> {
        guard(py, || Scan::of_core(py, detached(py, || self.core.scan())?))
    }

    /// Return every record with its verdict, whatever that is.
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.entries(py, Core::records)
    }

    /// Return the sessions whose process is there; what cannot be judged is not among them.
    fn live<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.entries(py, Core::live)
    }

    /// Return how many sessions `live` gives.
    fn count_live(&self, py: Python<'_>) -> PyResult<usize> {
        guard(py, || detached(py, || self.core.count_live()))
    }

    /// Return the records of a process.
    fn find_by_pid<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.entries(pid.py(), |core| core.find_by_pid(of))
        })
    }

    /// Return the records of a session; several processes may serve one.
    fn find_by_session<'py>(&self, session_id: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(session_id.py(), || {
            let of = text("session_id", session_id)?;
            self.entries(session_id.py(), |core| core.find_by_session(&of))
        })
    }

    /// Return the records of a working folder, by exactly that text.
    fn find_by_work_dir<'py>(&self, work_dir: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(work_dir.py(), || {
            let of = text("work_dir", work_dir)?;
            self.entries(work_dir.py(), |core| core.find_by_work_dir(&of))
        })
    }

    /// Return the live sessions of the nearest process that serves any, from `pid` upwards.
    ///
    /// Of a shell or a language server, those of the agent that started it. It goes by the process
    /// tree, never by inherited environment variables. None are given if no ancestor is registered,
    /// or `pid` is no process; several if one process serves several.
    fn owner_of<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.entries(pid.py(), |core| core.owner_of(of))
        })
    }

    /// Return the live sessions of `pid` and of the processes below it.
    ///
    /// Of a terminal pane's shell, the agents that run in it.
    fn find_under<'py>(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guard(pid.py(), || {
            let of = u32("pid", pid)?;
            self.entries(pid.py(), |core| core.find_under(of))
        })
    }

    /// Register a session: publish its PID file and, where it is asked for, its sidecar.
    ///
    /// `kind` is by default what the environment variable `SESSIONREG_KIND` says. `sidecar` is a
    /// path outside of the registry's folder, in which `{id}` stands for the session id;
    /// `keep_sidecar` leaves it in place when the session is closed. Without `pid_file` the
    /// session is known by its sidecar alone, which then also tells what it is doing. `pid` is the
    /// process that serves the session, by default this one; `extra` holds further keys. None
    /// always means the default.
    ///
    /// It does not fail because another process holds a name: a sidecar whose holder may live is
    /// left alone, and `sidecar_holder` names the holder. In a folder with one file for each
    /// process (dialect `claude`) the session is inert instead, and `pid_file_holder` names the
    /// holder; a second session of one process is `InvalidInputError` there.
    ///
    /// With `on_error` no call of the session raises, and this one does not either: the exception
    /// is given to it, on the calling thread, and the call returns False; a session that could not
    /// be registered is inert. An exception that it raises goes to `sys.unraisablehook`.
    #[pyo3(signature = (
        *, session_id, work_dir, agent=None, agent_version=None, kind=None, name=None,
        entrypoint=None, status=None, transcript_path=None, parent_session_id=None, terminal=None,
        sidecar=None, pid_file=None, keep_sidecar=None, pid=None, extra=None, on_error=None,
    ), text_signature = "($self, *, session_id, work_dir, agent=None, agent_version=None, \
        kind=None, name=None, entrypoint=None, status=None, transcript_path=None, \
        parent_session_id=None, terminal=None, sidecar=None, pid_file=True, keep_sidecar=False, \
        pid=None, extra=None, on_error=None)")]
    #[allow(clippy::too_many_arguments)] // Keywords, in Python.
    fn register<'py>(
        &self,
        py: Python<'py>,
        session_id: &Bound<'py, PyAny>,
        work_dir: &Bound<'py, PyAny>,
        agent: Given<'_, 'py>,
        agent_version: Given<'_, 'py>,
        kind: Given<'_, 'py>,
        name: Given<'_, 'py>,
        entrypoint: Given<'_, 'py>,
        status: Given<'_, 'py>,
        transcript_path: Given<'_, 'py>,
        parent_session_id: Given<'_, 'py>,
        terminal: Given<'_, 'py>,
        sidecar: Given<'_, 'py>,
        pid_file: Given<'_, 'py>,
        keep_sidecar: Given<'_, 'py>,
        pid: Given<'_, 'py>,
        extra: Given<'_, 'py>,
        on_error: Given<'_, 'py>,
    ) -> PyResult<Session> {
        let arguments = [
            ("session_id", Some(session_id)),
            ("work_dir", Some(work_dir)),
            ("agent", agent),
            ("agent_version", agent_version),
            ("kind", kind),
            ("name", name),
            ("entrypoint", entrypoint),
            ("status", status),
            ("transcript_path", transcript_path),
            ("parent_session_id", parent_session_id),
            ("terminal", terminal),
            ("sidecar", sidecar),
            ("pid_file", pid_file),
            ("keep_sidecar", keep_sidecar),
            ("pid", pid),
            ("extra", extra),
        ];
        guard(py, || Session::register(py, &self.core, &arguments, on_error))
    }

    /// Open a handle on a registration that exists, for a short-lived helper such as a hook.
    ///
    /// It is looked up by one of the two. `NotFoundError` if no live registration of this library
    /// matches, `InvalidInputError` if several do, `PermissionDeniedError` if it is another user's.
    #[pyo3(signature = (*, pid=None, session_id=None))]
    fn open_session(
        &self,
        py: Python<'_>,
        pid: Given<'_, '_>,
        session_id: Given<'_, '_>,
    ) -> PyResult<Session> {
        guard(py, || {
            let session = match (pid, session_id) {
                (Some(pid), None) => {
                    let pid = u32("pid", pid)?;
                    detached(py, || self.core.open_session(By::Pid(pid)))
                }
                (None, Some(id)) => {
                    let id = text("session_id", id)?;
                    detached(py, || self.core.open_session(By::Session(&id)))
                }
                _ => Err(invalid(
                    py,
                    "failed to open the session: it takes either `pid` or `session_id`",
                )),
            };
            session.map(Session::of_core)
        })
    }

    /// Remove the records of processes that are proven dead, and abandoned temporary files.
    ///
    /// Only a record that this library wrote goes, and only if its boot and PID namespace are ours
    /// and its process is gone, a zombie, or another one now, or if its boot is over. What cannot
    /// be judged from here, cannot be read, is of a newer schema or is not called as a record
    /// stays.
    ///
    /// `dry_run` only tells what would go. `sidecar_folders` are swept too: folders that hold
    /// `<id>.runtime.json` or `<id>/runtime.json`.
    #[pyo3(
        signature = (*, dry_run=false, sidecar_folders=None),
        text_signature = "($self, *, dry_run=False, sidecar_folders=())",
    )]
    fn sweep(
        &self,
        py: Python<'_>,
        dry_run: bool,
        sidecar_folders: Given<'_, '_>,
    ) -> PyResult<Swept> {
        guard(py, || {
            let mut options = SweepOptions::default().dry_run(dry_run);
            if let Some(folders) = sidecar_folders {
                options.sidecar_folders = paths("sidecar_folders", folders)?;
            }
            Swept::of_core(py, detached(py, || self.core.sweep(&options))?)
        })
    }

    /// Claim a session for this process, so that no other can resume its transcript.
    ///
    /// `HeldError` names the holder, as far as it is known; a second claim by the same process is
    /// held too. The claim is a lock of the kernel's that dies with its holder: none is ever stale,
    /// and none times out. Claims of a user lie in one folder, whatever that of the registry.
    fn claim(&self, agent: &Bound<'_, PyAny>, session_id: &Bound<'_, PyAny>) -> PyResult<Claim> {
        let py = agent.py();
        guard(py, || {
            let (agent, session_id) = (text("agent", agent)?, text("session_id", session_id)?);
            let claim = py.detach(|| self.core.claim(&agent, &session_id).map(Claim::of_core));
            claim.map_err(|error| of_core(py, &error))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let dir = self.core.dir().as_os_str().into_pyobject(py)?.repr()?;
            let dir = dir.extract::<String>()?;
            Ok(format!("Registry({dir}, dialect='{}')", self.core.dialect()))
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let core = &slf.get().core;
        let arguments = (to_path(slf.py(), core.dir())?, core.dialect().as_str());
        (slf.get_type(), arguments).into_pyobject(slf.py())
    }
}

impl Registry {
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn entries<'py>(
        &self,
        py: Python<'py>,
        find: impl FnOnce(&Core) -> sessionreg::Result<Vec<Entry>> + Send,
    ) -> PyResult<Bound<'py, PyList>> {
        guard(py, || scan::entries(py, detached(py, || find(&self.core))?))
    }
}

fn dialect_of(value: &Bound<'_, PyAny>) -> PyResult<Dialect> {
    let word = value.cast::<PyString>();
    let word = word.map_err(|_| wrong_type("dialect", "Dialect or str", value))?;
    Dialect::parse(&word.to_string_lossy()).map_err(|error| of_core(value.py(), &error))
}

/// Every dialect of the core.
#[pyfunction]
#[pyo3(name = "_dialects")]
pub(crate) fn dialects() -> Vec<&'static str> {
    Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect()
}
