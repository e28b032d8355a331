//! The jobs, each done by the library, by its floor, and by what people use today.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use sessionreg::{Record, WriteOptions};

use crate::floor;

/// One way to do a job.
struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

fn contender<'a>(name: &'static str, run: impl FnMut() + 'a) -> Contender<'a> {
    Contender { name, run: Box::new(run) }
}

/// Lets the contenders take turns and prints what each needed.
fn compare(job: &str, rounds: usize, mut contenders: Vec<Contender<'_>>) {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds + rounds / 10 {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (contender.run)();
            let micros = start.elapsed().as_secs_f64() * 1e6;
            // The first tenth warms up.
            if round >= rounds / 10 {
                times.push(micros);
            }
        }
    }
    for (contender, times) in contenders.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            r#"{{"job":"{job}","contender":"{}","p10":{:.3},"p50":{:.3},"p90":{:.3}}}"#,
            contender.name,
            at(10),
            at(50),
            at(90)
        );
    }
}

fn record() -> Record {
    let mut record = Record::new("0b2c7a52-6f1c-4a57-9a0e-5a3c6f0d9e11", "/home/user/project");
    record.agent = Some("qwen-code".to_owned());
    record.agent_version = Some("1.2.3".to_owned());
    record
}

fn replace(name: &str, folder: &Path) {
    let record = record();
    let text = record.to_json().expect("a valid record");
    let path = folder.join("s.runtime.json");
    let mut contenders = vec![
        contender("Rust", || sessionreg::write(&path, &record).expect("write")),
        contender("tempfile crate", || {
            let mut temp = tempfile::NamedTempFile::new_in(folder).expect("temp");
            temp.write_all(text.as_bytes()).expect("write");
            temp.persist(&path).expect("persist");
        }),
    ];
    let text = text.as_bytes();
    contenders.push(contender("floor: open, write, close, rename", || {
        floor::replace(folder, text);
    }));
    contenders.push(contender("floor with lock, mode and random name", || {
        floor::replace_as_required(folder, text);
    }));
    compare(&format!("replace a record, {name}"), 2_000, contenders);
}

fn replace_durably(name: &str, folder: &Path) {
    let record = record();
    let text = record.to_json().expect("a valid record");
    let path = folder.join("s.runtime.json");
    let options = WriteOptions::default().durable(true);
    let mut contenders = vec![contender("Rust", || {
        sessionreg::write_with(&path, &record, options).expect("write");
    })];
    contenders.push(contender("floor: open, write, fsync, close, rename, fsync", || {
        floor::replace_durably(folder, text.as_bytes());
    }));
    compare(&format!("replace a record durably, {name}"), 100, contenders);
}

fn read(name: &str, folder: &Path) {
    let path = folder.join("s.runtime.json");
    let record = record();
    sessionreg::write(&path, &record).expect("write");
    let mut contenders = vec![
        contender("Rust", || {
            black_box(sessionreg::load(&path).expect("load"));
        }),
        contender("fs::read and serde_json::Value", || {
            let bytes = std::fs::read(&path).expect("read");
            black_box(serde_json::from_slice::<serde_json::Value>(&bytes).expect("parse"));
        }),
    ];
    contenders.push(contender("floor: open, read, close", || floor::read(&path)));
    contenders.push(contender("floor with fstat, and parse", || {
        black_box(Record::from_json(floor::read_as_required(&path)).expect("parse"));
    }));
    compare(&format!("read and parse a record, {name}"), 20_000, contenders);
}

fn verdict(folder: &Path) {
    let path = folder.join("s.runtime.json");
    let record = record();
    sessionreg::write(&path, &record).expect("write");
    let read = sessionreg::load(&path).expect("load");
    let ticks_only = {
        let mut record = record.clone();
        record.identity.pid_inode = None;
        record
    };
    let plain = Record::plain(std::process::id(), "0b2c7a52", "/home/user/project");
    let mut contenders = vec![
        contender("Rust, record with pidfd inode", || {
            black_box(sessionreg::liveness(&read));
        }),
        contender("Rust, record with start ticks only", || {
            black_box(sessionreg::liveness(&ticks_only));
        }),
        contender("Rust, record without identity", || {
            black_box(sessionreg::liveness(&plain));
        }),
    ];
    contenders.push(contender("kill(pid, 0)", floor::kill));
    contenders.push(contender("floor: pidfd_open, fstat, poll, close", floor::pidfd));
    contenders.push(contender("floor with /proc/self and /proc/pid/stat", floor::pidfd_and_stat));
    compare("verdict on one pid", 20_000, contenders);
}

/// Many records of one process: it is asked for once.
fn verdicts(count: u32) {
    let records: Vec<_> = (0..count).map(|_| record()).collect();
    let contenders = vec![
        contender("Rust, one by one", || {
            for record in &records {
                black_box(sessionreg::liveness(record));
            }
        }),
        contender("Rust, liveness_all", || {
            black_box(sessionreg::liveness_all(&records));
        }),
    ];
    compare(&format!("verdicts on {count} records of one process"), 50, contenders);
}

pub(crate) fn run() {
    let disk = tempfile::tempdir().expect("a temporary folder");
    replace("disk", disk.path());
    replace_durably("disk", disk.path());
    read("disk", disk.path());
    verdict(disk.path());
    verdicts(1_000);
    if let Ok(memory) = tempfile::tempdir_in("/dev/shm") {
        replace("tmpfs", memory.path());
        read("tmpfs", memory.path());
    }
}
