//! A snapshot or a watch as a process of its own, and processes that hold files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use sessionreg::{Monitor, Sources};

use crate::once;

/// The sources of a folder in which each program has one of its own.
fn sources(folder: &str) -> Sources {
    let home = |name: &str| vec![Path::new(folder).join(name)];
    let mut sources = Sources::none();
    sources.registries = home("reg");
    sources.claude_code = home("claude");
    sources.qwen_code = home("qwen");
    sources.kimi_cli = home("kimi");
    sources.codex = home("codex");
    sources.copilot = home("copilot");
    sources.hooks = home("amc");
    sources
}

/// Takes a snapshot between the marks, with the processes that leave no trace, and says it.
pub(crate) fn snapshot(folder: &str) {
    let mut sources = sources(folder);
    sources.processes = true;
    let snapshot = once::marked(|| sessionreg::snapshot(&sources));
    once::say(snapshot.to_json());
}

/// Watches between the marks until nothing changed for so long; says every batch.
pub(crate) fn idle(folder: &str, millis: u64) {
    let monitor = Monitor::new(sources(folder)).expect("a monitor");
    let first = monitor.wait(None, None).expect("a batch").expect("the full state");
    once::say(first.to_json());
    let quiet = Duration::from_millis(millis);
    let batch = once::marked(|| monitor.wait(Some(&first.cursor), Some(quiet))).expect("a wait");
    assert!(batch.is_none(), "something changed: {batch:?}");
}

/// Holds a file open, and the lock of another if one is named, until its input ends.
pub(crate) fn hold_open(path: &str, lock: Option<&str>) {
    let file = File::options().append(true).open(path).expect("a file");
    let lock = lock.map(|lock| {
        let lock = File::options().write(true).create(true).truncate(false).open(lock);
        let lock = lock.expect("a lock file");
        lock.lock().expect("its lock");
        lock
    });
    once::say("holds");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop((file, lock));
}

/// Takes a snapshot of the processes, and of data folders of hooks, with what multiplexers say.
pub(crate) fn panes(data: &[&str]) {
    let mut sources = Sources::none();
    sources.hooks = data.iter().map(Into::into).collect();
    sources.processes = true;
    sources.multiplexers = true;
    once::say(sessionreg::snapshot(&sources).to_json());
}

/// Records where the turns of hook-fed sessions began; says how many were new.
pub(crate) fn record_turns(data: &str) {
    let mut sources = Sources::none();
    sources.hooks = vec![data.into()];
    let monitor = Monitor::new(sources).expect("a monitor");
    once::say(monitor.record_turn_start().expect("recorded"));
}

fn of_registry(folder: &str) -> Sources {
    let mut sources = Sources::none();
    sources.registries = vec![folder.into()];
    sources
}

/// Opens, uses and closes monitors; says how many, and how many descriptors and threads are left.
pub(crate) fn cycles(folder: &str) {
    let count = |of: &str| std::fs::read_dir(of).expect("/proc").count();
    let cycle = || {
        let monitor = Monitor::new(of_registry(folder)).expect("a monitor");
        let watch = monitor.watch().expect("a watch");
        watch.next(None).expect("a wait").expect("the full state");
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| watch.next(None));
            monitor.close();
            reader.join().expect("a reader").expect_err("closed");
        });
    };
    let threads = count("/proc/self/task");
    cycle();
    let descriptors = count("/proc/self/fd");
    let rounds = 1_000;
    (0..rounds).for_each(|_| cycle());
    // The system lists a thread for a moment longer than it can be joined.
    let patience = Instant::now() + Duration::from_secs(30);
    while count("/proc/self/task") > threads && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    let left = [
        count("/proc/self/fd").saturating_sub(descriptors),
        count("/proc/self/task").saturating_sub(threads),
    ];
    once::say(format!("{rounds} {} {}", left[0], left[1]));
}

/// A child that uses its parent's monitor, and the parent that goes on with it.
pub(crate) fn fork(folder: &str) {
    let monitor = Monitor::new(of_registry(folder)).expect("a monitor");
    let cursor = monitor.snapshot().expect("a snapshot").cursor;
    let own = std::process::id();
    let text = format!(
        r#"{{"schemaVersion": 1, "pid": {own}, "sessionId": "s", "cwd": "/", "startedAt": 1763690000125}}"#
    );
    std::fs::write(Path::new(folder).join(format!("{own}.json")), text).expect("a record");
    // SAFETY: this program has one thread, so the child may do whatever the parent may.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = |result: sessionreg::Result<()>| result.expect_err("refused").code();
        let codes = [code(monitor.snapshot().map(drop)), code(monitor.wait(None, None).map(drop))];
        once::say(format!("child: {} {}", codes[0], codes[1]));
        monitor.close();
        drop(monitor);
        // SAFETY: ends the child, and nothing of the parent's with it.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: waits for the child that was made above.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    let batch = monitor.wait(Some(&cursor), None).expect("a wait").expect("a batch");
    once::say(format!("parent: {} added", batch.added.len()));
}

/// Watches a folder as a process to which the system gives no notifications.
pub(crate) fn without_inotify(folder: &str) {
    crate::confine::refuse_inotify();
    let options = sessionreg::MonitorOptions::default().poll(Duration::from_millis(20));
    let monitor = Monitor::with(of_registry(folder), options).expect("a monitor");
    let cursor = monitor.snapshot().expect("a snapshot").cursor;
    for polled in monitor.polled().expect("polled") {
        once::say(format!("polled: {}", polled.what));
    }
    let own = std::process::id();
    let text = format!(
        r#"{{"schemaVersion": 1, "pid": {own}, "sessionId": "s", "cwd": "/", "startedAt": 1763690000125}}"#
    );
    std::fs::write(Path::new(folder).join(format!("{own}.json")), text).expect("a record");
    let batch = monitor.wait(Some(&cursor), None).expect("a wait").expect("a batch");
    assert_eq!(batch.added.len(), 1);
    once::say("added");
}

/// Watches more processes than there are descriptors for, and their ends.
pub(crate) fn many(folder: &str) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit { current: Some(64), maximum: getrlimit(Resource::Nofile).maximum };
    setrlimit(Resource::Nofile, limit).expect("a limit");
    let sleep = |_| std::process::Command::new("sleep").arg("600").spawn().expect("sleep");
    let mut crowd: Vec<_> = (0..40).map(sleep).collect();
    for child in &crowd {
        let pid = child.id();
        let text = format!(
            r#"{{"schemaVersion": 1, "pid": {pid}, "sessionId": "s{pid}", "cwd": "/", "startedAt": 1763690000125}}"#
        );
        std::fs::write(Path::new(folder).join(format!("{pid}.json")), text).expect("a record");
    }
    let options = sessionreg::MonitorOptions::default().poll(Duration::from_millis(20));
    let monitor = Monitor::with(of_registry(folder), options).expect("a monitor");
    let mut cursor = monitor.snapshot().expect("a snapshot").cursor;
    for polled in monitor.polled().expect("polled") {
        once::say(format!("polled: {}", polled.what));
    }
    for child in &mut crowd {
        child.kill().expect("kill");
    }
    let mut died = std::collections::HashSet::new();
    while died.len() < crowd.len() {
        let batch = monitor.wait(Some(&cursor), None).expect("a wait").expect("a batch");
        let dead = batch.changed.iter().filter(|of| of.verdict.state == sessionreg::State::Dead);
        died.extend(dead.filter_map(|session| session.pid));
        cursor = batch.cursor;
    }
    once::say(format!("{} died", died.len()));
    for child in &mut crowd {
        child.wait().expect("it is gone");
    }
}
