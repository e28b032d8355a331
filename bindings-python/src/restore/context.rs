//! The class `RestoreContext`: what the function of a restore is given.

use std::sync::Arc;

use pyo3::prelude::*;
use sessionreg::restore::{Context as Core, Failure, Share};

use super::channel::Channel;
use super::own::Own;
use super::signal::Signal;
use crate::error::{guard, of_core};

/// What a restore can know, and say, while it runs.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct RestoreContext {
    core: Own<Core>,
    /// The place of the caller whose function runs.
    share: Own<Share>,
    signal: Option<Signal>,
}

#[pymethods]
impl RestoreContext {
    /// The session.
    #[getter]
    fn session_id(&self) -> &str {
        self.core.read().session_id()
    }

    /// Whether nobody waits for the restore any more: its outcome will be discarded.
    ///
    /// Its time is over, its callers have left, the table is shutting down, or its channel is
    /// dead. A coroutine is also cancelled then; a function looks here, and may end early.
    #[getter]
    fn cancelled(&self, py: Python<'_>) -> PyResult<bool> {
        guard(py, || Ok(self.given_up(py)?.is_some()))
    }

    /// Have the session carried by a channel from now on.
    ///
    /// The channel is not torn down before the session, and its death is that of the session.
    /// `ClosedError` if it is dead or being torn down, `CancelledError` if nobody waits any more,
    /// `InvalidInputError` for a channel of another table, or after the end of the restore.
    fn carried_by(&self, py: Python<'_>, channel: &Bound<'_, Channel>) -> PyResult<()> {
        guard(py, || {
            let (core, channel) = (self.core.get(py)?, channel.get().core(py)?);
            py.detach(|| core.carried_by(channel)).map_err(|error| of_core(py, &error))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let id = self.session_id().into_pyobject(py)?.repr()?.extract::<String>()?;
            Ok(format!("<RestoreContext of {id}>"))
        })
    }
}

impl RestoreContext {
    pub(super) fn new(core: Core, share: Share, signal: Option<Signal>) -> Self {
        Self { core: Own::new(core), share: Own::new(share), signal }
    }

    /// Why nobody waits for the restore any more, once that is so.
    pub(super) fn given_up(&self, py: Python<'_>) -> PyResult<Option<Failure>> {
        let (core, share) = (self.core.get(py)?, self.share.get(py)?);
        let has_left = self.signal.as_ref().map_or(Ok(false), |signal| signal.is_set(py))?;
        // Nobody else may be there to look at this caller's signal.
        Ok(py.detach(|| {
            if has_left {
                share.cancel();
            }
            core.cancelled()
        }))
    }

    pub(super) fn core(&self, py: Python<'_>) -> PyResult<&Arc<Core>> {
        self.core.get(py)
    }
}
