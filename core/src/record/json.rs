//! A strict reader of one JSON object: nothing is coerced, nothing recurses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserializer as _, Serialize};
use serde_json::value::RawValue;

use super::Refusal;
use crate::error::ErrorCode;
use crate::fs::MAX_RECORD_BYTES;

/// The largest integer that every language reads exactly.
pub(super) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A key and a value of an object, both as they stand in the text.
pub(super) struct Member<'a> {
    /// The key as text; `None` if it escapes a lone surrogate, which JSON allows.
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) raw_key: &'a RawValue,
    pub(super) value: &'a RawValue,
}

impl<'a> Member<'a> {
    fn new(raw_key: &'a RawValue, value: &'a RawValue) -> Self {
        let key = text_of(raw_key.get()).ok();
        Self { key, raw_key, value }
    }

    /// What makes two keys the same: their text, or where they have none, what stands there.
    pub(super) fn name(&self) -> Result<&str, &str> {
        self.key.as_deref().ok_or_else(|| self.raw_key.get())
    }
}

/// Takes a JSON object apart. An array is not one, though serde would take it for a struct.
pub(super) fn members(text: &[u8]) -> Result<Vec<Member<'_>>, Refusal> {
    // Before anything else: serde_json does not look into what it skips.
    let text = std::str::from_utf8(text).map_err(|error| {
        Refusal::corrupt(format!("invalid UTF-8 at byte {}", error.valid_up_to()))
    })?;
    if text.starts_with('\u{FEFF}') {
        return Err(Refusal::corrupt("it begins with a byte order mark"));
    }
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Refusal::corrupt("it is not a JSON object"));
    }
    let malformed = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Refusal::corrupt(format!("malformed JSON at {place}"))
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let members = parser.deserialize_map(Members).map_err(malformed)?;
    parser.end().map_err(malformed)?;
    Ok(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(32);
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Member::new(key, value));
        }
        Ok(members)
    }
}

/// A value that a record has a field for, under its key.
pub(super) struct Field<'a> {
    key: &'a str,
    value: &'a RawValue,
}

impl<'a> Field<'a> {
    pub(super) fn new(key: &'a str, value: &'a RawValue) -> Self {
        Self { key, value }
    }

    pub(super) fn key(&self) -> &'a str {
        self.key
    }

    fn refuse(&self, reason: &str) -> Refusal {
        Refusal::corrupt(format!("`{}` {reason}", self.key))
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.get() == "null"
    }

    pub(super) fn text(&self) -> Result<String, Refusal> {
        let raw = self.value.get();
        if !raw.starts_with('"') {
            return Err(self.refuse("is not a string"));
        }
        match text_of(raw) {
            Ok(text) => Ok(text.into_owned()),
            Err(_) => Err(self.refuse("is not Unicode text")),
        }
    }

    /// An integer as JSON writes one: `1.0` and `1e0` are none.
    pub(super) fn integer(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, Refusal> {
        let raw = self.value.get();
        if !self.is_integer() {
            return Err(self.refuse("is not an integer"));
        }
        match raw.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(self.refuse("is out of range")),
        }
    }

    /// Whether the value is an integer, of whatever size.
    pub(super) fn is_integer(&self) -> bool {
        let raw = self.value.get();
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        digits.bytes().all(|byte| byte.is_ascii_digit())
    }

    pub(super) fn number(&self) -> Result<f64, Refusal> {
        let raw = self.value.get();
        if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err(self.refuse("is not a number"));
        }
        match raw.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.refuse("is not a finite number")),
        }
    }

    /// The members of a value that is an object.
    pub(super) fn members(&self) -> Result<Vec<Member<'a>>, Refusal> {
        members(self.value.get().as_bytes()).map_err(|_| self.refuse("is not an object"))
    }
}

/// The text of a JSON string that is known to be well-formed but for lone surrogates.
fn text_of(raw: &str) -> serde_json::Result<Cow<'_, str>> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Ok(Cow::Borrowed(inside)),
        _ => serde_json::from_str(raw).map(Cow::Owned),
    }
}

/// Writes an object with an indent of two spaces, as `JSON.stringify(value, null, 2)` does.
pub(super) struct Writer {
    text: Vec<u8>,
    indent: usize,
}

impl Writer {
    pub(super) fn new() -> Self {
        let mut text = Vec::with_capacity(1024);
        text.push(b'{');
        Self { text, indent: 2 }
    }

    /// A key and its value, both JSON text already.
    pub(super) fn raw(&mut self, raw_key: &str, value: &str) {
        self.begin_member();
        self.text.extend_from_slice(raw_key.as_bytes());
        self.text.extend_from_slice(b": ");
        self.text.extend_from_slice(value.as_bytes());
    }

    pub(super) fn string(&mut self, key: &str, text: &str) {
        self.key(key);
        self.value(text);
    }

    pub(super) fn optional(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(key, text);
        }
    }

    pub(super) fn null(&mut self, key: &str) {
        self.key(key);
        self.value(());
    }

    pub(super) fn integer(&mut self, key: &str, number: u64) {
        self.key(key);
        self.value(number);
    }

    pub(super) fn optional_integer(&mut self, key: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.integer(key, number);
        }
    }

    /// A finite number as JavaScript writes it: `1700000000`, not `1700000000.0`.
    pub(super) fn number(&mut self, key: &str, number: f64) {
        self.key(key);
        if number == 0.0 {
            self.text.push(b'0');
        } else if number.fract() == 0.0 && number.abs() < 1e21 {
            self.text.extend_from_slice(number.to_string().as_bytes());
        } else {
            self.value(number);
        }
    }

    pub(super) fn optional_number(&mut self, key: &str, number: Option<f64>) {
        if let Some(number) = number {
            self.number(key, number);
        }
    }

    /// An object under a key; `fill` writes its members.
    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.text.push(b'{');
        self.indent += 2;
        fill(self);
        self.indent -= 2;
        self.end_object();
    }

    /// The text, if it is one that readers would read.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Refusal> {
        self.indent -= 2;
        self.end_object();
        if self.text.len() > MAX_RECORD_BYTES {
            let reason = "it is larger than 64 KiB".to_owned();
            return Err(Refusal { code: ErrorCode::TooLarge, reason });
        }
        Ok(self.text)
    }

    fn key(&mut self, key: &str) {
        self.begin_member();
        // Ours need no escaping, but the key of a version is whatever a file called it.
        if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.text.push(b'"');
            self.text.extend_from_slice(key.as_bytes());
            self.text.push(b'"');
        } else {
            self.value(key);
        }
        self.text.extend_from_slice(b": ");
    }

    fn value(&mut self, value: impl Serialize) {
        // Neither memory nor these types can fail to be written.
        let _ = serde_json::to_writer(&mut self.text, &value);
    }

    fn begin_member(&mut self) {
        if self.text.last() != Some(&b'{') {
            self.text.push(b',');
        }
        self.new_line();
    }

    fn end_object(&mut self) {
        if self.text.last() != Some(&b'{') {
            self.new_line();
        }
        self.text.push(b'}');
    }

    fn new_line(&mut self) {
        self.text.push(b'\n');
        self.text.resize(self.text.len() + self.indent, b' ');
    }
}
