//! Keys that this version does not know, kept as the text that they were.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::json::{Member, members};
use crate::error::{Error, ErrorCode, Result};

/// The unknown keys of a record with their values as raw JSON text, in the order of the file.
///
/// Values are not parsed: they may nest without end, hold numbers of any size and escapes of lone
/// surrogates, and are written back byte for byte.
#[derive(Clone, Debug, Default)]
pub struct Extra(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    key: Box<RawValue>,
    value: Box<RawValue>,
}

impl Extra {
    /// Takes the members of a JSON object; of equal keys the last wins.
    ///
    /// [`ErrorCode::InvalidInput`] if the text is no JSON object.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self> {
        members(text.as_ref()).map(|members| Self::from_members(&members)).map_err(|refusal| {
            Error::value(ErrorCode::InvalidInput, "accept", "`extra`", refusal.reason)
        })
    }

    /// The members of a file that holds a JSON object, or why it holds none.
    pub(crate) fn of_object(text: &[u8]) -> std::result::Result<Self, String> {
        members(text).map(|members| Self::from_members(&members)).map_err(|refusal| refusal.reason)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key as JSON text.
    pub fn get(&self, key: &str) -> Option<&str> {
        let index = self.position(key)?;
        Some(self.0[index].value.get())
    }

    /// Sets a key to a value given as JSON text; an error of `serde_json` if the text is not JSON.
    ///
    /// Keys that a record has a field for are refused when the record is written.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> serde_json::Result<()> {
        let value = RawValue::from_string(value.into())?;
        match self.position(key) {
            Some(index) => self.0[index].value = value,
            None => self.0.push(Entry { key: serde_json::value::to_raw_value(key)?, value }),
        }
        Ok(())
    }

    /// Removes a key; tells whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.position(key).map(|index| self.0.remove(index)).is_some()
    }

    /// Takes over the keys that are not there.
    pub(crate) fn add_missing(&mut self, other: Self) {
        let known: Vec<&str> = self.0.iter().map(|entry| entry.key.get()).collect();
        let new: Vec<_> =
            other.0.into_iter().filter(|entry| !known.contains(&entry.key.get())).collect();
        self.0.extend(new);
    }

    /// Drops the keys that give access to a session.
    pub(crate) fn drop_secrets(&mut self) {
        drop(super::Secrets::taken_from(self));
    }

    /// Moves a key, if it is there, to the end of another.
    pub(super) fn move_to(&mut self, other: &mut Self, key: &str) {
        if let Some(index) = self.position(key) {
            other.0.push(self.0.remove(index));
        }
    }

    /// Every key and value, both as JSON text: a key that is a lone surrogate, which JSON allows,
    /// is not text in Rust.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|entry| (entry.key.get(), entry.value.get()))
    }

    /// All of it as one JSON object.
    pub fn to_json(&self) -> String {
        let members: Vec<_> = self.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// The keys as text, where they are.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|entry| serde_json::from_str(entry.key.get()).ok())
    }

    /// Takes members of a file over; of equal keys the last wins.
    pub(super) fn from_members(members: &[Member<'_>]) -> Self {
        let owned = |member: &Member<'_>| Entry {
            key: member.raw_key.to_owned(),
            value: member.value.to_owned(),
        };
        if members.len() < 2 {
            return Self(members.iter().map(owned).collect());
        }
        let last: HashMap<_, _> =
            members.iter().enumerate().map(|(index, member)| (member.name(), index)).collect();
        let survives = |(index, member): (usize, &Member<'_>)| {
            (last.get(&member.name()) == Some(&index)).then(|| owned(member))
        };
        Self(members.iter().enumerate().filter_map(survives).collect())
    }

    fn position(&self, key: &str) -> Option<usize> {
        let wanted = serde_json::to_string(key).ok()?;
        self.0.iter().position(|entry| {
            let raw = entry.key.get();
            raw == wanted
                || (raw.contains('\\')
                    && serde_json::from_str::<String>(raw).is_ok_and(|text| text == key))
        })
    }
}

/// The same keys with the same text; their order says nothing.
impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |extra: &Self| {
            let mut members: Vec<(String, String)> =
                extra.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            members.sort_unstable();
            members
        };
        self.len() == other.len() && sorted(self) == sorted(other)
    }
}
