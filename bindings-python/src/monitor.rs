//! The class `Monitor`: the sessions of this machine, watched.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use sessionreg::{CleanUpOptions, Monitor as Core, MonitorOptions, Polled as CorePolled};

use crate::batch::Batch;
use crate::clean_up::CleanedUp;
use crate::convert::{boolean, duration, paths, shown, text};
use crate::error::{detached, guard};
use crate::lazy::Lazy;
use crate::record::Given;
use crate::snapshot::Snapshot;
use crate::sources::Sources;
use crate::watch::Watch;

/// How long a wait may be deaf for signals where none ends it.
const MAX_DEAF: Option<Duration> = if cfg!(any(target_os = "linux", target_os = "android")) {
    None
} else {
    Some(Duration::from_millis(100))
};

/// Watches the sessions of this machine, by default in the homes of all known programs.
///
/// It keeps what was read, is told by the system of changes of files and of processes that exit,
/// and has no thread of its own: who waits does the work, and any number of threads and event loops
/// may wait. Where nothing changes, nothing wakes. Opening it looks at nothing yet.
///
/// Changes are gathered for `fold` seconds after the first of them, so that a burst is one batch;
/// what nobody tells of is looked at every `poll` seconds, see `polled`.
///
/// `close`, `with` and garbage collection give back its descriptors. A forked child cannot use its
/// parent's: there every call is `ClosedError`, as it is after `close`.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Monitor {
    core: Core,
}

