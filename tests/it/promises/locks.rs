//! A process that is stopped while it holds the folder's lock.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use sessionreg::{Error, ErrorCode};

use super::actor::{Running, actor};
use super::pattern;
use super::system::names_in;

/// The promised deadline.
const DEADLINE: Duration = Duration::from_millis(300);

fn wait_until_stopped(child: &Child) {
    let what = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(child)), what).expect("a child that stops");
}

/// The shortest of a few tries: what takes longer on a busy machine is not the library's doing.
fn refused_as_busy<T: std::fmt::Debug>(path: &Path, action: impl Fn() -> Result<T, Error>) {
    let mut times = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let error = action().expect_err("the folder is locked");
        times.push(start.elapsed());
        assert_eq!(error.code(), ErrorCode::Busy, "{error}");
        assert_eq!(error.path(), Some(path), "{error}");
    }
    let shortest = times.iter().min().copied().unwrap_or_default();
    println!("busy after {shortest:?}");
    assert!(shortest <= DEADLINE, "{times:?}");
}

#[test]
fn a_stopped_holder_of_the_lock_blocks_no_writer_for_long_and_no_reader_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let record = pattern::record(1);
    sessionreg::write(&path, &record).expect("a written record");
    let before = fs::read(&path).expect("its text");

    let holder = Running::start(actor(&["hold-lock", folder.path().to_str().expect("text")]));
    wait_until_stopped(holder.child());
    refused_as_busy(&path, || sessionreg::write(&path, &pattern::record(2)));
    refused_as_busy(&path, || sessionreg::clear(&path));
    refused_as_busy(&path, || sessionreg::clear_if(&path, &record));
    assert_eq!(fs::read(&path).expect("the old text"), before);
    assert_eq!(names_in(folder.path()), ["session.runtime.json"]);

    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(sessionreg::load(&path).expect("the old record"), record);
    }
    // If they waited as writers do, this would take four minutes.
    let elapsed = start.elapsed();
    println!("1000 reads in {elapsed:?}");
    assert!(elapsed < 100 * DEADLINE, "{elapsed:?}");

    kill_process(Pid::from_child(holder.child()), Signal::CONT).expect("to go on");
    holder.finish();
    sessionreg::write(&path, &pattern::record(3)).expect("the lock is free");
}

#[test]
fn a_killed_holder_of_the_lock_blocks_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    for round in 1..=100 {
        let holder = Running::start(actor(&["hold-lock", folder.path().to_str().expect("text")]));
        holder.kill();
        sessionreg::write(&path, &pattern::record(round)).expect("the lock is free");
    }
}
