//! Snapshots: where to look, every agent session that is there, and questions about them.

use std::collections::HashMap;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::{AgentSession, Snapshot, Sources};

use crate::arguments::Arguments;
use crate::entries::Text;
use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer};
use crate::give;
use crate::job::{Job, Outcome, Work, later, now};
use crate::value;

impl Kind for Snapshot {
    const TAG: Tag = Tag::of(5);
    const NAME: &'static str = "the snapshot";
}

/// Sources in the order of the list in `snapshot.cjs`; what is not given has its default.
pub(crate) fn sources(list: &Array<'_>) -> Result<Sources, Failure> {
    let mut given = Arguments::of(list);
    let mut sources = Sources::default();
    let folders = [
        (&mut sources.registries, "`registries`"),
        (&mut sources.claude_code, "`claudeCode`"),
        (&mut sources.qwen_code, "`qwenCode`"),
        (&mut sources.kimi_cli, "`kimiCli`"),
        (&mut sources.codex, "`codex`"),
        (&mut sources.copilot, "`copilot`"),
        (&mut sources.hooks, "`hooks`"),
    ];
    for (folders, what) in folders {
        if let Some(paths) = given.paths(what)? {
            *folders = paths;
        }
    }
    let flags = [
        (&mut sources.processes, "`processes`"),
        (&mut sources.multiplexers, "`multiplexers`"),
        (&mut sources.superseded, "`superseded`"),
    ];
    for (flag, what) in flags {
        *flag = given.flag(what)?.unwrap_or(*flag);
    }
    if let Some(dead_within) = given.millis("`deadWithinMs`")? {
        sources.dead_within = dead_within;
    }
    Ok(sources)
}

/// A snapshot as it goes to JavaScript.
pub(crate) fn outcome(snapshot: Snapshot) -> Outcome {
    let text = Text::of_snapshot(&snapshot);
    Outcome::Snapshot(Arc::new(snapshot), text)
}

fn snapshot_work(list: &Array<'_>) -> Result<Work, Failure> {
    let sources = sources(list)?;
    Ok(Box::new(move || Ok(outcome(sessionreg::snapshot(&sources)))))
}

/// See `sessionreg::snapshot`.
#[napi(catch_unwind)]
pub(crate) fn snapshot(env: &Env, sources: Array<'_>) -> napi::Result<AsyncTask<Job>> {
    later(env, || snapshot_work(&sources))
}

/// See `sessionreg::snapshot`.
#[napi(catch_unwind)]
pub(crate) fn snapshot_sync<'env>(
    env: &'env Env,
    sources: Array<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || snapshot_work(&sources))
}

/// See `sessionreg::Snapshot::to_json`.
#[napi(catch_unwind)]
pub(crate) fn snapshot_text(env: &Env, of: Unknown<'_>) -> napi::Result<String> {
    answer(env, || Ok(external::of_js::<Snapshot>(&of)?.to_json()))
}

/// The numbers of the sessions that are the answer to the question of that name; the argument is
/// `undefined` where it has none.
#[napi(catch_unwind)]
pub(crate) fn ask_snapshot<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    question: Unknown<'_>,
    argument: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let snapshot: Arc<Snapshot> = external::of_js(&of)?;
        let pid = || value::pid(value::number(&argument, "the pid")?, "the pid");
        let text = |what| value::text(&argument, what);
        let found = match value::text(&question, "the question")?.as_str() {
            "live" => snapshot.live(),
            "findByPid" => snapshot.find_by_pid(pid()?),
            "findBySession" => snapshot.find_by_session(&text("the session id")?),
            "findByWorkDir" => snapshot.find_by_work_dir(&text("the working folder")?),
            "ownerOf" => snapshot.owner_of(pid()?),
            "findUnder" => snapshot.find_under(pid()?),
            _ => return Err(Failure::defect("there is no such question")),
        };
        let places: HashMap<*const AgentSession, usize> =
            snapshot.sessions.iter().enumerate().map(|(at, of)| (Arc::as_ptr(of), at)).collect();
        let mut numbers = Vec::with_capacity(found.len());
        for session in &found {
            let place = places.get(&Arc::as_ptr(session));
            let place = place.ok_or_else(|| Failure::defect("a session is not in its snapshot"))?;
            numbers.push(give::count(env, *place)?);
        }
        give::list(env, numbers)
    })
}

/// See `sessionreg::Snapshot::count_live`.
#[napi(catch_unwind)]
pub(crate) fn count_live<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || give::count(env, external::of_js::<Snapshot>(&of)?.count_live()))
}
