//! Leases of restored sessions.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Null, Unknown};
use napi_derive::napi;
use sessionreg::restore::Lease;

use crate::external::{Kind, Tag};
use crate::failure::{Failure, answer};
use crate::{external, give, news};

/// A lease in the hands of JavaScript. Its finalizer keeps it counted: only a call releases it.
pub(crate) struct HeldLease(Lease);

impl Kind for HeldLease {
    const TAG: Tag = Tag::of(24);
    const NAME: &'static str = "the lease";
}

impl HeldLease {
    pub(crate) fn new(lease: Lease) -> Self {
        Self(lease.without_release_on_drop())
    }
}

/// The lease, whether it is attached, and the key of its state.
pub(crate) fn parts(env: &Env, held: HeldLease) -> Result<[Unknown<'_>; 3], Failure> {
    let attached = give::flag(env, held.0.is_attached())?;
    let state = news::passed(env, held.0.state())?;
    Ok([external::to_js(env, Arc::new(held))?, attached, state])
}

fn lease(value: &Unknown<'_>) -> Result<Arc<HeldLease>, Failure> {
    external::of_js(value)
}

/// See `sessionreg::restore::Lease::release`.
#[napi(catch_unwind)]
pub(crate) fn lease_release(env: &Env, of: Unknown<'_>) -> napi::Result<bool> {
    answer(env, || Ok(lease(&of)?.0.release()))
}

/// See `sessionreg::restore::Lease::ended`; null while the session is live.
#[napi(catch_unwind)]
pub(crate) fn lease_ended(
    env: &Env,
    of: Unknown<'_>,
) -> napi::Result<napi::Either<&'static str, Null>> {
    answer(env, || {
        let why = lease(&of)?.0.ended();
        Ok(why.map_or(napi::Either::B(Null), |why| napi::Either::A(why.as_str())))
    })
}
