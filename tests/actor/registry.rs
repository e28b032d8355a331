//! What other processes do with a registry.

use std::fs::{self, OpenOptions};
use std::time::Duration;

use serde_json::{Value, json};
use sessionreg::{
    By, Claim, ErrorCode, New, Patch, Reason, Registry, Result, Session, SweepOptions,
};

use crate::forks::does_well;
use crate::once::{line, say};

fn open(dir: &str) -> Registry {
    Registry::open(dir).expect("a possible folder")
}

/// A folder that is busy for long on a busy machine is no news here.
fn insist<T>(action: impl Fn() -> Result<T>) -> T {
    loop {
        match action() {
            Ok(done) => return done,
            Err(error) => assert_eq!(error.code(), ErrorCode::Busy, "{error}"),
        }
    }
}

/// Registers a session, says where, and closes it at the end of the input.
pub(crate) fn register(dir: &str, id: &str) {
    let session = open(dir).register(&New::session(id, "/srv")).expect("a session");
    say(json!({ "path": session.path(), "pid": std::process::id() }));
    line();
    session.close().expect("a closed session");
}

/// Says what is registered, one line each.
pub(crate) fn list(dir: &str) {
    for entry in open(dir).records().expect("a list") {
        let verdict = entry.verdict;
        say(json!([entry.record.session_id, verdict.state.as_str(), verdict.reason.as_str()]));
    }
}

/// Sweeps, and says what went.
pub(crate) fn sweep(dir: &str) {
    let swept = open(dir).sweep(&SweepOptions::default()).expect("a sweep");
    let gone: Vec<Value> = swept
        .removed
        .iter()
        .map(|gone| json!([gone.path, gone.reason.map(Reason::as_str)]))
        .collect();
    say(json!(gone));
}

/// Opens the session of a process and sets keys of its own, one after the other.
pub(crate) fn help(dir: &str, pid: &str, own: &str, count: u64) {
    let session = open(dir)
        .open_session(By::Pid(pid.parse().expect("a pid")))
        .expect("a session that is there");
    for number in 0..count {
        let patch = || Patch::new().set("keys", json!({ format!("{own}-{number}"): number }));
        assert!(insist(|| session.update(patch()?)));
    }
}

/// Changes a session for ever; the first line says that it is registered.
pub(crate) fn update_for_ever(dir: &str) {
    let session = open(dir).register(&New::session("loop", "/srv")).expect("a session");
    say(json!(session.path()));
    for number in 0_u64.. {
        insist(|| session.update(Patch::new().set("number", number)?));
    }
}

/// Registers, changes, moves, lists and closes sessions, so many times in all, and checks every
/// list against what this process did itself.
pub(crate) fn live(dir: &str, number: u64, operations: u64) {
    let registry = open(dir);
    let own = std::process::id();
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut sessions: Vec<(Session, String)> = Vec::new();
    for operation in 0..operations {
        let id = format!("{number}-{operation}");
        let choice = random(5);
        let index = usize::try_from(random(sessions.len().max(1) as u64)).expect("an index");
        match (choice, sessions.get_mut(index)) {
            (1, Some((session, _))) => {
                insist(|| session.update(Patch::new().set("number", operation)?));
            }
            (2, Some((session, name))) => {
                insist(|| session.switch(id.as_str(), Patch::new()));
                *name = id;
            }
            (3, Some(_)) => {
                let (session, _) = sessions.swap_remove(index);
                insist(|| session.close());
            }
            (4, _) => {}
            _ => {
                let new = New::session(id.as_str(), "/srv");
                sessions.push((insist(|| registry.register(&new)), id));
            }
        }
        let scan = registry.scan().expect("a list");
        assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
        let mut listed: Vec<&str> = scan
            .entries
            .iter()
            .filter(|entry| entry.record.pid == own)
            .map(|entry| entry.record.session_id.as_str())
            .collect();
        let mut expected: Vec<&str> = sessions.iter().map(|(_, id)| id.as_str()).collect();
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected, "after operation {operation}");
    }
    for (session, _) in sessions {
        insist(|| session.close());
    }
    say(json!("done"));
}

