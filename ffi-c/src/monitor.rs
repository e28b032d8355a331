//! # Monitors
//!
//! A monitor keeps a snapshot up to date, and tells any number of readers what changed. This prints
//! the sessions that come, change and go:
//!
//! ```c
//! #include <poll.h>
//! #include <sessionreg.h>
//! #include <stdio.h>
//!
//! // What a session says was written by another program: none of it may act on a terminal.
//! static void put(sessionreg_text text) {
//!     for (size_t i = 0; i < text.length; i++)
//!         putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
//! }
//!
//! static void show(const char *what, const sessionreg_agent_session *session) {
//!     sessionreg_verdict verdict = sessionreg_agent_session_verdict(session);
//!     printf("%s ", what);
//!     put(sessionreg_agent_session_key(session));
//!     putchar(' ');
//!     put(sessionreg_agent_session_session_id(session));
//!     printf(" %s ", sessionreg_state_string(verdict.state));
//!     put(sessionreg_agent_session_status(session));
//!     putchar('\n');
//! }
//!
//! static void show_all(const sessionreg_batch *batch) {
//!     for (size_t i = 0; i < sessionreg_batch_added_len(batch); i++)
//!         show("+", sessionreg_batch_added_get(batch, i));
//!     for (size_t i = 0; i < sessionreg_batch_changed_len(batch); i++)
//!         show("*", sessionreg_batch_changed_get(batch, i));
//!     for (size_t i = 0; i < sessionreg_batch_removed_len(batch); i++) {
//!         printf("- ");
//!         put(sessionreg_batch_removed_get(batch, i));
//!         putchar('\n');
//!     }
//!     fflush(stdout);
//! }
//!
//! int main(int argc, char **argv) {
//!     sessionreg_sources *sources = NULL;
//!     sessionreg_monitor *monitor = NULL;
//!     sessionreg_error *error = NULL;
//!     int fd = -1;
//!     if (argc > 1 && sessionreg_sources_none(&sources, &error) == SESSIONREG_STATUS_OK)
//!         sessionreg_sources_add(sources, SESSIONREG_SOURCE_REGISTRY, argv[1], &error);
//!     if (error == NULL &&
//!         sessionreg_monitor_open(sources, NULL, &monitor, &error) == SESSIONREG_STATUS_OK)
//!         sessionreg_monitor_fd(monitor, &fd, &error);
//!     struct pollfd ready[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};
//!     while (error == NULL && poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
//!         sessionreg_batch *batch = NULL;
//!         sessionreg_status status = sessionreg_monitor_next(monitor, 0, &batch, NULL);
//!         if (status == SESSIONREG_STATUS_OK)
//!             show_all(batch);
//!         else if (status != SESSIONREG_STATUS_TIMEOUT)
//!             break;
//!         sessionreg_batch_free(batch);
//!     }
//!     int failed = error != NULL;
//!     if (failed)
//!         fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
//!     sessionreg_error_free(error);
//!     sessionreg_monitor_free(monitor);
//!     sessionreg_sources_free(sources);
//!     return failed;
//! }
//! ```

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessionreg::{Batch, Incarnation, Monitor, MonitorOptions, Watch};

use crate::batch::sessionreg_batch;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, milliseconds, optional_text, shared, sized};
use crate::snapshot::sessionreg_snapshot;
use crate::sources::{sessionreg_sources, sources_or_default};
use crate::status::sessionreg_status;

/// A monitor. Threads may use one at the same time, but `sessionreg_monitor_next` is for one at a
/// time; who frees it must be alone with it.
///
/// It has no thread of its own: who waits does the work, and where nothing changes nothing wakes. In
/// a forked child every call is `SESSIONREG_STATUS_CLOSED`.
pub struct sessionreg_monitor {
    monitor: Monitor,
    watch: Watch,
    is_closed: AtomicBool,
    process: Incarnation,
}

impl sessionreg_monitor {
    /// Asks for something, and gives it out.
    pub(crate) fn ask<T, Out: From<T>>(
        &self,
        out: Option<&mut MaybeUninit<Box<Out>>>,
        name: &'static str,
        question: impl FnOnce(&Monitor) -> sessionreg::Result<T>,
    ) -> Result<(), Failure> {
        let out = given(out, name)?;
        out.write(Box::new(question(&self.monitor)?.into()));
        Ok(())
    }

