//! Where a session is shown.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use sessionreg::{Extra, Terminal as Core};

use crate::convert::{optional, text, wrong_type};
use crate::error::{guard, invalid, of_core};
use crate::extra::dump;

/// The place of a session in a terminal multiplexer.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Terminal {
    /// The program, such as `tmux` or `zellij`.
    #[pyo3(get)]
    multiplexer: Option<String>,
    /// The multiplexer's session.
    #[pyo3(get)]
    session: Option<String>,
    /// The pane in it.
    #[pyo3(get)]
    pane: Option<String>,
    /// Keys that this version does not know, as the text of a JSON object.
    #[pyo3(get)]
    extra_json: Option<String>,
}

#[pymethods]
impl Terminal {
    #[new]
    #[pyo3(signature = (multiplexer=None, session=None, pane=None, extra_json=None))]
    fn new(
        py: Python<'_>,
        multiplexer: Option<&Bound<'_, PyAny>>,
        session: Option<&Bound<'_, PyAny>>,
        pane: Option<&Bound<'_, PyAny>>,
        extra_json: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guard(py, || {
            let text = |name, value: Option<&Bound<'_, PyAny>>| {
                value.map(|value| text(name, value)).transpose()
            };
            Ok(Self {
                multiplexer: text("multiplexer", multiplexer)?,
                session: text("session", session)?,
                pane: text("pane", pane)?,
                extra_json: text("extra_json", extra_json)?,
            })
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let repr = |value: &Option<String>| value.into_pyobject(py)?.repr()?.extract::<String>();
        let multiplexer = repr(&self.multiplexer)?;
        let (session, pane) = (repr(&self.session)?, repr(&self.pane)?);
        let extra = match &self.extra_json {
            Some(_) => format!(", extra_json={}", repr(&self.extra_json)?),
            None => String::new(),
        };
        Ok(format!("Terminal(multiplexer={multiplexer}, session={session}, pane={pane}{extra})"))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let Self { multiplexer, session, pane, extra_json } = slf.get();
        (slf.get_type(), (multiplexer, session, pane, extra_json)).into_pyobject(slf.py())
    }
}

impl Terminal {
    pub(crate) fn of_core(terminal: &Core) -> Self {
        Self {
            multiplexer: terminal.multiplexer.clone(),
            session: terminal.session.clone(),
            pane: terminal.pane.clone(),
            extra_json: extra_json(terminal),
        }
    }

    /// A `Terminal`, or a `dict` of its fields.
    pub(crate) fn to_core(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Core> {
        if let Ok(terminal) = value.cast::<Self>() {
            let Self { multiplexer, session, pane, extra_json } = terminal.get();
            let mut core = Core::new(multiplexer.clone(), session.clone(), pane.clone());
            if let Some(json) = extra_json {
                core.extra = extra(value.py(), json)?;
            }
            return Ok(core);
        }
        let dict =
            value.cast::<PyDict>().map_err(|_| wrong_type(name, "Terminal or dict", value))?;
        let mut terminal = Core::default();
        for item in dict.items() {
            let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let slot = match text("terminal", &key)?.as_str() {
                "multiplexer" => &mut terminal.multiplexer,
                "session" => &mut terminal.session,
                "pane" => &mut terminal.pane,
                "extra_json" => {
                    if let Some(json) = optional(name, &value, text)? {
                        terminal.extra = extra(key.py(), &json)?;
                    }
                    continue;
                }
                _ => {
                    return Err(invalid(
                        key.py(),
                        "failed to accept `terminal`: it has an unknown key",
                    ));
                }
            };
            *slot = optional(name, &value, text)?;
        }
        Ok(terminal)
    }

    /// Keys and values, both as JSON text.
    pub(crate) fn members(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let Self { multiplexer, session, pane, extra_json } = self;
        let mut members = Vec::new();
        for (key, value) in [("multiplexer", multiplexer), ("session", session), ("pane", pane)] {
            if let Some(value) = value {
                let value = dump("terminal", PyString::new(py, value).as_any())?;
                members.push((format!("\"{key}\""), value));
            }
        }
        if let Some(json) = extra_json {
            let others = extra(py, json)?;
            members.extend(others.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        Ok(members)
    }

    pub(crate) fn to_dict<'py>(py: Python<'py>, terminal: &Core) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        let Self { multiplexer, session, pane, extra_json } = Self::of_core(terminal);
        for (key, value) in [
            ("multiplexer", multiplexer),
            ("session", session),
            ("pane", pane),
            ("extra_json", extra_json),
        ] {
            if let Some(value) = value {
                dict.set_item(key, value)?;
            }
        }
        Ok(dict)
    }
}

fn extra_json(terminal: &Core) -> Option<String> {
    (!terminal.extra.is_empty()).then(|| terminal.extra.to_json())
}

fn extra(py: Python<'_>, json: &str) -> PyResult<Extra> {
    Extra::from_json(json).map_err(|error| of_core(py, &error))
}
