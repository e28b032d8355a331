//! Names: paths in both directions, session ids, and where known programs keep a sidecar.

use std::path::{Path, PathBuf};

use napi::bindgen_prelude::{Array, BufferSlice, Unknown};
use napi::{Env, JsValue as _};
use napi_derive::napi;
use sessionreg::{ErrorCode, SessionId, paths};

use crate::failure::{Failure, answer};
use crate::value;

/// A path given as a string, or as the bytes that it is to the system.
pub(crate) fn path(value: &Unknown<'_>, what: &str) -> Result<PathBuf, Failure> {
    if value::is_text(value) {
        return Ok(PathBuf::from(value::text(value, what)?));
    }
    match value::bytes(value)? {
        Some(bytes) => path_of_bytes(bytes, what),
        None => Err(Failure::mistyped(what, "a string or a Buffer")),
    }
}

/// Every path of a list.
pub(crate) fn paths(list: &Array<'_>, what: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::with_capacity(list.len() as usize);
    for position in 0..list.len() {
        let value: Option<Unknown<'_>> = list.get(position).map_err(Failure::of_napi)?;
        let value = value.ok_or_else(|| Failure::mistyped(what, "a list without gaps"))?;
        paths.push(path(&value, what)?);
    }
    Ok(paths)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Elsewhere not all bytes are a path.
fn path_of_bytes(bytes: Vec<u8>, _: &str) -> Result<PathBuf, Failure> {
    use std::os::unix::ffi::OsStringExt as _;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>, what: &str) -> Result<PathBuf, Failure> {
    String::from_utf8(bytes)
        .map(PathBuf::from)
        .map_err(|_| Failure::out_of_range(what, "is not UTF-8, which paths of this system are"))
}

/// A folder for a path that is only put together here: no call of the core will look at it.
fn folder(value: &Unknown<'_>, what: &str) -> Result<PathBuf, Failure> {
    let path = path(value, what)?;
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(Failure::out_of_range(what, "contains a NUL byte"));
    }
    Ok(path)
}

/// A string where the path is text, else a Buffer.
pub(crate) fn path_to_js<'env>(env: &'env Env, path: &Path) -> napi::Result<Unknown<'env>> {
    match path.to_str() {
        Some(text) => Ok(env.create_string(text)?.to_unknown()),
        None => buffer(env, path),
    }
}

fn buffer<'env>(env: &'env Env, path: &Path) -> napi::Result<Unknown<'env>> {
    Ok(BufferSlice::copy_from(env, path.as_os_str().as_encoded_bytes())?.to_unknown())
}

/// Gives a path back as the one was given that it was made from.
fn like<'env>(env: &'env Env, given: &Unknown<'_>, path: &Path) -> Result<Unknown<'env>, Failure> {
    if value::bytes(given)?.is_some() {
        return buffer(env, path).map_err(Failure::of_napi);
    }
    if path.to_str().is_none() {
        return Err(Failure::out_of_range("the home folder", "is not Unicode text"));
    }
    path_to_js(env, path).map_err(Failure::of_napi)
}

fn session_id(value: &Unknown<'_>) -> Result<SessionId, Failure> {
    let text = value::text(value, "the session id")
        .map_err(|failure| failure.with_code(ErrorCode::InvalidId))?;
    Ok(SessionId::new(text)?)
}

/// Throws `INVALID_ID` for what cannot become part of a path.
#[napi(catch_unwind)]
pub(crate) fn check_session_id(env: &Env, id: Unknown<'_>) -> napi::Result<()> {
    answer(env, || session_id(&id).map(drop))
}

/// See `sessionreg::paths::sidecar_in_project`.
#[napi(catch_unwind)]
pub(crate) fn sidecar_in_project<'env>(
    env: &'env Env,
    project_dir: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let folder = folder(&project_dir, "the project folder")?;
        like(env, &project_dir, &paths::sidecar_in_project(folder, &session_id(&id)?))
    })
}

/// See `sessionreg::paths::sidecar_of`; an `undefined` home is the program's own.
#[napi(catch_unwind)]
pub(crate) fn sidecar_of<'env>(
    env: &'env Env,
    agent: Unknown<'_>,
    work_dir: Unknown<'_>,
    id: Unknown<'_>,
    home: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let agent = value::text(&agent, "the agent")?;
        let work_dir = value::text(&work_dir, "the working folder")?;
        let id = session_id(&id)?;
        let folder =
            if value::is_undefined(&home) { None } else { Some(folder(&home, "the home folder")?) };
        like(env, &home, &paths::sidecar_of(&agent, &work_dir, &id, folder.as_deref())?)
    })
}
