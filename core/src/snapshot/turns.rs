//! How many tokens were in use when the present turn of a session began, which its hooks do not
//! tell: kept in memory, and, where that is asked for, in a file of our own.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Result};
use crate::fs::{self, Folder, Target, WriteOptions};
use crate::sources::Hook;
use crate::{paths, temp_name};

/// Of more sessions the beginnings are not kept: the file is one that is read like a record.
const MAX_KEPT: usize = 400;

/// Where turns began, by session id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(HashMap<String, Turn>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    /// When the hook told of it, in milliseconds since the Unix epoch: which turn it is.
    at: u64,
    tokens: u64,
}

impl Turns {
    /// What was recorded before. What cannot be read is as if it were not there.
    pub(super) fn load(&mut self) {
        let text = path().and_then(|path| fs::read(&path));
        self.0 = text.map(|contents| parse(&contents.bytes)).unwrap_or_default();
    }

    /// Notes what a hook says: if a turn begins that is not known, it begins with these tokens.
    pub(super) fn note(&mut self, session_id: &str, hook: &Hook, tokens: Option<u64>) {
        #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
        // Of this age of the world.
        let at = (hook.stamp.modified_seconds() * 1000.0) as u64;
        if hook.begins_turn
            && let Some(tokens) = tokens
            && self.0.get(session_id).is_none_or(|known| known.at != at)
        {
            self.0.insert(session_id.to_owned(), Turn { at, tokens });
        }
    }

    pub(super) fn of(&self, session_id: &str) -> Option<u64> {
        self.0.get(session_id).map(|turn| turn.tokens)
    }

    /// Writes what is known into this library's own data folder, joined with what others wrote
    /// there; tells how many beginnings were new.
    pub(crate) fn record(&self) -> Result<usize> {
        let path = path()?;
        let target = Target::of("write", &path)?;
        let temp =
            temp_name::new().map_err(|error| Error::unavailable("write", target.path, error))?;
        let folder = Folder::lock_for_writing(target, WriteOptions::default())?;
        let mut all = match folder.read(target.name) {
            Ok(contents) => parse(&contents.bytes),
            Err(error) if error.code() == ErrorCode::NotFound => HashMap::new(),
            Err(error) => return Err(error),
        };
        let mut count = 0;
        for (id, turn) in &self.0 {
            if all.get(id).is_none_or(|known| known.at < turn.at) {
                all.insert(id.clone(), *turn);
                count += 1;
            }
        }
        if count > 0 {
            let text = text_of(all);
            folder.replace(target.name, &temp, text.as_bytes(), WriteOptions::default())?;
        }
        Ok(count)
    }
}

fn path() -> Result<PathBuf> {
    Ok(paths::home()?.join("turn-starts.json"))
}

/// Anything that is not as we write it is left out.
fn parse(text: &[u8]) -> HashMap<String, Turn> {
    let all: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
    let turn = |(id, value): (String, Value)| {
        let number = |key: &str| value.get(key)?.as_u64();
        Some((id, Turn { at: number("at")?, tokens: number("tokens")? }))
    };
    all.into_iter().filter_map(turn).collect()
}

/// The latest of them.
fn text_of(all: HashMap<String, Turn>) -> String {
    let mut all: Vec<(String, Turn)> = all.into_iter().collect();
    all.sort_by_key(|(_, turn)| std::cmp::Reverse(turn.at));
    all.truncate(MAX_KEPT);
    let member = |(id, turn): (String, Turn)| {
        (id, serde_json::json!({ "at": turn.at, "tokens": turn.tokens }))
    };
    Value::Object(all.into_iter().map(member).collect()).to_string()
}
