//! The class `Batch`: what changed since a cursor.

use pyo3::prelude::*;
use pyo3::types::PyList;
use sessionreg::Batch as Core;

use crate::agent_session::Made;
use crate::error::guard;

/// What changed since a cursor; `Monitor.wait` and watches give it. Sessions in it are whole.
///
/// Immutable. Lists are new ones on each access.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Batch {
    core: Core,
    added: Made,
    changed: Made,
}

#[pymethods]
impl Batch {
    /// From where to go on: the `id` of a Server-Sent Event.
    #[getter]
    fn cursor(&self) -> &str {
        &self.core.cursor
    }

    /// Whether `added` is all there is: the cursor was none, too old, or another monitor's.
    #[getter]
    fn reset(&self) -> bool {
        self.core.reset
    }

    /// Sessions that are listed now and were not.
    #[getter]
    fn added<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || self.added.list(py, &self.core.added))
    }

    /// Sessions of which something changed.
    #[getter]
    fn changed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || self.changed.list(py, &self.core.changed))
    }

    /// The keys of sessions that are not listed any more.
    #[getter]
    fn removed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, &self.core.removed)
    }

    /// When the latest of it was noticed, in seconds since the Unix epoch.
    #[getter]
    fn at(&self) -> f64 {
        self.core.at
    }

    /// Return the batch as one line of JSON: the `data` of a Server-Sent Event.
    ///
    /// It has the attributes, sessions as `AgentSession.to_json`.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(py.detach(|| self.core.to_json())))
    }

    fn __repr__(&self) -> String {
        let Core { cursor, reset, added, changed, removed, .. } = &self.core;
        let reset = if *reset { ", reset" } else { "" };
        let (added, changed, removed) = (added.len(), changed.len(), removed.len());
        format!("<Batch '{cursor}': {added} added, {changed} changed, {removed} removed{reset}>")
    }
}

impl Batch {
    pub(crate) fn of_core(core: Core) -> Self {
        Self { core, added: Made::new(), changed: Made::new() }
    }
}
