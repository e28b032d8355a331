//! Sessions that many processes and threads register, change, move and close.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::{Value, json};
use sessionreg::{By, ErrorCode, New, Patch, Registry, Session, SweepOptions};

use super::actor::{Running, actor, lines_of, under};
use super::system::names_in;

fn registry(folder: &Path) -> Registry {
    Registry::open(folder.join("sessions")).expect("a possible folder")
}

fn with_sidecar(folder: &Path) -> New {
    let mut new = New::session("first", "/srv");
    new.sidecar = Some(folder.join("chats").join("{id}.runtime.json"));
    new
}

fn insist<T>(action: impl Fn() -> sessionreg::Result<T>) -> T {
    loop {
        match action() {
            Ok(done) => return done,
            Err(error) => assert_eq!(error.code(), ErrorCode::Busy, "{error}"),
        }
    }
}

#[test]
fn processes_that_live_side_by_side_always_list_what_lives_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().display().to_string();
    let operations = crate::rounds(60, 500).to_string();
    let all: Vec<_> = (0..16)
        .map(|number| {
            let command = actor(&["live", &dir, &number.to_string(), &operations]);
            thread::spawn(move || lines_of(&command, ""))
        })
        .collect();
    for one in all {
        assert_eq!(one.join().expect("consistent lists"), ["\"done\""]);
    }
    assert_eq!(names_in(folder.path()), Vec::<String>::new(), "no closed session is left");
}

#[test]
fn a_burst_of_switches_ends_at_the_last_one_called_and_is_found_at_every_instant() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(folder.path());
    let session = registry.register(&with_sidecar(folder.path())).expect("a session");
    let instance = session.record().instance.expect("an instance");
    let chats = folder.path().join("chats");
    let stop = AtomicBool::new(false);
    let looked = AtomicUsize::new(0);
    let called = AtomicUsize::new(0);
    let last = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let scan = registry.scan().expect("a list");
                assert_eq!(scan.entries.len(), 1, "{:?}", scan.skipped);
                assert_eq!(scan.entries[0].record.instance.as_ref(), Some(&instance));
                looked.fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // The new one is there before the old one goes; a listing may miss what comes
                // while it lasts, and then sees the one that went.
                let there = names_in(&chats).into_iter().filter(|name| !name.starts_with('.'));
                assert!(there.count() >= 1, "no sidecar is there");
            }
        });
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (session, called) = (&session, &called);
                scope.spawn(move || {
                    for number in 0..125 {
                        let id = format!("{thread}-{number}");
                        insist(|| session.switch(id.as_str(), Patch::new()));
                        called.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("a thread that ends");
        }
        // Calls that nobody waits for keep their place before the last one.
        let tickets: Vec<_> =
            (0..50).map(|n| session.submit_switch(format!("late-{n}"), Patch::new())).collect();
        session.switch("last", Patch::new()).expect("the last switch");
        for ticket in tickets {
            assert!(ticket.wait().expect("a switch that was done before"));
        }
        stop.store(true, Ordering::Relaxed);
        session.record().session_id
    });
    assert_eq!((last.as_str(), called.into_inner()), ("last", 1000));
    assert!(looked.into_inner() > 50, "the reader hardly looked");
    assert_eq!(names_in(&chats), ["last.runtime.json"]);
    assert_eq!(names_in(registry.dir()).len(), 1);
    session.close().expect("a closed session");
    assert!(names_in(&chats).is_empty() && names_in(registry.dir()).is_empty());
}

#[test]
fn no_change_of_several_processes_to_one_session_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(folder.path());
    let session = registry.register(&New::session("shared", "/srv")).expect("a session");
    let dir = registry.dir().display().to_string();
    let pid = std::process::id().to_string();
    let each = crate::rounds(40, 500);
    let helpers: Vec<_> = (0..8)
        .map(|number| {
            let own = format!("h{number}");
            let command = actor(&["help", &dir, &pid, &own, &each.to_string()]);
            thread::spawn(move || lines_of(&command, ""))
        })
        .collect();
    for number in 0..each {
        let own = json!({ format!("own-{number}"): number });
        insist(|| session.update(Patch::new().set("keys", &own)?));
    }
    for helper in helpers {
        helper.join().expect("a helper that ends");
    }
    let text = fs::read(session.path().expect("a file")).expect("a record");
    let record: Value = serde_json::from_slice(&text).expect("JSON");
    let keys = record["keys"].as_object().expect("the keys of all");
    assert_eq!(keys.len() as u64, 9 * each);
    assert_eq!(record["revision"], 1 + 9 * each, "each change is one revision");
    session.close().expect("a closed session");
}

