//! # Cleaning up after hooks

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use sessionreg::{CleanUpOptions, CleanedUp, Tidied};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{given, is_true, paths, sized};
use crate::monitor::sessionreg_monitor;
use crate::skipped::sessionreg_skipped;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// How data folders are cleaned up.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_clean_up_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// Only tell what would be removed. Default: false.
    pub dry_run: bool,
}

/// What a clean-up did. It never changes: threads may look at one at the same time. What is borrowed
/// from it stays until it is freed.
pub struct sessionreg_cleaned {
    removed: Vec<sessionreg_tidied>,
    failed: Vec<sessionreg_skipped>,
}

/// A file that was removed, borrowed from what a clean-up did. It never changes: threads may look at
/// one at the same time.
pub struct sessionreg_tidied {
    path: Terminated,
    reason: Terminated,
}

impl From<&Tidied> for sessionreg_tidied {
    fn from(tidied: &Tidied) -> Self {
        Self {
            path: Terminated::new(&bytes_of(&tidied.path)),
            reason: Terminated::new(tidied.reason.as_bytes()),
        }
    }
}

impl From<CleanedUp> for sessionreg_cleaned {
    fn from(cleaned: CleanedUp) -> Self {
        Self {
            removed: cleaned.removed.iter().map(sessionreg_tidied::from).collect(),
            failed: cleaned.failed.iter().map(sessionreg_skipped::from).collect(),
        }
    }
}

/// Threads share what a clean-up did.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_cleaned>();
};

/// Removes what is left over in data folders fed by hooks, and only in the `folder_count` folders
/// that are named here; gives what it did, for the caller to free.
///
/// Records go of sessions that are `starting` for an hour, or whose zellij session is known to be
/// gone, and those that another one superseded on its pane; event logs without a record go that
/// nobody wrote to for a day. Only ever a file goes that was read, and only if it is still as it was.
/// `folders` may be NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_monitor_clean_up(
    monitor: Option<&sessionreg_monitor>,
    folders: *const *const c_char,
    folder_count: usize,
    options: *const sessionreg_clean_up_options,
    cleaned: Option<&mut MaybeUninit<Box<sessionreg_cleaned>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let monitor = given(monitor, "monitor")?;
        // SAFETY: the caller keeps the header's conventions.
        let folders = unsafe { paths(folders, folder_count, "folders", "folder_count")? };
        let folders: Vec<PathBuf> = folders.into_iter().map(Path::to_owned).collect();
        let options = if options.is_null() {
            CleanUpOptions::default()
        } else {
            // SAFETY: the caller keeps the header's conventions.
            let options = unsafe { sized(options, "options")? };
            // SAFETY: it is a member of the copy, and any byte is an u8.
            let dry_run = unsafe { is_true(&raw const (*options.as_ptr()).dry_run) };
            CleanUpOptions::default().dry_run(dry_run)
        };
        monitor.ask(cleaned, "cleaned", |monitor| monitor.clean_up(&folders, options))
    })
}

/// How many files went, or would go.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_cleaned_removed_len(cleaned: Option<&sessionreg_cleaned>) -> usize {
    guard::value(0, || cleaned.map_or(0, |cleaned| cleaned.removed.len()))
}

/// A file that went, or would go, borrowed; they are ordered by path. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_cleaned_removed_get(
    cleaned: Option<&sessionreg_cleaned>,
    index: usize,
) -> Option<&sessionreg_tidied> {
    guard::value(None, || cleaned.and_then(|cleaned| cleaned.removed.get(index)))
}

/// The file, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_tidied_path(tidied: Option<&sessionreg_tidied>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        tidied.map_or(sessionreg_text::ABSENT, |tidied| tidied.path.lend())
    })
}

/// Why it went: `stale`, `pane_gone`, `superseded`, or `orphan` of an event log.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_tidied_reason(tidied: Option<&sessionreg_tidied>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        tidied.map_or(sessionreg_text::ABSENT, |tidied| tidied.reason.lend())
    })
}

/// How many files could not be read or removed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_cleaned_failed_len(cleaned: Option<&sessionreg_cleaned>) -> usize {
    guard::value(0, || cleaned.map_or(0, |cleaned| cleaned.failed.len()))
}

/// A file that could not be read or removed, borrowed; they are ordered by path. NULL beyond the
/// last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_cleaned_failed_get(
    cleaned: Option<&sessionreg_cleaned>,
    index: usize,
) -> Option<&sessionreg_skipped> {
    guard::value(None, || cleaned.and_then(|cleaned| cleaned.failed.get(index)))
}

/// Frees what a clean-up told, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_cleaned_free(cleaned: Option<Box<sessionreg_cleaned>>) {
    guard::value((), || drop(cleaned));
}
