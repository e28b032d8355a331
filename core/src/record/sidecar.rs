//! The sidecar's format, schema 1: `snake_case` keys beside the chat log that a session writes.
//!
//! qwen-code and kimi-cli write the first seven keys; the others are additions that they ignore.

use super::check::{check, is_agent, is_kind};
use super::json::{Field, MAX_SAFE_INTEGER, Member, Writer, members};
use super::{Attached, Extra, Record, Refusal, Terminal, version_key};
use crate::error::ErrorCode;
use crate::fs::MAX_RECORD_BYTES;
use crate::process::{Identity, MAX_PID};

const SCHEMA_VERSION: u64 = 1;

/// Declares the keys of the format once: their names, and a slot for the value of each.
macro_rules! keys {
    ($($name:ident),* $(,)?) => {
        /// The last value of every key that a record has a field for.
        #[derive(Default)]
        struct Slots<'a> { $($name: Option<&'a serde_json::value::RawValue>,)* }

        impl<'a> Slots<'a> {
            fn slot(&mut self, key: &str) -> Option<&mut Option<&'a serde_json::value::RawValue>> {
                match key {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }

        /// Whether a record has a field for this key; the version key aside.
        pub(super) fn is_known(key: &str) -> bool {
            matches!(key, $(stringify!($name))|*)
        }
    };
}

keys! {
    schema_version, pid, session_id, work_dir, hostname, started_at,
    proc_start, pid_inode, host_key, platform, pid_ns, time_ns, instance, revision,
    agent, kind, name, entrypoint, transcript_path, parent_session_id, terminal,
}

/// The field of a key that must be there.
macro_rules! required {
    ($slots:ident.$name:ident) => {
        match $slots.$name {
            Some(value) => Ok(Field::new(stringify!($name), value)),
            None => Err(Refusal::corrupt(concat!("`", stringify!($name), "` is missing"))),
        }
    };
}

/// The field of a key that may be missing, or null, which says the same.
macro_rules! optional {
    ($slots:ident.$name:ident) => {
        $slots
            .$name
            .map(|value| Field::new(stringify!($name), value))
            .filter(|field| !field.is_null())
    };
}

/// Reads the text of a sidecar; it must be within [`MAX_RECORD_BYTES`].
pub(crate) fn decode(text: &[u8]) -> Result<Record, Refusal> {
    let mut slots = Slots::default();
    let mut others = Vec::new();
    for member in members(text)? {
        match member.key.as_deref().and_then(|key| slots.slot(key)) {
            Some(slot) => *slot = Some(member.value),
            None => others.push(member),
        }
    }

    let schema = required!(slots.schema_version)?;
    // Before the other keys: a later schema may mean something else by them.
    if schema.integer(SCHEMA_VERSION..=SCHEMA_VERSION).is_err() {
        return Err(if schema.is_integer() {
            Refusal {
                code: ErrorCode::UnsupportedVersion,
                reason: "its `schema_version` is not 1".to_owned(),
            }
        } else {
            Refusal::corrupt("`schema_version` is not an integer")
        });
    }

    let text = |field: Option<Field<'_>>| field.map(|field| field.text()).transpose();
    let integer = |field: Option<Field<'_>>| {
        field.map(|field| field.integer(0..=MAX_SAFE_INTEGER)).transpose()
    };
    let pid = required!(slots.pid)?.integer(1..=u64::from(MAX_PID))?;
    let agent = text(optional!(slots.agent))?.filter(|agent| is_agent(agent));
    let version = take_version(agent.as_deref(), &mut others)?;
    Ok(Record {
        pid: u32::try_from(pid).map_err(|_| Refusal::corrupt("`pid` is out of range"))?,
        session_id: required!(slots.session_id)?.text()?,
        work_dir: required!(slots.work_dir)?.text()?,
        hostname: Some(required!(slots.hostname)?.text()?),
        started_at: required!(slots.started_at)?.number()?,
        agent_version: version.value,
        identity: Identity {
            proc_start: text(optional!(slots.proc_start))?,
            pid_inode: text(optional!(slots.pid_inode))?,
            host_key: text(optional!(slots.host_key))?,
            platform: text(optional!(slots.platform))?,
            pid_ns: integer(optional!(slots.pid_ns))?,
            time_ns: integer(optional!(slots.time_ns))?,
        },
        instance: text(optional!(slots.instance))?,
        revision: integer(optional!(slots.revision))?,
        agent,
        kind: text(optional!(slots.kind))?.filter(|kind| is_kind(kind)),
        name: text(optional!(slots.name))?,
        entrypoint: text(optional!(slots.entrypoint))?,
        transcript_path: text(optional!(slots.transcript_path))?,
        parent_session_id: text(optional!(slots.parent_session_id))?,
        terminal: match optional!(slots.terminal) {
            Some(field) => terminal(&field)?,
            None => None,
        },
        extra: Extra::from_members(&others),
        version_key: version.key,
        origin: Attached::default(),
    })
}

