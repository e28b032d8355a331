//! A snapshot finds what is there, says how it knows, and leaves everything as it was.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sessionreg::{Reason, Sources, snapshot};

use super::actor::{Running, actor, value_of};
use super::system::{self, NOBODY, Need};
use super::trace::{calls_between_marks, traced};

const UUID: &str = "5973b6c0-94b8-487b-a530-2aeb6098ae0e";

/// Puts a file, and the folders that it needs.
fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

fn rollout(home: &Path, id: &str, work_dir: &str) -> PathBuf {
    let name = format!("rollout-2025-05-07T17-24-21-{id}.jsonl");
    let path = home.join("sessions/2025/05/07").join(name);
    let meta = format!(r#"{{"id":"{id}","cwd":"{work_dir}","originator":"x","cli_version":"1"}}"#);
    put(&path, &format!("{{\"timestamp\":\"t\",\"type\":\"session_meta\",\"payload\":{meta}}}\n"));
    path
}

fn codex(home: &Path) -> Sources {
    let mut sources = Sources::none();
    sources.codex = vec![home.to_owned()];
    sources
}

/// The only session, as its pid and the reason of its verdict.
fn only(sources: &Sources) -> (Option<u32>, Reason) {
    let snapshot = snapshot(sources);
    assert_eq!(snapshot.sessions.len(), 1, "{snapshot:#?}");
    (snapshot.sessions[0].pid, snapshot.sessions[0].verdict.reason)
}

/// Gives a file to a user whose every process is shown to root: processes that may do more than
/// this one do not show what they hold.
fn give_away(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).expect("to give it away");
}

#[test]
fn a_transcript_tells_of_its_session_while_a_process_holds_it_open() {
    if !system::has(&[Need::Root, Need::Kernel]) {
        return;
    }
    let home = system::open_folder();
    let path = rollout(home.path(), UUID, "/srv");
    give_away(&path);
    let sources = codex(home.path());
    assert_eq!(only(&sources), (None, Reason::FileClosed));
    let user = NOBODY.to_string();
    for folder in ["sessions", "sessions/2025", "sessions/2025/05", "sessions/2025/05/07"] {
        system::set_mode(&home.path().join(folder), 0o755);
    }
    let holder = Running::start(actor(&["--user", &user, "hold-open", &path.to_string_lossy()]));
    assert_eq!(only(&sources), (Some(holder.pid()), Reason::FileOpen));
    holder.kill();
    assert_eq!(only(&sources), (None, Reason::FileClosed));
}

/// The path under which a process opened a file may be another one than ours.
#[test]
fn a_transcript_held_open_through_a_link_is_held_open() {
    let home = system::open_folder();
    let path = rollout(home.path(), UUID, "/srv");
    let other = home.path().join("other");
    fs::create_dir(&other).expect("a folder");
    let linked = other.join(path.file_name().expect("a name"));
    fs::hard_link(&path, &linked).expect("a link");
    let holder = Running::start(actor(&["hold-open", &linked.to_string_lossy()]));
    assert_eq!(only(&codex(home.path())), (Some(holder.pid()), Reason::FileOpen));
}

#[test]
fn the_lock_of_a_writer_tells_more_than_its_file() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let home = system::open_folder();
    let path = rollout(home.path(), UUID, "/srv");
    let lock = home.path().join("thread-writer-locks").join(format!("{UUID}.lock"));
    put(&lock, "");
    let sources = codex(home.path());
    let is_initial = fs::read_link("/proc/self/ns/pid")
        .is_ok_and(|name| name.to_string_lossy() == "pid:[4026531836]");
    if is_initial {
        // A file that nobody holds proves death, and its being there proves nothing.
        assert_eq!(only(&sources), (None, Reason::LockFree));
    }
    let paths = [&path, &lock].map(|path| path.to_string_lossy().into_owned());
    let holder = Running::start(actor(&["hold-open", &paths[0], &paths[1]]));
    assert_eq!(only(&sources), (Some(holder.pid()), Reason::LockHeld));
    // Asking did not take it.
    assert_eq!(only(&sources), (Some(holder.pid()), Reason::LockHeld));
    holder.kill();
    if is_initial {
        assert_eq!(only(&sources), (None, Reason::LockFree));
    }
}

/// In a namespace of its own nobody sees the locks and the files of those outside it.
#[test]
fn what_cannot_be_seen_from_a_container_is_unknown_there() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = system::open_folder();
    let home = folder.path().join("codex");
    let path = rollout(&home, UUID, "/srv");
    let lock = home.join("thread-writer-locks").join(format!("{UUID}.lock"));
    put(&lock, "");
    rollout(&home, "00000000-0000-0000-0000-000000000001", "/srv");
    let paths = [&path, &lock].map(|path| path.to_string_lossy().into_owned());
    let holder = Running::start(actor(&["hold-open", &paths[0], &paths[1]]));
    let inside = actor(&["snapshot", &folder.path().to_string_lossy()]);
    let words = ["unshare", "--pid", "--fork", "--mount-proc", "--"];
    let seen = value_of(&super::actor::under(&words, &inside));
    for session in seen["sessions"].as_array().expect("sessions") {
        if session["agent"] == "codex" && session["session_id"].is_string() {
            assert_eq!(session["reason"], "unsupported", "{session}");
            assert_eq!(session["state"], "unknown", "{session}");
        }
    }
    holder.kill();
}

