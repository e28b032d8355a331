//! The class `SessionEvent`: what a subscriber gets.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::restore::Event as Core;

use super::value::to_object;
use crate::convert::{optional, shown, text, u64};
use crate::error::guard;
use crate::record::Given;

/// What a subscriber gets.
///
/// Immutable, compared by value. Its `kind` is one of these:
///
/// - `published`: `data` was published, and `id` is where it stands.
/// - `gap`: `missed` events, which would come here, are not kept any more.
/// - `new_epoch`: the event that the subscriber named as its last is of another life of the
///   session; what follows is all that is kept of this one.
/// - `evicted`: the last event; too many waited for the subscriber, who may subscribe anew.
/// - `ended`: the last event; the session is not live any more, and `reason` says why.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct SessionEvent {
    /// What kind of event it is.
    #[pyo3(get)]
    kind: String,
    /// Where it stands, `<epoch>-<number>`; None if it was not published.
    #[pyo3(get)]
    id: Option<String>,
    /// What was published, the very object; None if nothing was.
    #[pyo3(get)]
    data: Py<PyAny>,
    /// How many events are not kept any more: of a `gap`.
    #[pyo3(get)]
    missed: u64,
    /// Why the session ended: `released`, `ended`, `channel_closed` or `daemon_shutdown`.
    #[pyo3(get)]
    reason: Option<String>,
}

#[pymethods]
impl SessionEvent {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str, &'static str, &'static str) =
        ("kind", "id", "data", "missed", "reason");

    #[new]
    #[pyo3(
        signature = (kind, id=None, data=None, missed=None, reason=None),
        text_signature = "(kind, id=None, data=None, missed=0, reason=None)",
    )]
    fn new(
        kind: &Bound<'_, PyAny>,
        id: Given<'_, '_>,
        data: Given<'_, '_>,
        missed: Given<'_, '_>,
        reason: Given<'_, '_>,
    ) -> PyResult<Self> {
        let py = kind.py();
        guard(py, || {
            Ok(Self {
                kind: text("kind", kind)?,
                id: id.map_or(Ok(None), |id| optional("id", id, text))?,
                data: data.map_or_else(|| py.None(), |data| data.clone().unbind()),
                missed: missed.map_or(Ok(0), |missed| u64("missed", missed))?,
                reason: reason.map_or(Ok(None), |reason| optional("reason", reason, text))?,
            })
        })
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        let Self { kind, id, data, missed, reason } = self;
        let is_same =
            (kind, id, missed, reason) == (&other.kind, &other.id, &other.missed, &other.reason);
        Ok(is_same && data.bind(py).eq(&other.data)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["kind", "id", "data", "missed", "reason"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { kind, id, data, missed, reason } = slf.get();
        (slf.get_type(), (kind, id, data, missed, reason)).into_pyobject(slf.py())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.data)
    }
}

impl SessionEvent {
    pub(super) fn of_core(py: Python<'_>, event: Core) -> Self {
        let mut this = Self {
            kind: event.kind().to_owned(),
            id: None,
            data: py.None(),
            missed: 0,
            reason: None,
        };
        match event {
            Core::Published { id, data } => {
                this.id = Some(id.to_string());
                this.data = to_object(py, &data);
            }
            Core::Gap { missed } => this.missed = missed,
            Core::Ended(reason) => this.reason = Some(reason.as_str().to_owned()),
            _ => {}
        }
        this
    }
}
