//! Snapshots as JSON text, one line: what servers send.

use serde_json::{Map, Value, json};

use super::{AgentSession, Snapshot};
use crate::record::{Extra, Terminal};

impl AgentSession {
    /// All that is known of the session as one line of JSON: every field under its own name, those
    /// without a value left out, `state` and `reason` of the verdict, `extra` as it was.
    ///
    /// `mtime_ns` is text: not every reader of JSON has integers of that size. A path that is not
    /// Unicode is written with replacement characters.
    pub fn to_json(&self) -> String {
        let mut text = String::with_capacity(512);
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        // Taken apart so that a new field cannot be forgotten here.
        let Self {
            key,
            agent,
            session_id,
            pid,
            tty,
            work_dir,
            kind,
            status,
            waiting_for,
            name,
            started_at,
            updated_at,
            parent_session_id,
            terminal,
            transcript,
            context_usage,
            turn_start_tokens,
            sources,
            files,
            verdict,
            superseded_by,
            extra,
        } = self;
        let mut object = Object::begin(text);
        object.member("key", key);
        object.optional("agent", agent.as_ref());
        object.optional("session_id", session_id.as_ref());
        object.optional("pid", pid.as_ref());
        object.optional("tty", tty.as_ref());
        object.optional("work_dir", work_dir.as_ref());
        object.optional("kind", kind.as_ref());
        object.optional("status", status.as_ref());
        object.optional("waiting_for", waiting_for.as_ref());
        object.optional("name", name.as_ref());
        object.time("started_at", *started_at);
        object.time("updated_at", *updated_at);
        object.optional("parent_session_id", parent_session_id.as_ref());
        if let Some(terminal) = terminal {
            object.raw("terminal", &terminal_text(terminal));
        }
        if let Some(transcript) = transcript {
            let mut value = Map::new();
            value.insert("path".to_owned(), transcript.path.to_string_lossy().into());
            if let Some(mtime) = transcript.mtime_ns {
                value.insert("mtime_ns".to_owned(), mtime.to_string().into());
            }
            object.member("transcript", &value);
        }
        if let Some(usage) = context_usage {
            let mut value = Map::new();
            value.insert("current_tokens".to_owned(), usage.current_tokens.into());
            value.extend(usage.window.map(|window| ("window".to_owned(), Value::from(window))));
            object.member("context_usage", &value);
        }
        object.optional("turn_start_tokens", turn_start_tokens.as_ref());
        object.member("sources", sources);
        let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        object.member("files", &files);
        object.member("state", &verdict.state.as_str());
        object.member("reason", &verdict.reason.as_str());
        object.optional("superseded_by", superseded_by.as_ref());
        let mut value = String::new();
        let mut members = Object::begin(&mut value);
        members.extra(extra);
        members.end();
        object.raw("extra", &value);
        object.end();
    }
}

impl Snapshot {
    /// The snapshot as one line of JSON: `cursor`, `taken_at`, `dead_before`, `sessions` (see
    /// [`AgentSession::to_json`]) and `skipped`.
    pub fn to_json(&self) -> String {
        let skipped = self.skipped.iter().map(|skipped| {
            let path = skipped.path.to_string_lossy();
            json!({ "path": path, "code": skipped.code.as_str(), "reason": skipped.reason })
        });
        let mut text = String::with_capacity(128 + 512 * self.sessions.len());
        let mut object = Object::begin(&mut text);
        object.member("cursor", &self.cursor);
        object.time("taken_at", Some(self.taken_at));
        object.member("dead_before", &self.dead_before);
        object.sessions("sessions", self.sessions.iter().map(AsRef::as_ref));
        object.member("skipped", &skipped.collect::<Vec<_>>());
        object.end();
        text
    }
}

/// A batch as one line of JSON.
pub(crate) fn batch_text(batch: &crate::Batch) -> String {
    let mut text = String::with_capacity(128 + 512 * (batch.added.len() + batch.changed.len()));
    let mut object = Object::begin(&mut text);
    object.member("cursor", &batch.cursor);
    object.member("reset", &batch.reset);
    object.time("at", Some(batch.at));
    object.sessions("added", batch.added.iter().map(AsRef::as_ref));
    object.sessions("changed", batch.changed.iter().map(AsRef::as_ref));
    object.member("removed", &batch.removed);
    object.end();
    text
}

fn terminal_text(terminal: &Terminal) -> String {
    let mut text = String::new();
    let mut object = Object::begin(&mut text);
    object.optional("multiplexer", terminal.multiplexer.as_ref());
    object.optional("session", terminal.session.as_ref());
    object.optional("pane", terminal.pane.as_ref());
    object.extra(&terminal.extra);
    object.end();
    text
}

/// An object of JSON that is being written, on one line.
struct Object<'a> {
    text: &'a mut String,
    is_empty: bool,
}

impl<'a> Object<'a> {
    fn begin(text: &'a mut String) -> Self {
        text.push('{');
        Self { text, is_empty: true }
    }

    fn key(&mut self, raw_key: &str) {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        self.text.push_str(raw_key);
        self.text.push(':');
    }

    fn raw(&mut self, key: &str, value: &str) {
        self.key(&format!("\"{key}\""));
        self.text.push_str(value);
    }

    fn member(&mut self, key: &str, value: &impl serde::Serialize) {
        // Texts, numbers and lists of them can always be written.
        let value = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.raw(key, &value);
    }

    fn optional(&mut self, key: &str, value: Option<&impl serde::Serialize>) {
        if let Some(value) = value {
            self.member(key, value);
        }
    }

    /// Seconds, a whole number of them as an integer, as records have them.
    fn time(&mut self, key: &str, seconds: Option<f64>) {
        #[allow(clippy::cast_possible_truncation)] // Whole, and within 2^53.
        match seconds {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 9e15 => {
                self.member(key, &(whole as i64));
            }
            other => self.optional(key, other.as_ref()),
        }
    }

    fn sessions<'s>(&mut self, key: &str, sessions: impl Iterator<Item = &'s AgentSession>) {
        self.raw(key, "[");
        for (index, session) in sessions.enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            session.write(self.text);
        }
        self.text.push(']');
    }

    /// Members that are JSON text already. Line breaks in it stand between values, never in one.
    fn extra(&mut self, extra: &Extra) {
        for (key, value) in extra.iter() {
            self.key(key);
            self.text.extend(value.chars().filter(|c| !matches!(c, '\n' | '\r')));
        }
    }

    fn end(self) {
        self.text.push('}');
    }
}
