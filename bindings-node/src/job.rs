//! Work that touches files: done at once, or on the thread pool of libuv as a promise.

use napi::bindgen_prelude::{AsyncTask, Null, ToNapiValue, Unknown};
use napi::{Env, ScopedTask};

use crate::failure::{Failure, answer, guard};
use crate::record::{Handle, to_js};

/// What work gives; JavaScript values are made of it on their own thread.
pub(crate) enum Outcome {
    Nothing,
    Flag(bool),
    Record(Handle),
    NoRecord,
}

impl Outcome {
    fn into_js(self, env: &Env) -> Result<Unknown<'_>, Failure> {
        match self {
            Self::Nothing => ().into_unknown(env),
            Self::Flag(flag) => flag.into_unknown(env),
            Self::Record(record) => return to_js(env, record),
            Self::NoRecord => Null.into_unknown(env),
        }
        .map_err(Failure::of_napi)
    }
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
