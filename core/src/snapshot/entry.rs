//! One agent session, as all that speak of it describe it together.

use std::path::PathBuf;

use crate::liveness::{Reason, Verdict};
use crate::record::{Extra, Record, Terminal};
use crate::usage::ContextUsage;

/// A session of an agent on this machine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AgentSession {
    /// Its stable identity: the registration, where there is one, so that a process that moves to
    /// another session keeps it.
    pub key: String,
    /// The program.
    pub agent: Option<String>,
    /// The session's id; none for a process of which only the folder is known.
    pub session_id: Option<String>,
    /// The process that serves it.
    pub pid: Option<u32>,
    /// The process's controlling terminal, such as `pts/3`.
    pub tty: Option<String>,
    /// The folder in which it works.
    pub work_dir: Option<String>,
    /// The kind of session.
    pub kind: Option<String>,
    /// What it is doing: `busy`, `idle`, `waiting`, or a word of the program's own.
    pub status: Option<String>,
    /// What a `waiting` session waits for.
    pub waiting_for: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// When it began, in seconds since the Unix epoch.
    pub started_at: Option<f64>,
    /// When something was last said of it, in seconds since the Unix epoch.
    pub updated_at: Option<f64>,
    /// The session that it came from.
    pub parent_session_id: Option<String>,
    /// Where it is shown.
    pub terminal: Option<Terminal>,
    /// Its log.
    pub transcript: Option<Transcript>,
    /// How much of its context it uses, by its log.
    pub context_usage: Option<ContextUsage>,
    /// Tokens in use when the present turn began.
    pub turn_start_tokens: Option<u64>,
    /// The sources that speak of it, in order of name.
    pub sources: Vec<&'static str>,
    /// The files that speak of it, in order of path.
    pub files: Vec<PathBuf>,
    /// Whether its process is there, by the best evidence.
    pub verdict: Verdict,
    /// The session that took its place in its terminal.
    pub superseded_by: Option<String>,
    /// Every other key of its record.
    pub extra: Extra,
}

/// The log of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transcript {
    /// The file.
    pub path: PathBuf,
    /// When it was last written, in nanoseconds since the Unix epoch; none if it is not there.
    pub mtime_ns: Option<u128>,
}

impl AgentSession {
    /// A session of which nothing is known but what it is called here.
    pub(crate) fn unknown(key: String) -> Self {
        Self {
            key,
            agent: None,
            session_id: None,
            pid: None,
            tty: None,
            work_dir: None,
            kind: None,
            status: None,
            waiting_for: None,
            name: None,
            started_at: None,
            updated_at: None,
            parent_session_id: None,
            terminal: None,
            transcript: None,
            context_usage: None,
            turn_start_tokens: None,
            sources: Vec::new(),
            files: Vec::new(),
            verdict: Reason::NoIdentity.into(),
            superseded_by: None,
            extra: Extra::default(),
        }
    }

    /// Takes what a record says out of it, all but what it is judged by; `agent` is the program if it
    /// does not name one.
    pub(crate) fn of_record(record: &mut Record, agent: Option<&str>) -> Self {
        let key = match &record.instance {
            Some(instance) => instance.clone(),
            None => format!("{}:{}", record.pid, record.session_id),
        };
        Self {
            agent: record.agent.take().or_else(|| agent.map(str::to_owned)),
            session_id: Some(std::mem::take(&mut record.session_id)),
            pid: Some(record.pid),
            work_dir: Some(std::mem::take(&mut record.work_dir)),
            kind: record.kind.take(),
            status: record.status.take(),
            waiting_for: record.waiting_for.take(),
            name: record.name.take(),
            started_at: Some(record.started_at),
            updated_at: record.updated_at,
            parent_session_id: record.parent_session_id.take(),
            terminal: record.terminal.take(),
            transcript: record
                .transcript_path
                .take()
                .map(|path| Transcript { path: path.into(), mtime_ns: None }),
            extra: std::mem::take(&mut record.extra),
            ..Self::unknown(key)
        }
    }
}