/// A process called like an agent.
struct Agent(Child);

impl Agent {
    fn start(folder: &Path, name: &str, work_dir: &Path) -> Self {
        let program = folder.join(name);
        if !program.exists() {
            fs::copy("/bin/sleep", &program).expect("a program");
        }
        let mut command = Command::new(&program);
        command.arg("600").current_dir(work_dir).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().expect("a program that starts"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both fail only for a process that is reaped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hook(data: &Path, id: &str, work_dir: &Path) {
    let work_dir = work_dir.display();
    let text = format!(
        r#"{{"session_id": "{id}", "agent": "claude", "status": "active", "project_dir": "{work_dir}"}}"#
    );
    put(&data.join("sessions").join(format!("{id}.json")), &text);
}

/// Two in one folder cannot be told apart: then nobody is taken for anybody.
#[test]
fn a_process_is_matched_by_its_folder_only_where_there_is_no_other() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let work_dir = folder.path().canonicalize().expect("a path").join("project");
    fs::create_dir(&work_dir).expect("a folder");
    let data = folder.path().join("amc");
    hook(&data, "h1", &work_dir);
    let mut sources = Sources::none();
    sources.hooks = vec![data.clone()];
    assert_eq!(only(&sources), (None, Reason::NoIdentity));

    let first = Agent::start(folder.path(), "claude", &work_dir);
    assert_eq!(only(&sources), (Some(first.pid()), Reason::Unverified));
    let second = Agent::start(folder.path(), "claude", &work_dir);
    assert_eq!(only(&sources), (None, Reason::NoIdentity), "two processes");
    drop(second);
    hook(&data, "h2", &work_dir);
    let both = snapshot(&sources).sessions;
    assert!(both.iter().all(|session| session.pid.is_none()), "two sessions: {both:#?}");
}

#[test]
fn an_agent_that_leaves_no_trace_is_listed_without_a_session() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let work_dir = folder.path().canonicalize().expect("a path");
    let agent = Agent::start(folder.path(), "opencode", &work_dir);
    let mut sources = Sources::none();
    sources.processes = true;
    let found = snapshot(&sources).find_by_pid(agent.pid());
    assert_eq!(found.len(), 1, "{found:#?}");
    let session = &found[0];
    assert_eq!(session.agent.as_deref(), Some("opencode"));
    assert_eq!(session.session_id, None);
    assert_eq!(session.work_dir.as_deref(), work_dir.to_str());
    assert_eq!(session.verdict.reason, Reason::Unverified);
    assert_eq!(session.sources, ["processes"]);
}

/// The folder of every source, with something well and something bad in each.
fn every_source(folder: &Path) {
    let own = std::process::id();
    let record = format!(
        r#"{{"schemaVersion": 1, "pid": {own}, "sessionId": "s", "cwd": "/", "startedAt": 1763690000125, "name": "n"}}"#
    );
    for home in ["reg", "claude/sessions", "qwen/sessions"] {
        put(&folder.join(home).join(format!("{own}.json")), &record);
        put(&folder.join(home).join("5.json"), "[");
    }
    put(
        &folder.join("qwen/projects/p/chats/s.runtime.json"),
        &format!(
            r#"{{"schema_version": 1, "pid": {own}, "session_id": "s", "work_dir": "/", "hostname": "h", "started_at": 1}}"#
        ),
    );
    put(&folder.join("kimi/sessions/m/k/runtime.json"), "null");
    put(&folder.join(format!("copilot/session-state/u/inuse.{own}.lock")), "");
    put(&folder.join("copilot/session-state/u/workspace.yaml"), "id: u\ncwd: /\n");
    rollout(&folder.join("codex"), UUID, "/");
    put(&folder.join("codex/thread-writer-locks").join(format!("{UUID}.lock")), "");
    hook(&folder.join("amc"), "h", Path::new("/"));
    put(&folder.join("amc/events/h.jsonl"), "{}\n");
}

/// Calls that could change something: by name, and what an `open` must not ask for.
const CHANGING: [&str; 26] = [
    "creat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "truncate",
    "ftruncate",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "utimensat",
    "flock",
    "setxattr",
];

#[test]
fn a_snapshot_writes_creates_locks_and_removes_nothing_and_starts_nobody() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = system::open_folder();
    every_source(folder.path());
    let trace = folder.path().join("trace");
    let taking = actor(&["snapshot", &folder.path().to_string_lossy()]);
    let seen = value_of(&traced(&["-f"], &trace, &taking));
    let ids: Vec<&Value> = seen["sessions"].as_array().expect("sessions").iter().collect();
    assert!(ids.len() >= 4, "the sources were not read: {seen}");
    let calls = calls_between_marks(&trace);
    assert!(calls.len() > 100, "the trace is empty");
    for call in calls {
        let is_writing_open = matches!(call.name.as_str(), "open" | "openat" | "openat2")
            && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                .iter()
                .any(|flag| call.text.contains(flag));
        let is_lock = call.name == "fcntl" && call.text.contains("LK");
        // Threads read; only processes are started.
        let is_start = matches!(call.name.as_str(), "fork" | "vfork" | "execve")
            || (call.name.starts_with("clone") && !call.text.contains("CLONE_THREAD"));
        let is_changing = CHANGING.contains(&call.name.as_str());
        assert!(!(is_writing_open || is_lock || is_start || is_changing), "{}", call.text);
        // Nothing is written but the message of a thread to another.
        assert!(call.name != "write" && call.name != "pwrite64", "{}", call.text);
    }
}