fn try_claim(id: &str) -> Result<Claim> {
    open("/nowhere").claim("actor", id)
}

/// Claims once, says what came of it, and keeps what it has until the end of the input.
pub(crate) fn claim(id: &str) {
    match try_claim(id) {
        Ok(claim) => {
            say(json!({ "claimed": claim.path() }));
            line();
            claim.release().expect("a released claim");
        }
        Err(error) => {
            let pid = error.holder().and_then(|holder| holder.pid);
            say(json!({ "error": error.code().as_str(), "holder": pid }));
            line();
        }
    }
}

/// Claims and releases; while it holds the claim, nobody else may have made the marker.
pub(crate) fn claim_in_turns(id: &str, marker: &str, rounds: u64) {
    let mut held = 0;
    while held < rounds {
        match try_claim(id) {
            Ok(claim) => {
                OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(marker)
                    .expect("no other holder beside this one");
                fs::remove_file(marker).expect("the marker is ours");
                claim.release().expect("a released claim");
                held += 1;
            }
            Err(error) => {
                assert!(
                    matches!(error.code(), ErrorCode::Held | ErrorCode::Busy),
                    "neither held nor busy: {error}"
                );
            }
        }
        // Others get their turn.
        std::thread::sleep(Duration::from_micros(held % 7 * 20));
    }
    say(json!(held));
}

/// Registers a session and a claim, and forks in many ways: whatever a child does, both are still
/// the parent's.
pub(crate) fn forks(dir: &str, rounds: u64) {
    let registry = open(dir);
    let session = registry.register(&New::session("forked", "/srv")).expect("a session");
    let claim = registry.claim("actor", "forked").expect("a claim");
    let path = session.path().expect("a file");
    let refused = |done: Result<bool>| {
        assert_eq!(done.expect_err("a call in a child").code(), ErrorCode::Closed);
    };
    let ways: [(&str, &dyn Fn()); 8] = [
        ("ends at once", &|| {}),
        ("closes", &|| refused(session.close())),
        ("leaves", &|| refused(session.leave())),
        ("changes", &|| refused(session.update(Patch::new()))),
        ("takes a ticket", &|| refused(session.submit_close().wait())),
        ("drops the handles", &|| {
            // SAFETY: the child ends without touching the originals again.
            unsafe {
                drop(std::ptr::read(&raw const session));
                drop(std::ptr::read(&raw const claim));
            }
        }),
        ("registers itself", &|| {
            let own = registry.register(&New::session("child", "/srv")).expect("a session");
            assert_eq!(registry.find_by_pid(std::process::id()).expect("a list").len(), 1);
            own.close().expect("a closed session");
        }),
        ("asks for the claim", &|| {
            let error = registry.claim("actor", "forked").expect_err("the parent has it");
            assert_eq!(error.code(), ErrorCode::Held);
        }),
    ];
    for round in 0..rounds {
        for (name, way) in &ways {
            assert!(does_well(way), "round {round}: a child that {name}");
            assert!(path.exists(), "round {round}: a child that {name} took the record along");
        }
    }
    // A call that was made before the fork is the parent's.
    let ticket = session.submit_refresh();
    let in_child = || {
        // SAFETY: as above.
        refused(unsafe { std::ptr::read(&raw const ticket) }.wait());
    };
    assert!(does_well(in_child), "the child did what its parent had begun");
    assert!(ticket.wait().expect("the parent's own call"));

    let error = registry.claim("actor", "forked").expect_err("it is held by this process");
    assert_eq!(error.code(), ErrorCode::Held);
    claim.release().expect("the parent's own claim");
    session.close().expect("the parent's own session");
    assert!(!path.exists());
    say(json!(rounds));
}
