//! A watch tells every reader what changed, costs nothing while nothing does, and ends at once.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sessionreg::{
    AgentSession, Batch, ErrorCode, Monitor, MonitorOptions, New, Patch, Reason, Registry, Sources,
    State,
};

use super::actor::{actor, lines_of};
use super::system::{self, Need};
use super::trace::{calls_between_marks, traced};

/// Only a promise that is broken takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A registry folder and a watch of it alone.
struct Scene {
    folder: tempfile::TempDir,
    monitor: Monitor,
}

impl Scene {
    fn new() -> Self {
        Self::with(MonitorOptions::default())
    }

    fn with(options: MonitorOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let monitor = Monitor::with(only(folder.path()), options).expect("a monitor");
        Self { folder, monitor }
    }

    fn path(&self, pid: u32) -> PathBuf {
        self.folder.path().join(format!("{pid}.json"))
    }

    /// Puts a record of a process in one step.
    fn put(&self, pid: u32, name: &str) {
        let temp = self.folder.path().join(".temp");
        fs::write(&temp, record(pid, name)).expect("a file");
        fs::rename(temp, self.path(pid)).expect("its place");
    }
}

fn only(registry: &Path) -> Sources {
    let mut sources = Sources::none();
    sources.registries = vec![registry.to_owned()];
    sources
}

fn record(pid: u32, name: &str) -> String {
    format!(
        r#"{{"schemaVersion": 1, "pid": {pid}, "sessionId": "s{pid}", "cwd": "/", "startedAt": 1763690000125, "name": "{name}"}}"#
    )
}

/// One reader, and what it knows by its batches alone.
#[derive(Default)]
struct Reader {
    cursor: Option<String>,
    sessions: BTreeMap<String, Arc<AgentSession>>,
}

impl Reader {
    fn take(&mut self, batch: Batch) {
        if batch.reset {
            self.sessions.clear();
        }
        for session in batch.added {
            let known = self.sessions.insert(session.key.clone(), session);
            assert!(known.is_none(), "added twice: {known:?}");
        }
        for session in batch.changed {
            let known = self.sessions.insert(session.key.clone(), session);
            assert!(known.is_some(), "changed, but never added");
        }
        for key in batch.removed {
            assert!(self.sessions.remove(&key).is_some(), "removed, but never added: {key}");
        }
        self.cursor = Some(batch.cursor);
    }

    fn until(&mut self, monitor: &Monitor, is_it: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_it(self) {
            let rest = end.saturating_duration_since(Instant::now());
            assert!(!rest.is_zero(), "it never came: {:#?}", self.sessions);
            if let Some(batch) = monitor.wait(self.cursor.as_deref(), Some(rest)).expect("a wait") {
                self.take(batch);
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        self.sessions.values().filter_map(|session| session.name.as_deref()).collect()
    }
}

#[test]
fn readers_have_what_is_there_whatever_they_missed() {
    let scene = Scene::new();
    let own = std::process::id();
    let (mut steady, mut late) = (Reader::default(), Reader::default());
    steady.until(&scene.monitor, |reader| reader.cursor.is_some());
    late.until(&scene.monitor, |reader| reader.cursor.is_some());
    for round in 0..20 {
        let name = format!("n{round}");
        scene.put(own, &name);
        steady.until(&scene.monitor, |reader| reader.names() == [name.as_str()]);
        if round % 5 == 4 {
            fs::remove_file(scene.path(own)).expect("it was there");
            steady.until(&scene.monitor, |reader| reader.sessions.is_empty());
        }
    }
    // It went and came while this one looked away: to it, nothing was added and removed in vain.
    let batch = scene.monitor.wait(late.cursor.as_deref(), Some(PATIENCE)).expect("a wait");
    let batch = batch.expect("something changed");
    assert!(!batch.reset && batch.added.is_empty() && batch.removed.is_empty(), "{batch:#?}");
}

#[test]
fn a_cursor_of_another_monitor_or_of_no_form_gets_the_full_state() {
    let scene = Scene::new();
    scene.put(std::process::id(), "n");
    let first = scene.monitor.wait(None, None).expect("a wait").expect("the full state");
    let (epoch, number) = first.cursor.split_once('-').expect("<epoch>-<n>");
    assert!(number.parse::<u64>().is_ok(), "{number}");
    let foreign = Scene::new().monitor.wait(None, None).expect("a wait").expect("a batch").cursor;
    let beyond = format!("{epoch}-18446744073709551615");
    let odd = [foreign.as_str(), &beyond, "", "-", "x", "1-2-3", epoch, "\u{1F600}-0"];
    for cursor in odd.into_iter().chain([format!("{epoch}-0").as_str()]) {
        let batch = scene.monitor.wait(Some(cursor), Some(Duration::ZERO)).expect("a wait");
        let batch = batch.unwrap_or_else(|| panic!("nothing for {cursor:?}"));
        assert!(batch.reset, "{cursor}");
        assert_eq!(batch.added, first.added, "{cursor}");
    }
    let seen = scene.monitor.wait(Some(&first.cursor), Some(Duration::ZERO)).expect("a wait");
    assert!(seen.is_none(), "{seen:?}");
}

/// A burst is told at once, and its end is what everybody has in the end.
#[test]
fn of_a_burst_of_changes_the_last_state_always_arrives() {
    let scene = Scene::new();
    let own = std::process::id();
    let mut reader = Reader::default();
    reader.until(&scene.monitor, |reader| reader.cursor.is_some());
    let forgotten = reader.cursor.clone();
    let changes = 10_000;
    let mut batches = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for change in 1..=changes {
                scene.put(own, &format!("n{change}"));
            }
        });
        let last = format!("n{changes}");
        let end = Instant::now() + PATIENCE;
        while reader.names() != [last.as_str()] {
            let rest = end.saturating_duration_since(Instant::now());
            assert!(!rest.is_zero(), "{:?} is not {last}", reader.names());
            let batch = scene.monitor.wait(reader.cursor.as_deref(), Some(rest)).expect("a wait");
            if let Some(batch) = batch {
                batches += 1;
                reader.take(batch);
            }
        }
    });
    assert!(batches <= changes / 10, "{batches} batches: nothing was folded");
    let late = scene.monitor.wait(forgotten.as_deref(), Some(PATIENCE)).expect("a wait");
    assert_eq!(late.expect("a batch").added.len(), 1, "one entry, not its ten thousand states");
}

