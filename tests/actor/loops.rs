//! Writing, clearing and reading again and again.

use std::time::{Duration, Instant};

use serde_json::json;
use sessionreg::{ErrorCode, Record};

use crate::once::say;
use crate::pattern;

/// Rewrites a record until it is killed.
pub(crate) fn write_for_ever(path: &str) {
    let mut record = pattern::record(1);
    for revision in 1.. {
        pattern::set_revision(&mut record, revision);
        sessionreg::write(path, &record).expect("a written record");
        if revision == 1 {
            say("ready");
        }
    }
}

/// The same in the way that comes to mind first.
pub(crate) fn write_naively_for_ever(path: &str) {
    let mut record = pattern::record(1);
    for revision in 1.. {
        pattern::set_revision(&mut record, revision);
        std::fs::write(path, record.to_json().expect("JSON")).expect("a written file");
        if revision == 1 {
            say("ready");
        }
    }
}

/// Writes one registration after another for a while; says how many.
pub(crate) fn write_for_a_while(path: &str, millis: u64) {
    let (mut written, mut busy) = (0, 0);
    let end = end(millis);
    while Instant::now() < end {
        let record = pattern::record(written);
        written += u64::from(done(sessionreg::write(path, &record), &mut busy).is_some());
    }
    say(json!({ "written": written, "busy": busy }));
}

/// Clears what it finds, in turn whatever it is and if it is still that.
pub(crate) fn clear_for_a_while(path: &str, millis: u64) {
    let (mut cleared, mut busy) = (0, 0);
    let end = end(millis);
    while Instant::now() < end {
        let Some(found) = sessionreg::read(path).expect("a possible path") else { continue };
        let result = if cleared % 2 == 0 {
            sessionreg::clear(path)
        } else {
            sessionreg::clear_if(path, &found)
        };
        cleared += u64::from(done(result, &mut busy) == Some(true));
    }
    say(json!({ "cleared": cleared, "busy": busy }));
}

/// Reads; says how many records there were, how often none, and what else there was.
pub(crate) fn read_for_a_while(path: &str, millis: u64) {
    let (mut whole, mut none, mut other) = (0, 0, Vec::new());
    let end = end(millis);
    while Instant::now() < end {
        match sessionreg::load(path) {
            Ok(record) if pattern::is_whole(&record) => whole += 1,
            Ok(record) => other.push(summary(&record)),
            Err(error) if error.code() == ErrorCode::NotFound => none += 1,
            Err(error) => other.push(error.to_string()),
        }
    }
    say(json!({ "whole": whole, "none": none, "other": other }));
}

fn end(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

fn summary(record: &Record) -> String {
    format!("revision {:?}, {:?} bytes", record.revision, record.name.as_ref().map(String::len))
}

/// What was done; a folder that was busy is counted, any other failure ends the process.
fn done<T>(result: sessionreg::Result<T>, busy: &mut u64) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) if error.code() == ErrorCode::Busy => {
            *busy += 1;
            None
        }
        Err(error) => panic!("{error}"),
    }
}
