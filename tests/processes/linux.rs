//! Linux: identities from /proc and pidfds, and every kind of process.

use std::fs;
use std::io::{self, Error, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitIdOptions, WaitOptions};
use serde_json::Value;

use crate::actor;
use crate::facts::{self, Identity};
use crate::{Refusal, unix};

pub(crate) use crate::unix::{lock, wait_until_free};

pub(crate) const PLATFORM: &str = "linux";

pub(crate) const KINDS: &[&str] = &[
    "living",
    "stopped",
    "zombie",
    "gone",
    "thread_id",
    "dead_leader",
    "reused",
    "reused_late",
    "other_user",
    "self",
];

/// The magic number of pidfs, where the inode of a pidfd is that of one process for ever.
const PIDFS: u64 = 0x5049_4446;

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn boot_id() -> io::Result<Option<String>> {
    Ok(Some(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(crate) fn hostname() -> io::Result<String> {
    Ok(unix::hostname())
}

pub(crate) fn identity(id: u32) -> io::Result<Identity> {
    let ticks = stat_field(id, 22)?;
    let seconds =
        ticks.parse::<u64>().map_err(Error::other)? / rustix::param::clock_ticks_per_second();
    Ok(Identity {
        started_at: boot_time()? + seconds,
        ticks,
        pid_inode: pid_inode(id)?,
        pid_ns: fs::metadata(format!("/proc/{id}/ns/pid")).ok().map(|ns| ns.ino()),
        time_ns: fs::metadata(format!("/proc/{id}/ns/time")).ok().map(|ns| ns.ino()),
        uid: effective_user(id)?,
    })
}

/// A field of `/proc/<id>/stat`, numbered as in proc(5), from the third on.
fn stat_field(id: u32, number: usize) -> io::Result<String> {
    let stat = fs::read(format!("/proc/{id}/stat"))?;
    // The second field, the name, may hold anything, also spaces and parentheses.
    let name_end = stat.iter().rposition(|&byte| byte == b')');
    let rest = stat.get(name_end.map_or(usize::MAX, |end| end + 1)..).unwrap_or_default();
    let mut fields = rest.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let field = fields.nth(number - 3).map(|field| String::from_utf8_lossy(field).into_owned());
    field.ok_or_else(|| ErrorKind::InvalidData.into())
}

/// When the system booted, in seconds since the Unix epoch.
fn boot_time() -> io::Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok());
    seconds.ok_or_else(|| ErrorKind::InvalidData.into())
}

fn effective_user(id: u32) -> io::Result<Option<u32>> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    Ok(line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()))
}

/// `None` for a thread, and where pidfds have no inodes of their own.
fn pid_inode(id: u32) -> io::Result<Option<u64>> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(ErrorKind::InvalidInput)?;
    let Ok(pidfd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return Ok(None) };
    let magic = u64::try_from(rustix::fs::fstatfs(&pidfd)?.f_type).unwrap_or_default();
    Ok(if magic == PIDFS { Some(rustix::fs::fstat(&pidfd)?.st_ino) } else { None })
}

pub(crate) fn prepare(role: &str) -> io::Result<()> {
    unix::prepare(role)?;
    // After a change of user, which would undo it: a stopped actor cannot see its input end.
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Starts a thread that lives as long as the process, and gives its id.
pub(crate) fn second_thread() -> u32 {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(rustix::thread::gettid().as_raw_pid());
        loop {
            thread::park();
        }
    });
    receiver.recv().ok().and_then(|id| id.try_into().ok()).unwrap_or_default()
}

pub(crate) fn perform(role: &str) {
    match role {
        "stopped" => unix::stop(),
        "dead_leader" => {
            thread::spawn(|| {
                actor::wait_for_line();
                std::process::exit(0);
            });
            // SAFETY: ends this thread alone. Nothing on its stack is used by the other one.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        }
        _ => {}
    }
}

/// Waits until the actor has done what its kind says.
pub(crate) fn settle(kind: &str, child: &Child) -> io::Result<()> {
    match kind {
        "stopped" => unix::wait_for(child, WaitIdOptions::STOPPED),
        "zombie" => unix::wait_for(child, WaitIdOptions::EXITED),
        // waitid speaks of whole processes only.
        _ => until(|| Ok(stat_field(child.id(), 3)? == "Z")),
    }
}

fn until(condition: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    let start = Instant::now();
    while !condition()? {
        if start.elapsed() > PATIENCE {
            return Err(ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A forked process that sleeps until it is dropped.
pub(crate) struct Successor(Pid);

impl Drop for Successor {
    fn drop(&mut self) {
        // It is our child and nobody else reaps it: the pid is its own until the wait.
        let _ = rustix::process::kill_process(self.0, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.0), WaitOptions::empty());
    }
}

/// The facts of a process that is gone, and the one that has its pid now: with equal start ticks,
/// or, if `late`, with others.
pub(crate) fn reuse(late: bool) -> Result<(Value, Successor), Refusal> {
    // Another process may get the pid in between, and a clock tick may fall there.
    for _ in 0..200 {
        let former = sleeper(None).map_err(|error| cannot_choose(&error))?;
        let facts = facts::process(former.0.as_raw_pid().cast_unsigned())?;
        let pid = former.0;
        drop(former);
        if late {
            thread::sleep(Duration::from_millis(25));
        }
        match sleeper(Some(pid)) {
            Ok(successor) => {
                let ticks = stat_field(pid.as_raw_pid().cast_unsigned(), 22)?;
                if (facts["ticks"] == ticks) != late {
                    return Ok((facts, successor));
                }
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(cannot_choose(&error)),
        }
    }
    Err(Refusal::Failed("could not get the same pid again".to_owned()))
}

/// A process that sleeps under this very pid.
pub(crate) fn occupy(pid: u32) -> Result<Successor, Refusal> {
    let wanted = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(ErrorKind::InvalidInput);
    let wanted = wanted.map_err(io::Error::from)?;
    sleeper(Some(wanted)).map_err(|error| cannot_choose(&error))
}

fn cannot_choose(error: &Error) -> Refusal {
    Refusal::Skip(format!("cannot choose the pid of a process: {error}"))
}

/// Forks a process that sleeps, with this very pid if one is given.
fn sleeper(pid: Option<Pid>) -> io::Result<Successor> {
    let wanted: [libc::pid_t; 1] = [pid.map_or(0, Pid::as_raw_pid)];
    // SAFETY: all fields are integers, for which zero is a value.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    if pid.is_some() {
        request.set_tid = wanted.as_ptr().addr() as u64;
        request.set_tid_size = 1;
    }
    // SAFETY: without CLONE_VM this is a fork. This program has one thread, so the child's copy of
    // its memory is whole; the structures outlive the call.
    let result = unsafe {
        libc::syscall(libc::SYS_clone3, &raw const request, size_of::<libc::clone_args>())
    };
    match result {
        -1 => Err(Error::last_os_error()),
        0 => sleep_for_ever(),
        child => {
            let child = i32::try_from(child).ok().and_then(Pid::from_raw);
            Ok(Successor(child.ok_or(ErrorKind::InvalidData)?))
        }
    }
}

/// The forked process: it keeps no descriptor of the helper's, and does not outlive it.
fn sleep_for_ever() -> ! {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // SAFETY: plain system calls; nothing in this process uses a descriptor after it.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0);
        loop {
            libc::pause();
        }
    }
}
