//! Claude Code: `sessions/<pid>.json`, and a transcript below `projects`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::registry::read_pid_file;
use super::{File, Source, Sources, Trace, Tree};
use crate::error::Result;
use crate::fs::Stamp;
use crate::paths::encode_work_dir;
use crate::record::Dialect;
use crate::registry::FileName;
use crate::session_id::SessionId;
use crate::snapshot::Transcript;

pub(super) struct ClaudeCode;

impl Source for ClaudeCode {
    fn name(&self) -> &'static str {
        "claude-code"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        sources.claude_code.iter().map(|home| Tree::flat(home.join("sessions"))).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        // Files `pid-<n>.json` of earlier versions are orphans.
        let is_legacy = name.as_encoded_bytes().starts_with(b"pid-");
        !is_legacy && FileName::parse(name) != FileName::NoRecord
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        let (mut trace, stamp) = read_pid_file(file, Dialect::Claude, Some("claude-code"))?;
        let session = &mut trace.session;
        if session.transcript.is_none() {
            let home = file.path.parent().and_then(Path::parent);
            let path = home.zip(session.work_dir.as_deref()).zip(session.session_id.as_deref());
            let path = path.and_then(|((home, work_dir), id)| transcript(home, work_dir, id));
            session.transcript = path.map(|path| Transcript { path, mtime_ns: None });
        }
        Ok((trace, stamp))
    }
}

/// Where Claude Code keeps the transcript of a session. Different folders may be encoded alike.
fn transcript(home: &Path, work_dir: &str, session_id: &str) -> Option<PathBuf> {
    let id = SessionId::new(session_id).ok()?;
    Some(home.join("projects").join(encode_work_dir(work_dir)).join(format!("{id}.jsonl")))
}
