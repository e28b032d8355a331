//! Promises: each is held by a test that fails when it breaks, with the naive way as its control
//! where one makes sense.
//!
//! With `SESSIONREG_STRESS=1` in the environment the long runs have their full counts.

mod json_texts;
mod terminals;

#[cfg(target_os = "linux")]
mod actor;
#[cfg(target_os = "linux")]
mod bounds;
#[cfg(target_os = "linux")]
mod claims;
#[cfg(target_os = "linux")]
mod dialects;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod forks;
#[cfg(target_os = "linux")]
mod histories;
#[cfg(target_os = "linux")]
mod kills;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
mod modes;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod owners;
#[cfg(target_os = "linux")]
#[path = "../actor/pattern.rs"]
mod pattern;
#[cfg(target_os = "linux")]
mod pictures;
#[cfg(target_os = "linux")]
mod pids;
#[cfg(target_os = "linux")]
mod power;
#[cfg(target_os = "linux")]
mod sessions;
#[cfg(target_os = "linux")]
mod snapshots;
#[cfg(target_os = "linux")]
mod states;
#[cfg(target_os = "linux")]
mod successors;
#[cfg(target_os = "linux")]
mod sweeps;
#[cfg(target_os = "linux")]
mod system;
#[cfg(target_os = "linux")]
mod tidying;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod watches;
