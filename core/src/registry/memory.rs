//! The files of a folder as they were read before.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};

use super::scan::Outcome;
use crate::fs::Stamp;

/// What is remembered, in the order in which the folder was listed.
#[derive(Debug, Default)]
pub(super) struct Memory(pub(super) Vec<Remembered>);

#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) name: OsString,
    pub(super) stamp: Stamp,
    pub(super) outcome: Outcome,
}

/// Finds files by name. A folder is mostly listed in the order of the last time: only where it is
/// not, names are looked up.
pub(super) struct Recall<'a> {
    known: &'a [Remembered],
    next: usize,
    by_name: Option<HashMap<&'a OsStr, usize>>,
}

impl<'a> Recall<'a> {
    /// For files of which the first is the `start`th of its folder.
    pub(super) fn new(memory: &'a Memory, start: usize) -> Self {
        Self { known: &memory.0, next: start, by_name: None }
    }

    pub(super) fn find(&mut self, name: &OsStr) -> Option<&'a Remembered> {
        if self.known.is_empty() {
            return None;
        }
        // Since the last time a file may have come, or gone, before this one.
        let near = self.next.saturating_sub(1)..self.next.saturating_add(2);
        let is_it = |index: &usize| self.known.get(*index).is_some_and(|known| known.name == name);
        let index = near.into_iter().find(is_it).or_else(|| self.look_up(name));
        self.next = index.unwrap_or(self.next) + 1;
        self.known.get(index?)
    }

    fn look_up(&mut self, name: &OsStr) -> Option<usize> {
        let known = self.known;
        let by_name = self.by_name.get_or_insert_with(|| {
            known.iter().enumerate().map(|(index, known)| (known.name.as_os_str(), index)).collect()
        });
        by_name.get(name).copied()
    }
}
