//! What this library writes into the folders of other programs, read by their rules: each reader
//! here is made from the description of a format alone.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde_json::Value;
use sessionreg::{Dialect, New, Patch, Registry, Session};

fn proc_of(pid: u64, file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).ok()
}

/// Field 22 of `/proc/<pid>/stat`.
fn ticks_of(pid: u64) -> Option<String> {
    let stat = proc_of(pid, "stat")?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot").trim().to_owned()
}

fn text(record: &Value, key: &str) -> Option<String> {
    record[key].as_str().map(str::to_owned)
}

/// A live session of qwen-code: its name says its pid, and namespace, boot, process and ticks agree.
fn read_as_qwen(path: &Path) -> Option<(String, String)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let pid: u64 = name.split('-').next()?.parse().ok()?;
    let record: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let namespace = fs::metadata("/proc/self/ns/pid").ok()?.ino();
    let is_live = record["schemaVersion"] == 1
        && record["pid"] == pid
        && record["pidNs"] == namespace
        && text(&record, "procStart")? == format!("{}:{}", boot_id(), ticks_of(pid)?)
        && record["startedAt"].is_u64()
        && record["cwd"].is_string();
    // Records without a name are dropped.
    is_live.then_some((text(&record, "sessionId")?, text(&record, "name")?))
}

/// A live session of Claude Code: one file for a process, bare ticks, times in milliseconds.
fn read_as_claude(path: &Path) -> Option<(String, Option<String>)> {
    let pid: u64 = path.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()?;
    let record: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let is_live = record["pid"] == pid
        && text(&record, "procStart")? == ticks_of(pid)?
        && record["startedAt"].is_u64()
        && record["updatedAt"].is_u64()
        && record["cwd"].is_string();
    is_live.then_some((text(&record, "sessionId")?, text(&record, "status")))
}

fn session_in(folder: &Path, dialect: Dialect) -> (Registry, Session) {
    let registry = Registry::open_in(folder, dialect).expect("a possible folder");
    let mut new = New::session("first", "/srv/project");
    new.agent_version = Some("1.2.3".to_owned());
    new.status = Some("busy".to_owned());
    let session = registry.register(&new).expect("a session");
    (registry, session)
}

#[test]
fn readers_of_qwen_code_accept_what_is_written_in_its_dialect() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, session) = session_in(folder.path(), Dialect::Qwen);
    let path = session.path().expect("a file");
    let read = || read_as_qwen(&path).expect("a live session");
    assert_eq!(read(), ("first".to_owned(), "project".to_owned()));
    session.switch("second", Patch::new()).expect("a switch");
    assert_eq!(read(), ("second".to_owned(), "project".to_owned()), "a record has a name");
    let patch = Patch::new().set("name", "mine").expect("a patch");
    session.update(patch).expect("an update");
    assert_eq!(read(), ("second".to_owned(), "mine".to_owned()));
    let record: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!(record["qwenVersion"], "1.2.3");
    session.close().expect("a closed session");
}

#[test]
fn readers_of_claude_code_accept_what_is_written_in_its_dialect() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, session) = session_in(folder.path(), Dialect::Claude);
    let path = session.path().expect("a file");
    assert_eq!(path, folder.path().join(format!("{}.json", std::process::id())));
    let read = || read_as_claude(&path).expect("a live session");
    assert_eq!(read(), ("first".to_owned(), Some("busy".to_owned())));
    session.switch("second", Patch::new()).expect("a switch");
    assert_eq!(read(), ("second".to_owned(), None));
    // And with the boot besides, it can be swept when it is dead.
    let [entry] = &registry.live().expect("a list")[..] else { panic!("one session") };
    let start = entry.record.identity.proc_start.clone();
    assert_eq!(start.as_deref().and_then(|start| start.split(':').next()), Some(&*boot_id()));
    session.close().expect("a closed session");
}

#[test]
fn what_those_programs_write_is_read_judged_and_left_alone() {
    let own = u64::from(std::process::id());
    let ticks = ticks_of(own).expect("ticks");
    let namespace = fs::metadata("/proc/self/ns/pid").expect("a namespace").ino();
    let qwen = format!(
        r#"{{"schemaVersion":1,"pid":{own},"procStart":"{}:{ticks}","pidNs":{namespace},"sessionId":"q","cwd":"/srv","startedAt":1763690000125,"name":"n","qwenVersion":"0.9.1"}}"#,
        boot_id()
    );
    let claude = format!(
        r#"{{"pid":{own},"procStart":"{ticks}","sessionId":"c","cwd":"/srv","startedAt":1763690000125,"version":"2.0.1","kind":"interactive","entrypoint":"cli","status":"idle","updatedAt":1763690000125}}"#
    );
    for (dialect, text, version) in
        [(Dialect::Qwen, qwen, "0.9.1"), (Dialect::Claude, claude, "2.0.1")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(format!("{own}.json"));
        fs::write(&path, &text).expect("a file");
        let registry = Registry::open_in(folder.path(), dialect).expect("a folder");
        let [entry] = &registry.live().expect("a list")[..] else { panic!("one session") };
        assert_eq!(entry.verdict.reason.as_str(), "verified", "{dialect}");
        assert_eq!(entry.record.agent_version.as_deref(), Some(version));
        assert_eq!(registry.sweep(&sessionreg::SweepOptions::default()).expect("a sweep").live, 1);
        assert_eq!(fs::read_to_string(&path).expect("the file"), text, "{dialect}");
    }
}
