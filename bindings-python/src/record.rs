//! The class `Record`: a record of the core, immutable, converted field by field on access.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyList, PyString, PyTuple, PyType};
use sessionreg::Record as Core;

use crate::convert::{json, text, u32};
use crate::error::{detached, guard, of_core};
use crate::terminal::Terminal;
use crate::{extra, fields};

/// One session, served by one process.
///
/// Without `pid` the record is a registration of the calling process: its pid, its identity and
/// a new `instance` are in it. A `pid` that is given is not looked up: the record has no
/// identity then, unless fields give one; see `of_process`. `hostname` is this host's and
/// `started_at` is now, unless given. None always means the default.
///
/// Values are never coerced. A value of a wrong Python type is a `TypeError`; one that the field
/// cannot hold (a negative pid, NaN, text with lone surrogates) is an `InvalidInputError`. What
/// no reader would accept, such as a relative `work_dir`, is refused by `write` and `to_json`.
///
/// A record is immutable. Two are equal if they say the same; where they were read from is no
/// part of it. The hash is made of `pid`, `session_id` and `instance`, which no two registrations
/// share. Copies by `copy` and `replace` remember the file that a record was read from, for
/// `liveness` to judge it; pickles, dicts and JSON do not.
#[pyclass(frozen, module = "sessionreg")]
#[derive(Clone)]
pub(crate) struct Record {
    core: Arc<Core>,
}

