//! Names of PID files: what does not match to the letter is somebody else's file.

use std::ffi::OsStr;

use crate::process::MAX_PID;
use crate::record::{Dialect, Record};

const SUFFIX: &str = ".json";

/// How much of an instance is in the name of its file.
const TAG_DIGITS: usize = 8;

/// What the name of a file in a registry folder says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileName {
    /// `<pid>.json` or `<pid>-<8 hex>.json`.
    Of { pid: u32 },
    /// A JSON file that is called otherwise.
    Other,
    /// Not meant to be a record.
    NoRecord,
}

impl FileName {
    pub(crate) fn parse(name: &OsStr) -> Self {
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else {
            return Self::NoRecord;
        };
        if stem.is_empty() || stem.starts_with('.') {
            return Self::NoRecord;
        }
        let (pid, tag) = match stem.split_once('-') {
            Some((pid, tag)) => (pid, Some(tag)),
            None => (stem, None),
        };
        let is_tag = |tag: &str| {
            tag.len() == TAG_DIGITS
                && tag.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_canonical = pid.bytes().all(|byte| byte.is_ascii_digit()) && !pid.starts_with('0');
        match pid.parse() {
            Ok(pid @ 1..=MAX_PID) if is_canonical && tag.is_none_or(is_tag) => Self::Of { pid },
            _ => Self::Other,
        }
    }
}

/// The name under which a record is published. Ours is never used twice, so that removing it is
/// always safe and equal pids of two namespaces stand side by side.
pub(crate) fn name_of(record: &Record, dialect: Dialect) -> String {
    let pid = record.pid;
    match &record.instance {
        Some(instance) if !dialect.is_one_file_per_process() => {
            format!("{pid}-{}{SUFFIX}", instance.get(..TAG_DIGITS).unwrap_or(instance))
        }
        _ => format!("{pid}{SUFFIX}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lenient parse once took `2026-03-14_notes.md` for the record of process 2026.
    #[test]
    fn only_canonical_names_are_records() {
        let of = |name: &str| FileName::parse(OsStr::new(name));
        for (name, pid) in [("1.json", 1), ("2147483647.json", MAX_PID), ("42-0123abcd.json", 42)] {
            assert_eq!(of(name), FileName::Of { pid }, "{name}");
        }
        for name in [
            "0.json",
            "01.json",
            "+1.json",
            "2147483648.json",
            "42-0123ABCD.json",
            "42-0123abc.json",
            "42-.json",
            "42-0123abcd-0.json",
            "2026-03-14_notes.json",
            "1 .json",
            "x.json",
            "٤٢.json",
        ] {
            assert_eq!(of(name), FileName::Other, "{name}");
        }
        for name in ["2026-03-14_notes.md", ".42.json", "42.json.tmp", "42", ".json", "42.JSON"] {
            assert_eq!(of(name), FileName::NoRecord, "{name}");
        }
    }
}
