//! Loading or resuming a persisted session, once.
//!
//! A daemon gets concurrent requests to bring back one session. [`RestoreTable`] lets exactly one
//! restore run for it; requests of the same kind share its outcome, a request of the other kind is
//! refused at once, and whoever comes later is attached to the live session.
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use sessionreg::restore::{Action, RestoreOptions, RestoreTable};
//!
//! let table = RestoreTable::new(RestoreOptions::default());
//! let lease = table.restore(Action::Load, "s1", Path::new("/srv/project"), |context| {
//!     table.publish(context.session_id(), Arc::new("a line of its history"))?;
//!     Ok(Arc::new("what every caller gets"))
//! })?;
//! assert!(!lease.is_attached());
//! assert_eq!(lease.state().downcast_ref(), Some(&"what every caller gets"));
//! lease.release();
//! # Ok::<(), sessionreg::restore::Failure>(())
//! ```
//!
//! # Event loops
//!
//! [`RestoreTable::begin`] never waits. What it gives has a blocking form and one for callbacks:
//! [`Waiting::wait`] and [`Waiting::on_settled`], [`Closing::wait`] and [`Closing::on_settled`],
//! [`Subscription::next`] and [`Subscription::on_ready`]. A callback is called once, on the thread
//! that settles the matter, or at once if it is settled already, and never under a lock of the
//! table: it may call the table. A callback that panics harms nobody else, and is not told of.
//!
//! The table has no threads. Whoever blocks minds the time himself; an event loop sets a timer of its
//! own for [`Waiting::deadline`], and calls [`Share::time_out`] when it fires.
//!
//! # Leaking
//!
//! A session stays live until its last lease is released, or it is ended. Dropping a lease releases
//! it, but for [`Lease::without_release_on_drop`].

mod across;
mod after;
mod channel;
mod failure;
mod lease;
mod once;
mod options;
mod ring;
mod run;
mod signal;
mod state;
mod status;
mod subscription;
mod sync;
mod table;
mod waiting;

/// What a table needs of threads, kept apart so that a model checker can take its place.
mod primitives {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(super) use std::thread;
}

pub use across::canonical;
pub use channel::Channel;
pub use failure::{Failure, Opaque};
pub use lease::{EndReason, Lease};
pub use options::RestoreOptions;
pub use ring::{Event, EventId};
pub use run::{Context, Restoring, Run};
pub use status::{Action, Stage, Status};
pub use subscription::Subscription;
pub use table::{Begun, Closing, RestoreTable};
pub use waiting::{Settled, Share, Waiting};
