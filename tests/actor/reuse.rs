//! Forces the kernel to give a pid to another process.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use serde_json::json;
use sessionreg::{Record, liveness};

use crate::once::say;

/// Makes a process, ends it, gives its pid to another one after a pause, and judges the record of
/// the former: with its inode, by its ticks alone, and with nothing but the pid.
pub(crate) fn rounds(rounds: u64, pause_ms: u64) {
    let mut verdicts: [BTreeMap<&str, u64>; 3] = Default::default();
    let (mut equal_ticks, mut done) = (0_u64, 0);
    while done < rounds {
        let former = Sleeper::start(None).expect("a process");
        let record = Record::of_process(former.id(), "session", "/").expect("its record");
        let pid = former.0;
        drop(former);
        std::thread::sleep(Duration::from_millis(pause_ms));
        let successor = match Sleeper::start(Some(pid)) {
            Ok(successor) => successor,
            // Somebody else had it first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => panic!("cannot choose a pid: {error}"),
        };
        let now = Record::of_process(successor.id(), "session", "/").expect("its record");
        equal_ticks += u64::from(now.identity.proc_start == record.identity.proc_start);
        let mut ticks_only = record.clone();
        ticks_only.identity.pid_inode = None;
        let plain = Record::plain(record.pid, "session", "/");
        for (record, verdicts) in [record, ticks_only, plain].iter().zip(&mut verdicts) {
            *verdicts.entry(liveness(record).reason.as_str()).or_default() += 1;
        }
        done += 1;
    }
    let [inode, ticks, plain] = verdicts;
    say(json!({ "inode": inode, "ticks": ticks, "plain": plain, "equal_ticks": equal_ticks }));
}

/// A forked process that sleeps until it is dropped.
struct Sleeper(Pid);

impl Sleeper {
    fn start(pid: Option<Pid>) -> io::Result<Self> {
        let wanted: [libc::pid_t; 1] = [pid.map_or(0, Pid::as_raw_pid)];
        // SAFETY: all fields are integers, for which zero is a value.
        let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
        request.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
        if pid.is_some() {
            request.set_tid = wanted.as_ptr().addr() as u64;
            request.set_tid_size = 1;
        }
        // SAFETY: without CLONE_VM this is a fork of a process with one thread; the structures
        // outlive the call.
        let result = unsafe {
            libc::syscall(libc::SYS_clone3, &raw const request, size_of::<libc::clone_args>())
        };
        match result {
            -1 => Err(io::Error::last_os_error()),
            0 => loop {
                // SAFETY: touches nothing.
                unsafe { libc::pause() };
            },
            child => {
                let child = i32::try_from(child).ok().and_then(Pid::from_raw);
                Ok(Self(child.ok_or(io::ErrorKind::InvalidData)?))
            }
        }
    }

    fn id(&self) -> u32 {
        self.0.as_raw_pid().cast_unsigned()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // Our child, and nobody else reaps it: the pid is its own until the wait.
        let _ = rustix::process::kill_process(self.0, Signal::KILL);
        let _ = rustix::process::waitpid(Some(self.0), WaitOptions::empty());
    }
}
