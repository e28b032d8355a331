//! # Keys that this version does not know
//!
//! They are kept, with the text of their values, and written back byte for byte.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, text};
use crate::record::sessionreg_record;
use crate::status::sessionreg_status;
use crate::text::hand_out;

/// How many unknown keys a record has.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_extra_count(record: Option<&sessionreg_record>) -> usize {
    guard::value(0, || record.map_or(0, |record| record.get().extra.len()))
}

/// Gives the value of an unknown key as JSON text, for the caller to free, or NULL if the record
/// does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_extra_get(
    record: Option<&sessionreg_record>,
    key: *const c_char,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        // SAFETY: the caller keeps the header's conventions.
        let key = unsafe { text(key, "key")? };
        let json = given(json, "json")?;
        json.write(match record.get().extra.get(key) {
            Some(value) => hand_out(value)?,
            None => ptr::null_mut(),
        });
        Ok(())
    })
}

/// Sets an unknown key to a value given as JSON text. `SESSIONREG_STATUS_INVALID_INPUT` if the text
/// is not JSON. A key that the library does know is refused when the record is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_extra_set(
    record: Option<&mut sessionreg_record>,
    key: *const c_char,
    json: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        // SAFETY: the caller keeps the header's conventions.
        let (key, json) = unsafe { (text(key, "key")?, text(json, "json")?) };
        record
            .change(|record| record.extra.set(key, json))
            .map_err(|error| Failure::argument("json", error.to_string()))
    })
}

/// Removes an unknown key; tells whether the record had it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_extra_remove(
    record: Option<&mut sessionreg_record>,
    key: *const c_char,
    removed: Option<&mut MaybeUninit<bool>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        // SAFETY: the caller keeps the header's conventions.
        let key = unsafe { text(key, "key")? };
        let removed = given(removed, "removed")?;
        removed.write(record.change(|record| record.extra.remove(key)));
        Ok(())
    })
}

/// Gives all unknown keys with their values as one JSON object, for the caller to free.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_extra_to_json(
    record: Option<&sessionreg_record>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        given(json, "json")?.write(hand_out(record.get().extra.to_json())?);
        Ok(())
    })
}
