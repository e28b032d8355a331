//! What a process says of the session that it registers.

use pyo3::prelude::*;
use sessionreg::New;

use crate::convert::{boolean, optional, path, text, u32};
use crate::extra;
use crate::record::Given;
use crate::terminal::Terminal;

/// A session of these arguments, and the first objection to one of them.
///
/// With an objection it is one that cannot be registered: all that comes of it is an inert session.
pub(crate) fn of_arguments(arguments: &[(&str, Given<'_, '_>)]) -> (New, PyResult<()>) {
    let mut new = New::session("", "");
    let mut accepted = Ok(());
    for (name, value) in arguments {
        if let Some(value) = value
            && let Err(objection) = set(&mut new, name, value)
            && accepted.is_ok()
        {
            accepted = Err(objection);
        }
    }
    if accepted.is_err() {
        new.pid_file = false;
        new.sidecar = None;
    }
    (new, accepted)
}

fn set(new: &mut New, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match name {
        "session_id" => new.session_id = text(name, value)?,
        "work_dir" => new.work_dir = text(name, value)?,
        "agent" => new.agent = optional(name, value, text)?,
        "agent_version" => new.agent_version = optional(name, value, text)?,
        "kind" => new.kind = optional(name, value, text)?,
        "name" => new.name = optional(name, value, text)?,
        "entrypoint" => new.entrypoint = optional(name, value, text)?,
        "status" => new.status = optional(name, value, text)?,
        "transcript_path" => new.transcript_path = optional(name, value, text)?,
        "parent_session_id" => new.parent_session_id = optional(name, value, text)?,
        "terminal" => new.terminal = optional(name, value, Terminal::to_core)?,
        "sidecar" => new.sidecar = optional(name, value, path)?,
        "pid_file" => new.pid_file = boolean(name, value)?,
        "keep_sidecar" => new.keep_sidecar = boolean(name, value)?,
        "pid" => new.pid = optional(name, value, u32)?,
        _ => new.extra = optional(name, value, extra::of_dict)?.unwrap_or_default(),
    }
    Ok(())
}
