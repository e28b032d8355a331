//! Who holds a name or a claim, as a plain value.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sessionreg::Holder as Core;

use crate::convert::{optional, path, shown, text, u32};
use crate::error::guard;
use crate::paths::to_path;

/// Who holds what was asked for, as far as it is known.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    /// The process, in its own namespace.
    #[pyo3(get)]
    pid: Option<u32>,
    /// The session that it serves.
    #[pyo3(get)]
    session_id: Option<String>,
    /// The name of its host.
    #[pyo3(get)]
    host: Option<String>,
    path: PathBuf,
}

#[pymethods]
impl Holder {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str, &'static str, &'static str) =
        ("pid", "session_id", "host", "path");

    #[new]
    fn new(
        pid: &Bound<'_, PyAny>,
        session_id: &Bound<'_, PyAny>,
        host: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        guard(pid.py(), || {
            Ok(Self {
                pid: optional("pid", pid, u32)?,
                session_id: optional("session_id", session_id, text)?,
                host: optional("host", host, text)?,
                path: self::path("path", path)?,
            })
        })
    }

    /// The file by which it is held.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_path(py, &self.path)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &["pid", "session_id", "host", "path"]))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { pid, session_id, host, path } = slf.get();
        let path = to_path(slf.py(), path)?;
        (slf.get_type(), (pid, session_id, host, path)).into_pyobject(slf.py())
    }
}

impl Holder {
    pub(crate) fn of_core(holder: &Core) -> Self {
        Self {
            pid: holder.pid,
            session_id: holder.session_id.clone(),
            host: holder.host.clone(),
            path: holder.path.clone(),
        }
    }
}
