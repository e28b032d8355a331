//! The class `AgentSession`: a session of the core, immutable, converted field by field on access.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use sessionreg::{AgentSession as Core, ContextUsage as CoreUsage, Transcript as CoreTranscript};

use crate::convert::{optional, path, shown, u64, u128};
use crate::error::guard;
use crate::extra;
use crate::lazy::remember;
use crate::paths::{to_path, to_paths};
use crate::terminal::Terminal;
use crate::verdict::{Verdict, reason_member, state_member};

/// A session of an agent on this machine, as all that speak of it describe it together.
///
/// A snapshot or a batch gives it. Immutable, compared by value; the hash is that of `key`.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct AgentSession {
    core: Arc<Core>,
}

#[pymethods]
impl AgentSession {
    /// Its stable identity: the registration, where there is one.
    ///
    /// A process that moves to another session keeps it.
    #[getter]
    fn key(&self) -> &str {
        &self.core.key
    }

    /// The program.
    #[getter]
    fn agent(&self) -> Option<&str> {
        self.core.agent.as_deref()
    }

    /// The session's id; None for a process of which only the folder is known.
    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.core.session_id.as_deref()
    }

    /// The process that serves it.
    #[getter]
    fn pid(&self) -> Option<u32> {
        self.core.pid
    }

    /// The process's controlling terminal, such as `pts/3`.
    #[getter]
    fn tty(&self) -> Option<&str> {
        self.core.tty.as_deref()
    }

    /// The folder in which it works.
    #[getter]
    fn work_dir(&self) -> Option<&str> {
        self.core.work_dir.as_deref()
    }

    /// The kind of session.
    #[getter]
    fn kind(&self) -> Option<&str> {
        self.core.kind.as_deref()
    }

    /// What it is doing: `busy`, `idle`, `waiting`, or a word of the program's own.
    #[getter]
    fn status(&self) -> Option<&str> {
        self.core.status.as_deref()
    }

    /// What a `waiting` session waits for.
    #[getter]
    fn waiting_for(&self) -> Option<&str> {
        self.core.waiting_for.as_deref()
    }

    /// A name for people.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.core.name.as_deref()
    }

    /// When it began, in seconds since the Unix epoch.
    #[getter]
    fn started_at(&self) -> Option<f64> {
        self.core.started_at
    }

    /// When something was last said of it, in seconds since the Unix epoch.
    #[getter]
    fn updated_at(&self) -> Option<f64> {
        self.core.updated_at
    }

    /// The session that it came from.
    #[getter]
    fn parent_session_id(&self) -> Option<&str> {
        self.core.parent_session_id.as_deref()
    }

    /// Where it is shown.
    #[getter]
    fn terminal(&self) -> Option<Terminal> {
        self.core.terminal.as_ref().map(Terminal::of_core)
    }

    /// Its log.
    #[getter]
    fn transcript(&self) -> Option<Transcript> {
        self.core.transcript.as_ref().map(Transcript::of_core)
    }

    /// How much of its context it uses, by its log.
    #[getter]
    fn context_usage(&self) -> Option<ContextUsage> {
        self.core.context_usage.map(ContextUsage::of_core)
    }

    /// Tokens in use when the present turn began.
    #[getter]
    fn turn_start_tokens(&self) -> Option<u64> {
        self.core.turn_start_tokens
    }

    /// The sources that speak of it, in order of name.
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, &self.core.sources)
    }

    /// The files that speak of it, in order of path.
    #[getter]
    fn files<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || to_paths(py, &self.core.files))
    }

    /// Whether its process is there, by the best evidence, and how that is known.
    #[getter]
    fn verdict(&self) -> Verdict {
        Verdict::of_core(self.core.verdict)
    }

    /// Alive, dead or unknown: that of the verdict.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guard(py, || state_member(py, self.core.verdict.reason))
    }

    /// What the state was concluded from: that of the verdict.
    #[getter]
    fn reason(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        guard(py, || reason_member(py, self.core.verdict.reason))
    }

    /// The session that took its place in its terminal.
    #[getter]
    fn superseded_by(&self) -> Option<&str> {
        self.core.superseded_by.as_deref()
    }

    /// Every other key of its record, but for secrets, as one JSON object; None without any.
    #[getter]
    fn extra_json(&self) -> Option<String> {
        let extra = &self.core.extra;
        (!extra.is_empty()).then(|| extra.to_json())
    }

    /// Every other key of its record, but for secrets: a new dict on each access.
    ///
    /// Its values are parsed then, as those of `Record.extra`.
    #[getter]
    fn extra<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || extra::to_dict(py, &self.core.extra))
    }

    /// Return all that is known of it as plain data, by the names of the attributes.
    ///
    /// Those without a value are left out; `state` and `reason` are those of the verdict.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || self.dict(py))
    }

    /// Return all that is known of it as one line of JSON, by the names of the attributes.
    ///
    /// `mtime_ns` is text there: not every reader of JSON has integers of that size. A path that is
    /// not Unicode has replacement characters.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(self.core.to_json()))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }

    fn __eq__(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core) || self.core == other.core
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.core.key.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let Core { key, agent, session_id, pid, work_dir, status, verdict, .. } = &*self.core;
            // Python's own representation escapes whatever could act on a terminal.
            let text = |text: &str| PyString::new(py, text).repr()?.extract::<String>();
            let mut fields = vec![format!("key={}", text(key)?)];
            if let Some(session_id) = session_id {
                fields.push(format!("session_id={}", text(session_id)?));
            }
            fields.extend(pid.map(|pid| format!("pid={pid}")));
            for (name, value) in [("agent", agent), ("work_dir", work_dir), ("status", status)] {
                if let Some(value) = value {
                    fields.push(format!("{name}={}", text(value)?));
                }
            }
            Ok(format!("<AgentSession {}, {verdict}>", fields.join(", ")))
        })
    }
}

