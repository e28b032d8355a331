//! Verdicts on records, as this process sees them.

use std::hint::black_box;
use std::io;
use std::process::Command;

use sessionreg::{Record, Verdict, liveness, liveness_all};

use crate::once::{marked, say};

/// A verdict for each record on standard input, one JSON text a line. Alone and among the others
/// each must get the same.
pub(crate) fn lines() {
    let records: Vec<Record> = io::stdin()
        .lines()
        .map(|line| Record::from_json(line.expect("text")).expect("a record"))
        .collect();
    let together = liveness_all(&records);
    for (record, together) in records.iter().zip(together) {
        let alone = liveness(record);
        if alone == together {
            say(alone.reason);
        } else {
            say(format!("{alone}, but among others {together}"));
        }
    }
}

/// A verdict for each file, or why it gives no record.
pub(crate) fn files(paths: &[&str]) {
    for path in paths {
        match sessionreg::load(path) {
            Ok(record) => say(liveness(&record).reason),
            Err(error) => say(error.code()),
        }
    }
}

/// A verdict on a file that was read, and judged, before a program changed something.
pub(crate) fn file_after(path: &str, program: &str, arguments: &[&str]) {
    let record = sessionreg::load(path).expect("a record");
    black_box(liveness(&record));
    let status = Command::new(program).args(arguments).status().expect("a program");
    assert!(status.success(), "{program}: {status}");
    say(liveness(&record).reason);
}

/// Judges records of pids that mean something else to system calls, and makes records of them.
pub(crate) fn impossible_pids() {
    const PIDS: [u32; 4] = [0, i32::MAX as u32 + 1, u32::MAX - 1, u32::MAX];
    let full = Record::new("session", "/");
    let records: Vec<Record> = PIDS
        .into_iter()
        .flat_map(|pid| {
            let mut like_ours = full.clone();
            like_ours.pid = pid;
            [like_ours, Record::plain(pid, "session", "/")]
        })
        .collect();
    let verdicts: Vec<Verdict> = marked(|| {
        for pid in PIDS {
            assert!(black_box(Record::of_process(pid, "session", "/")).is_err());
        }
        records.iter().map(liveness).chain(liveness_all(&records)).collect()
    });
    for verdict in verdicts {
        say(verdict.reason);
    }
}
