//! # Events of a session
//!
//! What is published to a session is numbered and kept for a while: whoever subscribes may begin
//! with the event after the last one that it has seen.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use sessionreg::restore::{Event, Subscription};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{given, id_text, milliseconds, optional_text, shared};
use crate::lease::sessionreg_end_reason;
use crate::own::Owned;
use crate::restore::sessionreg_restore_table;
use crate::status::sessionreg_status;
use crate::text::{Terminated, sessionreg_text};
use crate::words::{self, Word, word};

/// One who follows the events of a session. One thread at a time may use or free it.
pub struct sessionreg_subscription {
    subscription: Owned<Subscription>,
}

/// What a subscriber gets. It never changes: threads may look at one at the same time.
pub struct sessionreg_event {
    kind: sessionreg_event_kind,
    id: Option<Terminated>,
    number: i64,
    data: Option<Arc<Terminated>>,
    missed: i64,
    reason: sessionreg_end_reason,
}

/// Threads share events, and hand subscriptions over.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    const fn is_handed_over<T: Send>() {}
    is_shared::<sessionreg_event>();
    is_handed_over::<sessionreg_subscription>();
};

/// What an event says.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_event_kind {
    /// None: of NULL.
    SESSIONREG_EVENT_NONE = 0,
    /// Something was published.
    SESSIONREG_EVENT_PUBLISHED = 1,
    /// What the subscriber named as its last event is of another life of the session: what follows
    /// is all that is kept of this one.
    SESSIONREG_EVENT_NEW_EPOCH = 2,
    /// Events which would come here are not kept any more.
    SESSIONREG_EVENT_GAP = 3,
    /// The last event: more than 256 waited for the subscriber, which may subscribe anew.
    SESSIONREG_EVENT_EVICTED = 4,
    /// The last event: the session is not live any more.
    SESSIONREG_EVENT_ENDED = 5,
}

static KIND_WORDS: [Word; 6] = [
    word(""),
    word("published"),
    word(Event::NewEpoch.kind()),
    word(Event::Gap { missed: 0 }.kind()),
    word(Event::Evicted.kind()),
    word("ended"),
];

impl From<Event> for sessionreg_event {
    fn from(event: Event) -> Self {
        use sessionreg_event_kind as k;
        let mut made = Self {
            kind: k::SESSIONREG_EVENT_NONE,
            id: None,
            number: -1,
            data: None,
            missed: -1,
            reason: sessionreg_end_reason::SESSIONREG_END_REASON_NONE,
        };
        match event {
            Event::Published { id, data } => {
                made.kind = k::SESSIONREG_EVENT_PUBLISHED;
                made.id = Some(Terminated::new(id.to_string().as_bytes()));
                made.number = signed(id.number());
                made.data = data.downcast().ok();
            }
            Event::NewEpoch => made.kind = k::SESSIONREG_EVENT_NEW_EPOCH,
            Event::Gap { missed } => {
                made.kind = k::SESSIONREG_EVENT_GAP;
                made.missed = signed(missed);
            }
            Event::Evicted => made.kind = k::SESSIONREG_EVENT_EVICTED,
            Event::Ended(reason) => {
                made.kind = k::SESSIONREG_EVENT_ENDED;
                made.reason = Some(reason).into();
            }
            _ => {}
        }
        made
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word for a kind of event, the same in every language, such as `gap`. NULL for
/// `SESSIONREG_EVENT_NONE` and for a number that is no kind. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_kind_string(kind: u32) -> *const c_char {
    guard::value(ptr::null(), || words::find(&KIND_WORDS, kind))
}

/// Follows the events of a live session: from now on if `last_event_id` is NULL, else from the event
/// after that one. It is the text of an event's id, or its number alone; `0` is before the first.
///
/// `SESSIONREG_STATUS_NOT_FOUND` if there is no such live session,
/// `SESSIONREG_STATUS_SUBSCRIBER_LIMIT` if it has 64 subscribers, `SESSIONREG_STATUS_INVALID_INPUT`
/// for what is no id of an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_restore_subscribe(
    table: *mut sessionreg_restore_table,
    session_id: *const c_char,
    last_event_id: *const c_char,
    subscription: Option<&mut MaybeUninit<Box<sessionreg_subscription>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (table, id, last) = unsafe {
            (
                shared(table, "table")?.get()?,
                id_text(session_id, "session_id")?,
                optional_text(last_event_id, "last_event_id")?,
            )
        };
        let out = given(subscription, "subscription")?;
        let subscription = Owned::new(table.subscribe(id, last)?);
        out.write(Box::new(sessionreg_subscription { subscription }));
        Ok(())
    })
}

/// Gives the next event, for the caller to free; waits for it for `timeout_ms` milliseconds at most,
/// 0 only looks, -1 waits without end. NULL if there was none in time, or the subscriber has had its
/// last one, as `sessionreg_subscription_over` says.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_subscription_next(
    subscription: Option<&mut sessionreg_subscription>,
    timeout_ms: i64,
    event: Option<&mut MaybeUninit<Option<Box<sessionreg_event>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let subscription = given(subscription, "subscription")?.subscription.get_mut()?;
        let event = given(event, "event")?;
        let next =
            subscription.next(milliseconds(timeout_ms, "timeout_ms")?.unwrap_or(Duration::MAX));
        event.write(next.map(|next| Box::new(next.into())));
        Ok(())
    })
}

/// Whether the subscriber has had its last event.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_subscription_over(
    subscription: Option<&sessionreg_subscription>,
) -> bool {
    guard::value(false, || {
        let subscription = subscription.and_then(|handle| handle.subscription.peek());
        subscription.is_some_and(Subscription::is_over)
    })
}

/// Unsubscribes, and frees the subscription. An unattached session that is to end ends with its last
/// subscriber. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_subscription_free(subscription: Option<Box<sessionreg_subscription>>) {
    guard::value((), || drop(subscription));
}

/// What the event says.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_kind_of(
    event: Option<&sessionreg_event>,
) -> sessionreg_event_kind {
    const NONE: sessionreg_event_kind = sessionreg_event_kind::SESSIONREG_EVENT_NONE;
    guard::value(NONE, || event.map_or(NONE, |event| event.kind))
}

/// Where it stands, `<epoch>-<number>`: of `SESSIONREG_EVENT_PUBLISHED`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_id(event: Option<&sessionreg_event>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        let id = event.and_then(|event| event.id.as_ref());
        id.map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// Its number, of which the first in an epoch is 1: of `SESSIONREG_EVENT_PUBLISHED`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_number(event: Option<&sessionreg_event>) -> i64 {
    guard::value(-1, || event.map_or(-1, |event| event.number))
}

/// What was published, any bytes: of `SESSIONREG_EVENT_PUBLISHED`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_data(event: Option<&sessionreg_event>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        let data = event.and_then(|event| event.data.as_deref());
        data.map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// How many events are not kept any more: of `SESSIONREG_EVENT_GAP`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_missed(event: Option<&sessionreg_event>) -> i64 {
    guard::value(-1, || event.map_or(-1, |event| event.missed))
}

/// Why the session has ended: of `SESSIONREG_EVENT_ENDED`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_end_reason(
    event: Option<&sessionreg_event>,
) -> sessionreg_end_reason {
    const NONE: sessionreg_end_reason = sessionreg_end_reason::SESSIONREG_END_REASON_NONE;
    guard::value(NONE, || event.map_or(NONE, |event| event.reason))
}

/// Frees an event. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_event_free(event: Option<Box<sessionreg_event>>) {
    guard::value((), || drop(event));
}
