//! Changes to a session, given as a dict and as keywords.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sessionreg::Patch;

use crate::convert::wrong_type;
use crate::error::of_core;
use crate::extra;
use crate::record::Given;
use crate::terminal::Terminal;

/// A patch of both; a keyword wins over a key of the dict.
pub(crate) fn of_arguments(
    py: Python<'_>,
    patch: Given<'_, '_>,
    changes: Option<&Bound<'_, PyDict>>,
) -> PyResult<Patch> {
    const TERMINAL: &str = "terminal";
    let all = PyDict::new(py);
    if let Some(patch) = patch {
        let patch = patch.cast::<PyDict>().map_err(|_| wrong_type("patch", "dict", patch))?;
        all.update(patch.as_mapping())?;
    }
    if let Some(changes) = changes {
        all.update(changes.as_mapping())?;
    }
    let mut place = None;
    if let Some(terminal) = all.get_item(TERMINAL)?
        && let Ok(terminal) = terminal.cast::<Terminal>()
    {
        place = Some(terminal.get().members(py)?);
        all.del_item(TERMINAL)?;
    }
    let mut members = extra::members("patch", &all)?;
    if let Some(place) = place {
        // Unlike a dict it says all of it: what was there goes first.
        let key = format!("\"{TERMINAL}\"");
        members.extend([(key.clone(), "null".to_owned()), (key, extra::object(&place))]);
    }
    Patch::from_json(extra::object(&members)).map_err(|error| of_core(py, &error))
}
