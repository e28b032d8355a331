//! What a record must be before it is written: what no reader would accept is refused.

use super::json::MAX_SAFE_INTEGER;
use super::{Record, Refusal, sidecar, version_key};
use crate::paths::is_absolute;
use crate::process::MAX_PID;

/// Checks a record that is about to be written.
pub(super) fn check(record: &Record) -> Result<(), Refusal> {
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
    if record.agent.as_deref().is_some_and(|agent| !is_agent(agent)) {
        return refuse("`agent` is not of the form [a-z][a-z0-9-]{0,31}, or is `schema`");
    }
    if record.kind.as_deref().is_some_and(|kind| !is_kind(kind)) {
        return refuse("`kind` is not of the form [a-z][a-z0-9-]{0,15}");
    }
    let integers = [record.identity.pid_ns, record.identity.time_ns, record.revision];
    if integers.into_iter().flatten().any(|number| number > MAX_SAFE_INTEGER) {
        return refuse("`pid_ns`, `time_ns` or `revision` is larger than 2^53 - 1");
    }
    let version_key = record.version_key();
    if !version_key::is_version_key(&version_key) || sidecar::is_known(&version_key) {
        return refuse("the version key is not of the form <agent>_version");
    }
    for key in record.extra.keys() {
        if sidecar::is_known(&key) || key == version_key {
            return Err(Refusal::invalid(format!("`extra` repeats the key {key:?} of a field")));
        }
    }
    Ok(())
}

/// The name of a program: `[a-z][a-z0-9-]{0,31}`. `schema` would make `schema_version` of it.
pub(super) fn is_agent(text: &str) -> bool {
    is_word(text, 32) && text != "schema"
}

/// The kind of a session: `[a-z][a-z0-9-]{0,15}`.
pub(super) fn is_kind(text: &str) -> bool {
    is_word(text, 16)
}

fn is_word(text: &str, max: usize) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= max
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(rest)
}
