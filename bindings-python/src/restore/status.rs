//! The class `RestoreStatus`: what a table says of one session.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::restore::Status as Core;

use crate::convert::{shown, text, u64};
use crate::error::guard;

/// What a table says of one session.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct RestoreStatus {
    /// The session.
    #[pyo3(get)]
    session_id: String,
    /// How it came, or comes, to life: `load`, `resume` or `spawn`.
    #[pyo3(get)]
    action: String,
    /// How far it has come: `restoring`, `abandoned` or `live`.
    #[pyo3(get)]
    stage: String,
    /// Leases that were not released; of a restore, callers that wait for it.
    #[pyo3(get)]
    attachments: u64,
    /// Subscribers of its events.
    #[pyo3(get)]
    subscribers: u64,
}

#[pymethods]
impl RestoreStatus {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str, &'static str, &'static str) =
        ("session_id", "action", "stage", "attachments", "subscribers");

    #[new]
    fn new(
        session_id: &Bound<'_, PyAny>,
        action: &Bound<'_, PyAny>,
        stage: &Bound<'_, PyAny>,
        attachments: &Bound<'_, PyAny>,
        subscribers: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        guard(session_id.py(), || {
            Ok(Self {
                session_id: text("session_id", session_id)?,
                action: text("action", action)?,
                stage: text("stage", stage)?,
                attachments: u64("attachments", attachments)?,
                subscribers: u64("subscribers", subscribers)?,
            })
        })
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let names = ["session_id", "action", "stage", "attachments", "subscribers"];
        guard(slf.py(), || shown(slf, &names))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { session_id, action, stage, attachments, subscribers } = slf.get();
        let arguments = (session_id, action, stage, attachments, subscribers);
        (slf.get_type(), arguments).into_pyobject(slf.py())
    }
}

impl RestoreStatus {
    pub(super) fn of_core(core: Core) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            session_id: core.session_id,
            action: core.action.as_str().to_owned(),
            stage: core.stage.as_str().to_owned(),
            attachments: count(core.attachments),
            subscribers: count(core.subscribers),
        }
    }
}
