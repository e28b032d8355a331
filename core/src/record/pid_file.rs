//! The PID file's format, schema 1: `camelCase` keys in a registry folder, times in milliseconds.
//!
//! Claude Code and qwen-code keep such files; what each of them expects is in `dialect`.

use std::path::Path;

use super::check::{self, is_agent, is_kind};
use super::json::{Field, MAX_SAFE_INTEGER, Member, Writer, members};
use super::{Attached, Dialect, Extra, Record, Refusal, Secrets, terminal};
use crate::process::{Identity, MAX_PID, host_key_of};

keys! {
    schema_version = "schemaVersion", pid = "pid", proc_start = "procStart", pid_ns = "pidNs",
    pid_inode = "pidInode", time_ns = "timeNs", host_key = "hostKey", platform = "platform",
    boot_id = "bootId", instance = "instance", revision = "revision",
    session_id = "sessionId", cwd = "cwd", started_at = "startedAt", hostname = "hostname",
    program = "program", kind = "kind", entrypoint = "entrypoint", status = "status",
    waiting_for = "waitingFor", name = "name", updated_at = "updatedAt",
    status_updated_at = "statusUpdatedAt", transcript_path = "transcriptPath",
    parent_session_id = "parentSessionId", terminal = "terminal",
}

/// Both keys of a program's version, in the order in which they are believed.
const VERSION_KEYS: [&str; 2] = ["version", "qwenVersion"];

/// Read for what it says of the process, and otherwise left as it is.
const PID_DOMAIN: &str = "pidDomain";

/// Reads the text of a PID file; it must be within the limit of a record.
pub(crate) fn decode(text: &[u8], dialect: Dialect) -> Result<Record, Refusal> {
    let mut slots = Slots::default();
    let mut others = Vec::new();
    for member in members(text)? {
        others.extend(slots.take(member));
    }
    match optional!(slots.schema_version) {
        Some(field) => check::schema_version(field)?,
        None if dialect.has_no_schema() => {}
        None => return Err(Refusal::corrupt("`schemaVersion` is missing")),
    }

    let text = |field: Option<&Field<'_>>| field.map(Field::text).transpose();
    let integer = |field: Option<&Field<'_>>| {
        field.map(|field| field.integer(0..=MAX_SAFE_INTEGER)).transpose()
    };
    let time = |field: Option<&Field<'_>>| field.map(seconds).transpose();
    let pid = required!(slots.pid = "pid")?.integer(1..=u64::from(MAX_PID))?;
    let mut identity = Identity {
        proc_start: text(optional!(slots.proc_start))?,
        pid_inode: text(optional!(slots.pid_inode))?,
        host_key: text(optional!(slots.host_key))?,
        platform: text(optional!(slots.platform))?,
        pid_ns: integer(optional!(slots.pid_ns))?,
        time_ns: integer(optional!(slots.time_ns))?,
    };
    add_boot(&mut identity, text(optional!(slots.boot_id))?.as_deref());
    let agent_version = take_version(dialect, &mut others)?;
    let mut extra = Extra::from_members(&others);
    add_domain(&mut identity, &extra);
    let secrets = Secrets::taken_from(&mut extra);
    Ok(Record {
        pid: u32::try_from(pid).map_err(|_| Refusal::corrupt("`pid` is out of range"))?,
        session_id: required!(slots.session_id = "sessionId")?.text()?,
        work_dir: required!(slots.cwd = "cwd")?.text()?,
        hostname: text(optional!(slots.hostname))?,
        started_at: seconds(required!(slots.started_at = "startedAt")?)?,
        agent_version,
        identity,
        instance: text(optional!(slots.instance))?,
        revision: integer(optional!(slots.revision))?,
        agent: text(optional!(slots.program))?.filter(|agent| is_agent(agent)),
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
        updated_at: time(optional!(slots.updated_at))?,
        status_updated_at: time(optional!(slots.status_updated_at))?,
        extra,
        secrets,
        version_key: None,
        origin: Attached::default(),
    })
}

/// Milliseconds, an integer, as seconds.
fn seconds(field: &Field<'_>) -> Result<f64, Refusal> {
    #[allow(clippy::cast_precision_loss)] // Up to 2^53 every integer is exact.
    let millis = field.integer(0..=MAX_SAFE_INTEGER)? as f64;
    Ok(millis / 1000.0)
}

/// Seconds, checked not to be negative, as whole milliseconds.
fn millis(seconds: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It saturates.
    let millis = (seconds * 1000.0).round() as u64;
    millis.min(MAX_SAFE_INTEGER)
}

