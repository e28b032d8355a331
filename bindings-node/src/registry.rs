//! A registry: its queries, sweep and claim, each as a promise and at once.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::{Claim, Dialect, ErrorCode, Registry, SweepOptions, paths};

use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer};
use crate::job::{Job, Outcome, Work, later, now};
use crate::names;
use crate::value;

/// A claim in the hands of JavaScript. Its finalizer keeps the lock: only a call releases it, and
/// the end of the process.
pub(crate) struct HeldClaim(Mutex<Option<Claim>>);

impl HeldClaim {
    pub(crate) fn new(claim: Claim) -> Self {
        Self(Mutex::new(Some(claim)))
    }

    fn take(&self) -> Option<Claim> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for HeldClaim {
    fn drop(&mut self) {
        mem::forget(self.take());
    }
}

pub(crate) fn registry(value: &Unknown<'_>) -> Result<Arc<Registry>, Failure> {
    external::of_js(value)
}

impl Kind for Registry {
    const TAG: Tag = Tag::of(2);
    const NAME: &'static str = "the registry";
}

impl Kind for HeldClaim {
    const TAG: Tag = Tag::of(3);
    const NAME: &'static str = "the claim";
}

/// The registry of a folder, or the user's own; `undefined` says that an argument is not given.
#[napi(catch_unwind)]
pub(crate) fn registry_open<'env>(
    env: &'env Env,
    dir: Unknown<'_>,
    dialect: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let dir =
            if value::is_undefined(&dir) { None } else { Some(names::path(&dir, "the folder")?) };
        let dialect = if value::is_undefined(&dialect) {
            None
        } else {
            Some(Dialect::parse(&value::text(&dialect, "the dialect")?)?)
        };
        let registry = match (dir, dialect) {
            (None, None) => Registry::open_default(),
            (None, Some(dialect)) => Registry::open_in(paths::home()?.join("sessions"), dialect),
            (Some(dir), None) => Registry::open(dir),
            (Some(dir), Some(dialect)) => Registry::open_in(dir, dialect),
        }?;
        external::to_js(env, Arc::new(registry))
    })
}

#[napi(catch_unwind)]
pub(crate) fn registry_dir<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || names::path_to_js(env, registry(&of)?.dir()).map_err(Failure::of_napi))
}

#[napi(catch_unwind)]
pub(crate) fn registry_dialect(env: &Env, of: Unknown<'_>) -> napi::Result<&'static str> {
    answer(env, || Ok(registry(&of)?.dialect().as_str()))
}

/// The query of that name; the argument is `undefined` where it has none.
fn query_work(
    of: &Unknown<'_>,
    query: &Unknown<'_>,
    argument: &Unknown<'_>,
) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let query = value::text(query, "the query")?;
    let pid = || {
        let number = value::number(argument, "the pid")?;
        value::pid(number, "the pid")
    };
    let text = |what| value::text(argument, what);
    Ok(match query.as_str() {
        "scan" => Box::new(move || Ok(Outcome::Scan(registry.scan()?))),
        "records" => Box::new(move || Ok(Outcome::Entries(registry.records()?))),
        "live" => Box::new(move || Ok(Outcome::Entries(registry.live()?))),
        "countLive" => Box::new(move || Ok(Outcome::Count(registry.count_live()?))),
        "findByPid" => {
            let pid = pid()?;
            Box::new(move || Ok(Outcome::Entries(registry.find_by_pid(pid)?)))
        }
        "findBySession" => {
            let id = text("the session id")?;
            Box::new(move || Ok(Outcome::Entries(registry.find_by_session(&id)?)))
        }
        "findByWorkDir" => {
            let work_dir = text("the working folder")?;
            Box::new(move || Ok(Outcome::Entries(registry.find_by_work_dir(&work_dir)?)))
        }
        "ownerOf" => {
            let pid = pid()?;
            Box::new(move || Ok(Outcome::Entries(registry.owner_of(pid)?)))
        }
        "findUnder" => {
            let pid = pid()?;
            Box::new(move || Ok(Outcome::Entries(registry.find_under(pid)?)))
        }
        _ => return Err(Failure::defect("there is no such query")),
    })
}

/// See the methods of `sessionreg::Registry`.
#[napi(catch_unwind)]
pub(crate) fn query(
    env: &Env,
    of: Unknown<'_>,
    query: Unknown<'_>,
    argument: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || query_work(&of, &query, &argument))
}

/// See the methods of `sessionreg::Registry`.
#[napi(catch_unwind)]
pub(crate) fn query_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    query: Unknown<'_>,
    argument: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || query_work(&of, &query, &argument))
}

fn sweep_work(
    of: &Unknown<'_>,
    dry_run: &Unknown<'_>,
    folders: &Array<'_>,
) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let mut options = SweepOptions::default();
    if let Some(dry_run) = value::flag(dry_run, "`dryRun`")? {
        options = options.dry_run(dry_run);
    }
    for folder in names::paths(folders, "a folder of sidecars")? {
        options = options.sidecar_folder(folder);
    }
    Ok(Box::new(move || Ok(Outcome::Swept(registry.sweep(&options)?))))
}

/// See `sessionreg::Registry::sweep`.
#[napi(catch_unwind)]
pub(crate) fn sweep(
    env: &Env,
    of: Unknown<'_>,
    dry_run: Unknown<'_>,
    folders: Array<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || sweep_work(&of, &dry_run, &folders))
}

/// See `sessionreg::Registry::sweep`.
#[napi(catch_unwind)]
pub(crate) fn sweep_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    dry_run: Unknown<'_>,
    folders: Array<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || sweep_work(&of, &dry_run, &folders))
}

fn claim_work(of: &Unknown<'_>, agent: &Unknown<'_>, id: &Unknown<'_>) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let agent = value::text(agent, "the agent")?;
    let id = value::text(id, "the session id")
        .map_err(|failure| failure.with_code(ErrorCode::InvalidId))?;
    Ok(Box::new(move || {
        let claim = registry.claim(&agent, &id)?;
        let path = claim.path().to_owned();
        Ok(Outcome::Claim(Arc::new(HeldClaim::new(claim)), path))
    }))
}

/// See `sessionreg::Registry::claim`.
#[napi(catch_unwind)]
pub(crate) fn claim(
    env: &Env,
    of: Unknown<'_>,
    agent: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || claim_work(&of, &agent, &id))
}

/// See `sessionreg::Registry::claim`.
#[napi(catch_unwind)]
pub(crate) fn claim_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    agent: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || claim_work(&of, &agent, &id))
}

fn release_work(of: &Unknown<'_>) -> Result<Work, Failure> {
    let held: Arc<HeldClaim> = external::of_js(of)?;
    Ok(Box::new(move || {
        let claim = held.take().ok_or_else(Failure::released)?;
        claim.release()?;
        Ok(Outcome::Nothing)
    }))
}

/// See `sessionreg::Claim::release`; a second time is `CLOSED`.
#[napi(catch_unwind)]
pub(crate) fn release(env: &Env, of: Unknown<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || release_work(&of))
}

/// See `sessionreg::Claim::release`; a second time is `CLOSED`.
#[napi(catch_unwind)]
pub(crate) fn release_sync<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    now(env, || release_work(&of))
}