impl Record {
    pub(crate) fn of_core(core: impl Into<Arc<Core>>) -> Self {
        Self { core: core.into() }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl Hash for Record {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // Equal records have these equal; the rest need not be looked at.
        (self.core.pid, &self.core.session_id, &self.core.instance).hash(hasher);
    }
}

pub(crate) type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

#[pymethods]
impl Record {
    #[new]
    #[pyo3(signature = (
        session_id, work_dir, *, agent=None, agent_version=None, pid=None, hostname=None,
        started_at=None, kind=None, name=None, entrypoint=None, transcript_path=None,
        parent_session_id=None, terminal=None, extra=None, version_key=None, proc_start=None,
        pid_inode=None, host_key=None, platform=None, pid_ns=None, time_ns=None, instance=None,
        revision=None, status=None, waiting_for=None, updated_at=None, status_updated_at=None,
    ))]
    #[allow(clippy::too_many_arguments)] // Keywords, in Python.
    fn new<'py>(
        py: Python<'py>,
        session_id: &Bound<'py, PyAny>,
        work_dir: &Bound<'py, PyAny>,
        agent: Given<'_, 'py>,
        agent_version: Given<'_, 'py>,
        pid: Given<'_, 'py>,
        hostname: Given<'_, 'py>,
        started_at: Given<'_, 'py>,
        kind: Given<'_, 'py>,
        name: Given<'_, 'py>,
        entrypoint: Given<'_, 'py>,
        transcript_path: Given<'_, 'py>,
        parent_session_id: Given<'_, 'py>,
        terminal: Given<'_, 'py>,
        extra: Given<'_, 'py>,
        version_key: Given<'_, 'py>,
        proc_start: Given<'_, 'py>,
        pid_inode: Given<'_, 'py>,
        host_key: Given<'_, 'py>,
        platform: Given<'_, 'py>,
        pid_ns: Given<'_, 'py>,
        time_ns: Given<'_, 'py>,
        instance: Given<'_, 'py>,
        revision: Given<'_, 'py>,
        status: Given<'_, 'py>,
        waiting_for: Given<'_, 'py>,
        updated_at: Given<'_, 'py>,
        status_updated_at: Given<'_, 'py>,
    ) -> PyResult<Self> {
        guard(py, || {
            let session_id = text("session_id", session_id)?;
            let work_dir = text("work_dir", work_dir)?;
            let pid = pid.map(|pid| u32("pid", pid)).transpose()?;
            let mut core = py.detach(|| match pid {
                Some(pid) => Core::plain(pid, session_id, work_dir),
                None => Core::new(session_id, work_dir),
            });
            let given = [
                ("agent", agent),
                ("agent_version", agent_version),
                ("hostname", hostname),
                ("started_at", started_at),
                ("kind", kind),
                ("name", name),
                ("entrypoint", entrypoint),
                ("transcript_path", transcript_path),
                ("parent_session_id", parent_session_id),
                ("terminal", terminal),
                ("extra", extra),
                ("version_key", version_key),
                ("proc_start", proc_start),
                ("pid_inode", pid_inode),
                ("host_key", host_key),
                ("platform", platform),
                ("pid_ns", pid_ns),
                ("time_ns", time_ns),
                ("instance", instance),
                ("revision", revision),
                ("status", status),
                ("waiting_for", waiting_for),
                ("updated_at", updated_at),
                ("status_updated_at", status_updated_at),
            ];
            for (name, value) in given {
                if let Some(value) = value {
                    fields::set(&mut core, name, value)?;
                }
            }
            Ok(Self::of_core(core))
        })
    }

    /// Make a registration of another process, whose identity is read now.
    ///
    /// Further fields are those of the constructor. `NotFoundError` if no process has that pid,
    /// `InvalidInputError` if none can.
    #[classmethod]
    #[pyo3(signature = (pid, session_id, work_dir, **fields))]
    fn of_process<'py>(
        cls: &Bound<'py, PyType>,
        pid: &Bound<'py, PyAny>,
        session_id: &Bound<'py, PyAny>,
        work_dir: &Bound<'py, PyAny>,
        fields: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        let py = cls.py();
        guard(py, || {
            let pid = u32("pid", pid)?;
            let session_id = text("session_id", session_id)?;
            let work_dir = text("work_dir", work_dir)?;
            let mut core = detached(py, || Core::of_process(pid, session_id, work_dir))?;
            if let Some(fields) = fields {
                // As in the constructor, `None` leaves what was found.
                set_all(&mut core, fields, |value| !value.is_none())?;
            }
            Ok(Self::of_core(core))
        })
    }

    /// Make a record of exactly these fields, as `to_dict` gives them.
    ///
    /// Nothing is looked up and nothing has a default: `pid`, `session_id`, `work_dir` and
    /// `started_at` must be there. `InvalidInputError` if one is missing or not known. Numbers in
    /// `extra` that Python does not hold as they are, such as 1e999, are refused; JSON text and
    /// pickles keep them.
    #[classmethod]
    fn from_dict(cls: &Bound<'_, PyType>, fields: &Bound<'_, PyDict>) -> PyResult<Self> {
        guard(cls.py(), || fields::of_dict(fields).map(Self::of_core))
    }

    /// Read the JSON text of a sidecar, by the rules for its file: see `load`.
    #[classmethod]
    fn from_json(cls: &Bound<'_, PyType>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = cls.py();
        guard(py, || {
            let text = json(text)?;
            detached(py, || Core::from_json(text)).map(Self::of_core)
        })
    }

    /// Return the fields that have a value as plain data, `terminal` and `extra` as dicts.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || {
            let dict = fields::to_dict(py, &self.core)?;
            if !self.core.extra.is_empty() {
                dict.set_item("extra", extra::to_dict(py, &self.core.extra)?)?;
            }
            Ok(dict)
        })
    }

    /// Return the text that `write` would write.
    ///
    /// What no reader would accept is `InvalidInputError` or `TooLargeError`.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || self.core.to_json().map_err(|error| of_core(py, &error)))
    }

    /// Return the same record with some fields changed; None takes an optional one away.
    ///
    /// Nothing follows from a change: a new `pid` with the old identity is a process that is not
    /// there.
    #[pyo3(signature = (**changes))]
    fn replace(&self, py: Python<'_>, changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        guard(py, || {
            let mut core = Core::clone(&self.core);
            if let Some(changes) = changes {
                set_all(&mut core, changes, |_| true)?;
            }
            Ok(Self::of_core(core))
        })
    }

    #[pyo3(signature = (**changes))]
    fn __replace__(&self, py: Python<'_>, changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        self.replace(py, changes)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        guard(py, || {
            let unpickle = py.import("sessionreg._sessionreg")?.getattr("_unpickle")?;
            let state = (fields::to_dict(py, &self.core)?, extra::to_state(py, &self.core)?);
            (unpickle, state).into_pyobject(py)
        })
    }

    fn __eq__(&self, other: &Self) -> bool {
        self == other
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            // Python's own representation escapes whatever could act on a terminal.
            let text = |text: &str| PyString::new(py, text).repr()?.extract::<String>();
            let Core { pid, session_id, work_dir, started_at, .. } = &*self.core;
            let mut fields = vec![
                format!("session_id={}", text(session_id)?),
                format!("work_dir={}", text(work_dir)?),
                format!("pid={pid}"),
                format!("started_at={}", PyFloat::new(py, *started_at).repr()?),
            ];
            let Core { hostname, agent, status, .. } = &*self.core;
            for (name, value) in [("hostname", hostname), ("agent", agent), ("status", status)] {
                if let Some(value) = value {
                    fields.push(format!("{name}={}", text(value)?));
                }
            }
            Ok(format!("Record({})", fields.join(", ")))
        })
    }

    /// The process that serves the session, 1 to 2**31 - 1.
    #[getter]
    fn pid(&self) -> u32 {
        self.core.pid
    }

    /// The session's id: data, see `check_session_id` before making a path of it.
    #[getter]
    fn session_id(&self) -> &str {
        &self.core.session_id
    }

    /// The folder in which the session works, an absolute path.
    #[getter]
    fn work_dir(&self) -> &str {
        &self.core.work_dir
    }

    /// The host's name as the system gives it, for people to read.
    #[getter]
    fn hostname(&self) -> Option<&str> {
        self.core.hostname.as_deref()
    }

    /// When the session began, in seconds since the Unix epoch.
    #[getter]
    fn started_at(&self) -> f64 {
        self.core.started_at
    }

    /// The version of the program.
    #[getter]
    fn agent_version(&self) -> Option<&str> {
        self.core.agent_version.as_deref()
    }

    /// The key of `agent_version` in a sidecar, such as `qwen_version`.
    ///
    /// It is the one that the record was read with, else the agent's, else `agent_version`.
    #[getter]
    fn version_key(&self) -> String {
        self.core.version_key().into_owned()
    }

    /// Boot and start time of the process: `<boot>:<start>`.
    #[getter]
    fn proc_start(&self) -> Option<&str> {
        self.core.identity.proc_start.as_deref()
    }

    /// Inode of the process's pidfd: unique in a boot (Linux 6.9 and later).
    #[getter]
    fn pid_inode(&self) -> Option<&str> {
        self.core.identity.pid_inode.as_deref()
    }

    /// Keyed hash of the machine id: equal on one machine, and tells nothing about it.
    #[getter]
    fn host_key(&self) -> Option<&str> {
        self.core.identity.host_key.as_deref()
    }

    /// The system: `linux`, `darwin` or `win32`.
    #[getter]
    fn platform(&self) -> Option<&str> {
        self.core.identity.platform.as_deref()
    }

    /// Inode of the PID namespace in which the pid is meant (Linux).
    #[getter]
    fn pid_ns(&self) -> Option<u64> {
        self.core.identity.pid_ns
    }

    /// Inode of the time namespace in which the start was read (Linux).
    #[getter]
    fn time_ns(&self) -> Option<u64> {
        self.core.identity.time_ns
    }

    /// 32 hex digits, random for every registration.
    #[getter]
    fn instance(&self) -> Option<&str> {
        self.core.instance.as_deref()
    }

    /// Counts the writes of a registration; who owns the record raises it.
    #[getter]
    fn revision(&self) -> Option<u64> {
        self.core.revision
    }

    /// The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`.
    #[getter]
    fn agent(&self) -> Option<&str> {
        self.core.agent.as_deref()
    }

    /// The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`.
    #[getter]
    fn kind(&self) -> Option<&str> {
        self.core.kind.as_deref()
    }

    /// A name for people.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.core.name.as_deref()
    }

    /// How the program was started, such as `cli` or `sdk-ts`.
    #[getter]
    fn entrypoint(&self) -> Option<&str> {
        self.core.entrypoint.as_deref()
    }

    /// The log of the session.
    #[getter]
    fn transcript_path(&self) -> Option<&str> {
        self.core.transcript_path.as_deref()
    }

    /// The session that this one came from.
    #[getter]
    fn parent_session_id(&self) -> Option<&str> {
        self.core.parent_session_id.as_deref()
    }

    /// Where the session is shown.
    #[getter]
    fn terminal(&self) -> Option<Terminal> {
        self.core.terminal.as_ref().map(Terminal::of_core)
    }

    /// What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own.
    #[getter]
    fn status(&self) -> Option<&str> {
        self.core.status.as_deref()
    }

    /// What a `waiting` session waits for.
    #[getter]
    fn waiting_for(&self) -> Option<&str> {
        self.core.waiting_for.as_deref()
    }

    /// When the record was last updated, in seconds since the Unix epoch.
    #[getter]
    fn updated_at(&self) -> Option<f64> {
        self.core.updated_at
    }

    /// When the status last changed, in seconds since the Unix epoch.
    #[getter]
    fn status_updated_at(&self) -> Option<f64> {
        self.core.status_updated_at
    }

    /// Every other key as one JSON object, exactly as it stands; None if there is none.
    #[getter]
    fn extra_json(&self) -> Option<String> {
        let extra = &self.core.extra;
        (!extra.is_empty()).then(|| extra.to_json())
    }

    /// Every other key: a new dict on each access, whose values are parsed then.
    ///
    /// Integers of any size are exact, lone surrogates stay what they are, floats are as `json`
    /// reads them; `extra_json` loses nothing. `RecursionError` if values nest deeper than Python's
    /// recursion limit allows: such a record is still read, written, compared and pickled.
    #[getter]
    fn extra<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || extra::to_dict(py, &self.core.extra))
    }
}

/// Makes a record of its pickled state.
#[pyfunction]
#[pyo3(name = "_unpickle")]
pub(crate) fn unpickle(
    py: Python<'_>,
    fields: &Bound<'_, PyDict>,
    extra: &Bound<'_, PyList>,
) -> PyResult<Record> {
    guard(py, || {
        let mut core = fields::of_dict(fields)?;
        core.extra = extra::of_state(extra)?;
        Ok(Record::of_core(core))
    })
}

/// Sets the fields that keywords name, as far as `wanted` says.
fn set_all(
    core: &mut Core,
    keywords: &Bound<'_, PyDict>,
    wanted: impl Fn(&Bound<'_, PyAny>) -> bool,
) -> PyResult<()> {
    for item in keywords.items() {
        let (name, value) = item.extract::<(String, Bound<'_, PyAny>)>()?;
        if wanted(&value) && fields::set(core, &name, &value)?.is_none() {
            return Err(PyTypeError::new_err(format!("a record has no field {name:?}")));
        }
    }
    Ok(())
}
