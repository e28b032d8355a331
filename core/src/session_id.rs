//! Which session ids may become part of a path.

use std::fmt;

use crate::error::{Error, ErrorCode, Result};

/// The longest session id, in bytes of UTF-8.
const MAX_BYTES: usize = 200;

/// A session id that is safe as a file name on every platform.
///
/// A record's `session_id` is data and may be anything; a path is only ever made from a
/// `SessionId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// Checks an id.
    ///
    /// Refused with [`ErrorCode::InvalidId`], before any system call: an empty id; one longer than
    /// 200 bytes; any of `/ \ : * ? " < > |` or a control character; `..` anywhere; a leading `.`
    /// or `-`; a trailing `.` or space; a Windows device name (`CON`, `PRN`, `AUX`, `NUL`,
    /// `COM1`–`COM9`, `LPT1`–`LPT9`), with or without an extension.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        match objection(&id) {
            None => Ok(Self(id)),
            Some(reason) => {
                Err(Error::value(ErrorCode::InvalidId, "accept", "the session id", reason))
            }
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn objection(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        return Some("it is empty");
    }
    if id.len() > MAX_BYTES {
        return Some("it is longer than 200 bytes");
    }
    if id.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) {
        return Some(r#"it contains one of / \ : * ? " < > |"#);
    }
    if id.contains(char::is_control) {
        return Some("it contains a control character");
    }
    if id.contains("..") {
        return Some("it contains `..`");
    }
    if id.starts_with(['.', '-']) {
        return Some("it begins with `.` or `-`");
    }
    if id.ends_with(['.', ' ']) {
        return Some("it ends with `.` or a space");
    }
    if is_device_name(id) {
        return Some("it is the name of a Windows device");
    }
    None
}

/// Windows takes the name before the first dot, less its trailing spaces, for the device.
fn is_device_name(id: &str) -> bool {
    let stem = id.split('.').next().unwrap_or(id).trim_end_matches(' ').to_ascii_uppercase();
    match stem.as_bytes() {
        b"CON" | b"PRN" | b"AUX" | b"NUL" => true,
        [b'C', b'O', b'M', digit] | [b'L', b'P', b'T', digit] => (b'1'..=b'9').contains(digit),
        _ => false,
    }
}