#[derive(Default)]
struct Version {
    key: Option<String>,
    value: Option<String>,
}

/// Takes the program's version out of the keys that no field is for; other `*_version` keys stay.
fn take_version(agent: Option<&str>, others: &mut Vec<Member<'_>>) -> Result<Version, Refusal> {
    let mut keys: Vec<&str> = others
        .iter()
        .filter_map(|member| member.key.as_deref())
        .filter(|key| version_key::is_version_key(key))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let Some(key) = version_key::choose(agent, &keys).map(str::to_owned) else {
        return Ok(Version::default());
    };
    let is_it = |member: &Member<'_>| member.key.as_deref() == Some(&key);
    let last = others.iter().rev().find(|member| is_it(member)).map(|member| member.value);
    others.retain(|member| !is_it(member));
    let field = last.map(|value| Field::new(&key, value)).filter(|field| !field.is_null());
    let value = field.map(|field| field.text()).transpose()?;
    Ok(Version { value, key: Some(key) })
}

fn terminal(field: &Field<'_>) -> Result<Option<Terminal>, Refusal> {
    let mut terminal = Terminal::default();
    let mut others = Vec::new();
    for member in field.members()? {
        let slot = match member.key.as_deref() {
            Some("multiplexer") => &mut terminal.multiplexer,
            Some("session") => &mut terminal.session,
            Some("pane") => &mut terminal.pane,
            _ => {
                others.push(member);
                continue;
            }
        };
        let value = Field::new("terminal", member.value);
        *slot = if value.is_null() { None } else { Some(value.text()?) };
    }
    terminal.extra = Extra::from_members(&others);
    Ok(Some(terminal).filter(|terminal| !terminal.is_empty()))
}

/// Writes the text of a record's sidecar: two spaces of indent, no newline at the end.
pub(crate) fn encode(record: &Record) -> Result<Vec<u8>, Refusal> {
    check(record)?;
    let Some(hostname) = &record.hostname else {
        return Err(Refusal::invalid("`hostname` is missing"));
    };
    let mut json = Writer::new();
    json.integer("schema_version", SCHEMA_VERSION);
    json.integer("pid", u64::from(record.pid));
    json.string("session_id", &record.session_id);
    json.string("work_dir", &record.work_dir);
    json.string("hostname", hostname);
    json.number("started_at", record.started_at);
    match &record.agent_version {
        Some(version) => json.string(&record.version_key(), version),
        None => json.null(&record.version_key()),
    }

    let Identity { proc_start, pid_inode, host_key, platform, pid_ns, time_ns } = &record.identity;
    json.optional("proc_start", proc_start.as_deref());
    json.optional("pid_inode", pid_inode.as_deref());
    json.optional("host_key", host_key.as_deref());
    json.optional("platform", platform.as_deref());
    json.optional_integer("pid_ns", *pid_ns);
    json.optional_integer("time_ns", *time_ns);
    json.optional("instance", record.instance.as_deref());
    json.optional_integer("revision", record.revision);

    json.optional("agent", record.agent.as_deref());
    json.optional("kind", record.kind.as_deref());
    json.optional("name", record.name.as_deref());
    json.optional("entrypoint", record.entrypoint.as_deref());
    json.optional("transcript_path", record.transcript_path.as_deref());
    json.optional("parent_session_id", record.parent_session_id.as_deref());
    if let Some(terminal) = record.terminal.as_ref().filter(|terminal| !terminal.is_empty()) {
        json.object("terminal", |json| {
            json.optional("multiplexer", terminal.multiplexer.as_deref());
            json.optional("session", terminal.session.as_deref());
            json.optional("pane", terminal.pane.as_deref());
            for (key, value) in terminal.extra.iter() {
                json.raw(key, value);
            }
        });
    }
    for (key, value) in record.extra.iter() {
        json.raw(key, value);
    }

    let text = json.finish();
    if text.len() > MAX_RECORD_BYTES {
        let reason = "it is larger than 64 KiB".to_owned();
        return Err(Refusal { code: ErrorCode::TooLarge, reason });
    }
    Ok(text)
}
