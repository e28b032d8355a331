//! The class `Channel`: one agent process that carries several sessions.

use pyo3::prelude::*;
use sessionreg::restore::Channel as Core;

use super::own::Own;
use crate::convert::text;
use crate::error::guard;

/// One agent process that carries several sessions; `RestoreTable.channel` makes it.
///
/// It is torn down once, when the last session and the last restore that it carries are gone, and
/// carries nothing after that.
#[pyclass(frozen, module = "sessionreg")]
pub(crate) struct Channel {
    core: Own<Core>,
}

#[pymethods]
impl Channel {
    /// Whether it can carry a session: it is neither dead nor being torn down.
    #[getter]
    fn is_open(&self, py: Python<'_>) -> PyResult<bool> {
        guard(py, || {
            let core = self.core.get(py)?;
            Ok(py.detach(|| core.is_open()))
        })
    }

    /// Say that its process is dead.
    ///
    /// Its sessions end (`channel_closed`), its restores fail with `ClosedError`, whose text
    /// `info` becomes a part of, and it is not torn down any more.
    fn exited(&self, info: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = info.py();
        guard(py, || {
            let (info, core) = (text("info", info)?, self.core.get(py)?);
            py.detach(|| core.exited(&info));
            Ok(())
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            let standing = match self.core.get(py) {
                Ok(core) if py.detach(|| core.is_open()) => "open",
                _ => "closed",
            };
            Ok(format!("<Channel, {standing}>"))
        })
    }
}

impl Channel {
    pub(super) fn of_core(core: Core) -> Self {
        Self { core: Own::new(core) }
    }

    pub(super) fn core(&self, py: Python<'_>) -> PyResult<&Core> {
        self.core.get(py).map(|core| &**core)
    }
}
