//! # One record in one file

use std::ffi::c_char;
use std::mem::MaybeUninit;

use sessionreg::WriteOptions;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{given, is_true, path, sized};
use crate::record::sessionreg_record;
use crate::status::sessionreg_status;

/// How a record is written.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_write_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// Force the record to the disk before returning, and the folder after it. Without it a power
    /// cut may lose the latest record, but a record that a power cut lost spoke of a process that
    /// the power cut ended. Default: false.
    pub durable: bool,
    /// Make missing parent folders, mode 0700. Without it a missing folder is
    /// `SESSIONREG_STATUS_NOT_FOUND`. Default: true.
    pub create_folders: bool,
}

/// Writes a record to `path`, replacing what is there.
///
/// For every reader the file is complete at every instant, whatever happens to the writer. Its
/// mode is 0600 whatever the umask; the mode of existing folders is left. A link at `path` is
/// replaced, never followed.
///
/// Until the new record is in place any failure leaves the old one and no other file. Writers and
/// clearers of this library take turns by a lock on the folder; one that cannot have it within
/// 250 ms gives `SESSIONREG_STATUS_BUSY`. What no reader would accept is
/// `SESSIONREG_STATUS_INVALID_INPUT` or `SESSIONREG_STATUS_TOO_LARGE`. A durable write whose last
/// step fails, the sync of the folder, is an error although the new record stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_write(
    path: *const c_char,
    record: Option<&sessionreg_record>,
    options: *const sessionreg_write_options,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let path = unsafe { self::path(path, "path")? };
        let record = given(record, "record")?;
        let options = if options.is_null() {
            WriteOptions::default()
        } else {
            // SAFETY: the caller keeps the header's conventions.
            let options = unsafe { sized(options, "options")? };
            let options = options.as_ptr();
            // SAFETY: both are members of the copy, and any byte is an u8.
            let (durable, create_folders) = unsafe {
                (
                    is_true(&raw const (*options).durable),
                    is_true(&raw const (*options).create_folders),
                )
            };
            WriteOptions::default().durable(durable).create_folders(create_folders)
        };
        Ok(sessionreg::write_with(path, record.get(), options)?)
    })
}

/// Reads the record at `path`; NULL if there is none, whatever the file holds.
///
/// Only a path that can never name a file is an error, `SESSIONREG_STATUS_INVALID_INPUT`.
/// `sessionreg_load` tells the other failures apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_read(
    path: *const c_char,
    record: Option<&mut MaybeUninit<Option<Box<sessionreg_record>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let path = unsafe { self::path(path, "path")? };
        let record = given(record, "record")?;
        record.write(sessionreg::read(path)?.map(sessionreg_record::boxed));
        Ok(())
    })
}

/// Reads the record at `path`.
///
/// Only a regular file is read, of at most 64 KiB, that belongs to the reader or to root (root
/// reads everybody's); links are not followed and nothing ever blocks. Reading is strict: a value
/// of another type than the format's is never coerced.
///
/// The statuses `NOT_FOUND`, `NOT_A_FILE`, `TOO_LARGE`, `PERMISSION_DENIED`, `CORRUPT`,
/// `UNSUPPORTED_VERSION` and `IO` tell why there is no record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_load(
    path: *const c_char,
    record: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let path = unsafe { self::path(path, "path")? };
        let record = given(record, "record")?;
        record.write(sessionreg_record::boxed(sessionreg::load(path)?));
        Ok(())
    })
}

/// Removes the record at `path`, whatever it is; tells whether there was one.
///
/// A link is removed, not what it points to; a directory is `SESSIONREG_STATUS_NOT_A_FILE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_clear(
    path: *const c_char,
    removed: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let path = unsafe { self::path(path, "path")? };
        let removed = given(removed, "removed")?;
        removed.write(sessionreg::clear(path)?);
        Ok(())
    })
}

/// Removes the record at `path` if it is still this registration; tells whether it was removed.
///
/// The same registration is the same instance; of records without one the same pid, `proc_start`
/// and `started_at`. A successor that another process writes at the same moment survives, if it
/// writes through this library; what is no record, or none of this registration, stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_clear_if(
    path: *const c_char,
    record: Option<&sessionreg_record>,
    removed: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let path = unsafe { self::path(path, "path")? };
        let record = given(record, "record")?;
        let removed = given(removed, "removed")?;
        removed.write(sessionreg::clear_if(path, record.get())?);
        Ok(())
    })
}
