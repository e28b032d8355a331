//! The class `_Run`: the one run of a restore, in the hands of an event loop.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use sessionreg::restore::Run as Core;

use super::callback::call;
use super::context::RestoreContext;
use super::failure::of_raised;
use super::own::Own;
use super::value::of_object;
use crate::error::{guard, of_core};

/// The one run of a restore; what is said after its end is passed over.
#[pyclass(frozen, name = "_Run", module = "sessionreg._sessionreg")]
pub(crate) struct Run {
    core: Own<Mutex<Option<Core>>>,
    /// What its function is given.
    #[pyo3(get)]
    context: Py<RestoreContext>,
}

#[pymethods]
impl Run {
    /// Take what has to be had before the restore may begin.
    fn secure(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || {
            let core = self.core.get(py)?;
            py.detach(|| lock(core).as_ref().map_or(Ok(()), Core::secure))
                .map_err(|error| of_core(py, &error))
        })
    }

    /// Have `wake` called when nobody waits for the restore any more.
    fn on_cancelled(&self, py: Python<'_>, wake: Py<PyAny>) -> PyResult<()> {
        guard(py, || {
            let context = self.context.get().core(py)?;
            py.detach(|| context.on_cancelled(move || call(&wake)));
            Ok(())
        })
    }

    /// End with a state.
    fn complete(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = state.py();
        guard(py, || {
            let state = of_object(state);
            self.end(py, |run| run.complete(Ok(state)))
        })
    }

    /// End with an exception.
    fn fail(&self, raised: &Bound<'_, PyBaseException>) -> PyResult<()> {
        let py = raised.py();
        guard(py, || {
            let failure = of_raised(py, PyErr::from_value(raised.clone().into_any()));
            self.end(py, |run| run.complete(Err(failure)))
        })
    }

    /// End without a word: the first who still waits runs the restore instead.
    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        guard(py, || self.end(py, drop))
    }
}

impl Run {
    pub(super) fn of_core(core: Core, context: Py<RestoreContext>) -> Self {
        Self { core: Own::new(Mutex::new(Some(core))), context }
    }

    fn end(&self, py: Python<'_>, end: impl FnOnce(Core) + Send) -> PyResult<()> {
        let core = self.core.get(py)?;
        py.detach(|| {
            let run = lock(core).take();
            if let Some(run) = run {
                end(run);
            }
        });
        Ok(())
    }
}

fn lock(core: &Mutex<Option<Core>>) -> MutexGuard<'_, Option<Core>> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
