//! The shared vectors, against the Rust face. Their format is in `tests/vectors/README.md`.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use serde_json::Value;

use crate::helper::Helper;

mod disk;
mod environment;
mod history;
mod ops;
mod record;
mod restores;
mod scan;
mod snapshot;
mod text;

use text::Texts;

/// How a case may end early.
#[derive(Debug)]
enum Stop {
    /// It cannot run here.
    Skip(String),
    /// It disagrees, or is not understood.
    Fail(String),
}

/// The result of a case, or of a part of it.
type Outcome<T = ()> = Result<T, Stop>;

fn fail<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Stop::Fail(reason.into()))
}

fn skip<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Stop::Skip(reason.into()))
}

/// Compares what came out with what must.
#[expect(clippy::needless_pass_by_value, reason = "most callers compare what they just made")]
fn expect_eq<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Outcome {
    if got == expected {
        return Ok(());
    }
    // A record may be as long as 64 KiB; the beginning tells which it is.
    let brief = |value: &T| format!("{value:?}").chars().take(1000).collect::<String>();
    fail(format!("{what}: expected {}, got {}", brief(&expected), brief(&got)))
}

#[test]
fn the_library_agrees_with_every_vector() {
    let mut runner = Runner::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of the vectors")
        .map(|entry| entry.expect("its entries").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read(&path).expect("a vector file");
        let file: Value = serde_json::from_slice(&text).expect("a vector file is JSON");
        for case in file["cases"].as_array().expect("cases") {
            runner.run(&file, case);
        }
    }
    runner.finish();
}

struct Runner {
    helper: Helper,
    host: Value,
    alarm: Sender<String>,
    no_skip: bool,
    names: HashSet<String>,
    ran: usize,
    skipped: usize,
    failures: Vec<String>,
}

impl Runner {
    fn start() -> Self {
        let mut helper = Helper::start();
        let host = helper.ask("host");
        let no_skip = std::env::var_os("SESSIONREG_NO_SKIP").is_some_and(|value| value == "1");
        let names = HashSet::new();
        Self { helper, host, alarm: alarm(), no_skip, names, ran: 0, skipped: 0, failures: vec![] }
    }

    fn run(&mut self, file: &Value, case: &Value) {
        let name = case["name"].as_str().expect("a case has a name");
        assert!(self.names.insert(name.to_owned()), "two cases are called {name}");
        let _ = self.alarm.send(name.to_owned());
        // One case that panics must not hide the others.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.outcome(file, case)))
            .unwrap_or_else(|_| fail("it panicked"));
        match outcome {
            Ok(()) => self.ran += 1,
            Err(Stop::Skip(reason)) if self.no_skip && self.is_meant_for_here(case) => {
                self.failures.push(format!("{name}: may not be skipped: {reason}"));
            }
            Err(Stop::Skip(reason)) => {
                println!("skipped: {name}: {reason}");
                self.skipped += 1;
            }
            Err(Stop::Fail(reason)) => self.failures.push(format!("{name}: {reason}")),
        }
    }

    fn is_meant_for_here(&self, case: &Value) -> bool {
        case["platforms"].as_array().is_none_or(|list| list.contains(&self.host["platform"]))
    }

    fn outcome(&mut self, file: &Value, case: &Value) -> Outcome {
        if !self.is_meant_for_here(case) {
            return skip("not for this platform");
        }
        if is_named_by_environment(&case["name"]) {
            return skip("named by SESSIONREG_SKIP");
        }
        let facts = self.facts(case)?;
        let texts = Texts::new(&file["let"], facts);
        for need in case["needs"].as_array().into_iter().flatten() {
            match need.as_str() {
                Some("pidfs") if self.host["pidfs"] == true => {}
                Some("root") if self.host["uid"] == 0 => {}
                Some(need @ ("pidfs" | "root")) => return skip(format!("needs {need}")),
                Some(fact) => drop(texts.fact(fact)?),
                None => return fail("a need is no text"),
            }
        }
        ops::run(file, case, texts, &mut self.helper)
    }

    /// The facts of the case's process over those of the host.
    fn facts(&mut self, case: &Value) -> Outcome<Value> {
        let mut facts = self.host.clone();
        let process = match case["process"].as_str() {
            None => Value::Null,
            Some("runner") => self.helper.ask(&format!("identify {}", std::process::id())),
            Some(kind) => self.helper.ask(&format!("spawn {kind}")),
        };
        if let Some(reason) = process["skip"].as_str() {
            return skip(reason);
        }
        for (name, fact) in process.as_object().into_iter().flatten() {
            facts[name] = fact.clone();
        }
        facts["host_key"] = sessionreg::Record::new("s", "/").identity.host_key.into();
        facts["own_pid"] = std::process::id().into();
        facts["root"] = if cfg!(windows) { "C:" } else { "" }.into();
        Ok(facts)
    }

    fn finish(self) {
        self.helper.finish();
        let (ran, skipped) = (self.ran, self.skipped);
        println!("vectors: {ran} agree, {skipped} skipped, {} disagree", self.failures.len());
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        assert!(ran > 0, "no case ran");
    }
}

/// Whether it is one that the machine which runs this, an emulator, is known to get wrong.
fn is_named_by_environment(name: &Value) -> bool {
    std::env::var("SESSIONREG_SKIP").is_ok_and(|names| names.split(' ').any(|other| name == other))
}

/// Ends the test if no case begins for a while: one that blocks would do so for ever.
fn alarm() -> Sender<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut last = String::new();
        loop {
            match receiver.recv_timeout(Duration::from_secs(60)) {
                Ok(name) => last = name,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("{last}: it does not end");
                    std::process::abort();
                }
            }
        }
    });
    sender
}
