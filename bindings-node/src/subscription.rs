//! Subscriptions to the events of a session.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use sessionreg::restore::{Event, Subscription};

use crate::external::{Kind, Tag};
use crate::failure::{Failure, answer};
use crate::news::What;
use crate::table::table;
use crate::{external, give, news, value};

/// A subscription in the hands of JavaScript; none once it has left.
pub(crate) struct HeldSubscription {
    subscription: Mutex<Option<Subscription>>,
    has_claim: bool,
}

impl Drop for HeldSubscription {
    /// Who was forgotten has left before this; at the end of a thread nobody leaves, for the last
    /// one who does may end a session, and let go of its claim.
    fn drop(&mut self) {
        if self.has_claim {
            let subscription = self.subscription.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::forget(subscription.take());
        }
    }
}

impl Kind for HeldSubscription {
    const TAG: Tag = Tag::of(26);
    const NAME: &'static str = "the subscription";
}

fn with<T>(
    value: &Unknown<'_>,
    work: impl FnOnce(&mut Option<Subscription>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let held: Arc<HeldSubscription> = external::of_js(value)?;
    let mut subscription = held.subscription.lock().unwrap_or_else(PoisonError::into_inner);
    work(&mut subscription)
}

/// See `sessionreg::RestoreTable::subscribe`; `undefined` says that no event was seen.
#[napi(catch_unwind)]
pub(crate) fn restore_subscribe<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    id: Unknown<'_>,
    last_event_id: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let id = value::text(&id, "the session id")?;
        let last_event_id = if value::is_undefined(&last_event_id) {
            None
        } else {
            Some(value::text(&last_event_id, "`lastEventId`")?)
        };
        let table = table(&of)?;
        let subscription = table.core.subscribe(&id, last_event_id.as_deref())?;
        let has_claim = table.takes_claims;
        let subscription = Mutex::new(Some(subscription));
        external::to_js(env, Arc::new(HeldSubscription { subscription, has_claim }))
    })
}

/// The kind of an event, then what it says: id and key of the data, how many were missed, or why
/// the session has ended.
fn event_to_js(env: &Env, event: Event) -> Result<Unknown<'_>, Failure> {
    let mut parts = vec![give::text(env, event.kind())?];
    match event {
        Event::Published { id, data } => {
            parts.push(give::text(env, &id.to_string())?);
            parts.push(news::passed(env, &data)?);
        }
        Event::Gap { missed } => parts.push(give::key(env, missed)?),
        Event::Ended(why) => parts.push(give::text(env, why.as_str())?),
        _ => {}
    }
    give::list(env, parts)
}

/// The next event; true if there is none yet, false if there will be none.
#[napi(catch_unwind)]
pub(crate) fn subscription_next<'env>(
    env: &'env Env,
    of: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        with(&of, |subscription| {
            let Some(subscription) = subscription else { return give::flag(env, false) };
            match subscription.try_next() {
                Some(event) => event_to_js(env, event),
                None => give::flag(env, !subscription.is_over()),
            }
        })
    })
}

/// See `sessionreg::restore::Subscription::on_ready`: what has the key is called.
#[napi(catch_unwind)]
pub(crate) fn subscription_on_ready(
    env: &Env,
    of: Unknown<'_>,
    subscription: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<()> {
    answer(env, || {
        let token = table(&of)?.token(&key)?;
        with(&subscription, |subscription| {
            match subscription {
                Some(subscription) => subscription.on_ready(move || token.tell(What::Called)),
                None => token.tell(What::Called),
            }
            Ok(())
        })
    })
}

/// The subscriber leaves. A second time it does nothing.
#[napi(catch_unwind)]
pub(crate) fn subscription_leave(env: &Env, of: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        let left = with(&of, |subscription| Ok(subscription.take()))?;
        drop(left);
        Ok(())
    })
}
