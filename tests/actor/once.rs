//! One call of the library, between two marks that a tracer finds.

use std::fmt::Display;
use std::io::{self, BufRead as _, Read as _, Write as _};

use rustix::fs::{Access, FlockOperation};
use serde_json::{Value, json};
use sessionreg::{Error, Record, SessionId, WriteOptions, paths};

use crate::pattern;

#[derive(Clone, Copy)]
pub(crate) enum Sync {
    Yes,
    No,
}

/// Files that nobody has; asking for them is what a tracer sees.
const BEGIN: &str = "/.sessionreg-begin";
const END: &str = "/.sessionreg-end";

/// Does something between two marks.
pub(crate) fn marked<T>(action: impl FnOnce() -> T) -> T {
    let mark = |path| {
        let _ = rustix::fs::access(path, Access::EXISTS);
    };
    mark(BEGIN);
    let result = action();
    mark(END);
    result
}

pub(crate) fn say(value: impl Display) {
    let mut output = io::stdout();
    // Nobody left to tell is no failure of the library's.
    let _ = writeln!(output, "{value}").and_then(|()| output.flush());
}

fn outcome<T>(result: Result<T, Error>, value: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(done) => json!({ "ok": value(done) }),
        Err(error) => json!({
            "code": error.code().as_str(),
            "path": error.path().map(|path| path.to_string_lossy()),
            "errno": error.raw_os_error(),
            "message": error.to_string(),
        }),
    }
}

/// Writes revision 2 of a record.
pub(crate) fn write(path: &str, sync: Sync) {
    let record = pattern::record(2);
    let options = WriteOptions::default().durable(matches!(sync, Sync::Yes));
    let result = marked(|| sessionreg::write_with(path, &record, options));
    say(outcome(result, |()| Value::Null));
}

pub(crate) fn clear(path: &str) {
    let result = marked(|| sessionreg::clear(path));
    say(outcome(result, Value::from));
}

/// Clears what is there if it is what is there.
pub(crate) fn clear_if(path: &str) {
    let record = sessionreg::load(path).expect("a record");
    let result = marked(|| sessionreg::clear_if(path, &record));
    say(outcome(result, Value::from));
}

/// Loads the file; then says the shortest of a few times, in microseconds.
pub(crate) fn load(path: &str) {
    let result = marked(|| sessionreg::load(path));
    let shortest = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            drop(sessionreg::load(path));
            start.elapsed()
        })
        .min();
    let mut outcome = outcome(result, |record| record.revision.into());
    outcome["micros"] = json!(shortest.map(|time| u64::try_from(time.as_micros()).ok()));
    say(outcome);
}

/// Takes ids from standard input, one JSON string a line, and writes and clears the sidecar of
/// each that may become part of a path.
pub(crate) fn write_for_ids(folder: &str) {
    let ids: Vec<String> = io::stdin()
        .lines()
        .map(|line| serde_json::from_str(&line.expect("text")).expect("a JSON string"))
        .collect();
    let record = pattern::record(2);
    let results = marked(|| {
        let mut results = Vec::new();
        for id in &ids {
            let result = SessionId::new(id.as_str()).and_then(|id| {
                let path = paths::sidecar_in_project(folder, &id);
                sessionreg::write(&path, &record)?;
                sessionreg::clear(&path)
            });
            results.push(result);
        }
        results
    });
    for result in results {
        say(outcome(result, Value::from));
    }
}

/// Writes a record of its own process, says what it thinks of it, and lives until its input ends.
pub(crate) fn serve(path: &str) {
    sessionreg::write(path, &Record::new("session", "/")).expect("a written record");
    say(sessionreg::liveness(&sessionreg::load(path).expect("that record")).reason);
    wait_for_the_end();
}

/// Takes the lock of a folder and stops, as a process does that is suspended in the middle.
pub(crate) fn hold_lock(folder: &str) {
    let folder = std::fs::File::open(folder).expect("a folder");
    rustix::fs::flock(&folder, FlockOperation::LockExclusive).expect("its lock");
    say("ready");
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::STOP).expect("to be stopped");
}

fn wait_for_the_end() {
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
}

/// One line of standard input; empty at its end.
pub(crate) fn line() -> String {
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    line
}
