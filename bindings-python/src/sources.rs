//! The class `Sources`: where to look for agent sessions.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyType};
use sessionreg::Sources as Core;

use crate::convert::{boolean, duration, optional, paths, shown, text};
use crate::error::guard;
use crate::paths::to_paths;
use crate::record::Given;

/// Where to look for agent sessions: the data folders of the programs, any number of each.
///
/// What is not given is where the program's own environment variables say, else its default in
/// the user's home; an empty list is no folder. `Sources.none` begins with nothing.
///
/// Immutable, compared by value.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(Clone)]
pub(crate) struct Sources {
    core: Core,
}

impl PartialEq for Sources {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Hash for Sources {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.parts().hash(hasher);
    }
}

#[pymethods]
impl Sources {
    #[new]
    #[pyo3(signature = (
        *, registries=None, claude_code=None, qwen_code=None, kimi_cli=None, codex=None,
        copilot=None, hooks=None, processes=None, multiplexers=None, dead_within=None,
        superseded=None,
    ), text_signature = "(*, registries=None, claude_code=None, qwen_code=None, kimi_cli=None, \
        codex=None, copilot=None, hooks=None, processes=True, multiplexers=False, \
        dead_within=86400.0, superseded=False)")]
    #[allow(clippy::too_many_arguments)] // Keywords, in Python.
    fn new<'py>(
        py: Python<'py>,
        registries: Given<'_, 'py>,
        claude_code: Given<'_, 'py>,
        qwen_code: Given<'_, 'py>,
        kimi_cli: Given<'_, 'py>,
        codex: Given<'_, 'py>,
        copilot: Given<'_, 'py>,
        hooks: Given<'_, 'py>,
        processes: Given<'_, 'py>,
        multiplexers: Given<'_, 'py>,
        dead_within: Given<'_, 'py>,
        superseded: Given<'_, 'py>,
    ) -> PyResult<Self> {
        let given = [
            ("registries", registries),
            ("claude_code", claude_code),
            ("qwen_code", qwen_code),
            ("kimi_cli", kimi_cli),
            ("codex", codex),
            ("copilot", copilot),
            ("hooks", hooks),
            ("processes", processes),
            ("multiplexers", multiplexers),
            ("dead_within", dead_within),
            ("superseded", superseded),
        ];
        guard(py, || {
            let mut core = Core::default();
            for (name, value) in given {
                if let Some(value) = value {
                    set(&mut core, name, value)?;
                }
            }
            Ok(Self { core })
        })
    }

    /// Make sources of what is given, which is as in the constructor, and of nothing else.
    #[classmethod]
    #[pyo3(signature = (**fields))]
    fn none(cls: &Bound<'_, PyType>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        guard(cls.py(), || {
            let mut core = Core::none();
            if let Some(fields) = fields {
                set_all(&mut core, fields)?;
            }
            Ok(Self { core })
        })
    }

    /// Registry folders of this library.
    #[getter]
    fn registries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.registries)
    }

    /// Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`.
    #[getter]
    fn claude_code<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.claude_code)
    }

    /// qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`.
    #[getter]
    fn qwen_code<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.qwen_code)
    }

    /// kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`.
    #[getter]
    fn kimi_cli<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.kimi_cli)
    }

    /// Codex: `CODEX_HOME`, `~/.codex`.
    #[getter]
    fn codex<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.codex)
    }

    /// Copilot CLI: `~/.copilot`.
    #[getter]
    fn copilot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.copilot)
    }

    /// Data folders fed by hooks: `~/.local/share/amc`.
    #[getter]
    fn hooks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        to_paths(py, &self.core.hooks)
    }

    /// Whether programs that leave no trace are looked for among the processes.
    ///
    /// Of such a process the folder is known, but not the session.
    #[getter]
    fn processes(&self) -> bool {
        self.core.processes
    }

    /// Whether tmux and zellij are asked for their panes.
    ///
    /// Without it nothing is started, and what depends on a pane is unknown.
    #[getter]
    fn multiplexers(&self) -> bool {
        self.core.multiplexers
    }

    /// How long sessions are listed after they died, in seconds.
    #[getter]
    fn dead_within(&self) -> f64 {
        self.core.dead_within.as_secs_f64()
    }

    /// Whether sessions are listed that another one superseded in its terminal.
    #[getter]
    fn superseded(&self) -> bool {
        self.core.superseded
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        guard(slf.py(), || shown(slf, &NAMES))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        let py = slf.py();
        let fields = PyDict::new(py);
        for name in NAMES {
            fields.set_item(name, slf.getattr(name)?)?;
        }
        Ok((py.import("sessionreg._sessionreg")?.getattr("_sources")?, (fields,)))
    }
}

const NAMES: [&str; 11] = [
    "registries",
    "claude_code",
    "qwen_code",
    "kimi_cli",
    "codex",
    "copilot",
    "hooks",
    "processes",
    "multiplexers",
    "dead_within",
    "superseded",
];

impl Sources {
    /// Those of the core, by default of the programs' own homes.
    pub(crate) fn given(sources: Option<&Bound<'_, Self>>) -> Core {
        sources.map_or_else(Core::default, |sources| sources.get().core.clone())
    }

    fn parts(&self) -> ([&Vec<PathBuf>; 7], [bool; 3], Duration) {
        let core = &self.core;
        let folders = [
            &core.registries,
            &core.claude_code,
            &core.qwen_code,
            &core.kimi_cli,
            &core.codex,
            &core.copilot,
            &core.hooks,
        ];
        (folders, [core.processes, core.multiplexers, core.superseded], core.dead_within)
    }
}

fn set(core: &mut Core, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let folders = match name {
        "registries" => &mut core.registries,
        "claude_code" => &mut core.claude_code,
        "qwen_code" => &mut core.qwen_code,
        "kimi_cli" => &mut core.kimi_cli,
        "codex" => &mut core.codex,
        "copilot" => &mut core.copilot,
        "hooks" => &mut core.hooks,
        "processes" => return boolean(name, value).map(|is_wanted| core.processes = is_wanted),
        "multiplexers" => {
            return boolean(name, value).map(|is_wanted| core.multiplexers = is_wanted);
        }
        "superseded" => return boolean(name, value).map(|is_wanted| core.superseded = is_wanted),
        "dead_within" => return duration(name, value).map(|time| core.dead_within = time),
        _ => return Err(PyTypeError::new_err(format!("sources have no field {name:?}"))),
    };
    *folders = paths(name, value)?;
    Ok(())
}

/// Sets what keywords name; `None` leaves what is there.
fn set_all(core: &mut Core, fields: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, value) in fields.iter() {
        let name = text("key", &name)?;
        optional(&name, &value, |name, value| set(core, name, value))?;
    }
    Ok(())
}

/// Makes sources of their pickled state.
#[pyfunction]
#[pyo3(name = "_sources")]
pub(crate) fn unpickle(fields: &Bound<'_, PyDict>) -> PyResult<Sources> {
    guard(fields.py(), || {
        let mut core = Core::none();
        set_all(&mut core, fields)?;
        Ok(Sources { core })
    })
}
