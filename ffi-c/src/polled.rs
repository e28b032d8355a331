//! # What is polled

use std::mem::MaybeUninit;

use sessionreg::{Monitor, Polled};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::given;
use crate::monitor::sessionreg_monitor;
use crate::status::sessionreg_status;
use crate::text::{Terminated, sessionreg_text};

/// What nobody tells the changes of. It never changes: threads may look at one at the same time.
/// What is borrowed from it stays until it is freed.
pub struct sessionreg_polled(Vec<One>);

struct One {
    what: Terminated,
    every: f64,
}

impl From<Vec<Polled>> for sessionreg_polled {
    fn from(polled: Vec<Polled>) -> Self {
        let one = |one: &Polled| One {
            what: Terminated::new(one.what.as_bytes()),
            every: one.every.as_secs_f64(),
        };
        Self(polled.iter().map(one).collect())
    }
}

/// Threads share what is polled.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_polled>();
};

/// Gives what a monitor looks at every so often because nobody tells of its changes, for the caller
/// to free.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_monitor_polled(
    monitor: Option<&sessionreg_monitor>,
    polled: Option<&mut MaybeUninit<Box<sessionreg_polled>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || given(monitor, "monitor")?.ask(polled, "polled", Monitor::polled))
}

/// How much is polled.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_polled_len(polled: Option<&sessionreg_polled>) -> usize {
    guard::value(0, || polled.map_or(0, |polled| polled.0.len()))
}

/// What it is, in words, such as `processes` or `folder /srv/x`. Absent beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_polled_what(
    polled: Option<&sessionreg_polled>,
    index: usize,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        polled
            .and_then(|polled| polled.0.get(index))
            .map_or(sessionreg_text::ABSENT, |one| one.what.lend())
    })
}

/// How often it is looked at: every so many seconds. Absent beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_polled_every(polled: Option<&sessionreg_polled>, index: usize) -> f64 {
    guard::value(f64::NAN, || {
        polled.and_then(|polled| polled.0.get(index)).map_or(f64::NAN, |one| one.every)
    })
}

/// Frees what told of it, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_polled_free(polled: Option<Box<sessionreg_polled>>) {
    guard::value((), || drop(polled));
}
