//! Windows: identities from process handles.

use std::fs::{File, OpenOptions};
use std::io;
use std::process::Child;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use windows_sys::Win32::Foundation::{CloseHandle, FILETIME, HANDLE, MAX_PATH};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
};

use crate::facts::Identity;
use crate::{Refusal, actor};

pub(crate) const PLATFORM: &str = "win32";

/// A `zombie` here has exited, and a handle to it is open.
pub(crate) const KINDS: &[&str] = &["living", "zombie", "gone", "self"];

/// What `GetExitCodeProcess` also says of a process that runs.
const STILL_ACTIVE: i32 = 259;

/// 1601-01-01 to 1970-01-01, in seconds.
const EPOCH: u64 = 11_644_473_600;

#[expect(clippy::unnecessary_wraps, reason = "others have one, and reading it can fail")]
pub(crate) fn boot_id() -> io::Result<Option<String>> {
    Ok(None)
}

pub(crate) fn hostname() -> io::Result<String> {
    let mut buffer = [0; MAX_PATH as usize];
    let mut length = MAX_PATH;
    // SAFETY: the buffer has the length that is said.
    let done = unsafe {
        GetComputerNameExW(ComputerNamePhysicalDnsHostname, buffer.as_mut_ptr(), &raw mut length)
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(String::from_utf16_lossy(&buffer[..length as usize]))
}

pub(crate) fn identity(pid: u32) -> io::Result<Identity> {
    // SAFETY: takes plain numbers.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    let created = creation_time(handle);
    // SAFETY: opened above, closed once.
    unsafe { CloseHandle(handle) };
    let created = created?;
    Ok(Identity {
        ticks: created.to_string(),
        started_at: (created / 10_000_000).saturating_sub(EPOCH),
        pid_inode: None,
        pid_ns: None,
        time_ns: None,
        uid: None,
    })
}

fn creation_time(process: HANDLE) -> io::Result<u64> {
    let zero = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    let mut times = [zero; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open, each pointer is to a structure of its own.
    if unsafe { GetProcessTimes(process, created, exited, kernel, user) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(times[0].dwHighDateTime) << 32 | u64::from(times[0].dwLowDateTime))
}

#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(crate) fn prepare(_role: &str) -> io::Result<()> {
    Ok(())
}

/// No kind of this system needs one.
pub(crate) fn second_thread() -> u32 {
    std::process::id()
}

pub(crate) fn perform(role: &str) {
    if role == "zombie" {
        std::process::exit(STILL_ACTIVE);
    }
    actor::wait_for_line();
}

/// The child's handle stays open in `Child`.
pub(crate) fn settle(_kind: &str, child: &mut Child) -> io::Result<()> {
    child.wait().map(drop)
}

/// A process that has exited is there as long as anybody has a handle to it: the system's own
/// services close theirs a moment later.
pub(crate) fn wait_until_free(pid: u32) -> Result<(), Refusal> {
    for _ in 0..500 {
        if identity(pid).is_err() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(Refusal::Skip("somebody keeps a handle to what has exited".to_owned()))
}

/// Opens a file, made if there is none, and takes the lock that keeps others from taking it.
pub(crate) fn lock(path: &str) -> Result<File, Refusal> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.try_lock().map_err(io::Error::from)?;
    Ok(file)
}

/// Nothing here can choose a pid.
pub(crate) struct Successor;

pub(crate) fn reuse(_late: bool) -> Result<(Value, Successor), Refusal> {
    Err(Refusal::Skip("nobody can choose a pid".to_owned()))
}

pub(crate) fn occupy(_pid: u32) -> Result<Successor, Refusal> {
    Err(Refusal::Skip("nobody can choose a pid".to_owned()))
}
