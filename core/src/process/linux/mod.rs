//! Linux: pidfds first, so that everything read belongs to one process; `/proc` where they are not
//! to be had.
//!
//! What the calls say of zombies, threads, hidden and foreign processes is in `docs/liveness.md`.

mod fork;
mod locks;
mod table;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::read_link;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, test_kill_process};
use rustix::time::Timespec;

pub(crate) use fork::generation;
pub(crate) use locks::LockTable;
pub(crate) use table::ProcessTable;

use super::{Facts, Host, Lineage, Probe, Want, host_key_of};

pub(crate) const PLATFORM: &str = "linux";

/// A pid alone does not say in which namespace it is meant.
pub(crate) const HAS_PID_NAMESPACES: bool = true;

/// `PROC_TIME_INIT_INO` of `linux/proc_ns.h`: the time namespace in which nothing is shifted.
pub(crate) const INITIAL_TIME_NS: u64 = 0xEFFF_FFFA;

/// `PROC_PID_INIT_INO` of `linux/proc_ns.h`: the namespace that every process is shown in.
pub(crate) const INITIAL_PID_NS: u64 = 0xEFFF_FFFC;

/// `f_type` of pidfs, linux/magic.h.
const PIDFS_MAGIC: u64 = 0x5049_4446;

thread_local! {
    /// Per thread, so that no fork can happen while another thread holds a lock on it.
    static HOST: RefCell<Option<(u64, Rc<Host>)>> = const { RefCell::new(None) };
}

/// The host, read once per thread and again after a fork.
pub(crate) fn host() -> Rc<Host> {
    let generation = fork::generation();
    let remembered = HOST.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        match &*slot {
            Some((known, host)) if *known == generation => Rc::clone(host),
            _ => {
                let host = Rc::new(read_host());
                *slot = Some((generation, Rc::clone(&host)));
                host
            }
        }
    });
    // At the end of a thread, as in a handler of `atexit`, nothing can be remembered any more.
    remembered.unwrap_or_else(|_| Rc::new(read_host()))
}

pub(super) fn forget_host() {
    // What is no more needs not be forgotten.
    let _ = HOST.try_with(|slot| slot.replace(None));
}

/// The id of the boot, read now.
pub(super) fn boot() -> Option<String> {
    let id = text("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Some(id).filter(|id| !id.is_empty())
}

/// The key of this host, from machine-id(5).
fn host_key() -> Option<String> {
    let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    files.into_iter().find_map(|path| host_key_of(&text(path)?))
}

fn text(path: &str) -> Option<String> {
    String::from_utf8(read_small(path)?).ok()
}

pub(super) fn read_host() -> Host {
    let release = rustix::system::uname();
    Host {
        boot: boot(),
        host_key: host_key(),
        pid_ns: inode_of("/proc/self/ns/pid"),
        time_ns: inode_of("/proc/self/ns/time"),
        start: Stat::read("/proc/self/stat").map(|stat| stat.start),
        pidfs: is_pidfs(),
        wsl: release
            .release()
            .to_bytes()
            .to_ascii_lowercase()
            .windows(9)
            .any(|w| w == b"microsoft"),
    }
}

pub(super) fn own_inode(host: &Host) -> Option<u64> {
    let fd = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()).ok()?;
    inode(host, &fd)
}

/// The host's name as `uname` gives it.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Asks for a process; `pid` is in `1..=MAX_PID`.
pub(crate) fn probe(pid: u32, want: Want) -> Probe {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Probe::Gone;
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => probe_pidfd(pid, &fd, want),
        // Besides no process: a thread id, by which of the two depends on the kernel.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => Probe::Gone,
        // Linux before 5.3, or a sandbox that does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => probe_without_pidfd(pid),
        // Out of descriptors or memory: only absence can still be told.
        Err(_) => match test_kill_process(pid) {
            Err(Errno::SRCH) => Probe::Gone,
            _ => Probe::Unsupported,
        },
    }
}

fn probe_pidfd(pid: Pid, fd: &OwnedFd, want: Want) -> Probe {
    let facts = Facts {
        inode: inode(&host(), fd),
        start: if want.start { start_of(pid) } else { None },
        users: if want.user { users(fd, pid) } else { None },
    };
    // Last: a process that has not exited by now had this pid while the rest was read.
    if has_exited(fd) { Probe::Zombie } else { Probe::There(facts) }
}

