//! # Records as JSON text

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::slice;

use sessionreg::Record;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given};
use crate::record::sessionreg_record;
use crate::status::sessionreg_status;
use crate::text::hand_out;

/// Makes a record of `length` bytes of JSON text, by the rules for files: see `sessionreg_load`.
///
/// Nothing is known of who wrote it, or where: `sessionreg_liveness` never says `permission` or
/// `rebooted` of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_from_json(
    json: *const c_char,
    length: usize,
    record: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        if json.is_null() {
            return Err(Failure::argument("json", "it is NULL"));
        }
        let record = given(record, "record")?;
        if isize::try_from(length).is_err() {
            return Err(Failure::argument("length", "nothing is so large"));
        }
        // SAFETY: not NULL, and `length` bytes, which nothing changes, by the caller's promise.
        let json = unsafe { slice::from_raw_parts(json.cast::<u8>(), length) };
        record.write(sessionreg_record::boxed(Record::from_json(json)?));
        Ok(())
    })
}

/// Gives the JSON text of a record, as `sessionreg_write` would write it, for the caller to free.
///
/// What no reader would accept is `SESSIONREG_STATUS_INVALID_INPUT` or
/// `SESSIONREG_STATUS_TOO_LARGE`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_to_json(
    record: Option<&sessionreg_record>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        let json = given(json, "json")?;
        json.write(hand_out(record.get().to_json()?)?);
        Ok(())
    })
}
