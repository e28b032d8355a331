//! What changed, and since when: so that every reader gets what it has not seen, and no more.

use std::collections::{HashMap, VecDeque};

use crate::record::{now, random_instance};
use crate::snapshot::{Change, Picture};

use super::Batch;

/// So many changes are remembered. Who asks for older ones gets the full state.
const REMEMBERED: usize = 16_384;

/// How much of a random number tells one monitor's cursors from another's.
const EPOCH_DIGITS: usize = 16;

/// The changes of one monitor, numbered.
pub(super) struct Journal {
    epoch: String,
    /// The number of the latest changes.
    last: u64,
    /// When they were noticed.
    at: f64,
    /// All changes after this number are in the log.
    floor: u64,
    log: VecDeque<(u64, Change)>,
}

impl Journal {
    pub(super) fn new() -> Self {
        // Without randomness from the system, the clock and the process tell epochs apart.
        let random = random_instance();
        let epoch = random.unwrap_or_else(|| format!("{:x}{:.0}", std::process::id(), now() * 1e3));
        let epoch = epoch.chars().take(EPOCH_DIGITS).collect();
        Self { epoch, last: 0, at: now(), floor: 0, log: VecDeque::new() }
    }

    pub(super) fn cursor(&self) -> String {
        format!("{}-{}", self.epoch, self.last)
    }

    /// Notes what changed at one time; the first of all is no change, but where all begins.
    pub(super) fn note(&mut self, changes: Vec<Change>) -> bool {
        if changes.is_empty() {
            return false;
        }
        self.last += 1;
        self.at = now();
        self.log.extend(changes.into_iter().map(|change| (self.last, change)));
        let excess = self.log.len().saturating_sub(REMEMBERED);
        // Half of what changed at one time would be a wrong answer.
        let last = excess.checked_sub(1).and_then(|last| self.log.get(last));
        if let Some(number) = last.map(|(number, _)| *number) {
            self.floor = number;
            self.log.drain(..self.log.partition_point(|(of, _)| *of <= number));
        }
        true
    }

    pub(super) fn start(&mut self) {
        self.last = 1;
        self.floor = 1;
        self.at = now();
    }

    /// What a reader has not seen, by its cursor; `None` if that is nothing.
    pub(super) fn since(&self, cursor: Option<&str>, picture: &Picture) -> Option<Batch> {
        let seen = cursor.and_then(|cursor| self.number_of(cursor));
        let Some(seen) = seen else {
            return Some(Batch { reset: true, added: picture.sessions(), ..self.batch() });
        };
        if seen == self.last {
            return None;
        }
        let start = self.log.partition_point(|(number, _)| *number <= seen);
        let mut first: HashMap<&str, bool> = HashMap::new();
        let mut order = Vec::new();
        for (_, change) in self.log.range(start..) {
            first.entry(&change.key).or_insert_with(|| {
                order.push(&change.key);
                change.was_listed
            });
        }
        let mut batch = self.batch();
        for key in order {
            match (first.get(&**key), picture.session(key)) {
                (Some(true), Some(session)) => batch.changed.push(session.clone()),
                (_, Some(session)) => batch.added.push(session.clone()),
                (Some(true), None) => batch.removed.push(key.to_string()),
                // It came and went.
                _ => {}
            }
        }
        Some(batch)
    }

    fn batch(&self) -> Batch {
        Batch {
            cursor: self.cursor(),
            reset: false,
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            at: self.at,
        }
    }

    /// The number in a cursor of this epoch, if all since is remembered.
    fn number_of(&self, cursor: &str) -> Option<u64> {
        let (epoch, number) = cursor.rsplit_once('-')?;
        let number = number.parse().ok().filter(|_| epoch == self.epoch)?;
        (self.floor..=self.last).contains(&number).then_some(number)
    }
}