fn inode(host: &Host, fd: &OwnedFd) -> Option<u64> {
    if !host.pidfs {
        return None;
    }
    rustix::fs::fstat(fd).ok().map(|stat| stat.st_ino)
}

fn has_exited(fd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match rustix::event::poll(&mut fds, Some(&at_once)) {
            Err(Errno::INTR) => {}
            other => return other.is_ok_and(|ready| ready > 0),
        }
    }
}

/// `kill` takes zombies and thread ids for processes; `/proc` tells them apart, where it can be
/// read and is that of our namespace.
fn probe_without_pidfd(pid: Pid) -> Probe {
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return Probe::Gone;
    }
    if !proc_is_ours() {
        return Probe::Unsupported;
    }
    let (Some(stat), Some(status)) = (Stat::of(pid), Status::of(pid)) else {
        // Gone meanwhile, or hidden from us (hidepid): then nothing more can be known.
        return match test_kill_process(pid) {
            Err(Errno::SRCH) => Probe::Gone,
            _ => Probe::There(Facts::default()),
        };
    };
    if status.process != pid.as_raw_nonzero().get() {
        return Probe::Gone;
    }
    if stat.has_exited() {
        return Probe::Zombie;
    }
    // All of it, wanted or not: whoever counted on the inode has nothing else to compare.
    Probe::There(Facts { inode: None, start: Some(stat.start), users: status.users })
}

/// The start of a process in clock ticks since boot.
fn start_of(pid: Pid) -> Option<u64> {
    if !proc_is_ours() {
        return None;
    }
    Stat::of(pid).map(|stat| stat.start)
}

/// Ticks alone are what Claude Code writes.
pub(super) fn bare_start(start: &str) -> Cow<'_, str> {
    start.into()
}

/// The parent of a process; `None` where there is none, or it cannot be told.
pub(crate) fn parent_of(pid: u32) -> Option<Lineage> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    let stat = if proc_is_ours() { Stat::of(pid)? } else { return None };
    Some(Lineage { parent: stat.parent, start: stat.start })
}

/// A `/proc` of another PID namespace, as a `chroot` or an `unshare` may leave behind, shows other
/// processes under our numbers.
fn proc_is_ours() -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().to_string();
    read_link("/proc/self").is_ok_and(|target| target.as_os_str() == own.as_str())
}

/// When a process that started at `start` did so, in seconds since the epoch, by today's clock.
pub(crate) fn epoch_of(start: u64) -> f64 {
    use rustix::time::{ClockId, clock_gettime};
    let seconds = |id| {
        let time = clock_gettime(id);
        #[allow(clippy::cast_precision_loss)] // 2^53 s is longer than there is time.
        let whole = time.tv_sec as f64;
        whole + f64::from(u32::try_from(time.tv_nsec).unwrap_or(0)) / 1e9
    };
    #[allow(clippy::cast_precision_loss)]
    let since_boot = start as f64 / rustix::param::clock_ticks_per_second() as f64;
    seconds(ClockId::Realtime) - seconds(ClockId::Boottime) + since_boot
}

fn is_pidfs() -> bool {
    let Ok(fd) = pidfd_open(rustix::process::getpid(), PidfdFlags::empty()) else {
        return false;
    };
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)] // Its type varies with the machine.
    rustix::fs::fstatfs(&fd).is_ok_and(|fs| (fs.f_type as u64) & 0xFFFF_FFFF == PIDFS_MAGIC)
}

fn inode_of(path: &str) -> Option<u64> {
    rustix::fs::stat(path).ok().map(|stat| stat.st_ino)
}

/// Real and effective user of a process: asked of the pidfd (Linux 6.13), else of `/proc`.
fn users(fd: &OwnedFd, pid: Pid) -> Option<[u32; 2]> {
    users_of_pidfd(fd).or_else(|| if proc_is_ours() { Status::of(pid)?.users } else { None })
}

