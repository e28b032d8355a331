//! The Node addon: converts between JavaScript and the core, and decides nothing.
//!
//! Only `index.cjs` and its modules call it; the surface for users is theirs. A record is a handle
//! here (an external value), so that it keeps its origin on every way through JavaScript.

// In a test build napi registers no export, and so nothing uses them.
#![cfg_attr(test, allow(dead_code))]
// Values borrow from the environment: it goes by reference wherever they do.
#![allow(clippy::trivially_copy_pass_by_ref)]
// An export takes its arguments as Node-API gives them.
#![allow(clippy::needless_pass_by_value)]

mod arguments;
mod entries;
mod external;
mod failure;
mod files;
mod give;
mod job;
mod judge;
mod monitor;
mod names;
mod port;
mod record;
mod registry;
mod session;
mod snapshot;
mod value;
mod watcher;

mod channel;
mod lease;
mod news;
mod restoring;
mod subscription;
mod table;

use napi_derive::napi;

/// The version of this binary; the JavaScript around it must be of the same.
#[napi(catch_unwind)]
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
