//! What Linux and macOS have in common.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Child;

use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::Refusal;

/// The user `nobody` of most systems.
const OTHER_USER: libc::uid_t = 65534;

/// Done by an actor before it is ready.
pub(crate) fn prepare(role: &str) -> io::Result<()> {
    if role == "other_user" { become_other_user() } else { Ok(()) }
}

fn become_other_user() -> io::Result<()> {
    // SAFETY: these take plain numbers, and a null list of length 0.
    let results = unsafe {
        [libc::setgroups(0, std::ptr::null()), libc::setgid(OTHER_USER), libc::setuid(OTHER_USER)]
    };
    if results == [0; 3] { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Stops the calling process until somebody continues it.
pub(crate) fn stop() {
    // Fails only for a signal number that does not exist.
    let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
}

/// Waits until the child has stopped or exited, and leaves it to be reaped.
pub(crate) fn wait_for(child: &Child, what: WaitIdOptions) -> io::Result<()> {
    let pid = Pid::from_child(child);
    rustix::process::waitid(WaitId::Pid(pid), what | WaitIdOptions::NOWAIT)?;
    Ok(())
}

/// A pid is free when its process is reaped.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may never be")]
pub(crate) fn wait_until_free(_pid: u32) -> Result<(), Refusal> {
    Ok(())
}

/// The name of the host.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Opens a file, made if there is none, and takes the lock of fcntl(2) on it.
pub(crate) fn lock(path: &str) -> Result<File, Refusal> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(io::Error::from)?;
    Ok(file)
}
