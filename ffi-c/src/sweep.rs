//! # Sweeping

use std::ffi::c_char;
use std::mem::MaybeUninit;

use sessionreg::{Removed, SweepOptions, Swept};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, is_true, paths, sized};
use crate::record::sessionreg_record;
use crate::registry::sessionreg_registry;
use crate::skipped::sessionreg_skipped;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};
use crate::verdict::sessionreg_reason;

/// What a sweep is to do.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_sweep_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// Only tell what would go. Default: false.
    pub dry_run: bool,
    /// Folders of sidecars, `<id>.runtime.json` or `<id>/runtime.json`, to be swept too. No folder
    /// is ever taken from a record.
    pub sidecar_folders: *const *const c_char,
    /// How many there are.
    pub sidecar_folder_count: usize,
}

/// What a sweep did. It never changes: threads may look at one at the same time. What is borrowed
/// from it stays until it is freed.
pub struct sessionreg_swept {
    removed: Vec<sessionreg_removed>,
    failed: Vec<sessionreg_skipped>,
    live: usize,
}

/// A file that went, borrowed from what a sweep did. It never changes: threads may look at one at
/// the same time.
pub struct sessionreg_removed {
    path: Terminated,
    reason: sessionreg_reason,
    record: Option<sessionreg_record>,
}

impl From<Removed> for sessionreg_removed {
    fn from(removed: Removed) -> Self {
        const NONE: sessionreg_reason = sessionreg_reason::SESSIONREG_REASON_NONE;
        Self {
            path: Terminated::new(&bytes_of(&removed.path)),
            reason: removed.reason.map_or(NONE, sessionreg_reason::from),
            record: removed.record.map(sessionreg_record::new),
        }
    }
}

impl From<Swept> for sessionreg_swept {
    fn from(swept: Swept) -> Self {
        Self {
            removed: swept.removed.into_iter().map(sessionreg_removed::from).collect(),
            failed: swept.failed.iter().map(sessionreg_skipped::from).collect(),
            live: swept.live,
        }
    }
}

/// Threads share what a sweep did.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_swept>();
};

/// Removes the records of processes that are proven dead, and temporary files that nobody will
/// finish; gives what it did, for the caller to free.
///
/// Only a record that this library wrote goes, and only if its boot and PID namespace are ours and
/// its process is gone, a zombie, or another one now, or if its boot is over. The very file is read
/// and judged again before it goes. What cannot be judged from here, cannot be read, is of a newer
/// schema or is not called as a record stays. In the user's own registry the files of claims whose
/// holders died go too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_sweep(
    registry: Option<&sessionreg_registry>,
    options: *const sessionreg_sweep_options,
    swept: Option<&mut MaybeUninit<Box<sessionreg_swept>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let registry = given(registry, "registry")?.get()?;
        let options = if options.is_null() {
            SweepOptions::default()
        } else {
            // SAFETY: the caller keeps the header's conventions.
            unsafe { read(options)? }
        };
        let swept = given(swept, "swept")?;
        swept.write(Box::new(registry.sweep(&options)?.into()));
        Ok(())
    })
}

/// # Safety
/// The pointer points to as many bytes as its first member says; there are as many folders as it
/// says, and their text stays for the time of this call.
unsafe fn read(options: *const sessionreg_sweep_options) -> Result<SweepOptions, Failure> {
    // SAFETY: the caller's promise.
    let options = unsafe { sized(options, "options")? };
    let at = options.as_ptr();
    // SAFETY: these are members of the copy; the pointer and the number may be any bytes.
    let (dry_run, folders, count) = unsafe {
        (is_true(&raw const (*at).dry_run), (*at).sidecar_folders, (*at).sidecar_folder_count)
    };
    let read = SweepOptions::default().dry_run(dry_run);
    // SAFETY: the caller's promise.
    let folders = unsafe { paths(folders, count, "sidecar_folders", "sidecar_folder_count")? };
    Ok(folders.into_iter().fold(read, SweepOptions::sidecar_folder))
}

/// How many files went, or would go.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_removed_len(swept: Option<&sessionreg_swept>) -> usize {
    guard::value(0, || swept.map_or(0, |swept| swept.removed.len()))
}

/// A file that went, or would go, borrowed; they are ordered by path. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_removed_get(
    swept: Option<&sessionreg_swept>,
    index: usize,
) -> Option<&sessionreg_removed> {
    guard::value(None, || swept.and_then(|swept| swept.removed.get(index)))
}

/// The file, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_removed_path(removed: Option<&sessionreg_removed>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        removed.map_or(sessionreg_text::ABSENT, |removed| removed.path.lend())
    })
}

/// Why its process is dead; `SESSIONREG_REASON_NONE` for a temporary file that nobody finished in
/// five minutes.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_removed_reason(
    removed: Option<&sessionreg_removed>,
) -> sessionreg_reason {
    const NONE: sessionreg_reason = sessionreg_reason::SESSIONREG_REASON_NONE;
    guard::value(NONE, || removed.map_or(NONE, |removed| removed.reason))
}

/// What it said, borrowed; NULL for a temporary file.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_removed_record(
    removed: Option<&sessionreg_removed>,
) -> Option<&sessionreg_record> {
    guard::value(None, || removed.and_then(|removed| removed.record.as_ref()))
}

/// How many files should have gone and could not.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_failed_len(swept: Option<&sessionreg_swept>) -> usize {
    guard::value(0, || swept.map_or(0, |swept| swept.failed.len()))
}

/// A file that should have gone and could not, borrowed. NULL beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_failed_get(
    swept: Option<&sessionreg_swept>,
    index: usize,
) -> Option<&sessionreg_skipped> {
    guard::value(None, || swept.and_then(|swept| swept.failed.get(index)))
}

/// How many sessions of the registry live.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_live(swept: Option<&sessionreg_swept>) -> usize {
    guard::value(0, || swept.map_or(0, |swept| swept.live))
}

/// Frees what a sweep told, and all that was borrowed from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_swept_free(swept: Option<Box<sessionreg_swept>>) {
    guard::value((), || drop(swept));
}
