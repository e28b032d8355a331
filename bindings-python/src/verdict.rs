//! Liveness: the judgement, and its words as enums.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use sessionreg::{Reason, Verdict as Core};

use crate::convert::wrong_type;
use crate::error::{guard, invalid};
use crate::lazy::remember;
use crate::record::Record;

/// The answer of `liveness`: alive, dead or unknown, and why.
///
/// Immutable, compared by value; a reason makes one, since it belongs to one state.
#[pyclass(frozen, eq, hash, module = "sessionreg")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Verdict {
    core: Core,
}

impl Verdict {
    pub(crate) fn of_core(core: Core) -> Self {
        Self { core }
    }
}

#[pymethods]
impl Verdict {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("state", "reason");

    #[new]
    fn new(reason: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = reason.py();
        guard(py, || Ok(Self { core: reason_of("reason", reason)?.into() }))
    }

    /// Alive, dead or unknown.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        state_member(py, self.core.reason)
    }

    /// What the state was concluded from.
    #[getter]
    fn reason(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        reason_member(py, self.core.reason)
    }

    fn __repr__(&self) -> String {
        format!("Verdict('{}')", self.core.reason)
    }

    fn __str__(&self) -> String {
        self.core.to_string()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        (slf.get_type(), (slf.get().core.reason.as_str(),)).into_pyobject(slf.py())
    }
}

/// The reason of that word.
pub(crate) fn reason_of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Reason> {
    let word = value.cast::<PyString>().map_err(|_| wrong_type(name, "Reason or str", value))?;
    let word = word.to_string_lossy();
    let found = Reason::ALL.iter().find(|reason| reason.as_str() == word).copied();
    found.ok_or_else(|| {
        invalid(value.py(), &format!("failed to make a verdict: no reason is {word:?}"))
    })
}

/// A reason as a member of Python's enum.
pub(crate) fn reason_member(py: Python<'_>, reason: Reason) -> PyResult<Py<PyAny>> {
    member(py, reason).map(|member| member.reason.clone_ref(py))
}

/// The state that a reason belongs to as a member of Python's enum.
pub(crate) fn state_member(py: Python<'_>, reason: Reason) -> PyResult<Py<PyAny>> {
    member(py, reason).map(|member| member.state.clone_ref(py))
}

/// Tell whether the process of a record is still there, and how that is known.
///
/// Never a guess: dead only on proof, and the wall clock is no proof. A record that was read
/// remembers its file: without one neither `permission` nor `rebooted` is said.
#[pyfunction]
pub(crate) fn liveness(py: Python<'_>, record: &Bound<'_, Record>) -> PyResult<Verdict> {
    let record = record.get().core();
    guard(py, || Ok(Verdict { core: py.detach(|| sessionreg::liveness(record)) }))
}

/// Judge many records at once: each process and each folder is asked for once.
#[pyfunction]
pub(crate) fn liveness_all(py: Python<'_>, records: &Bound<'_, PyAny>) -> PyResult<Vec<Verdict>> {
    guard(py, || {
        let held = records
            .try_iter()?
            .map(|record| Ok(record?.cast_into::<Record>()?.unbind()))
            .collect::<PyResult<Vec<Py<Record>>>>()?;
        let records: Vec<_> = held.iter().map(|record| record.get().core()).collect();
        let verdicts = py.detach(|| sessionreg::liveness_all(records));
        Ok(verdicts.into_iter().map(|core| Verdict { core }).collect())
    })
}

/// Every reason of the core with its state.
#[pyfunction]
#[pyo3(name = "_reasons")]
pub(crate) fn reasons() -> Vec<(&'static str, &'static str)> {
    Reason::ALL.iter().map(|reason| (reason.as_str(), reason.state().as_str())).collect()
}

/// A reason and its state as members of the Python enums.
struct Member {
    reason: Py<PyAny>,
    state: Py<PyAny>,
}

/// The enums are Python's, and loaded when a verdict is first looked at: they would double the
/// time of the import.
fn member(py: Python<'_>, reason: Reason) -> PyResult<&'static Member> {
    static MEMBERS: PyOnceLock<Vec<Member>> = PyOnceLock::new();
    let members = remember(py, &MEMBERS, || {
        let module = py.import("sessionreg.verdicts")?;
        let (reasons, states) = (module.getattr("Reason")?, module.getattr("State")?);
        let member = |reason: &Reason| {
            Ok(Member {
                reason: reasons.call1((reason.as_str(),))?.unbind(),
                state: states.call1((reason.state().as_str(),))?.unbind(),
            })
        };
        Reason::ALL.iter().map(member).collect::<PyResult<Vec<_>>>()
    })?;
    let position = Reason::ALL.iter().position(|known| *known == reason);
    position
        .and_then(|position| members.get(position))
        .ok_or_else(|| invalid(py, "the reason is not listed"))
}
