//! The fields of a record by name: for the constructor, `replace`, `from_dict` and `to_dict`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sessionreg::Record;

use crate::convert::{optional, seconds, text, u32, u64};
use crate::error::invalid;
use crate::extra;
use crate::terminal::Terminal;

/// Sets a field; `None` takes an optional one away. An unknown name is `None` here.
pub(crate) fn set(
    record: &mut Record,
    name: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<Option<()>> {
    let identity = &mut record.identity;
    match name {
        "pid" => record.pid = u32(name, value)?,
        "session_id" => record.session_id = text(name, value)?,
        "work_dir" => record.work_dir = text(name, value)?,
        "hostname" => record.hostname = optional(name, value, text)?,
        "started_at" => record.started_at = seconds(name, value)?,
        "agent_version" => record.agent_version = optional(name, value, text)?,
        "version_key" => record.set_version_key(text(name, value)?),
        "proc_start" => identity.proc_start = optional(name, value, text)?,
        "pid_inode" => identity.pid_inode = optional(name, value, text)?,
        "host_key" => identity.host_key = optional(name, value, text)?,
        "platform" => identity.platform = optional(name, value, text)?,
        "pid_ns" => identity.pid_ns = optional(name, value, u64)?,
        "time_ns" => identity.time_ns = optional(name, value, u64)?,
        "instance" => record.instance = optional(name, value, text)?,
        "revision" => record.revision = optional(name, value, u64)?,
        "agent" => record.agent = optional(name, value, text)?,
        "kind" => record.kind = optional(name, value, text)?,
        "name" => record.name = optional(name, value, text)?,
        "entrypoint" => record.entrypoint = optional(name, value, text)?,
        "transcript_path" => record.transcript_path = optional(name, value, text)?,
        "parent_session_id" => record.parent_session_id = optional(name, value, text)?,
        "status" => record.status = optional(name, value, text)?,
        "waiting_for" => record.waiting_for = optional(name, value, text)?,
        "updated_at" => record.updated_at = optional(name, value, seconds)?,
        "status_updated_at" => record.status_updated_at = optional(name, value, seconds)?,
        "terminal" => record.terminal = optional(name, value, Terminal::to_core)?,
        "extra" => record.extra = optional(name, value, extra::of_dict)?.unwrap_or_default(),
        _ => return Ok(None),
    }
    Ok(Some(()))
}

/// A record of exactly these fields: nothing is looked up.
pub(crate) fn of_dict(dict: &Bound<'_, PyDict>) -> PyResult<Record> {
    let py = dict.py();
    let required = |name: &str| {
        dict.get_item(name)?.ok_or_else(|| {
            invalid(py, &format!("failed to make a record: the field `{name}` is missing"))
        })
    };
    let pid = u32("pid", &required("pid")?)?;
    required("session_id")?;
    required("work_dir")?;
    required("started_at")?;
    let mut record = py.detach(|| Record::plain(pid, "", ""));
    record.hostname = None;
    for item in dict.items() {
        let (name, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let name = text("key", &name)?;
        set(&mut record, &name, &value)?.ok_or_else(|| {
            invalid(py, &format!("failed to make a record: it has no field {name:?}"))
        })?;
    }
    Ok(record)
}

/// The fields of a record that are there; `extra` aside.
pub(crate) fn to_dict<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let text = |name: &str, value: &Option<String>| match value {
        Some(value) => dict.set_item(name, value),
        None => Ok(()),
    };
    let integer = |name: &str, value: Option<u64>| match value {
        Some(value) => dict.set_item(name, value),
        None => Ok(()),
    };
    let time = |name: &str, value: Option<f64>| match value {
        Some(value) => dict.set_item(name, value),
        None => Ok(()),
    };
    let identity = &record.identity;
    dict.set_item("pid", record.pid)?;
    dict.set_item("session_id", &record.session_id)?;
    dict.set_item("work_dir", &record.work_dir)?;
    text("hostname", &record.hostname)?;
    dict.set_item("started_at", record.started_at)?;
    text("agent_version", &record.agent_version)?;
    text("version_key", &own_version_key(py, record))?;
    text("proc_start", &identity.proc_start)?;
    text("pid_inode", &identity.pid_inode)?;
    text("host_key", &identity.host_key)?;
    text("platform", &identity.platform)?;
    integer("pid_ns", identity.pid_ns)?;
    integer("time_ns", identity.time_ns)?;
    text("instance", &record.instance)?;
    integer("revision", record.revision)?;
    text("agent", &record.agent)?;
    text("kind", &record.kind)?;
    text("name", &record.name)?;
    text("entrypoint", &record.entrypoint)?;
    text("transcript_path", &record.transcript_path)?;
    text("parent_session_id", &record.parent_session_id)?;
    text("status", &record.status)?;
    text("waiting_for", &record.waiting_for)?;
    time("updated_at", record.updated_at)?;
    time("status_updated_at", record.status_updated_at)?;
    if let Some(terminal) = &record.terminal {
        dict.set_item("terminal", Terminal::to_dict(py, terminal)?)?;
    }
    Ok(dict)
}

/// The version key, where it is not the one that follows from the agent.
fn own_version_key(py: Python<'_>, record: &Record) -> Option<String> {
    let mut unnamed = py.detach(|| Record::plain(record.pid, "", ""));
    unnamed.agent.clone_from(&record.agent);
    let key = record.version_key();
    (unnamed.version_key() != key).then(|| key.into_owned())
}
