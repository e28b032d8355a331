//! What the operating system says of processes: identity, existence, and where "here" is.
//!
//! One face; each system has its module. Nothing here decides: `liveness` does.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as sys;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as sys;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as sys;

mod per_process;
#[cfg(any(target_os = "macos", windows))]
mod unlisted;

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", windows)))]
compile_error!("sessionreg knows the processes of Linux, macOS and Windows");

use std::borrow::Cow;
use std::hash::Hasher as _;
use std::rc::Rc;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::error::{Error, ErrorCode, Result};

pub(crate) use per_process::PerProcess;
pub(crate) use sys::{
    HAS_PID_NAMESPACES, INITIAL_PID_NS, INITIAL_TIME_NS, LockTable, PLATFORM, ProcessTable,
    epoch_of, host, hostname, parent_of, probe,
};

/// The largest process id that any system gives out; larger ones never reach a system call.
pub(crate) const MAX_PID: u32 = i32::MAX as u32;

/// What tells a process from every other that had, or will have, its pid.
///
/// Fields are absent where the system has no such thing, and in records of programs that do not
/// write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `<boot>:<start>`. Linux: boot id and start time in clock ticks since boot (field 22 of
    /// proc(5) `/proc/<pid>/stat`). macOS: boot session UUID and start in microseconds since the
    /// epoch. Windows: host key and creation FILETIME. Other programs may write the start alone.
    pub proc_start: Option<String>,
    /// Inode of the process's pidfd: unique in a boot, Linux 6.9 and later.
    pub pid_inode: Option<String>,
    /// Keyed hash of the machine id: equal on one machine, and tells nothing about it.
    pub host_key: Option<String>,
    /// `linux`, `darwin` or `win32`.
    pub platform: Option<String>,
    /// Inode of the PID namespace in which the pid is meant (Linux).
    pub pid_ns: Option<u64>,
    /// Inode of the time namespace in which the start was read (Linux).
    pub time_ns: Option<u64>,
}

/// What does not change for a process while it runs where it runs.
#[derive(Debug)]
pub(crate) struct Host {
    /// Names the boot; on Windows, which has none, the machine.
    pub(crate) boot: Option<String>,
    /// See [`Identity::host_key`].
    pub(crate) host_key: Option<String>,
    pub(crate) pid_ns: Option<u64>,
    pub(crate) time_ns: Option<u64>,
    /// The start of this very process.
    pub(crate) start: Option<u64>,
    /// Whether pidfds carry an inode that is never used twice in a boot.
    pub(crate) pidfs: bool,
    /// Linux under Windows: pids of the other side cannot be asked for.
    pub(crate) wsl: bool,
}

/// What the judgement of a process needs to know beyond whether it is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Want {
    /// When it started.
    pub(crate) start: bool,
    /// Whose it is.
    pub(crate) user: bool,
}

/// What the system says about a pid.
#[derive(Clone, Debug)]
pub(crate) enum Probe {
    /// No process has it. A thread id is no process.
    Gone,
    /// Its process has exited and was not reaped.
    Zombie,
    /// A process has it.
    There(Facts),
    /// The system refuses every way of asking.
    Unsupported,
}

/// What could be read of a process that is there; all of it belongs to one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) inode: Option<u64>,
    pub(crate) start: Option<u64>,
    /// Real and effective user id.
    pub(crate) users: Option<[u32; 2]>,
}

/// The parent of a process, and when the process itself started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lineage {
    pub(crate) parent: u32,
    pub(crate) start: u64,
}

/// What the kernel shows of a file's exclusive flock(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(target_os = "macos", windows), expect(dead_code, reason = "its table is not read"))]
pub(crate) enum Lock {
    HeldBy(u32),
    Free,
}

/// A process as the table of all of them shows it.
#[derive(Clone, Debug)]
pub(crate) struct ProcessInfo {
    pub(crate) pid: u32,
    pub(crate) start: u64,
    pub(crate) user: u32,
    /// Its controlling terminal, such as `pts/3`.
    pub(crate) terminal: Option<String>,
    /// What it calls itself, at most 15 bytes.
    pub(crate) name: String,
    pub(crate) has_exited: bool,
}

/// The identity of the calling process, read now.
pub(crate) fn own_identity() -> Identity {
    let host = sys::read_host();
    let facts = Facts { inode: sys::own_inode(&host), start: host.start, users: None };
    identity_from(&host, &facts)
}

