//! The sidecar's format, schema 1: `snake_case` keys beside the chat log that a session writes.
//!
//! qwen-code and kimi-cli write the first seven keys; the others are additions that they ignore.

use super::check::{self, is_agent, is_kind};
use super::json::{Field, MAX_SAFE_INTEGER, Member, Writer, members};
use super::{Attached, Extra, Record, Refusal, Secrets, terminal, version_key};
use crate::process::{Identity, MAX_PID};

keys! {
    schema_version = "schema_version", pid = "pid", session_id = "session_id",
    work_dir = "work_dir", hostname = "hostname", started_at = "started_at",
    proc_start = "proc_start", pid_inode = "pid_inode", host_key = "host_key",
    platform = "platform", pid_ns = "pid_ns", time_ns = "time_ns",
    instance = "instance", revision = "revision",
    agent = "agent", kind = "kind", name = "name", entrypoint = "entrypoint",
    transcript_path = "transcript_path", parent_session_id = "parent_session_id",
    terminal = "terminal", status = "status", waiting_for = "waiting_for",
    updated_at = "updated_at", status_updated_at = "status_updated_at",
}

/// Reads the text of a sidecar; it must be within [`MAX_RECORD_BYTES`].
pub(crate) fn decode(text: &[u8]) -> Result<Record, Refusal> {
    let mut slots = Slots::default();
    let mut others = Vec::new();
    for member in members(text)? {
        others.extend(slots.take(member));
    }

    // Before the other keys: a later schema may mean something else by them.
    check::schema_version(required!(slots.schema_version = "schema_version")?)?;

    let text = |field: Option<&Field<'_>>| field.map(Field::text).transpose();
    let number = |field: Option<&Field<'_>>| field.map(Field::number).transpose();
    let integer = |field: Option<&Field<'_>>| {
        field.map(|field| field.integer(0..=MAX_SAFE_INTEGER)).transpose()
    };
    let pid = required!(slots.pid = "pid")?.integer(1..=u64::from(MAX_PID))?;
    let agent = text(optional!(slots.agent))?.filter(|agent| is_agent(agent));
    let version = take_version(agent.as_deref(), &mut others)?;
    Ok(Record {
        pid: u32::try_from(pid).map_err(|_| Refusal::corrupt("`pid` is out of range"))?,
        session_id: required!(slots.session_id = "session_id")?.text()?,
        work_dir: required!(slots.work_dir = "work_dir")?.text()?,
        hostname: Some(required!(slots.hostname = "hostname")?.text()?),
        started_at: required!(slots.started_at = "started_at")?.number()?,
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
            Some(field) => terminal::decode(field)?,
            None => None,
        },
        status: text(optional!(slots.status))?,
        waiting_for: text(optional!(slots.waiting_for))?,
        updated_at: number(optional!(slots.updated_at))?,
        status_updated_at: number(optional!(slots.status_updated_at))?,
        extra: Extra::from_members(&others),
        secrets: Secrets::default(),
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

/// Writes the text of a record's sidecar: two spaces of indent, no newline at the end.
pub(crate) fn encode(record: &Record) -> Result<Vec<u8>, Refusal> {
    check::for_sidecar(record)?;
    let Some(hostname) = &record.hostname else {
        return Err(Refusal::invalid("`hostname` is missing"));
    };
    let mut json = Writer::new();
    json.integer("schema_version", check::SCHEMA_VERSION);
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
    terminal::encode(&mut json, record.terminal.as_ref());
    json.optional("status", record.status.as_deref());
    json.optional("waiting_for", record.waiting_for.as_deref());
    json.optional_number("updated_at", record.updated_at);
    json.optional_number("status_updated_at", record.status_updated_at);
    for (key, value) in record.extra.iter() {
        json.raw(key, value);
    }

    json.finish()
}
