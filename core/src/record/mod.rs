//! The record of a session: one shape in memory, whatever the file that it came from.

#[macro_use]
mod keys;

mod check;
mod dialect;
mod extra;
mod json;
mod origin;
mod patch;
pub(crate) mod pid_file;
mod secrets;
pub(crate) mod sidecar;
mod terminal;
mod version_key;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use check::{is_agent, is_kind};
pub use dialect::Dialect;
pub use extra::Extra;
pub(crate) use origin::{Attached, Origin};
pub use patch::Patch;
pub(crate) use secrets::Secrets;
pub use terminal::Terminal;

use crate::error::{Error, ErrorCode, Holder, Result};
use crate::process::{self, Identity};

/// One session, served by one process.
///
/// Reading never changes what a program wrote: keys that this version does not know are kept in
/// [`Record::extra`] and written back as they were. Two records are equal if they say the same;
/// where they were read from is no part of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The process that serves the session, `1..=2^31-1`.
    pub pid: u32,
    /// The session's id. In a record it is data: see [`crate::SessionId`] before making a path
    /// of it.
    pub session_id: String,
    /// The folder in which the session works, an absolute path.
    pub work_dir: String,
    /// The host's name as the system gives it, for people to read.
    pub hostname: Option<String>,
    /// When the session began, in seconds since the Unix epoch.
    pub started_at: f64,
    /// The version of the program.
    pub agent_version: Option<String>,
    /// What tells the process from others with its pid.
    pub identity: Identity,
    /// 32 hex digits, random for every registration.
    pub instance: Option<String>,
    /// Counts the writes of a registration; who owns the record raises it.
    pub revision: Option<u64>,
    /// The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`.
    pub agent: Option<String>,
    /// The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`.
    pub kind: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// How the program was started, such as `cli` or `sdk-ts`.
    pub entrypoint: Option<String>,
    /// The log of the session.
    pub transcript_path: Option<String>,
    /// The session that this one came from.
    pub parent_session_id: Option<String>,
    /// Where the session is shown.
    pub terminal: Option<Terminal>,
    /// What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own.
    pub status: Option<String>,
    /// What a `waiting` session waits for.
    pub waiting_for: Option<String>,
    /// When the record was last updated, in seconds since the Unix epoch.
    pub updated_at: Option<f64>,
    /// When the status last changed, in seconds since the Unix epoch.
    pub status_updated_at: Option<f64>,
    /// Every other key.
    pub extra: Extra,
    /// Keys that are kept, but never shown.
    pub(crate) secrets: Secrets,
    /// The key of `agent_version` in the file that this record was read from.
    pub(crate) version_key: Option<String>,
    pub(crate) origin: Attached,
}

impl Record {
    /// A new registration of the calling process: its pid and identity, its host, now.
    pub fn new(session_id: impl Into<String>, work_dir: impl Into<String>) -> Self {
        let record = Self::plain(std::process::id(), session_id, work_dir);
        record.registered(process::own_identity())
    }

    /// A new registration of another process, whose identity is read here.
    ///
    /// [`ErrorCode::NotFound`] if no process has that pid, [`ErrorCode::InvalidInput`] if none
    /// can.
    pub fn of_process(
        pid: u32,
        session_id: impl Into<String>,
        work_dir: impl Into<String>,
    ) -> Result<Self> {
        let identity = process::identity_of(pid)?;
        Ok(Self::plain(pid, session_id, work_dir).registered(identity))
    }

    /// A record of a pid without looking it up: this host, now, no identity. Written, it has the
    /// seven keys that every reader of schema 1 knows, and no more.
    ///
    /// Without identity no reader can tell the process from a later one with its pid.
    pub fn plain(pid: u32, session_id: impl Into<String>, work_dir: impl Into<String>) -> Self {
        Self {
            pid,
            session_id: session_id.into(),
            work_dir: work_dir.into(),
            hostname: Some(process::hostname()),
            started_at: now(),
            agent_version: None,
            identity: Identity::default(),
            instance: None,
            revision: None,
            agent: None,
            kind: None,
            name: None,
            entrypoint: None,
            transcript_path: None,
            parent_session_id: None,
            terminal: None,
            status: None,
            waiting_for: None,
            updated_at: None,
            status_updated_at: None,
            extra: Extra::default(),
            secrets: Secrets::default(),
            version_key: None,
            origin: Attached::default(),
        }
    }

    fn registered(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self.instance = random_instance();
        self.revision = Some(1);
        self
    }

