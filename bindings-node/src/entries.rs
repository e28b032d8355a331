//! Agent sessions on their way to JavaScript: as JSON text, which is parsed there faster than
//! objects are made here, and beside it what JSON has no words for.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use sessionreg::{AgentSession, Batch, Extra, Snapshot};

use crate::failure::Failure;
use crate::give;

/// Text of sessions, and what is beside it.
#[derive(Debug)]
pub(crate) struct Text {
    json: String,
    beside: Vec<Beside>,
}

/// What of the session of that number in the text the text itself does not tell.
#[derive(Debug)]
struct Beside {
    session: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Keys as they stand in the file: a number there may have more digits than JavaScript's.
    Extra(String),
    ExtraOfTerminal(String),
    /// Paths that are not Unicode.
    Transcript(Box<Path>),
    File(usize, Box<Path>),
}

impl Text {
    pub(crate) fn of_snapshot(snapshot: &Snapshot) -> Self {
        Self { json: snapshot.to_json(), beside: beside(&snapshot.sessions) }
    }

    pub(crate) fn of_batch(batch: &Batch) -> Self {
        let sessions = batch.added.iter().chain(&batch.changed);
        Self { json: batch.to_json(), beside: beside(sessions) }
    }

    /// The text, and three values for each that is beside it: number of the session, what it is,
    /// the value. `entries.cjs` has the same words.
    pub(crate) fn into_js(self, env: &Env) -> Result<[Unknown<'_>; 2], Failure> {
        let mut values = Vec::with_capacity(self.beside.len() * 3);
        for Beside { session, what } in self.beside {
            values.push(give::count(env, session)?);
            let (word, value) = match what {
                What::Extra(text) => (give::text(env, "extra")?, give::text(env, &text)?),
                What::ExtraOfTerminal(text) => {
                    (give::text(env, "terminal")?, give::text(env, &text)?)
                }
                What::Transcript(path) => {
                    (give::text(env, "transcript")?, give::path(env, Some(&path))?)
                }
                What::File(number, path) => {
                    (give::count(env, number)?, give::path(env, Some(&path))?)
                }
            };
            values.extend([word, value]);
        }
        Ok([give::text(env, &self.json)?, give::list(env, values)?])
    }
}

fn beside<'a>(sessions: impl IntoIterator<Item = &'a Arc<AgentSession>>) -> Vec<Beside> {
    let mut found = Vec::new();
    for (session, entry) in sessions.into_iter().enumerate() {
        let mut add = |what| found.push(Beside { session, what });
        let text = |extra: &Extra| (!extra.is_empty()).then(|| extra.to_json());
        let odd = |path: &Path| path.to_str().is_none().then(|| path.into());
        text(&entry.extra).map(What::Extra).map(&mut add);
        let terminal = entry.terminal.as_ref();
        let of_terminal = terminal.and_then(|terminal| text(&terminal.extra));
        of_terminal.map(What::ExtraOfTerminal).map(&mut add);
        let transcript = entry.transcript.as_ref();
        transcript.and_then(|log| odd(&log.path)).map(What::Transcript).map(&mut add);
        for (number, file) in entry.files.iter().enumerate() {
            odd(file).map(|path| What::File(number, path)).map(&mut add);
        }
    }
    found
}
