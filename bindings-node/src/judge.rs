//! Verdicts, as indexes into the list of reasons.

use napi::Env;
use napi::bindgen_prelude::{Array, Unknown};
use napi_derive::napi;
use sessionreg::Reason;

use crate::failure::{Failure, answer};
use crate::record::{Handle, handle};

/// Every reason with its state, in the order of the indexes that verdicts are.
#[napi(catch_unwind)]
pub(crate) fn reasons() -> Vec<Vec<&'static str>> {
    Reason::ALL.iter().map(|reason| vec![reason.state().as_str(), reason.as_str()]).collect()
}

/// The index of a reason in that list.
pub(crate) fn index(reason: Reason) -> Result<u32, Failure> {
    Reason::ALL
        .iter()
        .position(|other| *other == reason)
        .and_then(|index| u32::try_from(index).ok())
        .ok_or_else(|| Failure::defect("a reason is not in the list of reasons"))
}

/// See `sessionreg::liveness`.
#[napi(catch_unwind)]
pub(crate) fn liveness(env: &Env, record: Unknown<'_>) -> napi::Result<u32> {
    answer(env, || index(sessionreg::liveness(&*handle(&record)?).reason))
}

/// See `sessionreg::liveness_all`.
#[napi(catch_unwind)]
pub(crate) fn liveness_all(env: &Env, records: Array<'_>) -> napi::Result<Vec<u32>> {
    answer(env, || {
        let mut handles: Vec<Handle> = Vec::with_capacity(records.len() as usize);
        for position in 0..records.len() {
            let record = records.get(position).map_err(Failure::of_napi)?;
            handles.push(handle(&record.ok_or_else(|| Failure::defect("a record is missing"))?)?);
        }
        sessionreg::liveness_all(handles.iter().map(|record| &**record))
            .into_iter()
            .map(|verdict| index(verdict.reason))
            .collect()
    })
}
