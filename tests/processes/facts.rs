//! What a record of a process, or of this host, would hold.

use std::io;

use serde_json::{Value, json};

use crate::os;

/// The identity of one process, as the operating system gives it.
pub(crate) struct Identity {
    /// Start time in the system's own unit: clock ticks, microseconds, FILETIME.
    pub(crate) ticks: String,
    /// Whole seconds since the Unix epoch.
    pub(crate) started_at: u64,
    /// Inode of a pidfd, where those are unique.
    pub(crate) pid_inode: Option<u64>,
    /// Inode of the PID namespace.
    pub(crate) pid_ns: Option<u64>,
    /// Inode of the time namespace.
    pub(crate) time_ns: Option<u64>,
    /// The effective user.
    pub(crate) uid: Option<u32>,
}

/// The facts of this host.
pub(crate) fn host() -> io::Result<Value> {
    let own = os::identity(std::process::id())?;
    let boot_id = os::boot_id()?;
    let first = |boot: &String| -> String {
        boot.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
    };
    Ok(json!({
        "platform": os::PLATFORM,
        "boot_8": boot_id.as_ref().map(first),
        "boot_id": boot_id,
        "hostname": os::hostname()?,
        "pid_ns": own.pid_ns,
        "time_ns": own.time_ns,
        "pidfs": own.pid_inode.is_some(),
        "uid": own.uid,
    }))
}

/// The facts of a process that is there.
pub(crate) fn process(pid: u32) -> io::Result<Value> {
    let identity = os::identity(pid)?;
    let boot_id = os::boot_id()?;
    // Where the system has no boot id, the library's key of the host stands before the colon. Only
    // the runner knows it.
    let epoch = boot_id.as_deref().unwrap_or("${host_key}");
    Ok(json!({
        "pid": pid,
        "proc_start": format!("{epoch}:{}", identity.ticks),
        "ticks": identity.ticks,
        "boot_id": boot_id,
        "pid_inode": identity.pid_inode.map(|inode| inode.to_string()),
        "pid_ns": identity.pid_ns,
        "time_ns": identity.time_ns,
        "uid": identity.uid,
        "started_at": identity.started_at,
        "hostname": os::hostname()?,
    }))
}
