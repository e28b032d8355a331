//! Sessions: registered, opened, and their calls, each as a promise and at once.
//!
//! A call takes its place in the order of calls where JavaScript makes it, also one whose promise
//! nobody awaits; the thread pool only carries it out.

use std::path::PathBuf;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Array, AsyncTask, Unknown};
use napi_derive::napi;
use sessionreg::{By, Extra, New, Patch, Session, Terminal, Ticket};

use crate::arguments::Arguments;
use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer};
use crate::give;
use crate::job::{Job, Outcome, Work, later, now};
use crate::registry::registry;
use crate::value;

fn session(value: &Unknown<'_>) -> Result<Arc<Session>, Failure> {
    external::of_js(value)
}

impl Kind for Session {
    const TAG: Tag = Tag::of(4);
    const NAME: &'static str = "the session";
}

/// The arguments of `register` in the order of the list in `registry.cjs`.
fn new_session(mut given: Arguments<'_>) -> Result<New, Failure> {
    let session_id = given.required("`sessionId`")?;
    let mut new = New::session(session_id, given.required("`workDir`")?);
    new.agent = given.text("`agent`")?;
    new.agent_version = given.text("`agentVersion`")?;
    new.kind = given.text("`kind`")?;
    new.name = given.text("`name`")?;
    new.entrypoint = given.text("`entrypoint`")?;
    new.status = given.text("`status`")?;
    new.transcript_path = given.text("`transcriptPath`")?;
    new.parent_session_id = given.text("`parentSessionId`")?;
    new.sidecar = given.path("`sidecar`")?;
    new.pid_file = given.flag("`pidFile`")?.unwrap_or(new.pid_file);
    new.keep_sidecar = given.flag("`keepSidecar`")?.unwrap_or(new.keep_sidecar);
    if let Some(pid) = given.next()? {
        new.pid = Some(value::pid(value::number(&pid, "`pid`")?, "`pid`")?);
    }
    let mut terminal = Terminal::default();
    terminal.multiplexer = given.text("`terminal.multiplexer`")?;
    terminal.session = given.text("`terminal.session`")?;
    terminal.pane = given.text("`terminal.pane`")?;
    if let Some(extra) = given.text("`terminal.extraJson`")? {
        terminal.extra = Extra::from_json(extra)?;
    }
    new.terminal = Some(terminal).filter(|terminal| *terminal != Terminal::default());
    if let Some(extra) = given.text("`extra`")? {
        new.extra = Extra::from_json(extra)?;
    }
    Ok(new)
}

fn register_work(of: &Unknown<'_>, arguments: &Array<'_>) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let new = new_session(Arguments::of(arguments))?;
    Ok(Box::new(move || {
        let (session, error) = registry.register_or_tell(&new);
        let session = Arc::new(session.without_close_on_drop());
        Ok(Outcome::Session(session, error.map(Failure::from)))
    }))
}

/// See `sessionreg::Registry::register_or_tell`: gives the session, and why it is inert if it is.
#[napi(catch_unwind)]
pub(crate) fn register(
    env: &Env,
    of: Unknown<'_>,
    arguments: Array<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || register_work(&of, &arguments))
}

/// See `sessionreg::Registry::register_or_tell`: gives the session, and why it is inert if it is.
#[napi(catch_unwind)]
pub(crate) fn register_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    arguments: Array<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || register_work(&of, &arguments))
}

fn open_work(of: &Unknown<'_>, pid: &Unknown<'_>, id: &Unknown<'_>) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let open =
        |session: Session| Ok(Outcome::Session(Arc::new(session.without_close_on_drop()), None));
    if value::is_undefined(id) {
        let pid = value::pid(value::number(pid, "`pid`")?, "`pid`")?;
        return Ok(Box::new(move || open(registry.open_session(By::Pid(pid))?)));
    }
    let id = value::text(id, "`sessionId`")?;
    Ok(Box::new(move || open(registry.open_session(By::Session(&id))?)))
}

/// See `sessionreg::Registry::open_session`: by the one that is not `undefined`.
#[napi(catch_unwind)]
pub(crate) fn open_session(
    env: &Env,
    of: Unknown<'_>,
    pid: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || open_work(&of, &pid, &id))
}

/// See `sessionreg::Registry::open_session`: by the one that is not `undefined`.
#[napi(catch_unwind)]
pub(crate) fn open_session_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    pid: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || open_work(&of, &pid, &id))
}

/// Puts a call in its place. Texts that a call does not have are `undefined`.
fn submit(
    of: &Unknown<'_>,
    call: &Unknown<'_>,
    id: &Unknown<'_>,
    patch: &Unknown<'_>,
) -> Result<Ticket, Failure> {
    let session = session(of)?;
    let patch = || {
        if value::is_undefined(patch) {
            return Ok(Patch::new());
        }
        Ok::<_, Failure>(Patch::from_json(value::text(patch, "the patch")?)?)
    };
    Ok(match value::text(call, "the call")?.as_str() {
        "update" => session.submit_update(patch()?),
        "switch" => session.submit_switch(value::text(id, "the session id")?, patch()?),
        "refresh" => session.submit_refresh(),
        "leave" => session.submit_leave(),
        "close" => session.submit_close(),
        _ => return Err(Failure::defect("there is no such call")),
    })
}

fn call_work(
    of: &Unknown<'_>,
    call: &Unknown<'_>,
    id: &Unknown<'_>,
    patch: &Unknown<'_>,
) -> Result<Work, Failure> {
    let ticket = submit(of, call, id, patch)?;
    Ok(Box::new(move || Ok(Outcome::Flag(ticket.wait_and_tell()?))))
}

/// See the methods of `sessionreg::Session`.
#[napi(catch_unwind)]
pub(crate) fn call(
    env: &Env,
    of: Unknown<'_>,
    call: Unknown<'_>,
    id: Unknown<'_>,
    patch: Unknown<'_>,
) -> napi::Result<AsyncTask<Job>> {
    later(env, || call_work(&of, &call, &id, &patch))
}

/// See the methods of `sessionreg::Session`.
#[napi(catch_unwind)]
pub(crate) fn call_sync<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    call: Unknown<'_>,
    id: Unknown<'_>,
    patch: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    now(env, || call_work(&of, &call, &id, &patch))
}

/// What the session says of itself: record, path, sidecar's path, holders of both names, whether it
/// is registered.
#[napi(catch_unwind)]
pub(crate) fn session_view<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let session = session(&of)?;
        let path = |path: Option<PathBuf>| give::path(env, path.as_deref());
        let parts = vec![
            external::to_js(env, Arc::new(session.record()))?,
            path(session.path())?,
            path(session.sidecar_path())?,
            give::holder(env, session.sidecar_holder().as_ref())?,
            give::holder(env, session.pid_file_holder().as_ref())?,
            give::flag(env, session.is_registered())?,
        ];
        give::list(env, parts)
    })
}
