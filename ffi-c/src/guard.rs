//! Stands between C and the body of every function: no panic crosses, each failure has a status.

use std::any::Any;
use std::mem::{self, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::sessionreg_error;
use crate::input::Failure;
use crate::status::sessionreg_status;

/// Runs a body that may fail. An `error`, if one is wanted, is made of its failure.
///
/// A body writes what comes out as its last step, so that a failure leaves it untouched.
pub(crate) fn status(
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
    body: impl FnOnce() -> Result<(), Failure>,
) -> sessionreg_status {
    let outcome = caught(|| {
        entered();
        body()
    });
    match outcome {
        Ok(Ok(())) => sessionreg_status::SESSIONREG_STATUS_OK,
        Ok(Err(failure)) => failed(error, &failure),
        Err(message) => failed(error, &Failure::Panic(message)),
    }
}

/// Runs a body that cannot fail; after a panic the value is `absent`.
pub(crate) fn value<T>(absent: T, body: impl FnOnce() -> T) -> T {
    let outcome = caught(|| {
        entered();
        body()
    });
    outcome.unwrap_or(absent)
}

/// Kept out of the bodies, like what follows a panic: each exists once and not in every function.
#[cold]
#[inline(never)]
fn failed(
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
    failure: &Failure,
) -> sessionreg_status {
    // The failure's own text may panic as well.
    caught(|| {
        let status = failure.status();
        if let Some(error) = error {
            error.write(Box::new(sessionreg_error::from(failure)));
        }
        status
    })
    .unwrap_or(sessionreg_status::SESSIONREG_STATUS_PANIC)
}

/// What the body returns, or the message with which it panicked.
///
/// Nothing that a body was about to change is looked at after a panic, but what the core keeps,
/// and the core keeps it whole.
fn caught<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(message_of)
}

#[cold]
#[inline(never)]
fn message_of(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let message = text
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .to_owned();
    // What was panicked with may panic again when it is dropped; then it is left.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
    message
}

/// Panics where a test wants every function to, with what is hardest to let go of.
fn entered() {
    #[cfg(sessionreg_force_panic)]
    {
        struct PanicsWhenDropped;
        impl Drop for PanicsWhenDropped {
            fn drop(&mut self) {
                panic!("the payload of a panic panics");
            }
        }
        std::panic::panic_any(PanicsWhenDropped);
    }
}
