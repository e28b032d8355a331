//! macOS: identities from libproc.

use std::io;
use std::process::Child;

use rustix::process::WaitIdOptions;
use serde_json::Value;

use crate::facts::Identity;
use crate::{Refusal, unix};

pub(crate) use crate::unix::{lock, wait_until_free};

pub(crate) const PLATFORM: &str = "darwin";

pub(crate) const KINDS: &[&str] = &["living", "stopped", "zombie", "gone", "other_user", "self"];

pub(crate) fn boot_id() -> io::Result<Option<String>> {
    let mut buffer = [0_u8; 64];
    let mut length = buffer.len();
    // SAFETY: the name is NUL-terminated, the buffer has the length that is said.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let text = buffer[..length].split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(text).into_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(crate) fn hostname() -> io::Result<String> {
    Ok(unix::hostname())
}

pub(crate) fn identity(pid: u32) -> io::Result<Identity> {
    // SAFETY: integers and arrays of them, for which zero is a value.
    let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).map_err(io::Error::other)?;
    // SAFETY: the buffer is the structure that this flavour fills, with its size.
    let filled = unsafe {
        libc::proc_pidinfo(
            pid.cast_signed(),
            libc::PROC_PIDTBSDINFO,
            0,
            (&raw mut info).cast(),
            size,
        )
    };
    if filled != size {
        return Err(io::Error::last_os_error());
    }
    Ok(Identity {
        ticks: (info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec).to_string(),
        started_at: info.pbi_start_tvsec,
        pid_inode: None,
        pid_ns: None,
        time_ns: None,
        uid: Some(info.pbi_uid),
    })
}

pub(crate) fn prepare(role: &str) -> io::Result<()> {
    unix::prepare(role)
}

/// No kind of this system needs one.
pub(crate) fn second_thread() -> u32 {
    std::process::id()
}

pub(crate) fn perform(role: &str) {
    if role == "stopped" {
        unix::stop();
    }
}

pub(crate) fn settle(kind: &str, child: &Child) -> io::Result<()> {
    let what = if kind == "stopped" { WaitIdOptions::STOPPED } else { WaitIdOptions::EXITED };
    unix::wait_for(child, what)
}

/// Nothing here can choose a pid.
pub(crate) struct Successor;

pub(crate) fn reuse(_late: bool) -> Result<(Value, Successor), Refusal> {
    Err(Refusal::Skip("nobody can choose a pid".to_owned()))
}

pub(crate) fn occupy(_pid: u32) -> Result<Successor, Refusal> {
    Err(Refusal::Skip("nobody can choose a pid".to_owned()))
}
