//! Python objects that are looked up when first needed, which keeps the import short.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// An attribute of a Python module.
pub(crate) struct Lazy {
    module: &'static str,
    name: &'static str,
    found: PyOnceLock<Py<PyAny>>,
}

impl Lazy {
    pub(crate) const fn new(module: &'static str, name: &'static str) -> Self {
        Self { module, name, found: PyOnceLock::new() }
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        remember(py, &self.found, || Ok(py.import(self.module)?.getattr(self.name)?.unbind()))
            .map(|found| found.bind(py).clone())
    }
}

/// What was remembered, or is found now.
///
/// Unlike `PyOnceLock::get_or_try_init` nobody waits for the thread that looks: in a child forked
/// meanwhile there is no such thread. Two threads that look find the same.
pub(crate) fn remember<'a, T>(
    py: Python<'_>,
    cell: &'a PyOnceLock<T>,
    find: impl FnOnce() -> PyResult<T>,
) -> PyResult<&'a T> {
    if let Some(found) = cell.get(py) {
        return Ok(found);
    }
    let found = find()?;
    Ok(cell.get_or_init(py, || found))
}