    /// The core says so of its own calls.
    fn check_open(&self) -> Result<(), Failure> {
        if self.is_closed.load(Ordering::Acquire) || !self.process.is_now() {
            return Err(CLOSED);
        }
        Ok(())
    }
}

const CLOSED: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to use the monitor: it is closed",
);

const TIMEOUT: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_TIMEOUT,
    "failed to wait for a change: there was none in time",
);

/// Threads share monitors.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_monitor>();
};

/// How changes are watched for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_monitor_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// For how many milliseconds changes are gathered after the first of them, so that a burst is
    /// one batch; -1: the default, 20.
    pub fold_ms: i64,
    /// Every how many milliseconds that is looked at of which nobody tells, see
    /// `sessionreg_monitor_polled`; -1: the default, 2000; at least 10.
    pub poll_ms: i64,
    /// The cursor of an earlier batch, from which `sessionreg_monitor_next` goes on. Default: it
    /// begins with the full state.
    pub cursor: *const c_char,
}

/// Opens a monitor of the sessions that `sources` names or, if it is NULL, of those that the programs
/// have by default. Nothing is looked at yet.
///
/// `SESSIONREG_STATUS_UNAVAILABLE` if the system does not give what waiting takes: a few descriptors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_monitor_open(
    sources: Option<&sessionreg_sources>,
    options: *const sessionreg_monitor_options,
    monitor: Option<&mut MaybeUninit<Box<sessionreg_monitor>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let (options, cursor) = if options.is_null() {
            (MonitorOptions::default(), None)
        } else {
            // SAFETY: the caller keeps the header's conventions.
            unsafe { read(options)? }
        };
        let out = given(monitor, "monitor")?;
        let monitor = Monitor::with(sources_or_default(sources), options)?;
        let watch = monitor.watch()?;
        let watch = match cursor {
            Some(cursor) => watch.from_cursor(cursor),
            None => watch,
        };
        let (is_closed, process) = (AtomicBool::new(false), Incarnation::now());
        out.write(Box::new(sessionreg_monitor { monitor, watch, is_closed, process }));
        Ok(())
    })
}

/// # Safety
/// The pointer points to as many bytes as its first member says; the cursor is NULL or text that
/// stays for as long as the result is used.
unsafe fn read<'a>(
    options: *const sessionreg_monitor_options,
) -> Result<(MonitorOptions, Option<&'a str>), Failure> {
    // SAFETY: the caller's promise.
    let options = unsafe { sized(options, "options")? };
    // SAFETY: the caller filled it in, and numbers and pointers may be any bytes.
    let options = unsafe { options.assume_init() };
    let mut read = MonitorOptions::default();
    if let Some(fold) = milliseconds(options.fold_ms, "fold_ms")? {
        read = read.fold(fold);
    }
    if let Some(poll) = milliseconds(options.poll_ms, "poll_ms")? {
        read = read.poll(poll);
    }
    // SAFETY: the caller's promise.
    Ok((read, unsafe { optional_text(options.cursor, "cursor")? }))
}

/// Gives every agent session as it is now, as `sessionreg_snapshot_take` does, for the caller to
/// free. Only what changed is looked at.
///
/// What is polled, such as which processes there are, is as old as the last poll at most.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_monitor_snapshot(
    monitor: Option<&sessionreg_monitor>,
    snapshot: Option<&mut MaybeUninit<Box<sessionreg_snapshot>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || given(monitor, "monitor")?.ask(snapshot, "snapshot", Monitor::snapshot))
}

/// Waits for the next batch of the monitor's own reader, and gives it, for the caller to free. The
/// first one is the full state, or what changed since the cursor that the options named.
///
/// `SESSIONREG_STATUS_TIMEOUT` if nothing changed in `timeout_ms` milliseconds (-1: without end, 0:
/// do not wait), or if a signal came. `SESSIONREG_STATUS_CLOSED` as soon as the monitor is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_monitor_next(
    monitor: *mut sessionreg_monitor,
    timeout_ms: i64,
    batch: Option<&mut MaybeUninit<Box<sessionreg_batch>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let monitor = unsafe { shared(monitor, "monitor")? };
        wait(timeout_ms, batch, |timeout| monitor.watch.next(timeout))
    })
}

