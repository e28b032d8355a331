//! Monitors: their calls that do not wait, each as a promise and at once.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::{CleanUpOptions, Monitor, MonitorOptions};

use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer};
use crate::job::{Job, Outcome, Work, later, now};
use crate::names;
use crate::snapshot;
use crate::value;

impl Kind for Monitor {
    const TAG: Tag = Tag::of(6);
    const NAME: &'static str = "the monitor";
}

pub(crate) fn monitor(value: &Unknown<'_>) -> Result<Arc<Monitor>, Failure> {
    external::of_js(value)
}

/// See `sessionreg::Monitor::with`; an option that is `undefined` has its default.
#[napi(catch_unwind)]
pub(crate) fn monitor_open<'env>(
    env: &'env Env,
    sources: Array<'_>,
    fold: Unknown<'_>,
    poll: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let sources = snapshot::sources(&sources)?;
        let mut options = MonitorOptions::default();
        if !value::is_undefined(&fold) {
            options = options.fold(value::interval(&fold, "`foldMs`")?);
        }
        if !value::is_undefined(&poll) {
            options = options.poll(value::interval(&poll, "`pollMs`")?);
        }
        external::to_js(env, Arc::new(Monitor::with(sources, options)?))
    })
}

fn call_work(of: &Unknown<'_>, call: &Unknown<'_>) -> Result<Work, Failure> {
    let monitor = monitor(of)?;
    Ok(match value::text(call, "the call")?.as_str() {
        "snapshot" => Box::new(move || Ok(snapshot::outcome(monitor.snapshot()?))),
        "polled" => Box::new(move || Ok(Outcome::Polled(monitor.polled()?))),
        "recordTurnStart" => Box::new(move || Ok(Outcome::Count(monitor.record_turn_start()?))),
        _ => return Err(Failure::defect("there is no such call")),
    })
}

/// See the methods of `sessionreg::Monitor`.
#[napi(catch_unwind)]
pub(crate) fn ask_monitor(
    env: &Env,
    of: Unknown<'_>,
    call: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || call_work(&of, &call))
}

/// See the methods of `sessionreg::Monitor`.
#[napi(catch_unwind)]
pub(crate) fn ask_monitor_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    call: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || call_work(&of, &call))
}

fn clean_up_work(
    of: &Unknown<'_>,
    folders: &Array<'_>,
    dry_run: &Unknown<'_>,
) -> Result<Work, Failure> {
    let monitor = monitor(of)?;
    let folders = names::paths(folders, "a folder")?;
    let mut options = CleanUpOptions::default();
    if let Some(dry_run) = value::flag(dry_run, "`dryRun`")? {
        options = options.dry_run(dry_run);
    }
    Ok(Box::new(move || Ok(Outcome::CleanedUp(monitor.clean_up(&folders, options)?))))
}

/// See `sessionreg::Monitor::clean_up`.
#[napi(catch_unwind)]
pub(crate) fn clean_up(
    env: &Env,
    of: Unknown<'_>,
    folders: Array<'_>,
    dry_run: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || clean_up_work(&of, &folders, &dry_run))
}

/// See `sessionreg::Monitor::clean_up`.
#[napi(catch_unwind)]
pub(crate) fn clean_up_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    folders: Array<'_>,
    dry_run: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || clean_up_work(&of, &folders, &dry_run))
}