fn users_of_pidfd(fd: &OwnedFd) -> Option<[u32; 2]> {
    /// `struct pidfd_info` of linux/pidfd.h, its first published size.
    #[repr(C)]
    #[derive(Default)]
    struct PidfdInfo {
        mask: u64,
        cgroup: u64,
        pid: u32,
        tgid: u32,
        ppid: u32,
        ruid: u32,
        rgid: u32,
        euid: u32,
        egid: u32,
        suid: u32,
        sgid: u32,
        fsuid: u32,
        fsgid: u32,
        exit_code: i32,
    }
    const CREDENTIALS: u64 = 1 << 1;
    const GET_INFO: rustix::ioctl::Opcode =
        rustix::ioctl::opcode::read_write::<PidfdInfo>(0xFF, 11);

    let mut info = PidfdInfo { mask: CREDENTIALS, ..PidfdInfo::default() };
    // SAFETY: the kernel takes the size of the structure from the request and writes no more.
    let asked = unsafe {
        rustix::ioctl::ioctl(fd, rustix::ioctl::Updater::<GET_INFO, PidfdInfo>::new(&mut info))
    };
    (asked.is_ok() && info.mask & CREDENTIALS != 0).then_some([info.ruid, info.euid])
}

/// What is needed of proc(5) `/proc/<pid>/stat`.
struct Stat {
    state: u8,
    parent: u32,
    terminal: u32,
    threads: u64,
    start: u64,
}

impl Stat {
    fn of(pid: Pid) -> Option<Self> {
        Self::read(&format!("/proc/{}/stat", pid.as_raw_nonzero()))
    }

    fn read(path: &str) -> Option<Self> {
        Self::parse(&read_small(path)?)
    }

    /// The command's name, in parentheses, may hold anything, so fields are counted from the last
    /// `)`: state is the third, the parent the fourth, threads the 20th, start the 22nd.
    fn parse(text: &[u8]) -> Option<Self> {
        let name_end = text.iter().rposition(|&byte| byte == b')')?;
        let mut fields = text.get(name_end + 2..)?.split(|&byte| byte == b' ');
        let state = *fields.next()?.first()?;
        let parent = number(fields.next()?)?;
        // A device number that the kernel prints with a sign.
        let terminal: i32 = number(fields.nth(2)?)?;
        let threads = number(fields.nth(12)?)?;
        let start = number(fields.nth(1)?)?;
        Some(Self { state, parent, terminal: terminal.cast_unsigned(), threads, start })
    }

    /// A leader that exited before its threads reads as a zombie too; its process lives.
    fn has_exited(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x') && self.threads <= 1
    }
}

/// What is needed of proc(5) `/proc/<pid>/status`.
struct Status {
    /// The process that the id belongs to: another one for a thread id.
    process: i32,
    users: Option<[u32; 2]>,
}

impl Status {
    fn of(pid: Pid) -> Option<Self> {
        Self::parse(&read_small(&format!("/proc/{}/status", pid.as_raw_nonzero()))?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let field = |name: &[u8]| {
            text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name))
        };
        let process = number(field(b"Tgid:")?.trim_ascii())?;
        let users = field(b"Uid:").and_then(|line| {
            let mut ids = line.split(u8::is_ascii_whitespace).filter(|id| !id.is_empty());
            Some([number(ids.next()?)?, number(ids.next()?)?])
        });
        Some(Self { process, users })
    }
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Reads a small file of `/proc` or `/etc`, at most 4 KiB of it, in one call.
fn read_small(path: &str) -> Option<Vec<u8>> {
    let file =
        rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Err(Errno::INTR) => {}
            Err(_) => return None,
            Ok(_) => return Some(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process may call itself anything, so what it calls itself must not move the fields.
    #[test]
    fn the_name_of_a_command_cannot_forge_its_start() {
        let tail = b"S 1 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 3 0 4711 1 1 1";
        for name in [&b"sh"[..], b") Z 1 (", b"a b", b"\xFF\n) R", b"1) S 9 9 9"] {
            let text = [b"42 (", name, b") ", tail].concat();
            let stat = Stat::parse(&text).expect("a stat line");
            assert_eq!(
                (stat.state, stat.parent, stat.threads, stat.start),
                (b'S', 1, 3, 4711),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_torn_stat_line_is_no_stat() {
        for text in [&b""[..], b"42 (sh)", b"42 (sh) ", b"42 (sh) S 1 2", b"42 sh S 1"] {
            assert!(Stat::parse(text).is_none(), "{text:?}");
        }
    }
}
