//! Whatever is at the path: little of it is read, and nobody waits.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use super::actor::{actor, value_of};
use super::pattern;
use super::system::{self, Need};
use super::trace::{calls_between_marks, traced};

/// The longest record, and the byte that tells of more.
const MOST_BYTES: u64 = 65_537;

/// The promised deadline of one read.
const DEADLINE_MICROS: u64 = 50_000;

/// What is at a path, and what is said of it.
struct Hazard {
    path: PathBuf,
    says: &'static str,
}

fn hazards(folder: &Path) -> Vec<Hazard> {
    let at = |name: &str| folder.join(name);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a FIFO");
    drop(UnixListener::bind(at("socket")).expect("a socket"));
    fs::create_dir(at("folder")).expect("a folder");
    symlink(at("loop"), at("loop")).expect("a link");
    symlink("/dev/zero", at("link-to-device")).expect("a link");
    symlink(at("beyond-loop/x"), at("beyond-loop")).expect("a link");
    File::create(at("sparse")).expect("a file").set_len(1 << 40).expect("1 TiB of nothing");
    fs::write(at("long"), " ".repeat(65_537)).expect("a file");
    fs::write(at("empty"), "").expect("a file");
    let hazard = |path: PathBuf, says| Hazard { path, says };
    let mut hazards = vec![
        hazard(at("fifo"), "NOT_A_FILE"),
        hazard(at("socket"), "NOT_A_FILE"),
        hazard(at("folder"), "NOT_A_FILE"),
        hazard(at("loop"), "NOT_A_FILE"),
        hazard(at("link-to-device"), "NOT_A_FILE"),
        hazard(at("beyond-loop").join("x"), "NOT_A_FILE"),
        hazard("/dev/zero".into(), "NOT_A_FILE"),
        hazard("/dev/null".into(), "NOT_A_FILE"),
        hazard("/dev/tty".into(), "NOT_A_FILE"),
        hazard(at("sparse"), "TOO_LARGE"),
        hazard(at("long"), "TOO_LARGE"),
        hazard(at("empty"), "CORRUPT"),
        hazard(at("absent"), "NOT_FOUND"),
        hazard(at("empty").join("x"), "NOT_FOUND"),
        hazard("/proc/self/mem".into(), "IO"),
    ];
    // Of size 0 and megabytes long; and as long as the memory that could be. Not every kernel
    // shows them.
    let endless =
        [hazard("/proc/kallsyms".into(), "TOO_LARGE"), hazard("/proc/self/pagemap".into(), "IO")];
    hazards.extend(endless.into_iter().filter(|hazard| hazard.path.exists()));
    hazards
}

#[test]
fn reading_is_bounded_and_never_waits() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    for hazard in hazards(folder.path()) {
        let path = hazard.path.to_str().expect("text");
        let said = value_of(&traced::<&str>(&[], &trace, &actor(&["load", path])));
        assert_eq!(said["code"], hazard.says, "{path}: {said}");
        assert_eq!(said["path"], path, "{said}");
        let bytes: u64 = calls_between_marks(&trace)
            .iter()
            .filter(|call| call.name.contains("read") && call.name != "readlink")
            .filter_map(super::trace::Call::returned)
            .sum();
        assert!(bytes <= MOST_BYTES, "{path}: {bytes} bytes");
        // Without the tracer, which takes its own time.
        let said = value_of(&actor(&["load", path]));
        let micros = said["micros"].as_u64().expect("a time");
        assert!(micros < DEADLINE_MICROS, "{path}: {micros} µs");
        println!("{path}: {}, {bytes} bytes, {micros} µs", hazard.says);
        assert!(sessionreg::read(path).expect("a possible path").is_none(), "{path}");
    }
}

#[test]
fn the_longest_record_is_read_and_one_byte_more_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let record = pattern::record(1);
    let mut text = record.to_json().expect("JSON");
    text.insert_str(1, &" ".repeat(65_536 - text.len()));
    fs::write(&path, &text).expect("a file");
    assert_eq!(sessionreg::load(&path).expect("64 KiB").revision, Some(1));
    text.insert(1, ' ');
    fs::write(&path, &text).expect("a file");
    assert_eq!(sessionreg::load(&path).expect_err("more").code().as_str(), "TOO_LARGE");
}
