//! One record in one file, each call as a promise and at once.

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::WriteOptions;

use crate::failure::Failure;
use crate::job::{Job, Outcome, Work, later, now};
use crate::names::path;
use crate::record::handle;
use crate::value;

const PATH: &str = "the path";

fn write_work(
    to: &Unknown<'_>,
    record: &Unknown<'_>,
    durable: &Unknown<'_>,
    create_folders: &Unknown<'_>,
) -> Result<Work, Failure> {
    let path = path(to, PATH)?;
    let record = handle(record)?;
    let mut options = WriteOptions::default();
    if let Some(durable) = value::flag(durable, "`durable`")? {
        options = options.durable(durable);
    }
    if let Some(create_folders) = value::flag(create_folders, "`createFolders`")? {
        options = options.create_folders(create_folders);
    }
    Ok(Box::new(move || {
        sessionreg::write_with(path, &record, options)?;
        Ok(Outcome::Nothing)
    }))
}

fn read_work(from: &Unknown<'_>) -> Result<Work, Failure> {
    let path = path(from, PATH)?;
    Ok(Box::new(move || {
        let record = sessionreg::read(path)?;
        Ok(record.map_or(Outcome::NoRecord, |record| Outcome::Record(record.into())))
    }))
}

fn load_work(from: &Unknown<'_>) -> Result<Work, Failure> {
    let path = path(from, PATH)?;
    Ok(Box::new(move || Ok(Outcome::Record(sessionreg::load(path)?.into()))))
}

fn clear_work(at: &Unknown<'_>) -> Result<Work, Failure> {
    let path = path(at, PATH)?;
    Ok(Box::new(move || Ok(Outcome::Flag(sessionreg::clear(path)?))))
}

fn clear_if_work(at: &Unknown<'_>, record: &Unknown<'_>) -> Result<Work, Failure> {
    let path = path(at, PATH)?;
    let record = handle(record)?;
    Ok(Box::new(move || Ok(Outcome::Flag(sessionreg::clear_if(path, &record)?))))
}

/// See `sessionreg::write_with`; an option that is `undefined` has its default.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub(crate) fn write(
    env: &Env,
    path: Unknown<'_>,
    record: Unknown<'_>,
    durable: Unknown<'_>,
    create_folders: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || write_work(&path, &record, &durable, &create_folders))
}

/// See `sessionreg::write_with`; an option that is `undefined` has its default.
#[napi(catch_unwind)]
pub(crate) fn write_sync<'env>(
    env: &'env Env,
    path: Unknown<'_>,
    record: Unknown<'_>,
    durable: Unknown<'_>,
    create_folders: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || write_work(&path, &record, &durable, &create_folders))
}

/// See `sessionreg::read`.
#[napi(catch_unwind)]
pub(crate) fn read(env: &Env, path: Unknown<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || read_work(&path))
}

/// See `sessionreg::read`.
#[napi(catch_unwind)]
pub(crate) fn read_sync<'env>(env: &'env Env, path: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    now(env, || read_work(&path))
}

/// See `sessionreg::load`.
#[napi(catch_unwind)]
pub(crate) fn load(env: &Env, path: Unknown<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || load_work(&path))
}

/// See `sessionreg::load`.
#[napi(catch_unwind)]
pub(crate) fn load_sync<'env>(env: &'env Env, path: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    now(env, || load_work(&path))
}

/// See `sessionreg::clear`.
#[napi(catch_unwind)]
pub(crate) fn clear(env: &Env, path: Unknown<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || clear_work(&path))
}

/// See `sessionreg::clear`.
#[napi(catch_unwind)]
pub(crate) fn clear_sync<'env>(env: &'env Env, path: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    now(env, || clear_work(&path))
}

/// See `sessionreg::clear_if`.
#[napi(catch_unwind)]
pub(crate) fn clear_if(
    env: &Env,
    path: Unknown<'_>,
    record: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || clear_if_work(&path, &record))
}

/// See `sessionreg::clear_if`.
#[napi(catch_unwind)]
pub(crate) fn clear_if_sync<'env>(
    env: &'env Env,
    path: Unknown<'_>,
    record: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || clear_if_work(&path, &record))
}

/// A defect on purpose, to see that one reaches JavaScript as an error. Not in releases.
#[cfg(debug_assertions)]
#[napi(catch_unwind)]
pub(crate) fn panic_sync(env: &Env) -> napi::Result<Unknown<'_>> {
    now(env, || Ok(Box::new(|| panic!("on purpose"))))
}

/// The same on the thread pool.
#[cfg(debug_assertions)]
#[napi(catch_unwind)]
pub(crate) fn panic(env: &Env) -> napi::Result<AsyncTask<Job>> {
    later(env, || Ok(Box::new(|| panic!("on purpose"))))
}
