//! Python objects that a table passes on.

use std::sync::Arc;

use pyo3::prelude::*;
use sessionreg::restore::Opaque;

/// The state of a session, or the data of an event.
struct Value(Py<PyAny>);

pub(super) fn of_object(object: &Bound<'_, PyAny>) -> Opaque {
    Arc::new(Value(object.clone().unbind()))
}

/// The very object.
pub(super) fn to_object(py: Python<'_>, opaque: &Opaque) -> Py<PyAny> {
    // Whatever is in a table of ours came through `of_object`.
    opaque.downcast_ref::<Value>().map_or_else(|| py.None(), |value| value.0.clone_ref(py))
}
