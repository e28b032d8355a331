//! # Claims
//!
//! At most one process of a user on a host may hold the claim of a session. It is what keeps two
//! processes from resuming one transcript.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

use sessionreg::Claim;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, id_text, shared, text};
use crate::registry::sessionreg_registry;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// The right to serve a session. Threads may use one at the same time; who frees it must be alone
/// with it.
///
/// It is a lock of the kernel's that ends with its process: none is ever stale, none times out.
pub struct sessionreg_claim {
    claim: Mutex<Option<Claim>>,
    path: Terminated,
}

/// Threads share claims.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_claim>();
};

/// A claim that was freed without being released: it is held to the end of the process.
struct Kept {
    _claim: Claim,
    next: *mut Kept,
}

/// All of them. A list without a lock, as a forked child could inherit one that nobody opens.
static KEPT: AtomicPtr<Kept> = AtomicPtr::new(ptr::null_mut());

fn keep(claim: Claim) {
    let kept = Box::leak(Box::new(Kept { _claim: claim, next: KEPT.load(Ordering::Relaxed) }));
    while let Err(other) =
        KEPT.compare_exchange_weak(kept.next, kept, Ordering::Release, Ordering::Relaxed)
    {
        kept.next = other;
    }
}

/// Claims a session for this process.
///
/// `SESSIONREG_STATUS_HELD` if a process has it, this one too: `sessionreg_error_holder` names the
/// holder, as far as it is known. Claims lie in one folder for each user, whatever the folder of the
/// registry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_claim(
    registry: Option<&sessionreg_registry>,
    agent: *const c_char,
    session_id: *const c_char,
    claim: Option<&mut MaybeUninit<Box<sessionreg_claim>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let registry = given(registry, "registry")?.get()?;
        // SAFETY: the caller keeps the header's conventions.
        let (agent, id) = unsafe { (text(agent, "agent")?, id_text(session_id, "session_id")?) };
        let out = given(claim, "claim")?;
        let claim = registry.claim(agent, id)?;
        let path = Terminated::new(&bytes_of(claim.path()));
        out.write(Box::new(sessionreg_claim { claim: Mutex::new(Some(claim)), path }));
        Ok(())
    })
}

/// The file by which the session is claimed, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_claim_path(claim: Option<&sessionreg_claim>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        claim.map_or(sessionreg_text::ABSENT, |claim| claim.path.lend())
    })
}

/// Lets go: another process may have the claim from now on. `SESSIONREG_STATUS_CLOSED` if it was
/// released before, and in a forked child, as the claim is its parent's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_claim_release(
    claim: *mut sessionreg_claim,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let claim = unsafe { shared(claim, "claim")? };
        // Whoever has it locked releases it at this moment, or did so when this process was forked.
        let held = claim.claim.try_lock().ok().and_then(|mut claim| claim.take());
        let Some(held) = held else {
            return Err(Failure::Refused(
                sessionreg_status::SESSIONREG_STATUS_CLOSED,
                "failed to release the claim: it is released",
            ));
        };
        Ok(held.release()?)
    })
}

/// Frees a claim; one that was not released is held until the process ends. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_claim_free(claim: Option<Box<sessionreg_claim>>) {
    guard::value((), || {
        let claim = claim.and_then(|claim| claim.claim.into_inner().ok().flatten());
        if let Some(claim) = claim {
            keep(claim);
        }
    });
}
