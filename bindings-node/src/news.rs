//! What happens in a restore table, on its way to JavaScript.
//!
//! A value of JavaScript's never leaves its thread: the core holds the key under which the face has
//! it. What the core calls leaves a note here, and the face asks for the notes after each call.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use sessionreg::restore;

use crate::failure::{Failure, answer};
use crate::lease::{self, HeldLease};
use crate::restoring;
use crate::table::table;
use crate::{give, value};

/// What the face has not been told yet.
#[derive(Default)]
pub(crate) struct News(Mutex<Untold>);

#[derive(Default)]
struct Untold {
    happened: Vec<(Token, What)>,
    freed: Vec<u64>,
}

/// What happened to the one that a token stands for.
pub(crate) enum What {
    /// Nothing more is to be said of it.
    Called,
    Lease(HeldLease),
    Owner(restore::Restoring),
    Failed(restore::Failure),
}

/// The key of a value of JavaScript's. When the core lets go of it, so does the face.
pub(crate) struct Token {
    key: u64,
    // What is not told yet holds tokens, which must not keep it.
    news: Weak<News>,
}

impl News {
    fn lock(&self) -> MutexGuard<'_, Untold> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    pub(crate) fn of(key: &Unknown<'_>, news: &Arc<News>) -> Result<Self, Failure> {
        let key = value::integer(value::number(key, "the key")?, "the key")?;
        Ok(Self { key, news: Arc::downgrade(news) })
    }

    /// Leaves a note.
    pub(crate) fn tell(self, what: What) {
        if let Some(news) = self.news.upgrade() {
            news.lock().happened.push((self, what));
        }
    }

    pub(crate) fn to_js<'env>(&self, env: &'env Env) -> Result<Unknown<'env>, Failure> {
        give::key(env, self.key)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(news) = self.news.upgrade() {
            news.lock().freed.push(self.key);
        }
    }
}

/// The key behind what the core was given to pass on.
pub(crate) fn passed<'env>(
    env: &'env Env,
    opaque: &restore::Opaque,
) -> Result<Unknown<'env>, Failure> {
    let token: Option<&Token> = opaque.downcast_ref();
    token.ok_or_else(|| Failure::defect("the core passed on what it was not given"))?.to_js(env)
}

/// An error of this library's, and null; or null, and the key of what the caller's function threw.
pub(crate) fn failure<'env>(
    env: &'env Env,
    failure: &restore::Failure,
) -> Result<[Unknown<'env>; 2], Failure> {
    Ok(match failure {
        restore::Failure::Error(error) => {
            [Failure::of(error).build(env).map_err(Failure::of_napi)?, give::null(env)?]
        }
        restore::Failure::Caller(thrown) => [give::null(env)?, passed(env, thrown)?],
    })
}

fn to_js(env: &Env, token: Token, what: What) -> Result<Unknown<'_>, Failure> {
    let mut parts = vec![token.to_js(env)?];
    match what {
        What::Called => {}
        What::Lease(held) => {
            parts.push(give::text(env, "lease")?);
            parts.extend(lease::parts(env, held)?);
        }
        What::Owner(restoring) => {
            parts.push(give::text(env, "owner")?);
            parts.extend(restoring::parts(env, restoring, token)?);
        }
        What::Failed(failed) => {
            parts.push(give::text(env, "failed")?);
            parts.extend(failure(env, &failed)?);
        }
    }
    give::list(env, parts)
}

/// What has happened since the last time, in order: lists of a key and what happened to its value;
/// then the keys of values that the core has let go of. Null for nothing.
#[napi(catch_unwind)]
pub(crate) fn restore_news<'env>(env: &'env Env, of: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let news = Arc::clone(&table(&of)?.news);
        let happened = mem::take(&mut news.lock().happened);
        let mut told = Vec::with_capacity(happened.len());
        for (token, what) in happened {
            told.push(to_js(env, token, what)?);
        }
        // Only now: what was told may have held the last of some values.
        let freed = mem::take(&mut news.lock().freed);
        if told.is_empty() && freed.is_empty() {
            return give::null(env);
        }
        let keys = freed.into_iter().map(|key| give::key(env, key));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        give::list(env, vec![give::list(env, told)?, give::list(env, keys)?])
    })
}
