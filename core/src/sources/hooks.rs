//! Folders that hooks feed, as the dashboard amc has them: `sessions/<id>.json`. They name no
//! process.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::{Evidence, File, Source, Sources, Trace, Tree};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::Stamp;
use crate::record::{Extra, Terminal};
use crate::snapshot::{AgentSession, Transcript};

/// What a record of a hook says that decides whether its session is alive.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) agent: String,
    pub(crate) is_starting: bool,
    /// The last event was the beginning of a turn.
    pub(crate) begins_turn: bool,
    pub(crate) transcript: Option<PathBuf>,
    pub(crate) zellij_session: Option<String>,
    /// Of the file: the clock by which a start becomes stale.
    pub(crate) stamp: Stamp,
}

pub(super) struct Hooks;

impl Source for Hooks {
    fn name(&self) -> &'static str {
        "hooks"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        sources.hooks.iter().map(|data| Tree::flat(data.join("sessions"))).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.ends_with(b".json") && !name.starts_with(b".")
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        let corrupt = |reason: String| Error::file(ErrorCode::Corrupt, "read", file.path, reason);
        let contents = file.folder.read(file.name, file.path)?;
        let mut extra = Extra::of_object(&contents.bytes).map_err(corrupt)?;
        let mut text = |key: &str| take_text(&mut extra, key).map_err(corrupt);
        let session_id =
            text("session_id")?.ok_or_else(|| corrupt("`session_id` is missing".to_owned()))?;
        let agent = text("agent")?.ok_or_else(|| corrupt("`agent` is missing".to_owned()))?;
        let status = text("status")?;
        let last_event = text("last_event")?;
        let work_dir = text("project_dir")?;
        let transcript = text("transcript_path")?.map(PathBuf::from);
        let zellij_session = text("zellij_session")?.filter(|name| !name.is_empty());
        let pane = text("zellij_pane")?.filter(|pane| !pane.is_empty());
        let name = file.name.to_str().and_then(|name| name.strip_suffix(".json"));
        if name != Some(&session_id) {
            return Err(corrupt("its name and its `session_id` disagree".to_owned()));
        }
        let turn_start_tokens = extra.get("turn_start_tokens").and_then(|raw| raw.parse().ok());

        let known = match status.as_deref() {
            Some("active") => Some("busy"),
            Some("needs_attention") => Some("waiting"),
            Some("done") => Some("idle"),
            _ => None,
        };
        for (key, value) in [("status", &status), ("last_event", &last_event)] {
            // Text is always JSON.
            if let Some(value) = value.as_ref().and_then(|value| serde_json::to_string(value).ok())
            {
                let _ = extra.set(key, value);
            }
        }
        let agent_name = match agent.as_str() {
            "claude" => "claude-code",
            other => other,
        };
        let session = AgentSession {
            agent: Some(agent_name.to_owned()),
            session_id: Some(session_id.clone()),
            work_dir,
            status: known.map(str::to_owned).or_else(|| status.clone()),
            updated_at: Some(contents.stamp.modified_seconds()),
            terminal: zellij_session.as_ref().map(|session| {
                Terminal::new(Some("zellij".to_owned()), Some(session.clone()), pane)
            }),
            transcript: transcript.clone().map(|path| Transcript { path, mtime_ns: None }),
            turn_start_tokens,
            extra,
            ..AgentSession::unknown(format!("{agent_name}:{session_id}"))
        };
        let hook = Hook {
            agent,
            is_starting: status.as_deref() == Some("starting"),
            begins_turn: last_event.as_deref() == Some("UserPromptSubmit"),
            transcript,
            zellij_session,
            stamp: contents.stamp,
        };
        Ok((Trace::new(session, Evidence::Hook(hook)), contents.stamp))
    }
}

/// Takes a key that holds text, or null, out of the object.
fn take_text(extra: &mut Extra, key: &str) -> std::result::Result<Option<String>, String> {
    let Some(raw) = extra.get(key) else { return Ok(None) };
    let value = match raw {
        "null" => None,
        raw if raw.starts_with('"') => {
            Some(serde_json::from_str(raw).map_err(|_| format!("`{key}` is not Unicode text"))?)
        }
        _ => return Err(format!("`{key}` is not a string")),
    };
    extra.remove(key);
    Ok(value)
}
