//! Restore tables: the core's, with Python's functions, states, events and exceptions.
//!
//! A call that waits does so without the interpreter, and in parts on the main thread, which hears
//! Ctrl-C in between. What an event loop needs is in `RestoreTable._begin` and the two classes that
//! it gives, `_Run` and `_Share`; `sessionreg._loops` makes coroutines of them.

mod callback;
mod caller;
mod channel;
mod context;
mod event;
mod failure;
mod interrupt;
mod lease;
mod loops;
mod own;
mod run;
mod share;
mod signal;
mod status;
mod subscription;
mod table;
mod value;

pub(crate) use channel::Channel;
pub(crate) use context::RestoreContext;
pub(crate) use event::SessionEvent;
pub(crate) use lease::Lease;
pub(crate) use status::RestoreStatus;
pub(crate) use subscription::Subscription;
pub(crate) use table::RestoreTable;
