//! Where known programs keep the sidecar of a session.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use sessionreg::{ErrorCode, SessionId};

use crate::convert::{FsPath, text, wrong_type};
use crate::error::{detached, exception, guard, of_core};
use crate::lazy::Lazy;

/// Check that a session id can safely become part of a path; else `InvalidIdError`.
///
/// Refused are an empty id; one longer than 200 bytes; any of `/ \ : * ? " < > |` or a control
/// character; `..` anywhere; a leading `.` or `-`; a trailing `.` or space; a Windows device name.
#[pyfunction]
pub(crate) fn check_session_id(session_id: &Bound<'_, PyAny>) -> PyResult<()> {
    guard(session_id.py(), || id(session_id).map(drop))
}

/// Return the sidecar of a session below a project: `<project_dir>/chats/<id>.runtime.json`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // An argument of Python's.
pub(crate) fn sidecar_in_project<'py>(
    project_dir: FsPath,
    session_id: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = session_id.py();
    guard(py, || {
        to_path(py, &sessionreg::paths::sidecar_in_project(&project_dir.0, &id(session_id)?))
    })
}

/// Return the sidecar that a known program writes for a session served in `work_dir`.
///
/// The agents are `qwen-code` and `kimi-cli`. `home` is the program's own data folder; without it
/// the one that its environment variables name, else its default below the user's home. Nothing
/// is looked up on the file system. `InvalidInputError` for another agent or a relative
/// `work_dir`.
#[pyfunction]
#[pyo3(signature = (agent, work_dir, session_id, home=None))]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn sidecar_of<'py>(
    py: Python<'py>,
    agent: &Bound<'_, PyAny>,
    work_dir: &Bound<'_, PyAny>,
    session_id: &Bound<'_, PyAny>,
    home: Option<FsPath>,
) -> PyResult<Bound<'py, PyAny>> {
    guard(py, || {
        let (agent, work_dir) = (text("agent", agent)?, text("work_dir", work_dir)?);
        let id = id(session_id)?;
        let home = home.map(|home| home.0);
        let path = detached(py, || {
            sessionreg::paths::sidecar_of(&agent, &work_dir, &id, home.as_deref())
        })?;
        to_path(py, &path)
    })
}

/// A `pathlib.Path` of the very bytes.
pub(crate) fn to_path<'py>(py: Python<'py>, path: &Path) -> PyResult<Bound<'py, PyAny>> {
    static PATH: Lazy = Lazy::new("pathlib", "Path");
    PATH.get(py)?.call1((path.as_os_str(),))
}

/// A new list of `pathlib.Path`s.
pub(crate) fn to_paths<'py>(py: Python<'py>, paths: &[PathBuf]) -> PyResult<Bound<'py, PyList>> {
    let paths = paths.iter().map(|path| to_path(py, path)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, paths)
}

fn id(value: &Bound<'_, PyAny>) -> PyResult<SessionId> {
    let py = value.py();
    let string = value.cast::<PyString>().map_err(|_| wrong_type("session_id", "str", value))?;
    let text = string.to_str().map_err(|_| {
        let message = "failed to accept the session id: it is not Unicode text";
        exception(py, ErrorCode::InvalidId, message, None, None)
    })?;
    SessionId::new(text).map_err(|error| of_core(py, &error))
}
