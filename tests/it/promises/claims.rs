//! The claim of a session: one process holds it, and never a dead one.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sessionreg::{ErrorCode, Registry};

use super::actor::{Running, actor, lines_of, under};
use super::system;

/// The actor with a home of its own, in which claims lie.
fn in_home<T: AsRef<str>>(home: &Path, arguments: &[T]) -> Command {
    under(&["env", &format!("SESSIONREG_HOME={}", home.display())], &actor(arguments))
}

fn answer(running: &Running) -> Value {
    serde_json::from_str(&running.first).expect("a line of JSON")
}

#[test]
fn of_many_processes_one_has_the_claim_and_the_others_learn_which() {
    let home = tempfile::tempdir().expect("a folder");
    let all: Vec<_> =
        (0..32).map(|_| Running::start(in_home(home.path(), &["claim", "x"]))).collect();
    let holders: Vec<_> = all.iter().filter(|one| !answer(one)["claimed"].is_null()).collect();
    assert_eq!(holders.len(), 1, "so many hold it");
    let held = json!({ "error": "HELD", "holder": holders[0].pid() });
    for one in all.iter().filter(|one| one.pid() != holders[0].pid()) {
        assert_eq!(answer(one), held);
    }
}

#[test]
fn a_claim_dies_with_its_process_however_that_ends() {
    let home = tempfile::tempdir().expect("a folder");
    for _ in 0..20 {
        let holder = Running::start(in_home(home.path(), &["claim", "x"]));
        assert!(!answer(&holder)["claimed"].is_null(), "{}", holder.first);
        holder.kill();
    }
    // What the last one left behind is told from a claim, and goes with a sweep of the home.
    let claims = home.path().join("claims");
    assert_eq!(system::names_in(&claims), [".actor.x.json.lock", "actor.x.json"]);
    let sessions = home.path().join("sessions");
    let sweep = in_home(home.path(), &["sweep", sessions.to_str().expect("text")]);
    let gone = lines_of(&sweep, "");
    let gone: Value = serde_json::from_str(&gone[0]).expect("a line of JSON");
    assert_eq!(gone[0][1], "gone", "{gone}");
    assert_eq!(system::names_in(&claims), Vec::<String>::new());
}

#[test]
fn a_sweep_leaves_claims_that_are_held_and_files_that_are_none() {
    let home = tempfile::tempdir().expect("a folder");
    let holder = Running::start(in_home(home.path(), &["claim", "x"]));
    let dead = Running::start(in_home(home.path(), &["claim", "y"]));
    let claims = home.path().join("claims");
    fs::copy(claims.join("actor.y.json"), claims.join("backup.json")).expect("a copy");
    dead.kill();
    let sessions = home.path().join("sessions");
    lines_of(&in_home(home.path(), &["sweep", sessions.to_str().expect("text")]), "");
    assert_eq!(system::names_in(&claims), [".actor.x.json.lock", "actor.x.json", "backup.json"]);
    let second = Running::start(in_home(home.path(), &["claim", "x"]));
    assert_eq!(answer(&second)["holder"], holder.pid());
}

/// fcntl(2) drops every lock of a process on a file when it closes any descriptor of it: the file
/// that anybody may read must not be the one that is locked.
#[test]
fn to_read_the_file_of_its_own_claim_costs_a_process_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let other_name = home.path().join("link");
    std::os::unix::fs::symlink(home.path(), &other_name).expect("a link");
    let script = |home: &Path| {
        let claim = in_home(home, &["claim", "x"]);
        Running::start(claim)
    };
    let holder = script(home.path());
    let path = answer(&holder)["claimed"].as_str().expect("a path").to_owned();
    // In this process, with a claim of its own, under both names of the home.
    let own = Registry::open(home.path().join("claims")).expect("a folder");
    assert_eq!(own.scan().expect("a list").entries.len(), 0);
    assert!(sessionreg::load(&path).is_ok());
    for home in [home.path(), &other_name] {
        assert_eq!(answer(&script(home))["holder"], holder.pid());
    }
}

#[test]
fn processes_that_claim_in_turns_are_never_two_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let marker = home.path().join("marker").display().to_string();
    let rounds = crate::rounds(200, 2_500).to_string();
    let all: Vec<_> = (0..4)
        .map(|_| {
            let command = in_home(home.path(), &["claim-in-turns", "x", &marker, &rounds]);
            std::thread::spawn(move || lines_of(&command, ""))
        })
        .collect();
    for one in all {
        assert_eq!(one.join().expect("a holder at a time"), std::slice::from_ref(&rounds));
    }
}

#[test]
fn agents_and_ids_that_can_be_no_file_name_are_refused_before_anything_is_made() {
    let registry = Registry::open("/nowhere").expect("a possible folder");
    for (agent, id, code) in [
        ("A", "x", ErrorCode::InvalidInput),
        ("schema", "x", ErrorCode::InvalidInput),
        ("", "x", ErrorCode::InvalidInput),
        ("a", "", ErrorCode::InvalidId),
        ("a", "../x", ErrorCode::InvalidId),
        ("a", "a/b", ErrorCode::InvalidId),
    ] {
        let error = registry.claim(agent, id).expect_err("a name that cannot be");
        assert_eq!(error.code(), code, "{agent:?} {id:?}");
    }
}