/// What is remembered is bounded: whoever is further behind gets the full state.
#[test]
fn a_reader_that_is_too_far_behind_starts_anew() {
    let scene = Scene::with(MonitorOptions::default().fold(Duration::ZERO));
    let mut reader = Reader::default();
    reader.until(&scene.monitor, |reader| reader.cursor.is_some());
    let old = reader.cursor.clone();
    let pids = 4_100_000..4_101_000_u32;
    for round in 0..18 {
        for pid in pids.clone() {
            fs::write(scene.path(pid), record(pid, &format!("n{round}"))).expect("a file");
        }
        let seen = scene.monitor.snapshot().expect("a snapshot").sessions.len();
        assert_eq!(seen, pids.len());
    }
    let batch = scene.monitor.wait(old.as_deref(), Some(PATIENCE)).expect("a wait");
    let batch = batch.expect("a batch");
    assert!(batch.reset);
    assert_eq!(batch.added.len(), pids.len());
}

/// A process of ours that ends when it is told to.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").spawn().expect("sleep"))
    }

    fn kill(&mut self) {
        // It fails only for one that is reaped already.
        let _ = self.0.kill();
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_exit_reaches_every_session_of_the_process() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let scene = Scene::new();
    let mut sleeper = Sleeper::new();
    let pid = sleeper.0.id();
    let registry = Registry::open(scene.folder.path()).expect("a registry");
    let sessions: Vec<_> = ["a", "b", "c"]
        .map(|id| {
            let mut new = New::session(id, "/");
            new.pid = Some(pid);
            registry.register(&new).expect("registered")
        })
        .into();
    let mut reader = Reader::default();
    let all = |reader: &Reader, state| {
        reader.sessions.len() == 3
            && reader.sessions.values().all(|session| session.verdict.state == state)
    };
    reader.until(&scene.monitor, |reader| all(reader, State::Alive));
    sleeper.kill();
    // Not reaped yet: its parent is this test.
    reader.until(&scene.monitor, |reader| all(reader, State::Dead));
    let is_zombie = |session: &Arc<AgentSession>| session.verdict.reason == Reason::Zombie;
    assert!(reader.sessions.values().all(is_zombie), "{:#?}", reader.sessions);
    for session in sessions {
        session.leave().expect("left");
    }
}

