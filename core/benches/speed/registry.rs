//! The jobs of a registry: listing a folder of many records, changing one.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sessionreg::{New, Patch, Registry};

use crate::floor;
use crate::turns::{Plan, compare, contender};

/// Files in the folder that is listed, and the processes that they speak of.
const RECORDS: usize = 10_000;
const PROCESSES: usize = 1_000;

/// What changed less than three seconds before it was read is read again.
const SETTLING: Duration = Duration::from_millis(3_200);

/// Records as this library writes them, of processes that do not run any more but for one.
fn fill(folder: &Path) {
    let registry = Registry::open(folder).expect("open");
    let session =
        registry.register(&New::session("template", "/home/user/project")).expect("register");
    let text = fs::read_to_string(session.path().expect("a file")).expect("read");
    let own = std::process::id();
    let instance = session.record().instance.expect("an instance");
    session.close().expect("close");
    for number in 0..RECORDS {
        let pid = 4_200_000 + number % PROCESSES;
        let tag = format!("{number:08x}");
        let text = text
            .replace(&format!("\"pid\": {own}"), &format!("\"pid\": {pid}"))
            .replace(&instance, &format!("{tag}{}", &instance[8..]))
            .replace("template", &format!("0b2c7a52-6f1c-4a57-9a0e-{number:012x}"));
        fs::write(folder.join(format!("{pid}-{tag}.json")), text).expect("write");
    }
    std::thread::sleep(SETTLING);
}

/// The folder that is listed; programs of other languages, and of later rounds, list the same one.
pub(crate) fn many_records(folder: &Path) -> PathBuf {
    let folder = folder.join("sessions");
    if !folder.exists() {
        fs::create_dir_all(&folder).expect("a folder");
        fill(&folder);
    }
    folder
}

pub(crate) fn scan(folder: &Path, plan: Plan) {
    let folder = many_records(folder);
    let kept = Registry::open(&folder).expect("open");
    kept.scan().expect("scan");
    let contenders = vec![
        contender("floor: getdents; open, read, close of each file", || floor::scan(&folder)),
        contender("Rust: the first scan", || {
            black_box(Registry::open(&folder).and_then(|registry| registry.scan()).expect("scan"));
        }),
        contender("Rust: a second scan, nothing changed", || {
            black_box(kept.scan().expect("scan"));
        }),
        contender("Rust: fs::read_dir, fs::read, serde_json::Value", || {
            for entry in fs::read_dir(&folder).expect("list") {
                let bytes = fs::read(entry.expect("an entry").path()).expect("read");
                black_box(serde_json::from_slice::<serde_json::Value>(&bytes).expect("parse"));
            }
        }),
    ];
    compare("scan", plan, contenders);
}

pub(crate) fn update(folder: &Path, plan: Plan) {
    let registry = Registry::open(folder.join("updated")).expect("open");
    let session = registry.register(&New::session("s", "/home/user/project")).expect("register");
    let path = session.path().expect("a file");
    let text = fs::read(&path).expect("read");
    let others = folder.join("others");
    fs::create_dir_all(&others).expect("a folder");
    fs::write(others.join(floor::NAME), &text).expect("write");
    let mut busy = false;
    let contenders = vec![
        contender("floor: open, write, close, rename", || floor::replace(&others, &text)),
        contender("floor of an exchange: open, write, close, renameat2, unlink", || {
            floor::exchange(&others, &text);
        }),
        contender("required: with lock, identity, reading and fchmod", || {
            floor::exchange_as_required(&others, &text);
        }),
        contender("Rust", || {
            busy = !busy;
            let patch = Patch::new().set("status", if busy { "busy" } else { "idle" });
            session.update(patch.expect("a patch")).expect("update");
        }),
    ];
    compare("update", plan, contenders);
}
