//! Which agent sessions run on this machine: session records written atomically, read strictly,
//! and judged honestly.
#![doc = include_str!("../README.md")]

mod error;
mod fs;
mod liveness;
mod monitor;
mod parallel;
pub mod paths;
mod process;
mod record;
mod registry;
pub mod restore;
mod session;
mod session_id;
mod sidecar;
mod snapshot;
mod sources;
mod temp_name;
mod usage;

pub use error::{Details, Error, ErrorCode, Holder, Result};
pub use fs::WriteOptions;
pub use liveness::{Reason, State, Verdict, liveness, liveness_all};
pub use monitor::{
    Batch, CleanUpOptions, CleanedUp, Monitor, MonitorOptions, Polled, Tidied, Watch,
};
pub use process::Identity;
// For the bindings, which keep things of their own for a process; nobody else is promised it.
#[doc(hidden)]
pub use process::Incarnation;
pub use record::{Dialect, Extra, Patch, Record, Terminal};
pub use registry::{Claim, Entry, Registry, Removed, Scan, Skipped, SweepOptions, Swept};
pub use restore::{RestoreOptions, RestoreTable};
pub use session::{By, New, OnError, Session, Ticket};
pub use session_id::SessionId;
pub use sidecar::{clear, clear_if, load, read, write, write_with};
pub use snapshot::{AgentSession, Snapshot, Transcript, snapshot};
pub use sources::Sources;
pub use usage::ContextUsage;

/// The examples of the cookbook, which are run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cookbook.md")]
struct Cookbook;
