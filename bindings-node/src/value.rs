//! JavaScript values taken strictly: nothing is coerced, wrapped around or replaced.

use std::time::Duration;

use napi::bindgen_prelude::{BufferSlice, FromNapiValue as _, TypedArrayType, Unknown};
use napi::{JsValue as _, ValueType, sys};

use crate::failure::Failure;

/// The largest integer that a JavaScript number holds exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

const MAX_INTERVAL: Duration = Duration::from_millis((1 << 31) - 1);

/// Most texts fit; a longer one is copied a second time.
const USUAL_TEXT: usize = 1024;

/// Where less than this is left, a character that did not fit may have been cut off.
const ROOM_OF_A_CUT: usize = 5;

fn kind(value: &Unknown<'_>) -> ValueType {
    value.get_type().unwrap_or(ValueType::Unknown)
}

pub(crate) fn is_undefined(value: &Unknown<'_>) -> bool {
    kind(value) == ValueType::Undefined
}

pub(crate) fn is_null(value: &Unknown<'_>) -> bool {
    kind(value) == ValueType::Null
}

pub(crate) fn is_text(value: &Unknown<'_>) -> bool {
    kind(value) == ValueType::String
}

/// A string of whole characters: a lone surrogate would become another character in UTF-8.
pub(crate) fn text(value: &Unknown<'_>, what: &str) -> Result<String, Failure> {
    if !is_text(value) {
        return Err(Failure::mistyped(what, "a string"));
    }
    let text = utf8(value)?;
    // A replacement character may have been one from the start; only the string itself tells.
    if text.contains(char::REPLACEMENT_CHARACTER) && has_lone_surrogate(value)? {
        return Err(lone_surrogate(what));
    }
    Ok(text)
}

pub(crate) fn lone_surrogate(what: &str) -> Failure {
    Failure::out_of_range(what, "is not Unicode text: it has a lone surrogate")
}

fn utf8(value: &Unknown<'_>) -> Result<String, Failure> {
    let mut usual = [0; USUAL_TEXT];
    let length = copy_utf8(value, &mut usual)?;
    let bytes = if length < usual.len() - ROOM_OF_A_CUT {
        usual[..length].to_vec()
    } else {
        let mut bytes = vec![0; utf8_length(value)? + 1];
        let length = copy_utf8(value, &mut bytes)?;
        bytes.truncate(length);
        bytes
    };
    String::from_utf8(bytes).map_err(|_| Failure::defect("a string came out as no UTF-8"))
}

/// Copies as many whole characters as fit, and a NUL.
fn copy_utf8(value: &Unknown<'_>, bytes: &mut [u8]) -> Result<usize, Failure> {
    let mut length = 0;
    // SAFETY: the value is of the environment it came with, the buffer as long as is said.
    Failure::check(unsafe {
        sys::napi_get_value_string_utf8(
            value.value().env,
            value.raw(),
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            &raw mut length,
        )
    })?;
    Ok(length)
}

fn utf8_length(value: &Unknown<'_>) -> Result<usize, Failure> {
    let mut length = 0;
    // SAFETY: without a buffer only the length is given.
    Failure::check(unsafe {
        sys::napi_get_value_string_utf8(
            value.value().env,
            value.raw(),
            std::ptr::null_mut(),
            0,
            &raw mut length,
        )
    })?;
    Ok(length)
}

fn has_lone_surrogate(value: &Unknown<'_>) -> Result<bool, Failure> {
    // SAFETY: the value is a string.
    let string = unsafe { value.cast::<napi::JsString<'_>>() }.map_err(Failure::of_napi)?;
    let units = string.into_utf16().map_err(Failure::of_napi)?;
    Ok(char::decode_utf16(units.iter().copied()).any(|unit| unit.is_err()))
}

/// `true` or `false`, and nothing that only counts as such; `None` for `undefined`.
pub(crate) fn flag(value: &Unknown<'_>, what: &str) -> Result<Option<bool>, Failure> {
    match kind(value) {
        ValueType::Undefined => Ok(None),
        // SAFETY: the value is a boolean.
        ValueType::Boolean => Ok(Some(unsafe { value.cast::<bool>() }.map_err(Failure::of_napi)?)),
        _ => Err(Failure::mistyped(what, "a boolean")),
    }
}

/// An integer that a number holds exactly.
pub(crate) fn integer(number: f64, what: &str) -> Result<u64, Failure> {
    #[allow(clippy::cast_precision_loss)] // It is chosen so that nothing is lost.
    let max = MAX_SAFE_INTEGER as f64;
    if number.fract() != 0.0 || !(0.0..=max).contains(&number) {
        return Err(Failure::out_of_range(what, "is not an integer from 0 to 2^53 - 1"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
    Ok(number as u64)
}

/// A number, of whatever size.
pub(crate) fn number(value: &Unknown<'_>, what: &str) -> Result<f64, Failure> {
    if kind(value) != ValueType::Number {
        return Err(Failure::mistyped(what, "a number"));
    }
    let mut number = 0.0;
    // SAFETY: the value is a number of the environment it came with.
    Failure::check(unsafe {
        sys::napi_get_value_double(value.value().env, value.raw(), &raw mut number)
    })?;
    Ok(number)
}

/// A length of time, given in milliseconds: of a number without end, the longest there is.
pub(crate) fn millis(value: &Unknown<'_>, what: &str) -> Result<Duration, Failure> {
    let millis = number(value, what)?;
    if millis == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(millis / 1000.0)
        .map_err(|_| Failure::out_of_range(what, "is not a length of time in milliseconds"))
}

/// How long, or how often, something is done: as long as a timer of JavaScript's can be.
pub(crate) fn interval(value: &Unknown<'_>, what: &str) -> Result<Duration, Failure> {
    let interval = millis(value, what)?;
    if interval > MAX_INTERVAL {
        return Err(Failure::out_of_range(what, "is longer than 2^31 - 1 milliseconds"));
    }
    Ok(interval)
}

/// A process id as far as its type goes; which of them can be one, the core knows.
pub(crate) fn pid(number: f64, what: &str) -> Result<u32, Failure> {
    u32::try_from(integer(number, what)?)
        .map_err(|_| Failure::out_of_range(what, "is larger than any process id"))
}

/// A copy of the bytes of a `Uint8Array`, a Buffer included; `None` for any other value.
pub(crate) fn bytes(value: &Unknown<'_>) -> Result<Option<Vec<u8>>, Failure> {
    if !value.is_typedarray().map_err(Failure::of_napi)? {
        return Ok(None);
    }
    let env = value.value().env;
    let mut array_type = 0;
    // SAFETY: the value is a typed array; what is not asked for is null.
    Failure::check(unsafe {
        sys::napi_get_typedarray_info(
            env,
            value.raw(),
            &raw mut array_type,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    })?;
    if TypedArrayType::from(array_type) != TypedArrayType::Uint8 {
        return Ok(None);
    }
    // SAFETY: to Node-API every typed array is a Buffer; nothing of JavaScript runs while the
    // slice is looked at.
    let slice = unsafe { BufferSlice::from_napi_value(env, value.raw()) };
    Ok(Some(slice.map_err(Failure::of_napi)?.to_vec()))
}
