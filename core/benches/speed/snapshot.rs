//! The jobs of a snapshot and a watch: a machine with many records and processes, and a change of
//! one of them.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sessionreg::{Monitor, MonitorOptions, Sources, snapshot};

use crate::turns::{Plan, compare, contender};
use crate::{floor, registry};

/// Processes that run, beside those that run anyway.
const PROCESSES: usize = 1_000;

/// Transcripts of which is asked who holds them open.
const TRANSCRIPTS: usize = 100;

/// Processes that sleep until they are dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    fn new(size: usize) -> Self {
        let sleep = |_| {
            let mut command = Command::new("sleep");
            command.arg("3600").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("sleep")
        };
        Self((0..size).map(sleep).collect())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn only(registry: &Path) -> Sources {
    let mut sources = Sources::none();
    sources.registries = vec![registry.to_owned()];
    sources
}

pub(crate) fn take(folder: &Path, plan: Plan) {
    let folder = registry::many_records(folder);
    let _crowd = Crowd::new(PROCESSES);
    let mut sources = only(&folder);
    sources.processes = true;
    let monitor = Monitor::new(sources.clone()).expect("a monitor");
    let kept = monitor.snapshot().expect("a snapshot");
    let of = kept.sessions.last().and_then(|session| session.files.first()).expect("a file");
    let text = fs::read_to_string(of).expect("a record");
    let mut revision = 1;
    let contenders = vec![
        contender("floor: each file as in a scan, and /proc/*/stat", || {
            floor::scan(&folder);
            floor::processes();
        }),
        contender("Rust: snapshot", || {
            black_box(snapshot(&sources));
        }),
        contender("Rust: Monitor, nothing changed", || {
            black_box(monitor.snapshot().expect("a snapshot"));
        }),
        contender("Rust: Monitor, one file changed", || {
            revision += 1;
            let text = text.replace("\"revision\": 1", &format!("\"revision\": {revision}"));
            fs::write(of, text).expect("write");
            black_box(monitor.snapshot().expect("a snapshot"));
        }),
        contender("the change alone", || {
            let text = text.replace("\"revision\": 1", "\"revision\": 2");
            fs::write(of, text).expect("write");
        }),
    ];
    compare("snapshot", plan, contenders);
}

pub(crate) fn open_files(folder: &Path, plan: Plan) {
    let _crowd = Crowd::new(PROCESSES);
    let home = folder.join("codex");
    let day = home.join("sessions/2025/05/07");
    fs::create_dir_all(&day).expect("a folder");
    let mut held = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    for number in 0..TRANSCRIPTS {
        let id = format!("5973b6c0-94b8-487b-a530-{number:012x}");
        let path = day.join(format!("rollout-2025-05-07T17-24-21-{id}.jsonl"));
        let mut file = File::create(&path).expect("a transcript");
        let meta = r#""originator":"x","cli_version":"1""#;
        writeln!(
            file,
            r#"{{"type":"session_meta","payload":{{"id":"{id}","cwd":"/home/user",{meta}}}}}"#
        )
        .expect("write");
        held.push(file);
        paths.push(path);
    }
    let mut sources = Sources::none();
    sources.codex = vec![home];
    let contenders = vec![
        contender("floor: one pass over /proc/*/fd", floor::descriptors),
        contender("Rust: snapshot of 100 transcripts", || {
            black_box(snapshot(&sources));
        }),
        contender("lsof, once for all", || {
            // It fails if one of them is open by nobody.
            let asked = Command::new("lsof").arg("-t").args(&paths).output();
            black_box(asked.map(|output| output.stdout.len()).unwrap_or_default());
        }),
    ];
    compare("open-files", plan, contenders);
    drop(held);
}

pub(crate) fn change(folder: &Path, plan: Plan) {
    let registry = folder.join("watched");
    fs::create_dir_all(&registry).expect("a folder");
    let options = MonitorOptions::default().fold(Duration::ZERO);
    let monitor = Monitor::with(only(&registry), options).expect("a monitor");
    let mut cursor = monitor.snapshot().expect("a snapshot").cursor;
    let own = std::process::id();
    let path = registry.join(format!("{own}.json"));
    let mut count = 0;
    let mut write = || {
        count += 1;
        let text = format!(
            r#"{{"schemaVersion":1,"pid":{own},"sessionId":"s","cwd":"/","startedAt":1763690000125,"name":"{count}"}}"#
        );
        let temp = registry.join(".t");
        fs::write(&temp, text).expect("write");
        fs::rename(temp, &path).expect("rename");
    };
    let watched = floor::Watched::new(folder);
    let contenders = vec![
        contender("floor: write, rename, read of inotify", || watched.change()),
        contender("Rust: write, rename, the batch", || {
            write();
            let batch = monitor.wait(Some(&cursor), None).expect("a batch").expect("a batch");
            cursor = batch.cursor;
        }),
    ];
    compare("change", plan, contenders);
}

pub(crate) fn exit(folder: &Path, plan: Plan) {
    let registry = folder.join("exits");
    fs::create_dir_all(&registry).expect("a folder");
    let options = MonitorOptions::default().fold(Duration::ZERO);
    let monitor = Monitor::with(only(&registry), options).expect("a monitor");
    let start = |with_record: bool| {
        let child = Command::new("sleep").arg("60").spawn().expect("sleep");
        if with_record {
            let pid = child.id();
            let text = format!(
                r#"{{"schemaVersion":1,"pid":{pid},"sessionId":"s{pid}","cwd":"/","startedAt":1763690000125}}"#
            );
            fs::write(registry.join(format!("{pid}.json")), text).expect("write");
        }
        child
    };
    // The processes are started before what is measured.
    let calls = plan.calls * 2 + 8;
    let mut bare: Vec<Child> = (0..calls).map(|_| start(false)).collect();
    let mut served: Vec<Child> = (0..calls).map(|_| start(true)).collect();
    let mut cursor = monitor.snapshot().expect("a snapshot").cursor;
    let contenders = vec![
        contender("floor: kill, poll of a pidfd", || {
            let mut child = bare.pop().expect("a process");
            floor::end(&mut child);
            let _ = child.wait();
        }),
        contender("Rust: kill, the batch", || {
            let mut child = served.pop().expect("a process");
            child.kill().expect("kill");
            loop {
                let batch = monitor.wait(Some(&cursor), None).expect("a batch").expect("a batch");
                cursor = batch.cursor;
                if batch.changed.iter().any(|session| session.pid == Some(child.id())) {
                    break;
                }
            }
            let _ = child.wait();
        }),
    ];
    compare("exit", plan, contenders);
    for mut child in bare.into_iter().chain(served) {
        let _ = child.kill();
        let _ = child.wait();
    }
}
