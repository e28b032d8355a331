//! Copilot CLI: `session-state/<id>/inuse.<pid>.lock`, with `workspace.yaml` beside it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Evidence, File, Level, Source, Sources, Trace, Tree};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::{Stamp, read_head};
use crate::process::MAX_PID;
use crate::record::{Attached, Origin, Record};
use crate::snapshot::{AgentSession, Transcript};

const WORKSPACE: &str = "workspace.yaml";
const WORKSPACE_BYTES: u64 = 64 * 1024;

pub(super) struct Copilot;

impl Source for Copilot {
    fn name(&self) -> &'static str {
        "copilot-cli"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        let tree =
            |home: &PathBuf| Tree { root: home.join("session-state"), levels: &[Level::Any] };
        sources.copilot.iter().map(tree).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        pid_of(name).is_some()
    }

    fn is_beside(&self, name: &OsStr) -> bool {
        name == WORKSPACE
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        let refuse = |code, reason: &str| Error::file(code, "read", file.path, reason);
        let contents = file.folder.read(file.name, file.path)?;
        let (Some(pid), Some(folder)) = (pid_of(file.name), file.path.parent()) else {
            return Err(refuse(ErrorCode::Corrupt, "its name has no process id"));
        };
        let folder_name = folder.file_name().and_then(OsStr::to_str);
        let workspace = read_head(&folder.join(WORKSPACE), WORKSPACE_BYTES);
        let workspace = workspace.map(|part| part.bytes).unwrap_or_default();
        let id = scalar(&workspace, "id").or_else(|| folder_name.map(str::to_owned));
        let id = id.ok_or_else(|| refuse(ErrorCode::Corrupt, "its folder names no session"))?;
        let work_dir = scalar(&workspace, "cwd");

        let mut record = Record::plain(pid, id.as_str(), work_dir.as_deref().unwrap_or("/"));
        record.started_at = contents.stamp.modified_seconds();
        record.origin = Attached::to(Origin { path: file.path.to_owned(), owner: contents.owner });
        let session = AgentSession {
            agent: Some("copilot-cli".to_owned()),
            session_id: Some(id.clone()),
            pid: Some(pid),
            work_dir,
            started_at: Some(record.started_at),
            transcript: transcript(folder),
            ..AgentSession::unknown(format!("{pid}:{id}"))
        };
        Ok((Trace::new(session, Evidence::PidLock(Arc::new(record))), contents.stamp))
    }
}

fn transcript(folder: &Path) -> Option<Transcript> {
    let path = folder.join("events.jsonl");
    path.is_file().then_some(Transcript { path, mtime_ns: None })
}

/// `inuse.<pid>.lock`
fn pid_of(name: &OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_prefix("inuse.")?.strip_suffix(".lock")?;
    let is_canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|pid| is_canonical && (1..=MAX_PID).contains(pid))
}

/// The value of a key at the top of a YAML file that is plain, or quoted without escapes: all that
/// an id and a path need. Anything else says nothing.
fn scalar(text: &[u8], key: &str) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?.trim();
    let quoted = |mark: char| value.strip_prefix(mark)?.strip_suffix(mark);
    let value = match quoted('"').filter(|inside| !inside.contains('\\')).or_else(|| quoted('\'')) {
        Some(inside) => inside,
        None if value.starts_with(['"', '\'', '|', '>', '&', '*', '[', '{']) => return None,
        None => value.split(" #").next()?.trim_end(),
    };
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_quoted_values_are_read() {
        let text =
            b"id: 3f1c\ncwd: \"/srv/a b\"\nother: 'x # y'\nnote: z # said\nlist: [1]\n  deep: 1\n";
        for (key, value) in [
            ("id", Some("3f1c")),
            ("cwd", Some("/srv/a b")),
            ("other", Some("x # y")),
            ("note", Some("z")),
            ("list", None),
            ("deep", None),
            ("i", None),
        ] {
            assert_eq!(scalar(text, key).as_deref(), value, "{key}");
        }
    }
}
