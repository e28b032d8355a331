//! Keys that the format does not know: JSON text in the record, Python values at its face.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use sessionreg::{Extra, Record};

use crate::convert::wrong_type;
use crate::error::of_core;
use crate::lazy::Lazy;

/// Parses all values. `RecursionError` where they nest deeper than Python can follow.
pub(crate) fn to_dict<'py>(py: Python<'py>, extra: &Extra) -> PyResult<Bound<'py, PyDict>> {
    static PARSE: Lazy = Lazy::new("sessionreg._extra", "parse");
    if extra.is_empty() {
        return Ok(PyDict::new(py));
    }
    let parsed = PARSE.get(py)?.call1((extra.to_json(),))?;
    Ok(parsed.cast_into()?)
}

/// Takes a `dict` of JSON values; its keys are text.
pub(crate) fn of_dict(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Extra> {
    let dict = value.cast::<PyDict>().map_err(|_| wrong_type(name, "dict", value))?;
    of_members(value.py(), &members(name, dict)?)
}

/// The keys and values of the argument `name`, both as JSON text.
pub(crate) fn members(name: &str, dict: &Bound<'_, PyDict>) -> PyResult<Vec<(String, String)>> {
    let member = |item: Bound<'_, PyAny>| {
        let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        if !key.is_instance_of::<PyString>() {
            return Err(wrong_type(&format!("a key of `{name}`"), "str", &key));
        }
        Ok((dump(name, &key)?, dump(name, &value)?))
    };
    dict.items().into_iter().map(member).collect()
}

/// A value of the argument `name` as JSON text.
pub(crate) fn dump(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    static DUMP: Lazy = Lazy::new("sessionreg._extra", "dump");
    DUMP.get(value.py())?.call1((value, name))?.extract()
}

/// Every key and value as JSON text, for a pickle: no number loses a digit, nothing is too deep.
pub(crate) fn to_state<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, record.extra.iter().collect::<Vec<_>>())
}

/// The reverse of [`to_state`].
pub(crate) fn of_state(state: &Bound<'_, PyList>) -> PyResult<Extra> {
    of_members(state.py(), &state.extract::<Vec<_>>()?)
}

/// Makes it of keys and values, both as JSON text.
fn of_members(py: Python<'_>, members: &[(String, String)]) -> PyResult<Extra> {
    Extra::from_json(object(members)).map_err(|error| of_core(py, &error))
}

/// A JSON object of keys and values, both as JSON text.
pub(crate) fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}