/// Waits until something changed since `cursor`, that of a batch or a snapshot, and gives it, for the
/// caller to free. Without a cursor (NULL), and with one that is too old or another monitor's, it
/// gives the full state at once.
///
/// Any number of threads may wait, each with a cursor of its own. `timeout_ms` and the statuses are
/// those of `sessionreg_monitor_next`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_monitor_wait(
    monitor: Option<&sessionreg_monitor>,
    cursor: *const c_char,
    timeout_ms: i64,
    batch: Option<&mut MaybeUninit<Box<sessionreg_batch>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let monitor = given(monitor, "monitor")?;
        // SAFETY: the caller keeps the header's conventions.
        let cursor = unsafe { optional_text(cursor, "cursor")? };
        wait(timeout_ms, batch, |timeout| monitor.monitor.wait(cursor, timeout))
    })
}

fn wait(
    timeout_ms: i64,
    batch: Option<&mut MaybeUninit<Box<sessionreg_batch>>>,
    next: impl FnOnce(Option<Duration>) -> sessionreg::Result<Option<Batch>>,
) -> Result<(), Failure> {
    let timeout = milliseconds(timeout_ms, "timeout_ms")?;
    let batch = given(batch, "batch")?;
    let next = next(timeout)?.ok_or(TIMEOUT)?;
    batch.write(Box::new(next.into()));
    Ok(())
}

/// Gives a descriptor for poll(2) and event loops that is readable when `sessionreg_monitor_next` is
/// worth calling. It is the monitor's, closed when that is freed, and only to be waited for.
///
/// After `sessionreg_monitor_next` with a timeout of 0 was `SESSIONREG_STATUS_TIMEOUT` it is not
/// readable until there is something, except for moments in which that has yet to be found out: call
/// it again then. When the monitor is closed it becomes readable.
///
/// `SESSIONREG_STATUS_UNAVAILABLE` on systems without such descriptors, such as Windows.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_monitor_fd(
    monitor: Option<&sessionreg_monitor>,
    fd: Option<&mut MaybeUninit<c_int>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let monitor = given(monitor, "monitor")?;
        let out = given(fd, "fd")?;
        monitor.check_open()?;
        out.write(descriptor(&monitor.watch)?);
        Ok(())
    })
}

#[cfg(unix)]
fn descriptor(watch: &Watch) -> Result<c_int, Failure> {
    Ok(std::os::fd::AsRawFd::as_raw_fd(&watch.fd()?))
}

#[cfg(not(unix))]
fn descriptor(_watch: &Watch) -> Result<c_int, Failure> {
    Err(Failure::Refused(
        sessionreg_status::SESSIONREG_STATUS_UNAVAILABLE,
        "failed to watch the sessions: this system has no descriptor for it",
    ))
}

/// Records in this library's own data folder with how many tokens the present turns of hook-fed
/// sessions began, for other programs and later monitors; tells how many were new.
///
/// A monitor keeps them in memory anyway. What the hooks wrote is not touched.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_monitor_record_turn_start(
    monitor: Option<&sessionreg_monitor>,
    count: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let monitor = given(monitor, "monitor")?;
        let count = given(count, "count")?;
        count.write(monitor.monitor.record_turn_start()?);
        Ok(())
    })
}

/// Closes a monitor: every wait ends at once, whatever thread waits, and every later call on it is
/// `SESSIONREG_STATUS_CLOSED`, this one too. It returns when nobody waits any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_monitor_close(
    monitor: *mut sessionreg_monitor,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let monitor = unsafe { shared(monitor, "monitor")? };
        monitor.check_open()?;
        if monitor.is_closed.swap(true, Ordering::AcqRel) {
            return Err(CLOSED);
        }
        monitor.monitor.close();
        Ok(())
    })
}

/// Frees a monitor, closed or not, and its descriptors. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_monitor_free(monitor: Option<Box<sessionreg_monitor>>) {
    guard::value((), || drop(monitor));
}
