//! Codex: rollouts, which their process holds open, and since 0.147 a lock for each thread.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Evidence, File, Level, Source, Sources, Trace, Tree};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Stamp, read_head};
use crate::session_id::SessionId;
use crate::snapshot::{AgentSession, Transcript};

/// The first line holds the instructions of the session too.
const FIRST_LINE_BYTES: u64 = 1024 * 1024;

pub(super) struct Codex;

impl Source for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        let by_day = &[Level::Any, Level::Any, Level::Any];
        let tree = |home: &PathBuf| Tree { root: home.join("sessions"), levels: by_day };
        sources.codex.iter().map(tree).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.starts_with(b"rollout-") && name.ends_with(b".jsonl")
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        let corrupt = |reason: &str| Error::file(ErrorCode::Corrupt, "read", file.path, reason);
        let stamp = file.folder.stamp(file.name).ok_or_else(|| corrupt("it is gone"))?;
        let head = read_head(file.path, FIRST_LINE_BYTES)?;
        let line = head.bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line: Value =
            serde_json::from_slice(line).map_err(|_| corrupt("its first line is not JSON"))?;
        let meta = line
            .get("payload")
            .filter(|_| line.get("type").is_some_and(|kind| kind == "session_meta"))
            .ok_or_else(|| corrupt("its first line is no `session_meta`"))?;
        let text = |key: &str| meta.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = text("id")
            .or_else(|| text("session_id"))
            .ok_or_else(|| corrupt("its first line names no session"))?;

        let session = AgentSession {
            work_dir: text("cwd"),
            parent_session_id: text("parent_thread_id"),
            ..session(file.path, &id)
        };
        Ok((Trace::new(session, evidence(file.path, &id)), stamp))
    }

    /// Rollouts stay for ever; the end of their name is the id of the session.
    fn glance(&self, file: &File<'_>) -> Option<Trace> {
        const ID: usize = 36;
        let stem = file.name.to_str()?.strip_suffix(".jsonl")?;
        let id = stem.get(stem.len().checked_sub(ID)?..)?;
        let trace = Trace::new(session(file.path, id), evidence(file.path, id));
        Some(Trace { is_glance: true, ..trace })
    }

    fn says_the_same(&self) -> bool {
        true
    }
}

fn session(path: &Path, id: &str) -> AgentSession {
    AgentSession {
        agent: Some("codex".to_owned()),
        session_id: Some(id.to_owned()),
        transcript: Some(Transcript { path: path.to_owned(), mtime_ns: None }),
        ..AgentSession::unknown(format!("codex:{id}"))
    }
}

fn evidence(path: &Path, id: &str) -> Evidence {
    let lock = home_of(path)
        .zip(SessionId::new(id).ok())
        .map(|(home, id)| home.join("thread-writer-locks").join(format!("{id}.lock")));
    Evidence::Codex { lock, transcript: path.to_owned() }
}

/// `<home>/sessions/YYYY/MM/DD/rollout-….jsonl`
fn home_of(path: &Path) -> Option<&Path> {
    path.ancestors().nth(5)
}