/// One process goes from one session to another: one entry, which changes.
#[test]
fn a_swap_of_sessions_is_one_change() {
    let scene = Scene::new();
    let registry = Registry::open(scene.folder.path()).expect("a registry");
    let session = registry.register(&New::session("one", "/")).expect("registered");
    let mut reader = Reader::default();
    reader.until(&scene.monitor, |reader| reader.sessions.len() == 1);
    let key = reader.sessions.keys().next().expect("a session").clone();
    for id in ["two", "three", "four"] {
        session.switch(id, Patch::new()).expect("switched");
        let batch = loop {
            let batch = scene.monitor.wait(reader.cursor.as_deref(), Some(PATIENCE));
            let batch = batch.expect("a wait").expect("a batch");
            reader.cursor = Some(batch.cursor.clone());
            assert!(batch.added.is_empty() && batch.removed.is_empty(), "{batch:#?}");
            if batch.changed.iter().any(|session| session.session_id.as_deref() == Some(id)) {
                break batch;
            }
        };
        assert_eq!(batch.changed[0].key, key);
    }
    session.close().expect("closed");
}

#[test]
fn every_one_of_many_readers_is_told() {
    let scene = Scene::new();
    let own = std::process::id();
    let rounds = 20;
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut reader = Reader::default();
                let last = format!("n{rounds}");
                reader.until(&scene.monitor, |reader| reader.names() == [last.as_str()]);
            });
        }
        for round in 1..=rounds {
            scene.put(own, &format!("n{round}"));
            std::thread::sleep(Duration::from_millis(5));
        }
    });
}

/// Somebody may work in a folder that is removed: the system tells of its end when he has left.
#[test]
fn a_folder_that_is_held_open_is_seen_to_go_and_to_come_again() {
    let root = tempfile::tempdir().expect("a folder");
    let chats = root.path().join("qwen/projects/p/chats");
    let put = |id: &str| {
        let own = std::process::id();
        let text = format!(
            r#"{{"schema_version": 1, "pid": {own}, "session_id": "{id}", "work_dir": "/", "hostname": "h", "started_at": 1}}"#
        );
        fs::create_dir_all(&chats).expect("folders");
        fs::write(chats.join(format!("{id}.runtime.json")), text).expect("a sidecar");
    };
    let mut sources = Sources::none();
    sources.qwen_code = vec![root.path().join("qwen")];
    let options = MonitorOptions::default().fold(Duration::ZERO);
    let monitor = Monitor::with(sources, options).expect("a monitor");
    let ids = || -> Vec<_> {
        let sessions = monitor.snapshot().expect("a snapshot").sessions;
        sessions.iter().filter_map(|session| session.session_id.clone()).collect()
    };
    for (round, held) in chats.ancestors().take(4).enumerate() {
        let (before, after) = (format!("a{round}"), format!("b{round}"));
        put(&before);
        assert_eq!(ids(), [before], "{held:?}");
        let held_open = fs::File::open(held).expect("a folder");
        fs::remove_dir_all(held).expect("it is gone");
        assert!(ids().is_empty(), "{held:?}");
        put(&after);
        assert_eq!(ids(), [after], "{held:?}");
        // Once more, and both at once.
        let held_again = fs::File::open(held).expect("a folder");
        fs::remove_dir_all(held).expect("it is gone");
        put("c");
        assert_eq!(ids(), ["c"], "{held:?}");
        fs::remove_file(chats.join("c.runtime.json")).expect("it was there");
        assert!(ids().is_empty(), "{held:?}");
        drop((held_open, held_again));
        assert!(ids().is_empty(), "{held:?}");
    }
}

/// Whoever looks first takes in what the system tells, and a reader that sleeps is none the wiser.
#[test]
fn who_waits_is_told_what_another_call_has_noticed() {
    let scene = Scene::new();
    for round in 0..200 {
        let cursor = scene.monitor.snapshot().expect("a snapshot").cursor;
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| scene.monitor.wait(Some(&cursor), Some(PATIENCE)));
            std::thread::sleep(Duration::from_millis(1));
            scene.put(std::process::id(), &format!("n{round}"));
            assert_eq!(scene.monitor.snapshot().expect("a snapshot").sessions.len(), 1);
            let put = Instant::now();
            assert!(reader.join().expect("a reader").expect("a wait").is_some());
            assert!(put.elapsed() < PATIENCE / 2, "round {round}: it looked when its time was up");
        });
    }
}