/// The shortest of a few tries: what takes longer on a busy machine is not the library's doing.
fn refused_as_busy(name: &str, action: impl Fn() -> sessionreg::Result<bool>) {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let error = action().expect_err("the folder is locked");
        shortest = shortest.min(start.elapsed());
        assert_eq!(error.code(), ErrorCode::Busy, "{name}: {error}");
    }
    assert!(shortest <= Duration::from_millis(300), "{name} took {shortest:?}");
}

#[test]
fn a_stopped_holder_of_the_lock_blocks_no_session_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(folder.path());
    let session = registry.register(&New::session("a", "/srv")).expect("a session");
    let dead = Running::start(actor(&["update-loop", registry.dir().to_str().expect("text")]));
    dead.kill();
    let holder = Running::start(actor(&["hold-lock", registry.dir().to_str().expect("text")]));
    let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(holder.child())), stopped).expect("a child that stops");
    let update = || session.update(Patch::new().set("status", "busy")?);
    refused_as_busy("update", update);
    refused_as_busy("switch", || session.switch("b", Patch::new()));
    refused_as_busy("close", || session.close());
    refused_as_busy("register", || registry.register(&New::session("c", "/srv")).map(|_| true));
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let swept = registry.sweep(&SweepOptions::default()).expect("a sweep");
        shortest = shortest.min(start.elapsed());
        assert!(swept.failed.iter().any(|failed| failed.code == ErrorCode::Busy), "{swept:?}");
    }
    assert!(shortest <= Duration::from_millis(300), "a sweep took {shortest:?}");
    assert_eq!(registry.find_by_session("a").expect("a list").len(), 1, "readers never wait");
    kill_process(Pid::from_child(holder.child()), Signal::CONT).expect("to go on");
    holder.finish();
    assert!(session.close().expect("the lock is free"));
}

#[test]
fn a_reader_finds_the_whole_record_whenever_its_writer_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let kills = crate::rounds(100, 2_000);
    let mut reads = 0_u64;
    for round in 0..kills {
        let writer = Running::start(actor(&["update-loop", dir.to_str().expect("text")]));
        let path: String = serde_json::from_str(&writer.first).expect("a path");
        let registry = Registry::open(dir).expect("a folder");
        let stop = AtomicBool::new(false);
        reads += thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !stop.load(Ordering::Relaxed) {
                    let scan = registry.scan().expect("a list");
                    assert_eq!((scan.entries.len(), scan.skipped.len()), (1, 0), "round {round}");
                    reads += 1;
                }
                reads
            });
            thread::sleep(Duration::from_micros(500 + round * 37 % 3_000));
            writer.kill();
            stop.store(true, Ordering::Relaxed);
            reader.join().expect("a reader that always finds it")
        });
        let left: Vec<_> =
            names_in(dir).into_iter().filter(|name| name.starts_with(".sr-")).collect();
        assert!(left.len() <= 1, "round {round}: {left:?}");
        assert!(Path::new(&path).exists());
        let swept = registry.sweep(&SweepOptions::default()).expect("a sweep");
        assert_eq!(swept.removed.len(), 1 + left.len());
        assert!(names_in(dir).is_empty());
    }
    println!("{kills} kills, {reads} reads: none partial, none missing");
}

#[test]
fn a_forked_child_leaves_the_session_and_the_claim_to_its_parent() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("sessions").display().to_string();
    let home = format!("SESSIONREG_HOME={}", folder.path().join("home").display());
    let command = under(&["env", &home], &actor(&["fork-sessions", &dir, "25"]));
    assert_eq!(lines_of(&command, ""), ["25"]);
}

#[test]
fn a_record_stays_when_its_process_is_killed_and_tells_that_it_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().display().to_string();
    let agent = Running::start(actor(&["register", &dir, "a"]));
    let registry = Registry::open(folder.path()).expect("a folder");
    assert_eq!(registry.count_live().expect("a count"), 1);
    agent.kill();
    let [entry] = &registry.records().expect("a list")[..] else { panic!("one record") };
    assert_eq!(entry.verdict.reason.as_str(), "gone");
    assert_eq!(registry.count_live().expect("a count"), 0);
    let error = registry.open_session(By::Session("a")).map(drop).expect_err("it is dead");
    assert_eq!(error.code(), ErrorCode::NotFound);
}