/// The identity of another process, as this one sees it.
///
/// The pid, and so the namespace it is meant in, is the caller's.
pub(crate) fn identity_of(pid: u32) -> Result<Identity> {
    let failed = |code, reason| Error::value(code, "identify", "the process", reason);
    if !(1..=MAX_PID).contains(&pid) {
        return Err(failed(ErrorCode::InvalidInput, format!("{pid} is not a process id")));
    }
    match probe(pid, Want { start: true, user: false }) {
        Probe::There(facts) => Ok(identity_from(&host(), &facts)),
        Probe::Gone | Probe::Zombie => {
            Err(failed(ErrorCode::NotFound, format!("no process has the id {pid}")))
        }
        Probe::Unsupported => Err(failed(
            ErrorCode::Unavailable,
            format!("this system does not let process {pid} be looked at"),
        )),
    }
}

fn identity_from(host: &Host, facts: &Facts) -> Identity {
    Identity {
        proc_start: host
            .boot
            .as_ref()
            .zip(facts.start)
            .map(|(boot, start)| format!("{boot}:{start}")),
        pid_inode: facts.inode.map(|inode| inode.to_string()),
        host_key: host.host_key.clone(),
        platform: Some(PLATFORM.to_owned()),
        pid_ns: host.pid_ns,
        time_ns: host.time_ns,
    }
}

/// The host as it is now, if its boot is not the one that is remembered: a process restored from a
/// checkpoint may find itself in another.
pub(crate) fn moved_to(remembered: &Host) -> Option<Rc<Host>> {
    if sys::boot() == remembered.boot {
        return None;
    }
    sys::forget_host();
    Some(host())
}

/// The key of the host whose machine id this is; `None` for what is no such id.
pub(crate) fn host_key_of(machine_id: &str) -> Option<String> {
    let id = machine_id.trim().to_ascii_lowercase();
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Images for many machines carry `uninitialized`, zeros, or nothing.
    (is_id && id.bytes().any(|byte| byte != b'0')).then(|| hash_machine_id(id.as_bytes()))
}

/// Boot and start of a `proc_start` that has both.
pub(crate) fn split_start(proc_start: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    proc_start.rsplit_once(':').filter(|(boot, start)| !boot.is_empty() && is_number(start))
}

/// The start of a process as programs write it that leave the boot out, from its `proc_start`.
pub(crate) fn bare_start(proc_start: &str) -> Cow<'_, str> {
    match split_start(proc_start) {
        Some((_, start)) => sys::bare_start(start),
        // Another program's, in a form of its own.
        None => proc_start.into(),
    }
}

/// Which process runs on this memory: another one in a forked child.
///
/// By a page that the kernel empties on fork, for a child in another namespace may have our pid; and
/// by the pid, for an emulator of programs may say that it empties such pages, and not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation(u64, u32);

impl Incarnation {
    /// This process. Asks the system for nothing.
    pub fn now() -> Self {
        Self(sys::generation(), std::process::id())
    }

    /// Whether this is still the process, and no forked child of it.
    pub fn is_now(self) -> bool {
        self == Self::now()
    }
}

/// What tells whether this is still the process, and the run of it, that something was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    incarnation: Incarnation,
    inode: Option<u64>,
}

impl Own {
    pub(crate) fn now() -> Self {
        Self { incarnation: Incarnation::now(), inode: sys::own_inode(&host()) }
    }

    /// Not so in a forked child. Asks the system for nothing.
    pub(crate) fn is_this_process(self) -> bool {
        self.incarnation.is_now()
    }

    /// The same memory under another number: the process was restored from a checkpoint, perhaps
    /// on another host. What was remembered of it is forgotten.
    pub(crate) fn was_restored(self) -> bool {
        // Without a free descriptor there is no inode to be had, which says nothing.
        let inode = self.is_this_process().then(|| sys::own_inode(&host())).flatten();
        let restored = inode.is_some() && inode != self.inode;
        if restored {
            sys::forget_host();
        }
        restored
    }
}

/// No process is that far from its ancestors; a limit in case the table changes while it is read.
const MAX_DEPTH: usize = 4096;

/// A process and its ancestors. A parent that is younger than its child is not its parent: the pid
/// went to another process meanwhile.
pub(crate) fn ancestry(pid: u32) -> impl Iterator<Item = u32> {
    let lineage = |pid: u32| {
        (1..=MAX_PID).contains(&pid).then(|| parent_of(pid)).flatten().map(|of| (pid, of))
    };
    let step = move |(_, child): &(u32, Lineage)| {
        lineage(child.parent).filter(|(_, parent)| parent.start <= child.start)
    };
    std::iter::successors(lineage(pid), step).take(MAX_DEPTH).map(|(pid, _)| pid)
}

/// A pseudo-random function of a constant under the machine id as its key: machine-id(5) asks
/// that the id itself be kept from files that travel.
fn hash_machine_id(machine_id: &[u8]) -> String {
    let mut key = SipHasher24::new();
    key.write(machine_id);
    let mut hash = SipHasher24::new_with_key(&key.finish128().as_bytes());
    hash.write(b"sessionreg host key 1");
    format!("{:032x}", hash.finish128().as_u128())
}