#[test]
fn closing_ends_every_wait_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = std::process::id();
    fs::write(folder.path().join(format!("{own}.json")), record(own, "n")).expect("a file");
    let cycle = |readers: usize| {
        let monitor = Monitor::new(only(folder.path())).expect("a monitor");
        let cursor = monitor.snapshot().expect("a snapshot").cursor;
        let watch = monitor.watch().expect("a watch");
        assert!(watch.next(Some(PATIENCE)).expect("a wait").is_some());
        std::thread::scope(|scope| {
            let ends: Vec<_> = (0..readers)
                .map(|_| scope.spawn(|| monitor.wait(Some(&cursor), None).expect_err("closed")))
                .collect();
            monitor.close();
            for end in ends {
                assert_eq!(end.join().expect("a reader").code(), ErrorCode::Closed);
            }
        });
        let closed = watch.next(None).expect_err("closed");
        assert_eq!(closed.code(), ErrorCode::Closed);
        assert_eq!(monitor.snapshot().expect_err("closed").code(), ErrorCode::Closed);
        monitor.close();
    };
    cycle(4);
    // Other tests of this program have descriptors and threads of their own.
    let alone = lines_of(&actor(&["watch-cycles", &folder.path().to_string_lossy()]), "");
    assert_eq!(alone, ["1000 0 0"], "descriptors and threads left");
    for _ in 0..20 {
        cycle(8);
    }
}

/// Whether a descriptor is readable now.
fn is_readable(watch: &sessionreg::Watch) -> bool {
    let fd = watch.fd().expect("a descriptor");
    let mut fds = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
    let at_once = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut fds, Some(&at_once)).expect("poll") > 0
}

fn wait_readable(watch: &sessionreg::Watch) {
    let fd = watch.fd().expect("a descriptor");
    let mut fds = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
    let patience = rustix::time::Timespec { tv_sec: 30, tv_nsec: 0 };
    assert!(rustix::event::poll(&mut fds, Some(&patience)).expect("poll") > 0, "it never was");
}

/// The kernel nests what is waited for only so often; readers without a descriptor are not bounded.
#[test]
fn there_may_be_any_number_of_readers() {
    let scene = Scene::new();
    let watches: Vec<_> = (0..600).map(|_| scene.monitor.watch().expect("a watch")).collect();
    for watch in &watches {
        assert!(watch.next(Some(Duration::ZERO)).expect("a wait").expect("a batch").reset);
    }
    for watch in watches.iter().take(100) {
        assert!(watch.fd().is_ok());
    }
    scene.put(std::process::id(), "n");
    for watch in &watches {
        assert!(watch.next(Some(PATIENCE)).expect("a wait").is_some());
    }
}

#[test]
fn times_without_end_are_times() {
    let options = MonitorOptions::default().fold(Duration::MAX).poll(Duration::MAX);
    let scene = Scene::with(options);
    scene.put(std::process::id(), "n");
    assert_eq!(scene.monitor.snapshot().expect("a snapshot").sessions.len(), 1);
    let cursor = scene.monitor.snapshot().expect("a snapshot").cursor;
    scene.put(std::process::id(), "m");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| scene.monitor.wait(Some(&cursor), Some(Duration::MAX)));
        std::thread::sleep(Duration::from_millis(20));
        scene.monitor.close();
        assert!(reader.join().expect("a reader").is_err());
    });
}

/// Who polls the descriptor sleeps while changes are gathered, and misses none.
#[test]
fn a_descriptor_is_readable_when_there_is_something_and_not_before() {
    let fold = Duration::from_millis(200);
    let scene = Scene::with(MonitorOptions::default().fold(fold));
    let watch = scene.monitor.watch().expect("a watch");
    assert!(is_readable(&watch), "the full state is there");
    assert!(watch.next(Some(Duration::ZERO)).expect("a wait").is_some());
    assert!(watch.next(Some(Duration::ZERO)).expect("a wait").is_none());
    assert!(!is_readable(&watch), "nothing happened");

    scene.put(std::process::id(), "n");
    let mut wake_ups = 0;
    let batch = loop {
        wait_readable(&watch);
        wake_ups += 1;
        if let Some(batch) = watch.next(Some(Duration::ZERO)).expect("a wait") {
            break batch;
        }
        assert!(!is_readable(&watch), "it was asked, and has nothing yet");
    };
    assert_eq!(batch.added.len(), 1);
    assert!(wake_ups <= 4, "woken {wake_ups} times for one change");
    assert!(watch.next(Some(Duration::ZERO)).expect("a wait").is_none());

    // What another reader finds out first is told to this one as well.
    scene.put(std::process::id(), "m");
    let other = scene.monitor.wait(Some(&batch.cursor), Some(PATIENCE)).expect("a wait");
    assert!(other.is_some());
    assert!(is_readable(&watch));
    assert!(watch.next(Some(Duration::ZERO)).expect("a wait").is_some());
    scene.monitor.close();
    assert!(is_readable(&watch), "the end is told too");
    assert_eq!(watch.next(None).expect_err("closed").code(), ErrorCode::Closed);
}