#[test]
fn one_bad_file_hides_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    for number in 0..10_000_u32 {
        let pid = 100 + number;
        let text = match number % 10 {
            3 => "{".to_owned(),
            _ => format!(
                r#"{{"schemaVersion":1,"pid":{pid},"sessionId":"{number}","cwd":"/","startedAt":0}}"#
            ),
        };
        fs::write(dir.join(format!("{pid}.json")), text).expect("a file");
    }
    let registry = Registry::open(dir).expect("a folder");
    for _ in 0..2 {
        let scan = registry.scan().expect("a list");
        assert_eq!((scan.entries.len(), scan.skipped.len()), (9_000, 1_000));
        let ids: HashSet<_> = scan.entries.iter().map(|entry| &entry.record.session_id).collect();
        assert_eq!(ids.len(), 9_000);
        assert!(scan.skipped.iter().all(|skipped| skipped.code == ErrorCode::Corrupt));
    }
}

/// A second scan may only skip what cannot have changed since the first.
#[test]
fn a_second_scan_sees_every_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let write = |pid: u32, id: &str| {
        let text = format!(
            r#"{{"schemaVersion":1,"pid":{pid},"sessionId":"{id}","cwd":"/","startedAt":0}}"#
        );
        fs::write(dir.join(format!("{pid}.json")), text).expect("a file");
    };
    for pid in 100..400 {
        write(pid, "aaaa");
    }
    let registry = Registry::open(dir).expect("a folder");
    let ids = || -> Vec<String> {
        let entries = registry.records().expect("a list");
        entries.iter().map(|entry| entry.record.session_id.clone()).collect()
    };
    assert_eq!(ids().len(), 300);
    // At once, in place, of the same length: within one grain of the file system's clock.
    for (pid, id) in [(100, "bbbb"), (250, "cccc"), (399, "dddd")] {
        write(pid, id);
        assert!(ids().contains(&id.to_owned()), "{id} was not seen");
    }
    // And of files that a scan has remembered, after they have settled.
    thread::sleep(Duration::from_millis(3_500));
    assert_eq!(ids().len(), 300);
    write(101, "eeee");
    fs::remove_file(dir.join("102.json")).expect("a file");
    write(50, "ffff");
    let now = ids();
    assert_eq!(now.len(), 300);
    assert!(now.contains(&"eeee".to_owned()) && now.contains(&"ffff".to_owned()));
}

fn child_of(parent: &str) -> (std::process::Child, u32) {
    use std::io::{BufRead as _, BufReader};
    let mut shell = std::process::Command::new("sh")
        .args(["-c", parent])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut line = String::new();
    BufReader::new(shell.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    (shell, line.trim().parse().expect("a pid"))
}

#[test]
fn the_process_tree_leads_from_a_shell_to_its_agent_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(folder.path());
    let own = std::process::id();
    let one = registry.register(&New::session("one", "/srv")).expect("a session");
    let two = registry.register(&New::session("two", "/srv")).expect("a session");
    // This process is the agent; below it a shell, and below that a program.
    let (mut shell, program) = child_of("sh -c 'echo $$; exec sleep 60' & wait");
    let ids = |entries: sessionreg::Result<Vec<sessionreg::Entry>>| -> Vec<String> {
        let entries = entries.expect("a list");
        entries.iter().map(|entry| entry.record.session_id.clone()).collect()
    };
    for pid in [program, shell.id(), own] {
        assert_eq!(ids(registry.owner_of(pid)), ["one", "two"], "of {pid}");
    }
    let parent = std::os::unix::process::parent_id();
    for pid in [own, parent, 1] {
        assert_eq!(ids(registry.find_under(pid)), ["one", "two"], "under {pid}");
    }
    assert!(ids(registry.find_under(program)).is_empty());
    assert!(ids(registry.owner_of(parent)).is_empty());
    for pid in [0, u32::MAX, i32::MAX as u32 + 1] {
        assert!(ids(registry.owner_of(pid)).is_empty() && ids(registry.find_under(pid)).is_empty());
    }
    shell.kill().expect("a shell that runs");
    shell.wait().expect("it ends");
    let orphan = Pid::from_raw(program.try_into().expect("a pid")).expect("a pid");
    // Without its parent it is nobody's of ours; it may have ended by itself.
    let _ = kill_process(orphan, Signal::KILL);
    one.close().and(two.close()).expect("closed sessions");
}

#[test]
fn only_the_handle_that_registered_closes_when_it_is_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = registry(folder.path());
    let there = || names_in(registry.dir()).len();
    drop(registry.register(&New::session("a", "/srv")).expect("a session"));
    assert_eq!(there(), 0);
    let kept: Session =
        registry.register(&New::session("a", "/srv")).expect("a session").without_close_on_drop();
    drop(registry.open_session(By::Session("a")).expect("a handle"));
    assert_eq!(there(), 1);
    drop(kept);
    assert_eq!(there(), 1);
}
