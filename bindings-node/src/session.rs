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

use crate::external;
use crate::failure::{Failure, answer};
use crate::give;
use crate::job::{Job, Outcome, Work, later, now};
use crate::names;
use crate::registry::registry;
use crate::value;

fn session(value: &Unknown<'_>) -> Result<Arc<Session>, Failure> {
    external::of_js(value, "the session")
}

/// The arguments of `register` in the order of the list in `registry.cjs`.
struct Arguments<'a> {
    list: &'a Array<'a>,
    next: u32,
}

impl<'a> Arguments<'a> {
    /// `None` for what is `undefined`, or null, which says the same here.
    fn next(&mut self) -> Result<Option<Unknown<'a>>, Failure> {
        let value: Option<Unknown<'a>> = self.list.get(self.next).map_err(Failure::of_napi)?;
        self.next += 1;
        Ok(value.filter(|value| !value::is_undefined(value) && !value::is_null(value)))
    }

    fn text(&mut self, what: &str) -> Result<Option<String>, Failure> {
        self.next()?.map(|value| value::text(&value, what)).transpose()
    }

    fn flag(&mut self, what: &str) -> Result<Option<bool>, Failure> {
        match self.next()? {
            Some(value) => value::flag(&value, what),
            None => Ok(None),
        }
    }

    fn path(&mut self, what: &str) -> Result<Option<PathBuf>, Failure> {
        self.next()?.map(|value| names::path(&value, what)).transpose()
    }

    fn required(&mut self, what: &str) -> Result<String, Failure> {
        let text = self.text(what)?;
        text.ok_or_else(|| Failure::mistyped(what, "a string: it is missing"))
    }

    fn new_session(mut self) -> Result<New, Failure> {
        let session_id = self.required("`sessionId`")?;
        let mut new = New::session(session_id, self.required("`workDir`")?);
        new.agent = self.text("`agent`")?;
        new.agent_version = self.text("`agentVersion`")?;
        new.kind = self.text("`kind`")?;
        new.name = self.text("`name`")?;
        new.entrypoint = self.text("`entrypoint`")?;
        new.status = self.text("`status`")?;
        new.transcript_path = self.text("`transcriptPath`")?;
        new.parent_session_id = self.text("`parentSessionId`")?;
        new.sidecar = self.path("`sidecar`")?;
        new.pid_file = self.flag("`pidFile`")?.unwrap_or(new.pid_file);
        new.keep_sidecar = self.flag("`keepSidecar`")?.unwrap_or(new.keep_sidecar);
        if let Some(pid) = self.next()? {
            new.pid = Some(value::pid(value::number(&pid, "`pid`")?, "`pid`")?);
        }
        let mut terminal = Terminal::default();
        terminal.multiplexer = self.text("`terminal.multiplexer`")?;
        terminal.session = self.text("`terminal.session`")?;
        terminal.pane = self.text("`terminal.pane`")?;
        if let Some(extra) = self.text("`terminal.extraJson`")? {
            terminal.extra = Extra::from_json(extra)?;
        }
        new.terminal = Some(terminal).filter(|terminal| *terminal != Terminal::default());
        if let Some(extra) = self.text("`extra`")? {
            new.extra = Extra::from_json(extra)?;
        }
        Ok(new)
    }
}

fn register_work(of: &Unknown<'_>, arguments: &Array<'_>) -> Result<Work, Failure> {
    let registry = registry(of)?;
    let new = Arguments { list: arguments, next: 0 }.new_session()?;
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
