//! # Lists of sessions
//!
//! What a registry found: entries, each a record with its verdict, and the files that were skipped.

use sessionreg::{Entry, Scan};

use crate::guard;
use crate::record::sessionreg_record;
use crate::skipped::sessionreg_skipped;
use crate::text::{Terminated, bytes_of, sessionreg_text};
use crate::verdict::sessionreg_verdict;

/// What was found, at one time. It never changes: threads may look at one at the same time. What is
/// borrowed from it stays until it is freed.
pub struct sessionreg_list {
    entries: Vec<sessionreg_entry>,
    skipped: Vec<sessionreg_skipped>,
}

/// A registered session, borrowed from a list. It never changes: threads may look at one at the same
/// time.
pub struct sessionreg_entry {
    record: sessionreg_record,
    verdict: sessionreg_verdict,
    path: Terminated,
}

impl From<Entry> for sessionreg_entry {
    fn from(entry: Entry) -> Self {
        let path = Terminated::new(&bytes_of(entry.path()));
        let verdict = entry.verdict.into();
        Self { record: sessionreg_record::new(entry.record), verdict, path }
    }
}

impl From<Scan> for sessionreg_list {
    fn from(scan: Scan) -> Self {
        let skipped = scan.skipped.iter().map(sessionreg_skipped::from).collect();
        Self { skipped, ..Self::from(scan.entries) }
    }
}

impl From<Vec<Entry>> for sessionreg_list {
    fn from(entries: Vec<Entry>) -> Self {
        let entries = entries.into_iter().map(sessionreg_entry::from).collect();
        Self { entries, skipped: Vec::new() }
    }
}

/// Threads share lists.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_list>();
};

/// How many entries there are.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_list_len(list: Option<&sessionreg_list>) -> usize {
    guard::value(0, || list.map_or(0, |list| list.entries.len()))
}

/// An entry, borrowed; entries are ordered by session id, then pid. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_list_get(
    list: Option<&sessionreg_list>,
    index: usize,
) -> Option<&sessionreg_entry> {
    guard::value(None, || list.and_then(|list| list.entries.get(index)))
}

/// What the file says, borrowed: it is not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_entry_record(
    entry: Option<&sessionreg_entry>,
) -> Option<&sessionreg_record> {
    guard::value(None, || entry.map(|entry| &entry.record))
}

/// Whether the process was there, and how that is known.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_entry_verdict(entry: Option<&sessionreg_entry>) -> sessionreg_verdict {
    guard::value(sessionreg_verdict::ABSENT, || {
        entry.map_or(sessionreg_verdict::ABSENT, |entry| entry.verdict)
    })
}

/// The file that the record was read from, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_entry_path(entry: Option<&sessionreg_entry>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        entry.map_or(sessionreg_text::ABSENT, |entry| entry.path.lend())
    })
}

/// How many files were skipped; only `sessionreg_registry_scan` tells of them.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_list_skipped_len(list: Option<&sessionreg_list>) -> usize {
    guard::value(0, || list.map_or(0, |list| list.skipped.len()))
}

/// A file that was skipped, borrowed; they are ordered by path. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_list_skipped_get(
    list: Option<&sessionreg_list>,
    index: usize,
) -> Option<&sessionreg_skipped> {
    guard::value(None, || list.and_then(|list| list.skipped.get(index)))
}

/// Frees a list, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_list_free(list: Option<Box<sessionreg_list>>) {
    guard::value((), || drop(list));
}
