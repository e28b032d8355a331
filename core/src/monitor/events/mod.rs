//! How the system tells of changes: files, and processes that exit.
//!
//! One face: where nobody tells, all is polled.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as sys;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod polling;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use polling as sys;

#[cfg(unix)]
pub(super) use sys::Readiness;
pub(super) use sys::{Bell, Events};