/// Who waits with a timeout comes and goes; an event loop beside it is not woken each time.
#[test]
fn a_descriptor_is_not_readable_because_another_reader_leaves() {
    let scene = Scene::new();
    let watch = scene.monitor.watch().expect("a watch");
    let batch = watch.next(Some(Duration::ZERO)).expect("a wait").expect("the full state");
    assert!(watch.next(Some(Duration::ZERO)).expect("a wait").is_none());
    for _ in 0..20 {
        let shortly = Some(Duration::from_millis(1));
        assert!(scene.monitor.wait(Some(&batch.cursor), shortly).expect("a wait").is_none());
        assert!(!is_readable(&watch), "nothing is there to be fetched");
    }
}

#[test]
fn a_reader_goes_on_from_the_cursor_of_an_earlier_one() {
    let scene = Scene::new();
    let first = scene.monitor.wait(None, None).expect("a wait").expect("the full state");
    scene.put(std::process::id(), "n");
    let watch = scene.monitor.watch().expect("a watch").from_cursor(first.cursor);
    let batch = watch.next(Some(PATIENCE)).expect("a wait").expect("a batch");
    assert!(!batch.reset && batch.added.len() == 1, "{batch:#?}");
}

/// Idle, it asks the system for nothing: the one call that waits returns when time is up.
#[test]
fn while_nothing_happens_nothing_wakes() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = system::open_folder();
    let registry = Registry::open(folder.path().join("reg")).expect("a registry");
    let session = registry.register(&New::session("s", "/")).expect("registered");
    // What the trace writes is a change too, where it can be seen.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let trace = elsewhere.path().join("trace");
    let millis = crate::rounds(3_000, 60_000).to_string();
    let watching = actor(&["watch-idle", &folder.path().to_string_lossy(), &millis]);
    let lines = lines_of(&traced(&["-f"], &trace, &watching), "");
    assert!(lines[0].contains(r#""session_id":"s""#), "{lines:?}");
    let is_poll = |name: &str| matches!(name, "poll" | "ppoll" | "epoll_wait" | "epoll_pwait");
    let calls = calls_between_marks(&trace);
    let waits = calls
        .iter()
        .filter(|call| is_poll(&call.name) && !call.text.contains("tv_sec=0, tv_nsec=0"));
    // The reader's own sleep. Others ask what is there before and after it, and come back at once.
    let sleeps: Vec<_> = waits
        .filter(|call| !call.text.contains(", {tv_sec=0") && !call.text.contains(", 0)"))
        .collect();
    assert_eq!(sleeps.len(), 1, "{sleeps:#?}");
    assert!(calls.len() < 40, "{} calls: {calls:#?}", calls.len());
    session.close().expect("closed");
}

/// A child has its parent's descriptors: it must not take what is told to the parent.
#[test]
fn a_forked_child_cannot_use_its_parents_monitor_and_takes_nothing_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = lines_of(&actor(&["fork-monitor", &folder.path().to_string_lossy()]), "");
    assert_eq!(lines, ["child: CLOSED CLOSED", "parent: 1 added"]);
}

/// What nobody tells of is named, with how often it is looked at.
#[test]
fn what_is_polled_says_so() {
    let scene = Scene::new();
    assert_eq!(scene.monitor.polled().expect("polled"), []);
    let mut sources = only(scene.folder.path());
    sources.processes = true;
    let options = MonitorOptions::default().poll(Duration::from_millis(50));
    let monitor = Monitor::with(sources, options).expect("a monitor");
    let polled = monitor.polled().expect("polled");
    assert_eq!(polled.len(), 1);
    assert_eq!(
        (polled[0].what.as_str(), polled[0].every),
        ("processes", Duration::from_millis(50))
    );
}

#[test]
fn a_folder_that_nobody_tells_of_is_polled() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    // The system has few watches to give: none.
    let folder = tempfile::tempdir().expect("a folder");
    let lines = lines_of(&actor(&["watch-without-inotify", &folder.path().to_string_lossy()]), "");
    assert_eq!(lines, [format!("polled: folder {}", folder.path().display()), "added".to_owned()]);
}

/// A monitor leaves half of the descriptors to its program; other exits are looked for.
#[test]
fn exits_are_noticed_beyond_what_descriptors_there_are_for() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let lines = lines_of(&actor(&["watch-many", &folder.path().to_string_lossy()]), "");
    // Of 64 descriptors half may be used for 40 processes.
    assert_eq!(lines, ["polled: exits of 8 processes", "40 died"]);
}

#[test]
fn a_monitor_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Monitor>();
    is_shared::<sessionreg::Watch>();
    is_shared::<Batch>();
    let scene = Scene::new();
    let watch = scene.monitor.watch().expect("a watch");
    assert!(watch.fd().expect("a descriptor").as_fd().try_clone_to_owned().is_ok());
}
