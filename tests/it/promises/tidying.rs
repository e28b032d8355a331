//! Cleaning up after hooks removes what is left over, in the folders that were named, and only that.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sessionreg::{CleanUpOptions, Monitor, Sources};

use super::actor::{actor, lines_of, under};
use super::system::names_in;

fn put(path: &Path, text: &str, age_hours: u64) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
    let then = SystemTime::now() - Duration::from_secs(age_hours * 3600 + 60);
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(then).expect("its time");
}

fn record(id: &str, rest: &str) -> String {
    format!(r#"{{"session_id": "{id}", "agent": "claude", "status": "active"{rest}}}"#)
}

const STARTING: &str = r#"{"session_id": "ID", "agent": "claude", "status": "starting"}"#;

/// A data folder with one of each kind; gives what may be removed, and why.
fn data_folder(data: &Path) -> Vec<(PathBuf, &'static str)> {
    let at = |path: &str| data.join(path);
    let pane = r#", "zellij_session": "z", "zellij_pane": "1""#;
    put(&at("sessions/new.json"), &STARTING.replace("ID", "new"), 0);
    put(&at("sessions/old.json"), &STARTING.replace("ID", "old"), 2);
    put(&at("sessions/p1.json"), &record("p1", pane), 5);
    put(&at("sessions/p2.json"), &record("p2", pane), 5);
    put(&at("sessions/active.json"), &record("active", ""), 500);
    put(&at("sessions/broken.json"), "{", 500);
    put(&at("sessions/notes.txt"), "mine", 500);
    // A record may name any path; none is made of what it says.
    put(&at("sessions/evil.json"), &record("../../victim", pane), 500);
    put(&data.join("../victim.json"), "mine", 500);
    put(&at("events/gone.jsonl"), "{}\n", 30);
    put(&at("events/gone-lately.jsonl"), "{}\n", 3);
    put(&at("events/active.jsonl"), "{}\n", 500);
    put(&at("events/broken.jsonl"), "{}\n", 500);
    put(&at("events/notes.txt"), "mine", 500);
    vec![
        (at("events/gone.jsonl"), "orphan"),
        (at("sessions/old.json"), "stale"),
        (at("sessions/p2.json"), "superseded"),
    ]
}

#[test]
fn cleaning_up_removes_what_is_left_over_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("amc");
    let doomed = data_folder(&data);
    let other = folder.path().join("other");
    data_folder(&other);
    let untouched = |folder: &Path| ["sessions", "events"].map(|name| names_in(&folder.join(name)));
    let (before, others_before) = (untouched(&data), untouched(&other));
    let mut sources = Sources::none();
    // What a monitor watches is not what it cleans up.
    sources.hooks = vec![other.clone()];
    let monitor = Monitor::new(sources).expect("a monitor");

    let named = [data.clone()];
    let asked = monitor.clean_up(&named, CleanUpOptions::default().dry_run(true)).expect("asked");
    let files = |done: &sessionreg::CleanedUp| -> Vec<(PathBuf, &'static str)> {
        done.removed.iter().map(|file| (file.path.clone(), file.reason)).collect()
    };
    assert_eq!(files(&asked), doomed);
    assert_eq!(untouched(&data), before, "a dry run removes nothing");

    let done = monitor.clean_up(&named, CleanUpOptions::default()).expect("cleaned up");
    assert_eq!(files(&done), doomed);
    let failed: Vec<_> = done.failed.iter().map(|skipped| skipped.path.clone()).collect();
    assert_eq!(failed, [data.join("sessions/broken.json"), data.join("sessions/evil.json")]);
    for (path, _) in &doomed {
        assert!(!path.exists(), "{}", path.display());
    }
    let kept = before.iter().map(Vec::len).sum::<usize>() - doomed.len();
    assert_eq!(untouched(&data).iter().map(Vec::len).sum::<usize>(), kept);
    assert_eq!(untouched(&other), others_before);
    assert_eq!(fs::read(folder.path().join("victim.json")).expect("it is there"), b"mine");
    let again = monitor.clean_up(&named, CleanUpOptions::default()).expect("cleaned up");
    assert_eq!(files(&again), []);
}

/// A turn begins with the tokens that are in use then: for another process too, once recorded.
#[test]
fn the_beginning_of_a_turn_is_remembered_in_our_own_folder_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("amc");
    let transcript = folder.path().join("t.jsonl");
    let usage = |tokens: u64| {
        fs::write(
            &transcript,
            format!("{{\"message\":{{\"usage\":{{\"input_tokens\":{tokens}}}}}}}\n"),
        )
        .expect("a transcript");
    };
    let write = |event: &str, age_hours| {
        let rest =
            format!(r#", "last_event": "{event}", "transcript_path": "{}""#, transcript.display());
        put(&data.join("sessions/h.json"), &record("h", &rest), age_hours);
    };
    usage(100);
    write("UserPromptSubmit", 1);
    let hooks = fs::read(data.join("sessions/h.json")).expect("a record");
    let home = folder.path().join("home");
    let actor = |command: &str| {
        let words = ["env".to_owned(), format!("SESSIONREG_HOME={}", home.display())];
        let lines = lines_of(&under(&words, &actor(&[command, &data.to_string_lossy()])), "");
        lines.first().expect("a line").clone()
    };
    assert_eq!(actor("record-turns"), "1");
    assert_eq!(actor("record-turns"), "0", "it is known");
    usage(250);
    write("PreToolUse", 0);
    let seen: serde_json::Value = serde_json::from_str(&actor("panes")).expect("a snapshot");
    let session = seen["sessions"].as_array().expect("sessions").iter();
    let session = session.into_iter().find(|session| session["session_id"] == "h");
    let session = session.expect("the session");
    assert_eq!(session["context_usage"]["current_tokens"], 250);
    assert_eq!(session["turn_start_tokens"], 100);
    assert_eq!(names_in(&home), ["turn-starts.json"]);
    write("UserPromptSubmit", 1);
    assert_eq!(fs::read(data.join("sessions/h.json")).expect("a record"), hooks);
    assert_eq!(names_in(&data), ["sessions"]);
}