impl AgentSession {
    pub(crate) fn of_core(core: Arc<Core>) -> Self {
        Self { core }
    }

    fn dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let text = |name: &str, value: &Option<String>| match value {
            Some(value) => dict.set_item(name, value),
            None => Ok(()),
        };
        let time = |name: &str, value: Option<f64>| match value {
            Some(value) => dict.set_item(name, value),
            None => Ok(()),
        };
        let core = &*self.core;
        dict.set_item("key", &core.key)?;
        text("agent", &core.agent)?;
        text("session_id", &core.session_id)?;
        if let Some(pid) = core.pid {
            dict.set_item("pid", pid)?;
        }
        text("tty", &core.tty)?;
        text("work_dir", &core.work_dir)?;
        text("kind", &core.kind)?;
        text("status", &core.status)?;
        text("waiting_for", &core.waiting_for)?;
        text("name", &core.name)?;
        time("started_at", core.started_at)?;
        time("updated_at", core.updated_at)?;
        text("parent_session_id", &core.parent_session_id)?;
        if let Some(terminal) = &core.terminal {
            dict.set_item("terminal", Terminal::to_dict(py, terminal)?)?;
        }
        if let Some(transcript) = &core.transcript {
            let value = PyDict::new(py);
            value.set_item("path", transcript.path.as_os_str())?;
            if let Some(mtime_ns) = transcript.mtime_ns {
                value.set_item("mtime_ns", mtime_ns)?;
            }
            dict.set_item("transcript", value)?;
        }
        if let Some(usage) = core.context_usage {
            let value = PyDict::new(py);
            value.set_item("current_tokens", usage.current_tokens)?;
            if let Some(window) = usage.window {
                value.set_item("window", window)?;
            }
            dict.set_item("context_usage", value)?;
        }
        if let Some(tokens) = core.turn_start_tokens {
            dict.set_item("turn_start_tokens", tokens)?;
        }
        dict.set_item("sources", PyList::new(py, &core.sources)?)?;
        let files = core.files.iter().map(|file| file.as_os_str());
        dict.set_item("files", PyList::new(py, files.collect::<Vec<_>>())?)?;
        dict.set_item("state", core.verdict.state.as_str())?;
        dict.set_item("reason", core.verdict.reason.as_str())?;
        text("superseded_by", &core.superseded_by)?;
        dict.set_item("extra", extra::to_dict(py, &core.extra)?)?;
        Ok(dict)
    }
}

/// Sessions as a new list of Python's.
pub(crate) fn list(
    py: Python<'_>,
    sessions: impl IntoIterator<Item = Arc<Core>>,
) -> PyResult<Bound<'_, PyList>> {
    let session = |core| Bound::new(py, AgentSession::of_core(core));
    PyList::new(py, sessions.into_iter().map(session).collect::<PyResult<Vec<_>>>()?)
}

/// Sessions of something immutable, converted once: every look gives the same objects.
pub(crate) struct Made(PyOnceLock<Py<PyTuple>>);

impl Made {
    pub(crate) const fn new() -> Self {
        Self(PyOnceLock::new())
    }

    /// A new list of them.
    pub(crate) fn list<'py>(
        &self,
        py: Python<'py>,
        sessions: &[Arc<Core>],
    ) -> PyResult<Bound<'py, PyList>> {
        let made =
            remember(py, &self.0, || Ok(list(py, sessions.iter().cloned())?.to_tuple().unbind()))?;
        Ok(made.bind(py).to_list())
    }
}

/// The log of a session.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Transcript {
    path: PathBuf,
    /// When it was last written, in nanoseconds since the epoch; None if it is not there.
    #[pyo3(get)]
    mtime_ns: Option<u128>,
}

#[pymethods]
impl Transcript {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("path", "mtime_ns");

    #[new]
    fn new(path: &Bound<'_, PyAny>, mtime_ns: &Bound<'_, PyAny>) -> PyResult<Self> {
        guard(path.py(), || {
            let mtime_ns = optional("mtime_ns", mtime_ns, u128)?;
            Ok(Self { path: self::path("path", path)?, mtime_ns })
        })
    }

    /// The file.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["path", "mtime_ns"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { path, mtime_ns } = slf.get();
        (slf.get_type(), (to_path(slf.py(), path)?, mtime_ns)).into_pyobject(slf.py())
    }
}

impl Transcript {
    fn of_core(transcript: &CoreTranscript) -> Self {
        Self { path: transcript.path.clone(), mtime_ns: transcript.mtime_ns }
    }
}

/// The tokens of a model's context that a session has filled.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ContextUsage {
    /// Tokens in use after the last answer.
    #[pyo3(get)]
    current_tokens: u64,
    /// How many the model takes, where the transcript says so.
    #[pyo3(get)]
    window: Option<u64>,
}

#[pymethods]
impl ContextUsage {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("current_tokens", "window");

    #[new]
    fn new(current_tokens: &Bound<'_, PyAny>, window: &Bound<'_, PyAny>) -> PyResult<Self> {
        guard(window.py(), || {
            let current_tokens = u64("current_tokens", current_tokens)?;
            Ok(Self { current_tokens, window: optional("window", window, u64)? })
        })
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["current_tokens", "window"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { current_tokens, window } = slf.get();
        (slf.get_type(), (current_tokens, window)).into_pyobject(slf.py())
    }
}

impl ContextUsage {
    fn of_core(usage: CoreUsage) -> Self {
        Self { current_tokens: usage.current_tokens, window: usage.window }
    }
}
