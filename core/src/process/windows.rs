//! Windows: a handle names one process for as long as it is open.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;
use std::rc::Rc;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, FILETIME, GetLastError, INVALID_HANDLE_VALUE,
    WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW,
};
use windows_sys::Win32::System::Threading::{
    GetProcessId, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SYNCHRONIZE, WaitForSingleObject,
};
use windows_sys::w;

pub(crate) use super::unlisted::{LockTable, ProcessTable};

use super::{Facts, Host, Lineage, Probe, Want, hash_machine_id};

pub(crate) const PLATFORM: &str = "win32";

pub(crate) const HAS_PID_NAMESPACES: bool = false;

/// There are no time namespaces here, so none is ever compared with it.
pub(crate) const INITIAL_TIME_NS: u64 = 0;

/// Nor PID namespaces.
pub(crate) const INITIAL_PID_NS: u64 = 0;

thread_local! {
    static HOST: OnceCell<Rc<Host>> = const { OnceCell::new() };
}

/// The host; a Windows process is neither forked nor restored, so it is read once per thread.
pub(crate) fn host() -> Rc<Host> {
    HOST.try_with(|host| Rc::clone(host.get_or_init(|| Rc::new(read_host()))))
        // At the end of a thread nothing can be remembered any more.
        .unwrap_or_else(|_| Rc::new(read_host()))
}

/// What is remembered stays true.
pub(super) fn forget_host() {}

/// Windows names no boot. It needs none: a creation time of 100 ns grain is not met again after a
/// restart, so the machine is all that has to be told apart.
pub(super) fn boot() -> Option<String> {
    host_key()
}

fn host_key() -> Option<String> {
    machine_guid().map(|guid| hash_machine_id(guid.as_bytes()))
}

pub(super) fn read_host() -> Host {
    let own = match probe(std::process::id(), Want { start: true, user: false }) {
        Probe::There(facts) => facts.start,
        _ => None,
    };
    Host {
        boot: boot(),
        host_key: host_key(),
        pid_ns: None,
        time_ns: None,
        start: own,
        pidfs: false,
        wsl: false,
    }
}

/// Windows has no such number.
pub(super) fn own_inode(_: &Host) -> Option<u64> {
    None
}

/// The computer's DNS name, as `gethostname` and Node's `os.hostname()` give it.
pub(crate) fn hostname() -> String {
    let mut name = [0_u16; 256];
    let mut length = 256_u32;
    // SAFETY: the buffer has `length` units.
    let done = unsafe {
        GetComputerNameExW(ComputerNamePhysicalDnsHostname, name.as_mut_ptr(), &raw mut length)
    };
    if done == 0 {
        return std::env::var("COMPUTERNAME").unwrap_or_default();
    }
    let units = usize::try_from(length).unwrap_or(0).min(name.len());
    OsString::from_wide(&name[..units]).to_string_lossy().into_owned()
}

/// There is no fork.
pub(crate) fn generation() -> u64 {
    0
}

/// The digits of a FILETIME are what Claude Code writes.
pub(super) fn bare_start(start: &str) -> Cow<'_, str> {
    start.into()
}

/// The parent of a process; `None` where there is none, or it cannot be told.
pub(crate) fn parent_of(pid: u32) -> Option<Lineage> {
    let start = match probe(pid, Want { start: true, user: false }) {
        Probe::There(facts) => facts.start?,
        _ => return None,
    };
    // SAFETY: the call makes a handle, ours to close, or says -1.
    let snapshot = unsafe {
        let handle = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
        if handle == INVALID_HANDLE_VALUE {
            return None;
        }
        OwnedHandle::from_raw_handle(handle)
    };
    let mut entry = PROCESSENTRY32W {
        dwSize: u32::try_from(size_of::<PROCESSENTRY32W>()).ok()?,
        // SAFETY: the rest are numbers, for which zero is a value.
        ..unsafe { std::mem::zeroed() }
    };
    // SAFETY: the handle is open, and the entry says how large it is.
    let mut more = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        if entry.th32ProcessID == pid {
            return Some(Lineage { parent: entry.th32ParentProcessID, start });
        }
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
    }
    None
}

/// Asks for a process; `pid` is in `1..=MAX_PID`.
pub(crate) fn probe(pid: u32, want: Want) -> Probe {
    let process = match open(pid) {
        Ok(process) => process,
        // What it answers for a pid that nobody has.
        Err(ERROR_INVALID_PARAMETER) => return Probe::Gone,
        Err(ERROR_ACCESS_DENIED) => return Probe::There(Facts::default()),
        Err(_) => return Probe::Unsupported,
    };
    // SAFETY: the handle is open; these calls only read.
    let (opened, wait) = unsafe {
        (GetProcessId(process.as_raw_handle()), WaitForSingleObject(process.as_raw_handle(), 0))
    };
    match opened {
        // It does not say.
        0 => return Probe::Unsupported,
        // The two low bits of a pid are ignored when it is opened.
        _ if opened != pid => return Probe::Gone,
        _ => {}
    }
    // Not by the exit code: 259, which means "still running", is a legal one.
    if wait == WAIT_OBJECT_0 {
        return Probe::Zombie;
    }
    let start = if want.start { creation_time(&process) } else { None };
    Probe::There(Facts { inode: None, start, users: None })
}

/// When a process that started at `start`, in 100 ns since 1601, did so in seconds since 1970.
pub(crate) fn epoch_of(start: u64) -> f64 {
    const UNIX_EPOCH: u64 = 116_444_736_000_000_000;
    #[allow(clippy::cast_precision_loss)] // To the microsecond.
    let ticks = start.saturating_sub(UNIX_EPOCH) as f64;
    ticks / 1e7
}

fn open(pid: u32) -> Result<OwnedHandle, u32> {
    let access = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE;
    // SAFETY: no pointers go in; a handle that is not null is ours to close.
    unsafe {
        let handle = OpenProcess(access, 0, pid);
        if handle.is_null() {
            Err(GetLastError())
        } else {
            Ok(OwnedHandle::from_raw_handle(handle))
        }
    }
}

fn creation_time(process: &OwnedHandle) -> Option<u64> {
    let mut times = [FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 }; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open, and the four structures are ours.
    let done = unsafe { GetProcessTimes(process.as_raw_handle(), created, exited, kernel, user) };
    (done != 0).then(|| u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// `MachineGuid`, made when Windows was installed.
fn machine_guid() -> Option<String> {
    let mut text = [0_u16; 64];
    let mut bytes = u32::try_from(size_of_val(&text)).ok()?;
    // SAFETY: both names end in NUL, and at most `bytes` bytes are written.
    let status = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            w!("SOFTWARE\\Microsoft\\Cryptography"),
            w!("MachineGuid"),
            RRF_RT_REG_SZ,
            ptr::null_mut(),
            text.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    if status != 0 {
        return None;
    }
    let text = text.split(|&unit| unit == 0).next()?;
    Some(String::from_utf16_lossy(text)).filter(|text| !text.is_empty())
}
