//! Systems of which none is asked to tell of changes: everything is looked at every so often.

use std::collections::HashSet;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::snapshot::{Notices, Work};

/// What has to be looked at.
pub(in super::super) struct Events {
    armed: Option<Instant>,
    processes: HashSet<u32>,
}

impl Events {
    #[allow(clippy::unnecessary_wraps)] // Where the system has more to give, it may refuse.
    pub(in super::super) fn new() -> io::Result<Self> {
        Ok(Self { armed: None, processes: HashSet::new() })
    }

    /// For one reader to sleep on.
    pub(in super::super) fn sleeper(&self) -> Sleeper {
        Sleeper { until: self.armed }
    }

    /// Whoever sleeps, sleeps on a bell.
    #[allow(clippy::unused_self)]
    pub(in super::super) fn wake(&self) {}

    #[allow(clippy::unused_self)]
    pub(in super::super) fn take(&mut self, _: &mut Work) {}

    #[allow(clippy::unused_self)]
    pub(in super::super) fn hold(&mut self) {}

    #[allow(clippy::unused_self)]
    pub(in super::super) fn release(&mut self) {}

    #[allow(clippy::unused_self)]
    pub(in super::super) fn later(&self) -> Option<Instant> {
        None
    }

    /// Sets when the readers have to wake.
    pub(in super::super) fn arm(&mut self, at: Option<Instant>) {
        self.armed = at;
    }

    #[allow(clippy::unused_self)]
    pub(in super::super) fn polls(&self) -> bool {
        true
    }

    /// Adds to the work what nobody tells of.
    pub(in super::super) fn poll(&mut self, work: &mut Work) {
        work.everything = true;
        work.processes.extend(self.processes.iter().copied());
    }

    /// What nobody tells of, in words.
    pub(in super::super) fn polled(&self) -> Vec<String> {
        vec!["folders".to_owned(), format!("exits of {} processes", self.processes.len())]
    }
}

impl Notices for Events {
    fn watch_process(&mut self, pid: u32) -> bool {
        self.processes.insert(pid);
        true
    }

    fn forget_process(&mut self, pid: u32) {
        self.processes.remove(&pid);
    }
}

/// What a reader sleeps on.
pub(in super::super) struct Sleeper {
    until: Option<Instant>,
}

impl Sleeper {
    /// Tells whether a signal ended it.
    pub(in super::super) fn sleep(&self, bell: &Bell, timeout: Option<Duration>) -> bool {
        let rest = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        bell.wait([timeout, rest].into_iter().flatten().min())
    }
}

/// What one reader rings and another waits for.
#[derive(Debug, Default)]
pub(in super::super) struct Bell {
    rings: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    #[allow(clippy::unnecessary_wraps)] // Where it is a descriptor, there may be none left.
    pub(in super::super) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(in super::super) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    pub(in super::super) fn silence(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Tells whether a signal ended it.
    pub(in super::super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while !*rings {
            let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
            rings = match rest {
                Some(Duration::ZERO) => break,
                Some(rest) => {
                    self.heard.wait_timeout(rings, rest).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.heard.wait(rings).unwrap_or_else(PoisonError::into_inner),
            };
        }
        false
    }
}

/// There is no descriptor for it.
#[cfg(unix)]
#[derive(Debug)]
pub(in super::super) struct Readiness;

#[cfg(unix)]
impl Readiness {
    #[allow(clippy::unnecessary_wraps)]
    pub(in super::super) fn of(_: &Bell, _: &Events) -> io::Result<Self> {
        Ok(Self)
    }

    #[allow(clippy::unused_self)]
    pub(in super::super) fn fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        None
    }
}
