//! A change to a record as a JSON merge patch (RFC 7396): null removes, what is absent stays.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::json::{Field, Member, members};
use super::{Extra, Record, Refusal, Secrets, Terminal, now, terminal};
use crate::error::{Error, ErrorCode};
use crate::fs::MAX_RECORD_BYTES;

/// How deep a patch may nest; deeper ones are refused, not followed.
const MAX_DEPTH: usize = 64;

/// What is said of the process, or follows from what is written: no patch changes it.
const FIXED: [&str; 15] = [
    "schema_version",
    "pid",
    "session_id",
    "hostname",
    "started_at",
    "proc_start",
    "pid_inode",
    "host_key",
    "platform",
    "pid_ns",
    "time_ns",
    "instance",
    "revision",
    "updated_at",
    "status_updated_at",
];

/// Changes to a record: a JSON merge patch (RFC 7396) over the names of its fields.
///
/// `work_dir`, `agent`, `agent_version`, `kind`, `name`, `entrypoint`, `transcript_path`,
/// `parent_session_id`, `terminal`, `status` and `waiting_for` are the fields of [`Record`] that can
/// be changed; any other name is a key of [`Record::extra`]. Null removes, a name that is not there
/// stays as it is, an object is merged into the one that is there.
#[derive(Clone, Default)]
pub struct Patch {
    members: Vec<(String, Box<RawValue>)>,
    /// Of all names and values.
    bytes: usize,
}

impl Patch {
    /// A patch that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the text of a JSON object.
    ///
    /// [`ErrorCode::InvalidInput`] if it is none, or names what cannot be changed;
    /// [`ErrorCode::TooLarge`] beyond 64 KiB.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut patch = Self::new();
        for member in members(text.as_ref()).map_err(|refusal| invalid(refusal.reason))? {
            let Some(key) = member.key else {
                return Err(invalid(format!(
                    "the key {} is not Unicode text",
                    member.raw_key.get()
                )));
            };
            patch.put(&key, member.value.to_owned())?;
        }
        Ok(patch)
    }

    /// The same patch that also sets `name` to a value; null, such as `None`, removes it.
    ///
    /// [`ErrorCode::InvalidInput`] for a name that cannot be changed, or a value that is not JSON.
    pub fn set(mut self, name: &str, value: impl Serialize) -> Result<Self, Error> {
        let value = serde_json::value::to_raw_value(&value)
            .map_err(|error| invalid(format!("`{name}`: {error}")))?;
        self.put(name, value)?;
        Ok(self)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn put(&mut self, name: &str, value: Box<RawValue>) -> Result<(), Error> {
        if FIXED.contains(&name) {
            return Err(invalid(format!("`{name}` cannot be changed")));
        }
        self.bytes += name.len() + value.get().len();
        // A merge takes longer than its parts are long, under the folder's lock.
        if self.bytes > MAX_RECORD_BYTES {
            let reason = "it is larger than 64 KiB, and so than any record";
            return Err(Error::value(ErrorCode::TooLarge, "accept", "the patch", reason));
        }
        self.members.push((name.to_owned(), value));
        Ok(())
    }

    /// Changes the record, and the times that follow from a change.
    pub(crate) fn apply(&self, record: &mut Record) -> Result<(), Refusal> {
        let status = record.status.clone();
        for (name, value) in &self.members {
            apply(record, name, value).map_err(|refusal| Refusal::invalid(refusal.reason))?;
        }
        let is_named = self.members.iter().any(|(name, _)| name == "status");
        if record.status.as_deref() != Some("waiting") && (is_named || record.status.is_some()) {
            record.waiting_for = None;
        }
        let now = now();
        record.updated_at = Some(now);
        if record.status != status {
            record.status_updated_at = record.status.is_some().then_some(now);
        }
        Ok(())
    }
}

impl fmt::Debug for Patch {
    /// Without the values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members.iter().map(|(name, _)| name)).finish()
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::value(ErrorCode::InvalidInput, "accept", "the patch", reason)
}

