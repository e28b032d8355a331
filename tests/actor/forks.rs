//! Forked children of processes that use the library, without an exec in between.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};
use serde_json::{Value, json};
use sessionreg::{Record, liveness};

use crate::once::{line, say};
use crate::pattern;

/// How long a child may take that has one record to write.
const PATIENCE: Duration = Duration::from_secs(20);

/// Uses everything that could be remembered, forks, and has parent and child each write a record,
/// say what they are, and judge the other.
pub(crate) fn child_of_a_user(folder: &str) {
    let parent = used(folder, "parent.json");
    let child = fork(|| {
        let own = used(folder, "child.json");
        sessionreg::write(Path::new(folder).join("child.json"), &own).expect("a written record");
        say(of_child(&own, &parent));
        // It is looked at from outside while it lives.
        line();
    });
    assert!(wait(child), "the child did not end");
}

/// The same in a child whose pid is ours, 1, in a namespace of its own.
pub(crate) fn child_with_our_pid(folder: &str) {
    assert_eq!(std::process::id(), 1, "the first process of a namespace");
    // SAFETY: changes where the next child goes and nothing of ours.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0, "a new PID namespace");
    child_of_a_user(folder);
}

/// A record of this process after it was written and judged.
fn used(folder: &str, name: &str) -> Record {
    let record = Record::new("session", "/");
    sessionreg::write(Path::new(folder).join(name), &record).expect("a written record");
    liveness(&record);
    record
}

fn of_child(own: &Record, parent: &Record) -> Value {
    let identity = |record: &Record| {
        json!({
            "pid": record.pid,
            "proc_start": record.identity.proc_start,
            "pid_inode": record.identity.pid_inode,
            "pid_ns": record.identity.pid_ns,
        })
    };
    json!({
        "child": identity(own),
        "parent": identity(parent),
        "of_itself": liveness(own).reason.as_str(),
        "of_its_parent": liveness(parent).reason.as_str(),
    })
}

/// Eight threads write without a pause, and each forks again and again; every child writes too.
pub(crate) fn among_writers(folder: &str, rounds: u64) {
    let hung: u64 = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|number| scope.spawn(move || one_of_many(folder, number, rounds))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread that ends")).sum()
    });
    say(json!({ "children": 8 * rounds, "hung_or_failed": hung }));
}

fn one_of_many(folder: &str, number: u64, rounds: u64) -> u64 {
    let path = Path::new(folder).join(format!("{number}.json"));
    let write = |revision| insist_on_writing(&path, revision);
    let mut hung = 0;
    for round in 0..rounds {
        write(round);
        let child = fork(|| write(round));
        write(round);
        hung += u64::from(!wait(child));
    }
    hung
}

/// Eight threads write without a pause while children are made that stay, with all that they
/// inherited; then one more record is written.
pub(crate) fn that_stay(folder: &str, children: u64) {
    let path = |number| Path::new(folder).join(format!("{number}.json"));
    let stop = AtomicBool::new(false);
    let children: Vec<Pid> = thread::scope(|scope| {
        for number in 0..8 {
            let (path, stop) = (path(number), &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    insist_on_writing(&path, number);
                }
            });
        }
        let stay = || loop {
            thread::park();
        };
        let children = (0..children)
            .map(|_| {
                thread::sleep(Duration::from_millis(2));
                fork(stay)
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        children
    });
    let result = sessionreg::write(path(0), &pattern::record(1));
    let code = result.err().map(|error| error.code().as_str());
    for child in &children {
        let _ = rustix::process::kill_process(*child, Signal::KILL);
        let _ = rustix::process::waitpid(Some(*child), WaitOptions::empty());
    }
    say(json!({ "children": children.len(), "refused": code }));
}

/// A lock that was not had in time is an answer; to wait for it without end is none.
fn insist_on_writing(path: &Path, revision: u64) {
    while let Err(error) = sessionreg::write(path, &pattern::record(revision)) {
        assert_eq!(error.code(), sessionreg::ErrorCode::Busy, "{error}");
    }
}

/// Forks; the child does one thing and is gone without ending what its parent began.
fn fork(child: impl FnOnce()) -> Pid {
    // SAFETY: the child uses the library, the allocator and the standard streams, all of which are
    // made to go on after a fork: that they do is what is tested.
    match unsafe { libc::fork() } {
        0 => {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            // SAFETY: ends the process, now.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
        pid => Pid::from_raw(pid).expect("a child"),
    }
}

/// Whether a child that does this ends well and in time.
pub(crate) fn does_well(child: impl FnOnce()) -> bool {
    wait(fork(child))
}

/// Whether the child ended well in time; one that did not is killed.
fn wait(child: Pid) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match rustix::process::waitpid(Some(child), WaitOptions::NOHANG).expect("a child") {
            Some((_, status)) => return status.exit_status() == Some(0),
            None => thread::sleep(Duration::from_micros(200)),
        }
    }
    let _ = rustix::process::kill_process(child, Signal::KILL);
    let _ = rustix::process::waitpid(Some(child), WaitOptions::empty());
    false
}
