//! The jobs, each done by the library, by its floor, and by what people use today.
//!
//! A contender that is called `floor` is the job without any promise; one called `required` has the
//! system calls, and the parsing, that the promises ask for.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;

use sessionreg::{Record, WriteOptions};

use crate::turns::{Plan, compare, contender};
use crate::{floor, registry, restore, snapshot};

/// The jobs that the other languages do too.
const SHARED: [(&str, usize); 6] = [
    ("replace", 2_000),
    ("replace-durably", 100),
    ("read", 20_000),
    ("update", 2_000),
    ("verdict", 20_000),
    ("verdict-by-start", 20_000),
];

pub(crate) fn run(job: &str, folder: &Path, plan: Plan) {
    match job {
        "replace" => replace(folder, plan),
        "replace-durably" => replace_durably(folder, plan),
        "read" => read(folder, plan),
        "verdict" => verdict(plan),
        "verdict-by-start" => verdict_by_start(plan),
        "verdicts" => verdicts(plan),
        "scan" => registry::scan(folder, plan),
        "update" => registry::update(folder, plan),
        "snapshot" => snapshot::take(folder, plan),
        "open-files" => snapshot::open_files(folder, plan),
        "change" => snapshot::change(folder, plan),
        "exit" => snapshot::exit(folder, plan),
        "share" => restore::share(plan),
        "attach" => restore::attach(plan),
        "publish" => restore::publish(plan),
        _ => panic!("there is no job {job}"),
    }
}

pub(crate) fn run_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (job, calls) in SHARED {
        run(job, folder.path(), Plan { calls, calls_a_turn: 10 });
    }
    run("verdicts", folder.path(), Plan { calls: 50, calls_a_turn: 10 });
    run("scan", folder.path(), Plan { calls: 20, calls_a_turn: 2 });
    run("snapshot", folder.path(), Plan { calls: 20, calls_a_turn: 2 });
    run("open-files", folder.path(), Plan { calls: 10, calls_a_turn: 1 });
    run("change", folder.path(), Plan { calls: 2_000, calls_a_turn: 10 });
    run("exit", folder.path(), Plan { calls: 100, calls_a_turn: 1 });
    run("share", folder.path(), Plan { calls: 50, calls_a_turn: 10 });
    run("attach", folder.path(), Plan { calls: 20_000, calls_a_turn: 10 });
    run("publish", folder.path(), Plan { calls: 20_000, calls_a_turn: 10 });
}

/// The record that contenders of every language write.
fn record() -> Record {
    let mut record = Record::new("0b2c7a52-6f1c-4a57-9a0e-5a3c6f0d9e11", "/home/user/project");
    record.agent = Some("qwen-code".to_owned());
    record.agent_version = Some("1.2.3".to_owned());
    record
}

fn replace(folder: &Path, plan: Plan) {
    let record = record();
    let text = record.to_json().expect("a valid record");
    let value: serde_json::Value = serde_json::from_str(&text).expect("an object");
    let path = folder.join("s.runtime.json");
    let others = folder.join("tempfile.json");
    let contenders = vec![
        contender("floor: open, write, close, rename", || floor::replace(folder, text.as_bytes())),
        contender("required: with the folder's lock, fchmod and a random name", || {
            floor::replace_as_required(folder, text.as_bytes());
        }),
        contender("Rust", || sessionreg::write(&path, &record).expect("write")),
        contender("Rust: tempfile, serde_json", || {
            let mut temp = tempfile::NamedTempFile::new_in(folder).expect("temp");
            let text = serde_json::to_vec_pretty(&value).expect("text");
            temp.write_all(&text).expect("write");
            temp.persist(&others).expect("persist");
        }),
    ];
    compare("replace", plan, contenders);
}

fn replace_durably(folder: &Path, plan: Plan) {
    let record = record();
    let text = record.to_json().expect("a valid record");
    let path = folder.join("s.runtime.json");
    let options = WriteOptions::default().durable(true);
    let contenders = vec![
        contender("floor: open, write, fsync, close, rename, fsync of the folder", || {
            floor::replace_durably(folder, text.as_bytes());
        }),
        contender("Rust", || sessionreg::write_with(&path, &record, options).expect("write")),
    ];
    compare("replace-durably", plan, contenders);
}

fn read(folder: &Path, plan: Plan) {
    let path = folder.join("s.runtime.json");
    sessionreg::write(&path, &record()).expect("write");
    let contenders = vec![
        contender("floor: open, read, close", || floor::read(&path)),
        contender("required: open, fstat, read, close, and parsing", || {
            black_box(Record::from_json(floor::read_as_required(&path)).expect("parse"));
        }),
        contender("Rust", || {
            black_box(sessionreg::load(&path).expect("load"));
        }),
        contender("Rust: fs::read, serde_json::Value", || {
            let bytes = std::fs::read(&path).expect("read");
            black_box(serde_json::from_slice::<serde_json::Value>(&bytes).expect("parse"));
        }),
    ];
    compare("read", plan, contenders);
}

fn verdict(plan: Plan) {
    let record = record();
    let contenders = vec![
        contender("required: pidfd_open, fstat, poll, close", floor::pidfd),
        contender("kill(pid, 0): zombies, threads, any later process pass", floor::kill),
        contender("Rust", || {
            black_box(sessionreg::liveness(&record));
        }),
    ];
    compare("verdict", plan, contenders);
}

/// A record of a program, or of a system, that knows no inodes of pidfds.
fn verdict_by_start(plan: Plan) {
    let mut record = record();
    record.identity.pid_inode = None;
    let contenders = vec![
        contender("required: the same, /proc/self and /proc/<pid>/stat", floor::pidfd_and_stat),
        contender("Rust", || {
            black_box(sessionreg::liveness(&record));
        }),
    ];
    compare("verdict-by-start", plan, contenders);
}

/// Many records of one process: it is asked for once.
fn verdicts(plan: Plan) {
    let records: Vec<_> = (0..1_000).map(|_| record()).collect();
    let contenders = vec![
        contender("Rust: 1000 records of one process, one by one", || {
            for record in &records {
                black_box(sessionreg::liveness(record));
            }
        }),
        contender("Rust: 1000 records of one process, liveness_all", || {
            black_box(sessionreg::liveness_all(&records));
        }),
    ];
    compare("verdicts", plan, contenders);
}
