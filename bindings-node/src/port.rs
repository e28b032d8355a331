//! From another thread to JavaScript: a threadsafe function that keeps no process alive unless it is
//! told to. By hand, because napi's own leaks what is on its way when the environment ends.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

use napi::bindgen_prelude::Unknown;
use napi::{Env, JsValue as _, sys};

use crate::failure::{Failure, guard};

/// What goes through a port.
pub(crate) trait Parcel: Send + 'static {
    /// The arguments of the function of JavaScript.
    fn into_js(self, env: &Env) -> Result<Vec<Unknown<'_>>, Failure>;
}

/// The native end. It must be gone before the hooks that were added to the environment earlier run:
/// one of them ends the other.
pub(crate) struct Port<P: Parcel> {
    raw: sys::napi_threadsafe_function,
    parcels: PhantomData<fn(P)>,
}

// SAFETY: a threadsafe function may be called, and released, on any thread.
unsafe impl<P: Parcel> Send for Port<P> {}
// SAFETY: as above; Node-API locks what it has behind it.
unsafe impl<P: Parcel> Sync for Port<P> {}

impl<P: Parcel> Port<P> {
    /// To a function of JavaScript.
    pub(crate) fn to(env: &Env, function: &Unknown<'_>) -> Result<Self, Failure> {
        let name = env.create_string("sessionreg").map_err(Failure::of_napi)?;
        let mut raw = ptr::null_mut();
        // SAFETY: both values are of this environment; there is no context and no finalizer.
        Failure::check(unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                function.raw(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                Some(deliver::<P>),
                &raw mut raw,
            )
        })?;
        let port = Self { raw, parcels: PhantomData };
        port.keep_alive(env, false)?;
        Ok(port)
    }

    /// Whether the environment stays for it, on the thread of the environment.
    pub(crate) fn keep_alive(&self, env: &Env, keep: bool) -> Result<(), Failure> {
        let set = if keep {
            sys::napi_ref_threadsafe_function
        } else {
            sys::napi_unref_threadsafe_function
        };
        // SAFETY: the function is there for as long as this end of it is.
        Failure::check(unsafe { set(env.raw(), self.raw) })
    }

    /// Never waits. Where the environment is ending, nobody is there to take it.
    pub(crate) fn send(&self, parcel: P) {
        let data = Box::into_raw(Box::new(parcel));
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: as above; the parcel is given to `deliver`.
        let status = unsafe { sys::napi_call_threadsafe_function(self.raw, data.cast(), mode) };
        if status != sys::Status::napi_ok {
            // SAFETY: it was not taken, so it is still ours.
            drop(unsafe { Box::from_raw(data) });
        }
    }
}

impl<P: Parcel> Drop for Port<P> {
    fn drop(&mut self) {
        let mode = sys::ThreadsafeFunctionReleaseMode::release;
        // SAFETY: the one count that it was made with, given back once.
        unsafe { sys::napi_release_threadsafe_function(self.raw, mode) };
    }
}

/// Calls the function, on the thread of the environment.
unsafe extern "C" fn deliver<P: Parcel>(
    env: sys::napi_env,
    function: sys::napi_value,
    _: *mut c_void,
    data: *mut c_void,
) {
    // SAFETY: `send` gave it away, and each is delivered once.
    let parcel = unsafe { Box::from_raw(data.cast::<P>()) };
    // Both are null where the environment is ending.
    if env.is_null() || function.is_null() {
        return;
    }
    let env = Env::from_raw(env);
    let Ok(arguments) = guard(|| parcel.into_js(&env)) else { return };
    let arguments: Vec<_> = arguments.iter().map(napi::JsValue::raw).collect();
    let mut this = ptr::null_mut();
    // SAFETY: all values are of this environment. What the function throws, Node reports.
    unsafe {
        sys::napi_get_undefined(env.raw(), &raw mut this);
        let (count, first) = (arguments.len(), arguments.as_ptr());
        sys::napi_call_function(env.raw(), this, function, count, first, ptr::null_mut());
    }
}