/// A start without its boot, and the boot that stands besides, are one `proc_start`.
fn add_boot(identity: &mut Identity, boot: Option<&str>) {
    if let (Some(start), Some(boot)) = (&mut identity.proc_start, boot)
        && !boot.is_empty()
        && start.bytes().all(|byte| byte.is_ascii_digit())
    {
        *start = format!("{boot}:{start}");
    }
}

/// What Claude Code says of where a pid is meant: `linux:<machine id>:pid:[<inode>]`, `darwin`,
/// `win32:<host>`. It completes what is missing; a form that is not known says nothing.
fn add_domain(identity: &mut Identity, extra: &Extra) {
    let Some(domain) =
        extra.get(PID_DOMAIN).and_then(|raw| serde_json::from_str::<String>(raw).ok())
    else {
        return;
    };
    let (platform, rest) = domain.split_once(':').unwrap_or((&domain, ""));
    if !["linux", "darwin", "win32"].contains(&platform) {
        return;
    }
    identity.platform.get_or_insert_with(|| platform.to_owned());
    if platform != "linux" {
        return;
    }
    let Some((machine_id, namespace)) = rest.split_once(":pid:[") else { return };
    if identity.host_key.is_none() {
        identity.host_key = host_key_of(machine_id);
    }
    if identity.pid_ns.is_none() {
        identity.pid_ns = namespace.strip_suffix(']').and_then(|inode| inode.parse().ok());
    }
}

/// Takes the program's version out of the keys that no field is for.
fn take_version(dialect: Dialect, others: &mut Vec<Member<'_>>) -> Result<Option<String>, Refusal> {
    let keys = [dialect.version_key()].into_iter().chain(VERSION_KEYS);
    for key in keys {
        let is_it = |member: &Member<'_>| member.key.as_deref() == Some(key);
        let Some(last) = others.iter().rev().find(|member| is_it(member)) else { continue };
        let field = Field::new(key, last.value);
        let version = if field.is_null() { None } else { Some(field.text()?) };
        others.retain(|member| !is_it(member));
        return Ok(version);
    }
    Ok(None)
}

/// Writes the text of a record's PID file.
pub(crate) fn encode(record: &Record, dialect: Dialect) -> Result<Vec<u8>, Refusal> {
    check::for_pid_file(record, dialect)?;
    let identity = &record.identity;
    let mut json = Writer::new();
    json.integer("schemaVersion", check::SCHEMA_VERSION);
    json.integer("pid", u64::from(record.pid));
    match dialect.proc_start(identity) {
        Some(start) => json.string("procStart", &start),
        None => json.null("procStart"),
    }
    json.optional("bootId", dialect.boot_id(identity));
    json.optional_integer("pidNs", identity.pid_ns);
    json.optional("pidInode", identity.pid_inode.as_deref());
    json.optional_integer("timeNs", identity.time_ns);
    json.optional("hostKey", identity.host_key.as_deref());
    json.optional("platform", identity.platform.as_deref());
    json.optional("instance", record.instance.as_deref());
    json.optional_integer("revision", record.revision);

    json.string("sessionId", &record.session_id);
    json.string("cwd", &record.work_dir);
    json.integer("startedAt", millis(record.started_at));
    json.optional("hostname", record.hostname.as_deref());
    json.optional("program", record.agent.as_deref());
    match &record.agent_version {
        Some(version) => json.string(dialect.version_key(), version),
        // Else a reader would take another dialect's key for the version.
        None if record.extra.keys().any(|key| VERSION_KEYS.contains(&key.as_str())) => {
            json.null(dialect.version_key());
        }
        None => {}
    }
    json.optional("kind", record.kind.as_deref());
    json.optional("entrypoint", record.entrypoint.as_deref());
    let name = record.name.as_deref();
    json.optional("name", name.or_else(|| dialect.needs_name().then(|| default_name(record))));
    json.optional("status", record.status.as_deref());
    json.optional("waitingFor", record.waiting_for.as_deref());
    json.optional_integer("updatedAt", record.updated_at.map(millis));
    json.optional_integer("statusUpdatedAt", record.status_updated_at.map(millis));
    json.optional("transcriptPath", record.transcript_path.as_deref());
    json.optional("parentSessionId", record.parent_session_id.as_deref());
    terminal::encode(&mut json, record.terminal.as_ref());
    for (key, value) in record.extra.iter().chain(record.secrets.iter()) {
        json.raw(key, value);
    }
    json.finish()
}

/// What a session is called that nobody named.
fn default_name(record: &Record) -> &str {
    let folder = Path::new(&record.work_dir).file_name().and_then(|name| name.to_str());
    folder.unwrap_or(&record.session_id)
}
