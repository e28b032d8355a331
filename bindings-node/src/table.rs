//! Restore tables: how they are made, and what is asked of all their sessions.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Array, Null, Unknown};
use napi_derive::napi;
use sessionreg::restore::{Opaque, RestoreOptions, RestoreTable, Status, canonical};

use crate::external::{Kind, Tag};
use crate::failure::{Failure, answer};
use crate::news::{News, Token, What};
use crate::registry::registry;
use crate::{external, give, names, value};

/// A table in the hands of JavaScript.
pub(crate) struct Table {
    pub(crate) core: RestoreTable,
    pub(crate) news: Arc<News>,
    is_bound: bool,
    pub(crate) takes_claims: bool,
}

impl Table {
    /// The folder as the core compares it, which is not looked at where there is nothing to compare
    /// it with.
    pub(crate) fn canonical(&self, folder: &Path) -> PathBuf {
        if self.is_bound { canonical(folder) } else { folder.to_owned() }
    }

    pub(crate) fn token(&self, key: &Unknown<'_>) -> Result<Token, Failure> {
        Token::of(key, &self.news)
    }

    pub(crate) fn opaque(&self, key: &Unknown<'_>) -> Result<Opaque, Failure> {
        Ok(Arc::new(self.token(key)?))
    }
}

impl Kind for Table {
    const TAG: Tag = Tag::of(21);
    const NAME: &'static str = "the table";
}

impl Drop for Table {
    /// The finalizer keeps the claims of sessions that are live: only a call lets go of them, and
    /// the end of the process.
    fn drop(&mut self) {
        if self.takes_claims && !self.core.sessions().is_empty() {
            mem::forget(self.core.clone());
        }
    }
}

pub(crate) fn table(value: &Unknown<'_>) -> Result<Arc<Table>, Failure> {
    external::of_js(value)
}

/// How many, by a number that is an integer.
fn count(value: &Unknown<'_>, what: &str) -> Result<usize, Failure> {
    let count = value::integer(value::number(value, what)?, what)?;
    usize::try_from(count).map_err(|_| Failure::out_of_range(what, "is too large"))
}

/// A time in milliseconds; `Infinity` is any time.
fn milliseconds(value: &Unknown<'_>, what: &str) -> Result<Duration, Failure> {
    let milliseconds = value::number(value, what)?;
    if milliseconds == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    Duration::try_from_secs_f64(milliseconds / 1000.0)
        .map_err(|_| Failure::out_of_range(what, "is not a number of milliseconds from 0"))
}

/// Refuses what is no time in milliseconds.
#[napi(catch_unwind)]
pub(crate) fn check_milliseconds(env: &Env, value: Unknown<'_>) -> napi::Result<()> {
    answer(env, || milliseconds(&value, "`timeoutMs`").map(drop))
}

/// See `sessionreg::RestoreTable`; `undefined` says that an option is not given.
#[napi(catch_unwind)]
pub(crate) fn restore_table<'env>(
    env: &'env Env,
    options: Array<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let option = |position| {
            let value: Option<Unknown<'_>> = options.get(position).map_err(Failure::of_napi)?;
            Ok::<_, Failure>(value.filter(|value| !value::is_undefined(value)))
        };
        let mut made = RestoreOptions::default();
        let workspace = option(0)?;
        if let Some(folder) = &workspace {
            let folder = names::path(folder, "`workspace`")?;
            made = made.workspace(canonical(&folder))?;
        }
        if let Some(limit) = option(1)? {
            made = made.limit(count(&limit, "`limit`")?);
        }
        if let Some(timeout) = option(2)? {
            made = made.timeout(milliseconds(&timeout, "`timeoutMs`")?);
        }
        if let Some(capacity) = option(3)? {
            made = made.ring_capacity(count(&capacity, "`ringCapacity`")?);
        }
        let takes_claims = match (option(4)?, option(5)?) {
            (None, None) => false,
            (Some(of), Some(agent)) => {
                made = made.across(registry(&of)?, &value::text(&agent, "`agent`")?)?;
                true
            }
            _ => return Err(Failure::mistyped("a table's `agent`", "there with its `registry`")),
        };
        let (is_bound, news) = (workspace.is_some(), Arc::default());
        let core = RestoreTable::new(made);
        external::to_js(env, Arc::new(Table { core, news, is_bound, takes_claims }))
    })
}

/// Five values: id, action, stage, attachments, subscribers.
fn status_to_js<'env>(env: &'env Env, status: &Status) -> Result<Unknown<'env>, Failure> {
    let parts = vec![
        give::text(env, &status.session_id)?,
        give::text(env, status.action.as_str())?,
        give::text(env, status.stage.as_str())?,
        give::count(env, status.attachments)?,
        give::count(env, status.subscribers)?,
    ];
    give::list(env, parts)
}

/// See `sessionreg::RestoreTable::sessions`.
#[napi(catch_unwind)]
pub(crate) fn restore_sessions<'env>(
    env: &'env Env,
    of: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let sessions = table(&of)?.core.sessions();
        let sessions = sessions.iter().map(|status| status_to_js(env, status));
        give::list(env, sessions.collect::<Result<_, _>>()?)
    })
}

/// The same of one session; null if there is none.
#[napi(catch_unwind)]
pub(crate) fn restore_status<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    id: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let id = value::text(&id, "the session id")?;
        let sessions = table(&of)?.core.sessions();
        match sessions.iter().find(|status| status.session_id == id) {
            Some(status) => status_to_js(env, status),
            None => give::null(env),
        }
    })
}

/// See `sessionreg::RestoreTable::default_target`.
#[napi(catch_unwind)]
pub(crate) fn restore_default_target(
    env: &Env,
    of: Unknown<'_>,
) -> napi::Result<napi::Either<String, Null>> {
    answer(env, || {
        let target = table(&of)?.core.default_target();
        Ok(target.map_or(napi::Either::B(Null), napi::Either::A))
    })
}

/// See `sessionreg::RestoreTable::end` and `end_if_unattached`.
#[napi(catch_unwind)]
pub(crate) fn restore_end(
    env: &Env,
    of: Unknown<'_>,
    id: Unknown<'_>,
    only_if_unattached: Unknown<'_>,
) -> napi::Result<bool> {
    answer(env, || {
        let core = &table(&of)?.core;
        let id = value::text(&id, "the session id")?;
        if value::flag(&only_if_unattached, "`onlyIfUnattached`")?.unwrap_or(false) {
            return Ok(core.end_if_unattached(&id)?);
        }
        core.end(&id)?;
        Ok(true)
    })
}

/// See `sessionreg::RestoreTable::publish`.
#[napi(catch_unwind)]
pub(crate) fn restore_publish<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    id: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let table = table(&of)?;
        let data = table.opaque(&key)?;
        match table.core.publish(&value::text(&id, "the session id")?, data)? {
            Some(event) => give::text(env, &event.to_string()),
            None => give::null(env),
        }
    })
}

/// See `sessionreg::RestoreTable::begin_close`: what has the key is called when it is done.
#[napi(catch_unwind)]
pub(crate) fn restore_close(env: &Env, of: Unknown<'_>, key: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        let table = table(&of)?;
        let token = table.token(&key)?;
        table.core.begin_close().on_settled(move || token.tell(What::Called));
        Ok(())
    })
}
