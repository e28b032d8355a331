//! What a record must be before it is written: what no reader would accept is refused.

use super::json::{Field, MAX_SAFE_INTEGER};
use super::{Dialect, Record, Refusal, pid_file, sidecar, version_key};
use crate::error::ErrorCode;
use crate::paths::is_absolute;
use crate::process::MAX_PID;

/// The one schema of sidecars and PID files that this version reads and writes.
pub(super) const SCHEMA_VERSION: u64 = 1;

/// Tells a record of another schema from what is no record.
pub(super) fn schema_version(field: &Field<'_>) -> Result<(), Refusal> {
    if field.integer(SCHEMA_VERSION..=SCHEMA_VERSION).is_ok() {
        return Ok(());
    }
    let key = field.key();
    Err(if field.is_integer() {
        let reason = format!("its `{key}` is not {SCHEMA_VERSION}");
        Refusal { code: ErrorCode::UnsupportedVersion, reason }
    } else {
        Refusal::corrupt(format!("`{key}` is not an integer"))
    })
}

/// Checks a record that is about to be written as a sidecar.
pub(super) fn for_sidecar(record: &Record) -> Result<(), Refusal> {
    values(record)?;
    let version_key = record.version_key();
    if !version_key::is_version_key(&version_key) || sidecar::is_known(&version_key) {
        return Err(Refusal::invalid("the version key is not of the form <agent>_version"));
    }
    no_key_twice(record, |key| sidecar::is_known(key) || key == version_key)?;
    // Of several such keys a reader takes the one that it believes first.
    let others: Vec<String> =
        record.extra.keys().filter(|key| version_key::is_version_key(key)).collect();
    let mut keys: Vec<&str> = others.iter().map(String::as_str).collect();
    keys.push(&version_key);
    if version_key::choose(record.agent.as_deref(), &keys) == Some(&version_key) {
        return Ok(());
    }
    Err(Refusal::invalid("`extra` has the key of another version, which readers would believe"))
}

/// Checks a record that is about to be written as a PID file.
pub(super) fn for_pid_file(record: &Record, dialect: Dialect) -> Result<(), Refusal> {
    values(record)?;
    let times = [Some(record.started_at), record.updated_at, record.status_updated_at];
    if times.into_iter().flatten().any(|time| time < 0.0) {
        return Err(Refusal::invalid("a time is before 1970"));
    }
    no_key_twice(record, |key| pid_file::is_known(key) || key == dialect.version_key())
}

fn values(record: &Record) -> Result<(), Refusal> {
    let refuse = |reason: &str| Err(Refusal::invalid(reason));
    if !(1..=MAX_PID).contains(&record.pid) {
        return refuse("`pid` is not a process id");
    }
    if !is_absolute(&record.work_dir) {
        return refuse("`work_dir` is not an absolute path");
    }
    if !record.started_at.is_finite() {
        return refuse("`started_at` is not a finite number");
    }
    if [record.updated_at, record.status_updated_at].into_iter().flatten().any(|at| !at.is_finite())
    {
        return refuse("`updated_at` or `status_updated_at` is not a finite number");
    }
    if record.agent.as_deref().is_some_and(|agent| !is_agent(agent)) {
        return refuse("`agent` is not of the form [a-z][a-z0-9-]{0,31}, or is `schema`");
    }
    if record.kind.as_deref().is_some_and(|kind| !is_kind(kind)) {
        return refuse("`kind` is not of the form [a-z][a-z0-9-]{0,15}");
    }
    let terminal = record.terminal.as_ref();
    let is_part = |key: &String| ["multiplexer", "session", "pane"].contains(&key.as_str());
    if terminal.is_some_and(|terminal| terminal.extra.keys().any(|key| is_part(&key))) {
        return refuse("`terminal` has a key twice");
    }
    let integers = [record.identity.pid_ns, record.identity.time_ns, record.revision];
    if integers.into_iter().flatten().any(|number| number > MAX_SAFE_INTEGER) {
        return refuse("`pid_ns`, `time_ns` or `revision` is larger than 2^53 - 1");
    }
    Ok(())
}

fn no_key_twice(record: &Record, is_known: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    match record.extra.keys().find(|key| is_known(key)) {
        Some(key) => Err(Refusal::invalid(format!("`extra` repeats the key {key:?} of a field"))),
        None => Ok(()),
    }
}

/// The name of a program: `[a-z][a-z0-9-]{0,31}`. `schema` would make `schema_version` of it.
pub(crate) fn is_agent(text: &str) -> bool {
    is_word(text, 32) && text != "schema"
}

/// The kind of a session: `[a-z][a-z0-9-]{0,15}`.
pub(crate) fn is_kind(text: &str) -> bool {
    is_word(text, 16)
}

fn is_word(text: &str, max: usize) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= max
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(rest)
}
