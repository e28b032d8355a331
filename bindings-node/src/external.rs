//! What JavaScript holds of the core's: a counted reference as an external value.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, JsValue as _, sys};

use crate::failure::Failure;

/// A new external value. By hand, because napi's own `External` costs three more allocations and a
/// lock, which is more than reading a record takes.
pub(crate) fn to_js<T>(env: &Env, held: Arc<T>) -> Result<Unknown<'_>, Failure> {
    let data = Arc::into_raw(held).cast_mut().cast();
    let mut raw = ptr::null_mut();
    // SAFETY: the count of `data` is given to the value, whose finalizer gives it back.
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
        // SAFETY: no value was made, so the count is still ours.
        unsafe { finalize::<T>(env.raw(), data, ptr::null_mut()) };
        return Err(failure);
    }
    // SAFETY: a value of this environment, just made.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), raw) })
}

/// Lets go of what JavaScript cannot reach any more; no file is touched.
unsafe extern "C" fn finalize<T>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `to_js` gave this count away, and a finalizer runs once.
    drop(unsafe { Arc::from_raw(data.cast::<T>().cast_const()) });
}

/// What is behind an external value.
///
/// The modules of JavaScript keep each kind in private fields of one class, so that a value of one
/// kind never comes where another is meant.
pub(crate) fn of_js<T>(value: &Unknown<'_>, what: &str) -> Result<Arc<T>, Failure> {
    let mut data = ptr::null_mut();
    // SAFETY: the value is of the environment it came with.
    let status =
        unsafe { sys::napi_get_value_external(value.value().env, value.raw(), &raw mut data) };
    if status != sys::Status::napi_ok || data.is_null() {
        return Err(Failure::mistyped(what, "what it must be"));
    }
    let held: *const T = data.cast();
    // SAFETY: external values come from `to_js` alone and are of the kind that is meant; each owns
    // one count for as long as it is reachable.
    unsafe {
        Arc::increment_strong_count(held);
        Ok(Arc::from_raw(held))
    }
}
