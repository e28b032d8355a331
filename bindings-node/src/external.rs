//! What JavaScript holds of the core's: a counted reference as an external value.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, JsValue as _, sys};

use crate::failure::Failure;

/// A kind of thing that JavaScript holds: one kind is never taken for another.
pub(crate) trait Kind {
    /// Told from those of all others.
    const TAG: Tag;

    /// In an error about a value of another kind.
    const NAME: &'static str;
}

/// What everything begins with that an external value of ours leads to.
///
/// Node-API has tags of its own, which cost as much as half of reading a record. Values of other
/// addons never come here: the modules of JavaScript keep ours in private fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u64);

impl Tag {
    /// The tag of a kind with that number.
    pub(crate) const fn of(kind: u8) -> Self {
        // Drawn once: bytes that were not put here are hardly ever the same.
        Self(0x5e55_10ce_9b3d_4700 | kind as u64)
    }
}

/// What an external value leads to.
#[repr(C)]
struct Held<T> {
    tag: Tag,
    value: Arc<T>,
}

/// A new external value. By hand, because napi's own `External` costs two more allocations and a
/// lock, which is more than reading a record takes.
pub(crate) fn to_js<T: Kind>(env: &Env, value: Arc<T>) -> Result<Unknown<'_>, Failure> {
    let data = Box::into_raw(Box::new(Held { tag: T::TAG, value })).cast();
    let mut raw = ptr::null_mut();
    // SAFETY: `data` is given to the value, whose finalizer gives it back.
    let status = unsafe {
        sys::napi_create_external(
            env.raw(),
            data,
            Some(finalize::<T>),
            ptr::null_mut(),
            &raw mut raw,
        )
    };
    if let Err(failure) = Failure::check(status) {
        // SAFETY: no value was made, so it is still ours.
        unsafe { finalize::<T>(env.raw(), data, ptr::null_mut()) };
        return Err(failure);
    }
    // SAFETY: a value of this environment, just made.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), raw) })
}

/// Lets go of what JavaScript cannot reach any more; no file is touched.
unsafe extern "C" fn finalize<T>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `to_js` gave it away, and a finalizer runs once.
    drop(unsafe { Box::from_raw(data.cast::<Held<T>>()) });
}

/// What is behind an external value of this kind.
pub(crate) fn of_js<T: Kind>(value: &Unknown<'_>) -> Result<Arc<T>, Failure> {
    let mistyped = || Failure::mistyped(T::NAME, "what it must be");
    let mut data = ptr::null_mut();
    // SAFETY: the value is of the environment it came with.
    let status =
        unsafe { sys::napi_get_value_external(value.value().env, value.raw(), &raw mut data) };
    let tag: *const Tag = data.cast();
    if status != sys::Status::napi_ok || tag.is_null() || !tag.is_aligned() {
        return Err(mistyped());
    }
    // SAFETY: external values come from `to_js` alone; what they lead to begins with a tag, whatever
    // its kind, and is there for as long as the value is reachable.
    if unsafe { *tag } != T::TAG {
        return Err(mistyped());
    }
    // SAFETY: as above, and it is of this kind.
    let held = unsafe { &*data.cast::<Held<T>>() };
    Ok(Arc::clone(&held.value))
}