    /// Reads the JSON text of a sidecar, by the rules for its file: see [`crate::load`].
    ///
    /// The record has no origin: nothing is known of who wrote it, or where.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self> {
        let text = text.as_ref();
        let failed = |code, reason| Error::value(code, "read", "the record", reason);
        if text.len() > crate::fs::MAX_RECORD_BYTES {
            let reason = "it is larger than 64 KiB".to_owned();
            return Err(failed(ErrorCode::TooLarge, reason));
        }
        sidecar::decode(text).map_err(|refusal| failed(refusal.code, refusal.reason))
    }

    /// This record's process as the one that holds the file at `path`.
    pub(crate) fn holder(&self, path: &Path) -> Holder {
        Holder {
            path: path.to_owned(),
            pid: Some(self.pid),
            session_id: Some(self.session_id.clone()),
            host: self.hostname.clone(),
        }
    }

    /// Keeps the secret keys of `extra` where nobody sees them.
    pub(crate) fn hide_secrets(&mut self) {
        self.secrets = Secrets::taken_from(&mut self.extra);
    }

    /// Whether both are the same registration: the same `instance`, or of records without one the
    /// same pid, `proc_start` and `started_at`.
    pub(crate) fn is_same_registration(&self, other: &Self) -> bool {
        match (&self.instance, &other.instance) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => {
                self.pid == other.pid
                    && self.identity.proc_start == other.identity.proc_start
                    // A file holds exactly the number that was written.
                    && self.started_at.to_bits() == other.started_at.to_bits()
            }
            _ => false,
        }
    }

    /// The JSON text of this record's sidecar, as [`crate::write`] would write it.
    ///
    /// What no reader would accept is [`ErrorCode::InvalidInput`] or [`ErrorCode::TooLarge`].
    pub fn to_json(&self) -> Result<String> {
        let failed = |code, reason| Error::value(code, "write", "the record", reason);
        let text = sidecar::encode(self).map_err(|refusal| failed(refusal.code, refusal.reason))?;
        String::from_utf8(text).map_err(|error| failed(ErrorCode::InvalidInput, error.to_string()))
    }

    /// The name of the key that holds `agent_version` in a sidecar, such as `qwen_version`.
    ///
    /// It is the one that the record was read with, else the agent's, else `agent_version`.
    pub fn version_key(&self) -> std::borrow::Cow<'_, str> {
        match (&self.version_key, &self.agent) {
            (Some(key), _) => key.into(),
            (None, Some(agent)) => version_key::of_agent(agent).into(),
            (None, None) => version_key::WITHOUT_AGENT.into(),
        }
    }

    /// Names the key for `agent_version` when the record is written: any `<agent>_version`.
    ///
    /// Programs whose readers look for one key only, as qwen-code and kimi-cli do, need this when
    /// the record names no agent.
    pub fn set_version_key(&mut self, key: impl Into<String>) {
        self.version_key = Some(key.into());
    }
}

/// By what they say: the version key counts as it would be written, origin and secrets not at all.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        // Taken apart so that a new field cannot be forgotten here.
        let Self {
            pid,
            session_id,
            work_dir,
            hostname,
            started_at,
            agent_version,
            identity,
            instance,
            revision,
            agent,
            kind,
            name,
            entrypoint,
            transcript_path,
            parent_session_id,
            terminal,
            status,
            waiting_for,
            updated_at,
            status_updated_at,
            extra,
            secrets: _,
            version_key: _,
            origin: _,
        } = self;
        *pid == other.pid
            && *session_id == other.session_id
            && *work_dir == other.work_dir
            && *hostname == other.hostname
            && *started_at == other.started_at
            && *agent_version == other.agent_version
            && *identity == other.identity
            && *instance == other.instance
            && *revision == other.revision
            && *agent == other.agent
            && *kind == other.kind
            && *name == other.name
            && *entrypoint == other.entrypoint
            && *transcript_path == other.transcript_path
            && *parent_session_id == other.parent_session_id
            && *terminal == other.terminal
            && *status == other.status
            && *waiting_for == other.waiting_for
            && *updated_at == other.updated_at
            && *status_updated_at == other.status_updated_at
            && *extra == other.extra
            && self.version_key() == other.version_key()
    }
}

/// Why text is no record, or a record no text.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) reason: String,
}

impl Refusal {
    fn corrupt(reason: impl Into<String>) -> Self {
        Self { code: ErrorCode::Corrupt, reason: reason.into() }
    }

    fn invalid(reason: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidInput, reason: reason.into() }
    }
}

/// Now, in seconds since the epoch, to the millisecond.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    #[allow(clippy::cast_precision_loss)] // Milliseconds fit for 285,000 years.
    let millis = since.as_millis() as f64;
    millis / 1000.0
}

/// `None` if the system has no randomness to give: a record is useful without an instance.
pub(crate) fn random_instance() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}
