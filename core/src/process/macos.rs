//! macOS: `sysctl` tells of zombies and set-uid processes too, where `proc_pidinfo` does not.
//!
//! Type-checked for every change, but not run by the project's own tests.

use std::borrow::Cow;
use std::mem::size_of;
use std::ptr;
use std::rc::Rc;

pub(crate) use super::unlisted::{LockTable, ProcessTable};

use super::{Facts, Host, Lineage, Probe, Want, hash_machine_id};

pub(crate) const PLATFORM: &str = "darwin";

pub(crate) const HAS_PID_NAMESPACES: bool = false;

/// There are no time namespaces here, so none is ever compared with it.
pub(crate) const INITIAL_TIME_NS: u64 = 0;

/// Nor PID namespaces.
pub(crate) const INITIAL_PID_NS: u64 = 0;

/// The host; nothing of it is worth remembering.
pub(crate) fn host() -> Rc<Host> {
    Rc::new(read_host())
}

/// Nothing is remembered.
pub(super) fn forget_host() {}

pub(super) fn read_host() -> Host {
    Host {
        boot: boot(),
        host_key: host_uuid().map(|uuid| hash_machine_id(&uuid)),
        pid_ns: None,
        time_ns: None,
        start: Process::of(std::process::id()).ok().flatten().map(|process| process.start),
        pidfs: false,
        wsl: false,
    }
}

/// macOS has no such number.
pub(super) fn own_inode(_: &Host) -> Option<u64> {
    None
}

/// The host's name as `uname` gives it.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Asks for a process; `pid` is in `1..=MAX_PID`.
pub(crate) fn probe(pid: u32, _: Want) -> Probe {
    match Process::of(pid) {
        Err(()) => Probe::Unsupported,
        Ok(None) => Probe::Gone,
        Ok(Some(process)) if process.is_zombie => Probe::Zombie,
        Ok(Some(process)) => Probe::There(Facts {
            inode: None,
            start: Some(process.start),
            users: Some([process.real_user, process.user]),
        }),
    }
}

/// A start is in microseconds since the epoch already.
pub(crate) fn epoch_of(start: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // Exact for 285 years.
    let micros = start as f64;
    micros / 1e6
}

/// A process keeps its pid, and nothing tells a forked child but that its own is another.
pub(crate) fn generation() -> u64 {
    u64::from(std::process::id())
}

/// The parent of a process; `None` where there is none, or it cannot be told.
pub(crate) fn parent_of(pid: u32) -> Option<Lineage> {
    let process = Process::of(pid).ok()??;
    Some(Lineage { parent: process.parent, start: process.start })
}

/// `ps -o lstart` in UTC, which is what Claude Code writes: `Sat Nov 21 05:05:34 2026`.
pub(super) fn bare_start(start: &str) -> Cow<'_, str> {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = || {
        let seconds: libc::time_t = (start.parse::<u64>().ok()? / 1_000_000).try_into().ok()?;
        // SAFETY: all zeros are a `tm`; the call reads one number and writes one structure.
        let (time, done) = unsafe {
            let mut time: libc::tm = std::mem::zeroed();
            let done = libc::gmtime_r(&raw const seconds, &raw mut time);
            (time, !done.is_null())
        };
        let day = DAYS.get(usize::try_from(time.tm_wday).ok()?).filter(|_| done)?;
        let month = MONTHS.get(usize::try_from(time.tm_mon).ok()?)?;
        let libc::tm { tm_mday, tm_hour, tm_min, tm_sec, tm_year, .. } = time;
        let year = tm_year + 1900;
        Some(format!("{day} {month} {tm_mday:2} {tm_hour:02}:{tm_min:02}:{tm_sec:02} {year}"))
    };
    text().map_or_else(|| start.into(), Cow::Owned)
}

/// What is needed of `struct kinfo_proc`, sys/sysctl.h.
struct Process {
    start: u64,
    parent: u32,
    is_zombie: bool,
    real_user: u32,
    user: u32,
}

/// `struct kinfo_proc` of a 64-bit process; the `libc` crate does not declare it.
const KINFO_PROC_BYTES: usize = 648;
/// `kp_proc.p_starttime`: seconds (8 bytes, little-endian), then microseconds (4 bytes).
const START_SECONDS: usize = 0;
const START_MICROS: usize = 8;
/// `kp_proc.p_stat`.
const STAT: usize = 36;
/// `kp_proc.p_pid`.
const PID: usize = 40;
/// `kp_eproc.e_pcred.p_ruid`.
const REAL_USER: usize = 392;
/// `kp_eproc.e_ucred.cr_uid`.
const USER: usize = 420;
/// `kp_eproc.e_ppid`.
const PARENT: usize = 560;
/// `SZOMB` of sys/proc.h.
const ZOMBIE: u8 = 5;

impl Process {
    /// `Err`: the system does not say.
    fn of(pid: u32) -> Result<Option<Self>, ()> {
        let wanted = i32::try_from(pid).map_err(|_| ())?;
        let mut name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, wanted];
        let mut bytes = [0_u8; KINFO_PROC_BYTES];
        let mut length = bytes.len();
        // SAFETY: the name has four parts, and the kernel writes at most `length` bytes.
        let status = unsafe {
            libc::sysctl(
                name.as_mut_ptr(),
                4,
                bytes.as_mut_ptr().cast(),
                &raw mut length,
                ptr::null_mut(),
                0,
            )
        };
        if status != 0 {
            return Err(());
        }
        // For a pid without a process it succeeds and writes nothing.
        if length < KINFO_PROC_BYTES || word(&bytes, PID) != pid {
            return Ok(None);
        }
        let seconds = u64::from(word(&bytes, START_SECONDS))
            | u64::from(word(&bytes, START_SECONDS + 4)) << 32;
        Ok(Some(Self {
            start: seconds * 1_000_000 + u64::from(word(&bytes, START_MICROS)),
            parent: word(&bytes, PARENT),
            is_zombie: bytes[STAT] == ZOMBIE,
            real_user: word(&bytes, REAL_USER),
            user: word(&bytes, USER),
        }))
    }
}

fn word(bytes: &[u8; KINFO_PROC_BYTES], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// `kern.bootsessionuuid`: new at every boot.
pub(super) fn boot() -> Option<String> {
    let mut bytes = [0_u8; 64];
    let mut length = bytes.len();
    // SAFETY: the name ends in NUL, and the kernel writes at most `length` bytes.
    let status = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            bytes.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    if status != 0 {
        return None;
    }
    let text = bytes.get(..length)?.split(|&byte| byte == 0).next()?;
    String::from_utf8(text.to_vec()).ok().filter(|text| !text.is_empty())
}

/// The machine's own UUID.
fn host_uuid() -> Option<[u8; 16]> {
    let mut uuid = [0_u8; size_of::<libc::uuid_t>()];
    let wait = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: `uuid` has the 16 bytes that are written.
    (unsafe { libc::gethostuuid(uuid.as_mut_ptr(), &raw const wait) } == 0).then_some(uuid)
}