#[pymethods]
impl Monitor {
    #[new]
    #[pyo3(
        signature = (sources=None, *, fold=None, poll=None),
        text_signature = "(sources=None, *, fold=0.02, poll=2.0)",
    )]
    fn new(
        py: Python<'_>,
        sources: Option<&Bound<'_, Sources>>,
        fold: Given<'_, '_>,
        poll: Given<'_, '_>,
    ) -> PyResult<Self> {
        guard(py, || {
            let mut options = MonitorOptions::default();
            if let Some(fold) = fold {
                options = options.fold(duration("fold", fold)?);
            }
            if let Some(poll) = poll {
                options = options.poll(duration("poll", poll)?);
            }
            let sources = Sources::given(sources);
            Ok(Self { core: detached(py, || Core::with(sources, options))? })
        })
    }

    /// Return every agent session as it is now; only what changed is looked at.
    ///
    /// What is polled, such as which processes there are, is as old as the last poll at most.
    fn snapshot(&self, py: Python<'_>) -> PyResult<Snapshot> {
        guard(py, || detached(py, || self.core.snapshot()).map(Snapshot::of_core))
    }

    /// Return `snapshot()` to a coroutine; a thread of the event loop's executor takes it.
    fn snapshot_async(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        static TAKE: Lazy = Lazy::new("sessionreg._watching", "snapshot");
        TAKE.get(slf.py())?.call1((slf,))
    }

    /// Wait until something changed since a cursor, and return it.
    ///
    /// Without a cursor, and with one that is too old or another monitor's, it is the full state,
    /// at once. None if nothing changed within `timeout` seconds; without `timeout` it waits
    /// without end. Signal handlers run meanwhile, so Ctrl-C ends it; `ClosedError` as soon as the
    /// monitor is closed.
    #[pyo3(signature = (cursor=None, timeout=None))]
    fn wait(
        &self,
        py: Python<'_>,
        cursor: Given<'_, '_>,
        timeout: Given<'_, '_>,
    ) -> PyResult<Option<Batch>> {
        guard(py, || {
            let cursor = cursor.map(|cursor| text("cursor", cursor)).transpose()?;
            let timeout = timeout.map(|timeout| duration("timeout", timeout)).transpose()?;
            let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            // At first without waiting: of a signal that comes while files are read, no wait hears.
            let mut rest = Some(Duration::ZERO);
            loop {
                let limit = [rest, MAX_DEAF].into_iter().flatten().min();
                let batch = detached(py, || self.core.wait(cursor.as_deref(), limit))?;
                if let Some(batch) = batch {
                    return Ok(Some(Batch::of_core(batch)));
                }
                py.check_signals()?;
                rest = end.map(|end| end.saturating_duration_since(Instant::now()));
                if rest == Some(Duration::ZERO) {
                    return Ok(None);
                }
            }
        })
    }

    /// Return `wait(cursor, timeout)` to a coroutine.
    ///
    /// The event loop waits for a descriptor: there is no thread, and one descriptor for all who
    /// wait in a loop. A cancelled wait loses nothing. The first look of all is taken by the loop
    /// itself, if no `snapshot_async` came before.
    #[pyo3(signature = (cursor=None, timeout=None))]
    fn wait_async<'py>(
        slf: Bound<'py, Self>,
        cursor: Given<'_, 'py>,
        timeout: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static WAIT: Lazy = Lazy::new("sessionreg._watching", "wait");
        let py = slf.py();
        guard(py, || {
            let cursor = cursor.map(|cursor| text("cursor", cursor)).transpose()?;
            let timeout = timeout.map(|timeout| duration("timeout", timeout)).transpose()?;
            WAIT.get(py)?.call1((slf, cursor, timeout.map(|timeout| timeout.as_secs_f64())))
        })
    }

    /// Return a reader with a cursor of its own: an iterator of batches, also for `async for`.
    ///
    /// It begins with the full state, or goes on from a cursor, such as the `Last-Event-ID` of a
    /// client.
    #[pyo3(signature = (cursor=None))]
    fn watch(slf: Bound<'_, Self>, cursor: Given<'_, '_>) -> PyResult<Watch> {
        guard(slf.py(), || {
            let cursor = cursor.map(|cursor| text("cursor", cursor)).transpose()?;
            Watch::new(slf, cursor)
        })
    }

    /// What is looked at every so often because nobody tells of its changes.
    #[getter]
    fn polled<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || {
            let polled = |CorePolled { what, every, .. }| Bound::new(py, Polled { what, every });
            let all = detached(py, || self.core.polled())?;
            PyList::new(py, all.into_iter().map(polled).collect::<PyResult<Vec<_>>>()?)
        })
    }

    /// Record with how many tokens the present turns of hook-fed sessions began.
    ///
    /// It is for other programs and later monitors, in this library's own data folder; what the
    /// hooks wrote is not touched. A monitor keeps them in memory anyway. Returns how many were
    /// new.
    fn record_turn_start(&self, py: Python<'_>) -> PyResult<usize> {
        guard(py, || detached(py, || self.core.record_turn_start()))
    }

    /// Remove what is left over in data folders fed by hooks, and only in those named here.
    ///
    /// That is records of sessions that are `starting` for an hour, or whose zellij session is
    /// known to be gone; records that another one superseded on its pane; event logs without a
    /// record that nobody wrote to for a day. Only ever a file that was read, and only if it is
    /// still as it was. `dry_run` only tells what would go.
    #[pyo3(
        signature = (folders, *, dry_run=None),
        text_signature = "($self, folders, *, dry_run=False)",
    )]
    fn clean_up(&self, folders: &Bound<'_, PyAny>, dry_run: Given<'_, '_>) -> PyResult<CleanedUp> {
        let py = folders.py();
        guard(py, || {
            let folders: Vec<PathBuf> = paths("folders", folders)?;
            let dry_run = dry_run.map(|dry_run| boolean("dry_run", dry_run)).transpose()?;
            let options = CleanUpOptions::default().dry_run(dry_run.unwrap_or(false));
            let cleaned = detached(py, || self.core.clean_up(&folders, options))?;
            CleanedUp::of_core(py, cleaned)
        })
    }

    /// End every wait, in any thread, and give back descriptors and memory.
    ///
    /// It returns when nobody waits any more. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            py.detach(|| self.core.close());
            Ok(())
        })
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }
}

impl Monitor {
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

/// Something that nobody tells the changes of, and how often it is looked at.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Polled {
    /// What it is, in words, such as `processes` or `folder /srv/x`.
    #[pyo3(get)]
    what: String,
    every: Duration,
}

#[pymethods]
impl Polled {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("what", "every");

    #[new]
    fn new(what: &Bound<'_, PyAny>, every: &Bound<'_, PyAny>) -> PyResult<Self> {
        guard(what.py(), || {
            Ok(Self { what: text("what", what)?, every: duration("every", every)? })
        })
    }

    /// How often, in seconds.
    #[getter]
    fn every(&self) -> f64 {
        self.every.as_secs_f64()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["what", "every"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { what, every } = slf.get();
        (slf.get_type(), (what, every.as_secs_f64())).into_pyobject(slf.py())
    }
}
