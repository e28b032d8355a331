//! Restores: how a caller asks for a session, and what the run of a restore can say.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::ErrorCode;
use sessionreg::restore::{Action, Begun, Context, Failure as RestoreFailure, Restoring, Run};
use sessionreg::restore::{Settled, Share, Waiting};

use crate::channel::channel;
use crate::external::{Kind, Tag};
use crate::failure::{Failure, answer};
use crate::job::{Job, Outcome, later};
use crate::lease::{self, HeldLease};
use crate::news::{self, Token, What};
use crate::table::table;
use crate::{external, give, names, value};

/// A run in the hands of JavaScript. Its finalizer leaves it as it is: only a call ends it.
pub(crate) struct HeldRun {
    context: Context,
    run: Mutex<Option<Run>>,
}

impl HeldRun {
    fn take(&self) -> Option<Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Kind for HeldRun {
    const TAG: Tag = Tag::of(22);
    const NAME: &'static str = "the run";
}

impl Drop for HeldRun {
    fn drop(&mut self) {
        mem::forget(self.take());
    }
}

impl Kind for Share {
    const TAG: Tag = Tag::of(23);
    const NAME: &'static str = "the caller";
}

fn held(value: &Unknown<'_>) -> Result<Arc<HeldRun>, Failure> {
    external::of_js(value)
}

fn run(value: &Unknown<'_>) -> Result<Run, Failure> {
    held(value)?.take().ok_or_else(|| Failure::defect("a run ended twice"))
}

fn share(value: &Unknown<'_>) -> Result<Arc<Share>, Failure> {
    external::of_js(value)
}

/// Has the caller told by a note.
fn follow(waiting: Waiting, token: Token) -> Share {
    waiting.on_settled(move |outcome| {
        token.tell(match outcome {
            Ok(Settled::Lease(lease)) => What::Lease(HeldLease::new(lease)),
            Ok(Settled::Owner(restoring)) => What::Owner(restoring),
            Err(failure) => What::Failed(failure),
        });
    })
}

/// Of an owner: his run, his share, and how many milliseconds the restore may take.
pub(crate) fn parts(
    env: &Env,
    restoring: Restoring,
    token: Token,
) -> Result<[Unknown<'_>; 3], Failure> {
    let (run, waiting) = restoring.split();
    let deadline = waiting.deadline();
    let left = deadline.map_or(f64::INFINITY, |deadline| {
        deadline.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0
    });
    let share = follow(waiting, token);
    let held = HeldRun { context: run.context(), run: Mutex::new(Some(run)) };
    Ok([
        external::to_js(env, Arc::new(held))?,
        external::to_js(env, Arc::new(share))?,
        give::number(env, left)?,
    ])
}

fn action(value: &Unknown<'_>) -> Result<Action, Failure> {
    match value::text(value, "the action")?.as_str() {
        "load" => Ok(Action::Load),
        "resume" => Ok(Action::Resume),
        "spawn" => Ok(Action::Spawn),
        _ => Err(Failure::out_of_range("the action", "is neither `load` nor `resume`")),
    }
}

/// See `sessionreg::RestoreTable::begin`. Gives what the request came to, and its parts; what has
/// the key is told of all that follows.
#[napi(catch_unwind)]
pub(crate) fn restore_begin<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    key: Unknown<'_>,
    act: Unknown<'_>,
    id: Unknown<'_>,
    cwd: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let table = table(&of)?;
        let token = table.token(&key)?;
        let action = action(&act)?;
        let id = value::text(&id, "the session id")
            .map_err(|failure| failure.with_code(ErrorCode::InvalidId))?;
        let cwd = names::path(&cwd, "the working folder")?;
        let (what, parts) = match table.core.begin(action, &id, &table.canonical(&cwd))? {
            Begun::Attached(lease) => ("lease", lease::parts(env, HeldLease::new(lease))?.to_vec()),
            Begun::Owner(restoring) => ("owner", parts(env, restoring, token)?.to_vec()),
            Begun::Sharer(waiting) => {
                let share = follow(waiting, token);
                ("sharer", vec![external::to_js(env, Arc::new(share))?])
            }
        };
        let mut begun = vec![give::text(env, what)?];
        begun.extend(parts);
        give::list(env, begun)
    })
}

/// See `sessionreg::restore::Share::cancel`.
#[napi(catch_unwind)]
pub(crate) fn share_cancel(env: &Env, of: Unknown<'_>) -> napi::Result<bool> {
    answer(env, || Ok(share(&of)?.cancel()))
}

/// See `sessionreg::restore::Share::time_out`.
#[napi(catch_unwind)]
pub(crate) fn share_time_out(env: &Env, of: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        share(&of)?.time_out();
        Ok(())
    })
}

/// See `sessionreg::restore::Run::secure`: it reads and writes files, if the table has a registry.
#[napi(catch_unwind)]
pub(crate) fn run_secure(env: &Env, of: Unknown<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || {
        let held = held(&of)?;
        Ok(Box::new(move || {
            let run = held.run.lock().unwrap_or_else(PoisonError::into_inner);
            let run = run.as_ref().ok_or_else(|| Failure::defect("a run ended too early"))?;
            run.secure()?;
            Ok(Outcome::Nothing)
        }))
    })
}

/// See `sessionreg::restore::Context::on_cancelled`: what has the key is called then, or now, if that is so.
#[napi(catch_unwind)]
pub(crate) fn run_on_cancelled(
    env: &Env,
    of: Unknown<'_>,
    run: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<()> {
    answer(env, || {
        let token = table(&of)?.token(&key)?;
        held(&run)?.context.on_cancelled(move || token.tell(What::Called));
        Ok(())
    })
}

/// Why nobody waits for the restore any more; null while somebody does.
#[napi(catch_unwind)]
pub(crate) fn run_cancelled<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || match held(&of)?.context.cancelled() {
        Some(why) => {
            let [error, _] = news::failure(env, &why)?;
            Ok(error)
        }
        None => give::null(env),
    })
}

/// See `sessionreg::restore::Context::carried_by`.
#[napi(catch_unwind)]
pub(crate) fn run_carried_by(env: &Env, of: Unknown<'_>, by: Unknown<'_>) -> napi::Result<()> {
    answer(env, || Ok(held(&of)?.context.carried_by(&*channel(&by)?)?))
}

/// Ends the run with the state that has the key.
#[napi(catch_unwind)]
pub(crate) fn run_complete(
    env: &Env,
    of: Unknown<'_>,
    ended: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<()> {
    answer(env, || {
        let state = table(&of)?.opaque(&key)?;
        run(&ended)?.complete(Ok(state));
        Ok(())
    })
}

/// Ends the run with the failure that has the key.
#[napi(catch_unwind)]
pub(crate) fn run_fail(
    env: &Env,
    of: Unknown<'_>,
    ended: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<()> {
    answer(env, || {
        let failure = table(&of)?.opaque(&key)?;
        run(&ended)?.complete(Err(RestoreFailure::Caller(failure)));
        Ok(())
    })
}

/// Ends the run without an outcome: the first one who waits runs the restore instead.
#[napi(catch_unwind)]
pub(crate) fn run_hand_over(env: &Env, ended: Unknown<'_>) -> napi::Result<()> {
    answer(env, || run(&ended).map(drop))
}