fn apply(record: &mut Record, name: &str, value: &RawValue) -> Result<(), Refusal> {
    let field = Field::new(name, value);
    let text = || if field.is_null() { Ok(None) } else { field.text().map(Some) };
    match name {
        "work_dir" => record.work_dir = field.text()?,
        "agent" => record.agent = text()?,
        "agent_version" => record.agent_version = text()?,
        "kind" => record.kind = text()?,
        "name" => record.name = text()?,
        "entrypoint" => record.entrypoint = text()?,
        "transcript_path" => record.transcript_path = text()?,
        "parent_session_id" => record.parent_session_id = text()?,
        "status" => record.status = text()?,
        "waiting_for" => record.waiting_for = text()?,
        "terminal" => record.terminal = merged_terminal(record.terminal.as_ref(), value)?,
        _ if Secrets::is_secret(name) => merge_into(record.secrets.extra_mut(), name, value)?,
        _ => merge_into(&mut record.extra, name, value)?,
    }
    Ok(())
}

fn merged_terminal(
    before: Option<&Terminal>,
    value: &RawValue,
) -> Result<Option<Terminal>, Refusal> {
    let before = before.map(terminal::to_json);
    let Some(after) = merged(before.as_deref(), value.get(), 0)? else { return Ok(None) };
    let after = RawValue::from_string(after)
        .map_err(|_| Refusal::invalid("`terminal` is not an object"))?;
    terminal::decode(&Field::new("terminal", &after))
}

fn merge_into(extra: &mut Extra, name: &str, value: &RawValue) -> Result<(), Refusal> {
    match merged(extra.get(name), value.get(), 0)? {
        Some(text) => {
            extra
                .set(name, text)
                .map_err(|error| Refusal::invalid(format!("`{name}`: {error}")))?;
        }
        None => {
            extra.remove(name);
        }
    }
    Ok(())
}

/// RFC 7396, on JSON text: numbers keep their digits. `None` removes.
fn merged(target: Option<&str>, patch: &str, depth: usize) -> Result<Option<String>, Refusal> {
    if patch == "null" {
        return Ok(None);
    }
    if !patch.starts_with('{') {
        return Ok(Some(patch.to_owned()));
    }
    if depth == MAX_DEPTH {
        return Err(Refusal::invalid(format!("the patch nests deeper than {MAX_DEPTH} levels")));
    }
    let target = target.filter(|target| target.starts_with('{')).unwrap_or("{}");
    let before = members(target.as_bytes())?;
    let changes = members(patch.as_bytes())?;
    let same = |one: &Member<'_>, other: &Member<'_>| one.name() == other.name();
    let mut parts = Vec::with_capacity(before.len() + changes.len());
    let mut push = |key: &RawValue, value: &str| parts.push(format!("{}:{value}", key.get()));
    for member in &before {
        match changes.iter().rev().find(|change| same(change, member)) {
            None => push(member.raw_key, member.value.get()),
            Some(change) => {
                if let Some(value) =
                    merged(Some(member.value.get()), change.value.get(), depth + 1)?
                {
                    push(member.raw_key, &value);
                }
            }
        }
    }
    for (index, change) in changes.iter().enumerate() {
        let is_overridden = changes[index + 1..].iter().any(|later| same(later, change));
        if is_overridden || before.iter().any(|member| same(member, change)) {
            continue;
        }
        if let Some(value) = merged(None, change.value.get(), depth + 1)? {
            push(change.raw_key, &value);
        }
    }
    Ok(Some(format!("{{{}}}", parts.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7396, appendix A, whose target is an object.
    #[test]
    fn a_patch_merges_as_the_rfc_says() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            (r#"["a"]"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (target, patch, result) in cases {
            let merged = merged(Some(target), patch, 0).expect("an object merges");
            assert_eq!(merged.as_deref(), Some(result), "{target} + {patch}");
        }
    }

    #[test]
    fn a_patch_that_nests_without_end_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(merged(Some("{}"), &deep, 0).is_err());
    }
}
