//! Plain values on their way to JavaScript.

use std::path::Path;

use napi::bindgen_prelude::{Null, Object, ToNapiValue, Unknown};
use napi::{Env, JsValue as _};
use sessionreg::Holder;

use crate::failure::Failure;
use crate::names;

fn plain(env: &Env, value: impl ToNapiValue) -> Result<Unknown<'_>, Failure> {
    value.into_unknown(env).map_err(Failure::of_napi)
}

pub(crate) fn null(env: &Env) -> Result<Unknown<'_>, Failure> {
    plain(env, Null)
}

pub(crate) fn flag(env: &Env, flag: bool) -> Result<Unknown<'_>, Failure> {
    plain(env, flag)
}

pub(crate) fn count(env: &Env, count: usize) -> Result<Unknown<'_>, Failure> {
    let count = u32::try_from(count).map_err(|_| Failure::defect("too many to count"))?;
    plain(env, count)
}

/// A number that JavaScript gave, or a count that stays below 2^53.
pub(crate) fn key(env: &Env, key: u64) -> Result<Unknown<'_>, Failure> {
    #[allow(clippy::cast_precision_loss)] // See above.
    plain(env, key as f64)
}

pub(crate) fn number(env: &Env, number: f64) -> Result<Unknown<'_>, Failure> {
    plain(env, number)
}

pub(crate) fn reason(env: &Env, index: u32) -> Result<Unknown<'_>, Failure> {
    plain(env, index)
}

pub(crate) fn text<'env>(env: &'env Env, text: &str) -> Result<Unknown<'env>, Failure> {
    Ok(env.create_string(text).map_err(Failure::of_napi)?.to_unknown())
}

/// Null for none.
pub(crate) fn path<'env>(env: &'env Env, path: Option<&Path>) -> Result<Unknown<'env>, Failure> {
    match path {
        Some(path) => names::path_to_js(env, path).map_err(Failure::of_napi),
        None => null(env),
    }
}

/// Null for none, and for what is not known of one.
pub(crate) fn holder<'env>(
    env: &'env Env,
    holder: Option<&Holder>,
) -> Result<Unknown<'env>, Failure> {
    let Some(holder) = holder else { return null(env) };
    let optional = |value: Option<&String>| match value {
        Some(value) => text(env, value),
        None => null(env),
    };
    let pid = match holder.pid {
        Some(pid) => reason(env, pid)?,
        None => null(env)?,
    };
    let mut object = Object::new(env).map_err(Failure::of_napi)?;
    let members = [
        ("pid", pid),
        ("sessionId", optional(holder.session_id.as_ref())?),
        ("host", optional(holder.host.as_ref())?),
        ("path", path(env, Some(&holder.path))?),
    ];
    for (name, value) in members {
        object.set(name, value).map_err(Failure::of_napi)?;
    }
    Ok(object.to_unknown())
}

pub(crate) fn list<'env>(
    env: &'env Env,
    values: Vec<Unknown<'env>>,
) -> Result<Unknown<'env>, Failure> {
    plain(env, values)
}
