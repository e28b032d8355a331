//! What a process says of the session that it registers.

#[cfg(unix)]
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorCode, Result};
use crate::record::{Extra, Record, Terminal, is_kind, now};
use crate::session_id::SessionId;

/// The variable by which a spawner tells the kind of the sessions that its children register.
const KIND_VARIABLE: &str = "SESSIONREG_KIND";

/// What stands for the session id in the template of a sidecar's path.
const ID: &str = "{id}";

/// Receives the failures of a session that must never fail itself.
pub type OnError = Arc<dyn Fn(&Error) + Send + Sync>;

/// A session to be registered: [`Registry::register`](crate::Registry::register).
#[derive(Clone)]
#[non_exhaustive]
pub struct New {
    /// The session's id.
    pub session_id: String,
    /// The folder in which it works, an absolute path.
    pub work_dir: String,
    /// The program, such as `qwen-code`.
    pub agent: Option<String>,
    /// Its version.
    pub agent_version: Option<String>,
    /// The kind of session; by default what the environment variable `SESSIONREG_KIND` says, if
    /// that is the form of one.
    pub kind: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// How the program was started.
    pub entrypoint: Option<String>,
    /// What the session is doing.
    pub status: Option<String>,
    /// The log of the session.
    pub transcript_path: Option<String>,
    /// The session that this one came from.
    pub parent_session_id: Option<String>,
    /// Where the session is shown.
    pub terminal: Option<Terminal>,
    /// Where the sidecar goes: a path in which `{id}` stands for the session id. None by default.
    pub sidecar: Option<PathBuf>,
    /// Whether a PID file is published (default: yes). Without one the session is known by its
    /// sidecar alone, which then also tells what it is doing.
    pub pid_file: bool,
    /// Whether the sidecar stays when the session is closed (default: no), as qwen-code has it.
    pub keep_sidecar: bool,
    /// The process that serves the session (default: the caller). A handle on another process's
    /// session never removes its record.
    pub pid: Option<u32>,
    /// Further keys.
    pub extra: Extra,
    /// Where failures go. With it no call of the session fails: it gives `false` instead.
    pub on_error: Option<OnError>,
}

impl New {
    /// A session of the calling process.
    pub fn session(session_id: impl Into<String>, work_dir: impl Into<String>) -> Self {
        Self {
            session_id: session_id.into(),
            work_dir: work_dir.into(),
            agent: None,
            agent_version: None,
            kind: None,
            name: None,
            entrypoint: None,
            status: None,
            transcript_path: None,
            parent_session_id: None,
            terminal: None,
            sidecar: None,
            pid_file: true,
            keep_sidecar: false,
            pid: None,
            extra: Extra::default(),
            on_error: None,
        }
    }

    /// The process that is registered is the caller.
    pub(super) fn is_own(&self) -> bool {
        self.pid.is_none_or(|pid| pid == std::process::id())
    }

    /// The record of this registration, and of this moment.
    pub(super) fn record(&self) -> Result<Record> {
        if self.session_id.is_empty() {
            SessionId::new("")?;
        }
        let (id, work_dir) = (self.session_id.as_str(), self.work_dir.as_str());
        let mut record = match self.pid {
            Some(pid) if !self.is_own() => Record::of_process(pid, id, work_dir)?,
            _ => Record::new(id, work_dir),
        };
        if record.instance.is_none() {
            let reason = "the system has no randomness to give";
            return Err(Error::value(ErrorCode::Unavailable, "register", "the session", reason));
        }
        let from_spawner = || std::env::var(KIND_VARIABLE).ok().filter(|kind| is_kind(kind));
        record.agent.clone_from(&self.agent);
        record.agent_version.clone_from(&self.agent_version);
        record.kind = self.kind.clone().or_else(from_spawner);
        record.name.clone_from(&self.name);
        record.entrypoint.clone_from(&self.entrypoint);
        record.status.clone_from(&self.status);
        record.transcript_path.clone_from(&self.transcript_path);
        record.parent_session_id.clone_from(&self.parent_session_id);
        record.terminal.clone_from(&self.terminal);
        record.extra = self.extra.clone();
        record.hide_secrets();
        let now = now();
        record.updated_at = Some(now);
        record.status_updated_at = self.status.is_some().then_some(now);
        Ok(record)
    }
}

impl fmt::Debug for New {
    /// Without `extra`, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("New")
            .field("session_id", &self.session_id)
            .field("work_dir", &self.work_dir)
            .field("agent", &self.agent)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// The path of a session's sidecar, with `{id}` where the session id goes.
#[derive(Clone, Debug)]
pub(super) struct Template(PathBuf);

impl Template {
    /// It is meant from where the caller is now.
    pub(super) fn new(path: &Path) -> Result<Self> {
        if path.as_os_str().is_empty() {
            let reason = "it is empty";
            return Err(Error::value(
                ErrorCode::InvalidInput,
                "accept",
                "the sidecar's path",
                reason,
            ));
        }
        let failed = |error| Error::os("accept", path, error);
        std::path::absolute(path).map(Self).map_err(failed)
    }

    /// [`ErrorCode::InvalidId`] if the id cannot be part of a path; without `{id}` in the template
    /// it need not.
    pub(super) fn path(&self, session_id: &str) -> Result<PathBuf> {
        let parts = self.0.as_os_str().as_encoded_bytes();
        if !parts.windows(ID.len()).any(|part| part == ID.as_bytes()) {
            return Ok(self.0.clone());
        }
        let id = SessionId::new(session_id)?;
        Ok(filled(&self.0, id.as_str()))
    }
}

/// A path on Unix is bytes, and need not be text.
#[cfg(unix)]
fn filled(template: &Path, id: &str) -> PathBuf {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    let mut rest = template.as_os_str().as_bytes();
    let mut path = Vec::with_capacity(rest.len() + id.len());
    while let Some(at) = rest.windows(ID.len()).position(|part| part == ID.as_bytes()) {
        path.extend_from_slice(&rest[..at]);
        path.extend_from_slice(id.as_bytes());
        rest = &rest[at + ID.len()..];
    }
    path.extend_from_slice(rest);
    OsString::from_vec(path).into()
}

#[cfg(not(unix))]
fn filled(template: &Path, id: &str) -> PathBuf {
    template.to_string_lossy().replace(ID, id).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_its_place_in_a_file_name_and_in_a_folder() {
        for (template, path) in [
            ("/p/chats/{id}.runtime.json", "/p/chats/a b.runtime.json"),
            ("/p/{id}/runtime.json", "/p/a b/runtime.json"),
            ("/p/{id}/{id}.json", "/p/a b/a b.json"),
            ("/p/runtime.json", "/p/runtime.json"),
        ] {
            let made = Template(template.into()).path("a b").expect("an id that may be in a path");
            assert_eq!(made, PathBuf::from(path));
        }
    }

    #[test]
    fn an_id_never_leaves_its_place() {
        let template = Template("/p/{id}/runtime.json".into());
        for id in ["..", "../../etc", "a/b", ""] {
            let error = template.path(id).expect_err("an id that would leave the folder");
            assert_eq!(error.code(), ErrorCode::InvalidId, "{id}");
        }
    }
}
