//! Work that touches files: done at once, or on the thread pool of libuv as a promise.

use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Null, ToNapiValue, Unknown};
use napi::{Env, ScopedTask};
use sessionreg::{CleanedUp, Entry, Polled, Scan, Session, Skipped, Snapshot, Swept};

use crate::entries::Text;
use crate::failure::{Failure, answer, guard};
use crate::judge;
use crate::record::{Handle, to_js};
use crate::registry::HeldClaim;
use crate::{external, give};

/// What work gives; JavaScript values are made of it on their own thread.
pub(crate) enum Outcome {
    Nothing,
    Flag(bool),
    Count(usize),
    Record(Handle),
    NoRecord,
    Entries(Vec<Entry>),
    Scan(Scan),
    Swept(Swept),
    /// With the reason why it is inert, if it could not be registered.
    Session(Arc<Session>, Option<Failure>),
    Claim(Arc<HeldClaim>, PathBuf),
    Snapshot(Arc<Snapshot>, Text),
    Polled(Vec<Polled>),
    CleanedUp(CleanedUp),
}

impl Outcome {
    fn into_js(self, env: &Env) -> Result<Unknown<'_>, Failure> {
        match self {
            Self::Nothing => ().into_unknown(env).map_err(Failure::of_napi),
            Self::Flag(flag) => give::flag(env, flag),
            Self::Count(count) => give::count(env, count),
            Self::Record(record) => to_js(env, record),
            Self::NoRecord => Null.into_unknown(env).map_err(Failure::of_napi),
            Self::Entries(entries) => entries_to_js(env, entries),
            Self::Scan(scan) => {
                let entries = entries_to_js(env, scan.entries)?;
                let skipped = skipped_to_js(env, &scan.skipped)?;
                give::list(env, vec![entries, skipped])
            }
            Self::Swept(swept) => swept_to_js(env, swept),
            Self::Session(session, failure) => {
                let session = external::to_js(env, session)?;
                let failure = match failure {
                    Some(failure) => failure.build(env).map_err(Failure::of_napi)?,
                    None => give::null(env)?,
                };
                give::list(env, vec![session, failure])
            }
            Self::Claim(claim, path) => {
                let claim = external::to_js(env, claim)?;
                let path = give::path(env, Some(&path))?;
                give::list(env, vec![claim, path])
            }
            Self::Snapshot(snapshot, text) => {
                let skipped = skipped_to_js(env, &snapshot.skipped)?;
                let snapshot = external::to_js(env, snapshot)?;
                let [text, beside] = text.into_js(env)?;
                give::list(env, vec![snapshot, text, beside, skipped])
            }
            Self::Polled(polled) => polled_to_js(env, &polled),
            Self::CleanedUp(cleaned) => cleaned_to_js(env, &cleaned),
        }
    }
}

/// Three values for each: record, index of the reason, path.
fn entries_to_js(env: &Env, entries: Vec<Entry>) -> Result<Unknown<'_>, Failure> {
    let mut values = Vec::with_capacity(entries.len() * 3);
    for entry in entries {
        let path = give::path(env, Some(entry.path()))?;
        values.push(to_js(env, entry.record)?);
        values.push(give::reason(env, judge::index(entry.verdict.reason)?)?);
        values.push(path);
    }
    give::list(env, values)
}

/// Three values for each: path, code, reason.
fn skipped_to_js<'env>(env: &'env Env, skipped: &[Skipped]) -> Result<Unknown<'env>, Failure> {
    let mut values = Vec::with_capacity(skipped.len() * 3);
    for skipped in skipped {
        values.push(give::path(env, Some(&skipped.path))?);
        values.push(give::text(env, skipped.code.as_str())?);
        values.push(give::text(env, &skipped.reason)?);
    }
    give::list(env, values)
}

/// Three values for each that went: path, reason or null, record or null; how many live; and what
/// could not go.
fn swept_to_js(env: &Env, swept: Swept) -> Result<Unknown<'_>, Failure> {
    let mut removed = Vec::with_capacity(swept.removed.len() * 3);
    for gone in swept.removed {
        removed.push(give::path(env, Some(&gone.path))?);
        removed.push(match gone.reason {
            Some(reason) => give::text(env, reason.as_str())?,
            None => give::null(env)?,
        });
        removed.push(match gone.record {
            Some(record) => to_js(env, Arc::new(record))?,
            None => give::null(env)?,
        });
    }
    let removed = give::list(env, removed)?;
    let live = give::count(env, swept.live)?;
    let failed = skipped_to_js(env, &swept.failed)?;
    give::list(env, vec![removed, live, failed])
}

/// Two values for each: what it is, how often in milliseconds.
fn polled_to_js<'env>(env: &'env Env, polled: &[Polled]) -> Result<Unknown<'env>, Failure> {
    let mut values = Vec::with_capacity(polled.len() * 2);
    for polled in polled {
        values.push(give::text(env, &polled.what)?);
        values.push(give::number(env, polled.every.as_secs_f64() * 1000.0)?);
    }
    give::list(env, values)
}

/// Two values for each file that went: path, reason; and what could not go.
fn cleaned_to_js<'env>(env: &'env Env, cleaned: &CleanedUp) -> Result<Unknown<'env>, Failure> {
    let mut removed = Vec::with_capacity(cleaned.removed.len() * 2);
    for gone in &cleaned.removed {
        removed.push(give::path(env, Some(&gone.path))?);
        removed.push(give::text(env, gone.reason)?);
    }
    let removed = give::list(env, removed)?;
    let failed = skipped_to_js(env, &cleaned.failed)?;
    give::list(env, vec![removed, failed])
}

/// Work whose arguments have been taken over from JavaScript already.
pub(crate) type Work = Box<dyn FnOnce() -> Result<Outcome, Failure> + Send>;

/// Does it on this thread.
pub(crate) fn now(
    env: &Env,
    prepare: impl FnOnce() -> Result<Work, Failure>,
) -> napi::Result<Unknown<'_>> {
    answer(env, || prepare()?()?.into_js(env))
}

/// Queues it; the promise settles on this thread. Bad arguments are thrown here and now.
pub(crate) fn later(
    env: &Env,
    prepare: impl FnOnce() -> Result<Work, Failure>,
) -> napi::Result<AsyncTask<Job>> {
    answer(env, || Ok(AsyncTask::new(Job(Some(prepare()?)))))
}

/// The one job type: it carries a failure as its output, for an error of JavaScript's can only be
/// made where JavaScript runs.
pub(crate) struct Job(Option<Work>);

impl<'task> ScopedTask<'task> for Job {
    type Output = Result<Outcome, Failure>;
    type JsValue = Unknown<'task>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.0.take();
        Ok(guard(|| work.map_or_else(|| Err(Failure::defect("a job ran twice")), |work| work())))
    }

    fn resolve(&mut self, env: &'task Env, output: Self::Output) -> napi::Result<Unknown<'task>> {
        answer(env, || output?.into_js(env))
    }
}