/// What a pane shows is asked of a server of our own, with a socket of its own.
#[test]
fn a_session_in_a_pane_of_tmux_says_which() {
    if Command::new("tmux").arg("-V").output().is_err() || !system::has(&[Need::Kernel]) {
        system::skipped("tmux is not to be had here");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("tmux");
    let work_dir = folder.path().canonicalize().expect("a path");
    fs::copy("/bin/sleep", folder.path().join("crush")).expect("a program");
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").arg("-S").arg(&socket).args(arguments);
        let output = command.output().expect("tmux");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    let program = format!("{}/crush 600", folder.path().display());
    let directory = work_dir.to_str().expect("text");
    tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "my work", "-c", directory, &program]);
    let pid = tmux(&["list-panes", "-a", "-F", "#{pane_pid}"]);
    let server = tmux(&["display-message", "-p", "#{pid}"]);
    let pane = tmux(&["list-panes", "-a", "-F", "#{pane_id}"]);

    // Other programs find the server by what it tells those in its panes.
    let asking = actor(&["panes"]);
    let mut asking = super::actor::under(&["env"], &asking);
    asking.env("TMUX", format!("{},{server},0", socket.display()));
    let output = asking.output().expect("an actor");
    tmux(&["kill-server"]);
    let seen: Value = serde_json::from_slice(&output.stdout).expect("a snapshot");
    let sessions = seen["sessions"].as_array().expect("sessions");
    let number: u64 = pid.parse().expect("a number");
    let found = sessions.iter().find(|session| session["pid"] == number);
    let found = found.unwrap_or_else(|| panic!("no process {pid} in {seen}"));
    assert_eq!(found["agent"], "crush");
    let wanted = serde_json::json!({"multiplexer": "tmux", "session": "my work", "pane": pane});
    assert_eq!(found["terminal"], wanted);
}

/// What zellij printed, in the words of its version 0.40, by a program in its place.
fn stand_in(folder: &Path, script: &str) {
    let path = folder.join("zellij");
    put(&path, &format!("#!/bin/sh\n{script}\n"));
    system::set_mode(&path, 0o755);
}

#[test]
fn a_session_of_zellij_that_is_gone_is_dead_and_one_that_cannot_be_asked_for_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("amc");
    let text = r#"{"session_id": "h", "agent": "claude", "status": "active", "zellij_session": "work", "zellij_pane": "1"}"#;
    put(&data.join("sessions/h.json"), text);
    let list = |lines: &str| format!("printf '%s\\n' {lines}");
    for (script, reason) in [
        (list("'work [Created 3m ago] (current)'"), "unverified"),
        (
            list("'other [Created 3m ago]' 'work [Created 3m ago] (EXITED - attach to resurrect)'"),
            "pane_gone",
        ),
        (list("'workshop [Created 3m ago]'"), "pane_gone"),
        ("echo 'No active zellij sessions found.' >&2; exit 1".to_owned(), "pane_gone"),
        ("echo 'it broke' >&2; exit 1".to_owned(), "no_identity"),
        ("exit 127".to_owned(), "no_identity"),
        // It is not waited for longer than two seconds.
        ("exec sleep 60".to_owned(), "no_identity"),
    ] {
        stand_in(folder.path(), &script);
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let words = ["env".to_owned(), format!("PATH={path}")];
        let asking = actor(&["panes", &data.to_string_lossy()]);
        let seen = value_of(&super::actor::under(&words, &asking));
        let session = seen["sessions"].as_array().expect("sessions").iter();
        let reasons: Vec<&Value> = session
            .filter(|session| session["session_id"] == "h")
            .map(|session| &session["reason"])
            .collect();
        assert_eq!(reasons, [reason], "{script}");
    }
}
