//! Numbers that are no pids, and pids that were given away again.

use sessionreg::{ErrorCode, Record};

use super::actor::{actor, lines_of, value_of};
use super::system::{self, Need};
use super::trace::{calls_between_marks, traced};

/// To `kill` and its like they mean groups of processes, or everybody.
#[test]
fn no_impossible_pid_reaches_a_system_call() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let verdicts = lines_of(&traced::<&str>(&[], &trace, &actor(&["judge-impossible-pids"])), "");
    assert_eq!(verdicts.len(), 16);
    assert!(verdicts.iter().all(|verdict| verdict == "invalid"), "{verdicts:?}");
    let asking = ["kill", "tkill", "tgkill", "pidfd_open", "waitid", "process_vm_readv"];
    let calls = calls_between_marks(&trace);
    // The library asks for itself when it looks whether this kernel has pidfs.
    let is_own = |text: &str| {
        let pid = text.split_once('(').and_then(|(_, rest)| rest.split([',', ')']).next());
        pid.and_then(|pid| pid.parse::<u32>().ok()).is_some_and(|pid| (2..1 << 30).contains(&pid))
    };
    let reached: Vec<_> = calls
        .iter()
        .filter(|call| asking.contains(&call.name.as_str()) && !is_own(&call.text))
        .collect();
    assert!(reached.is_empty(), "{reached:#?}");
    let files = |call: &&super::trace::Call| {
        call.quoted().iter().any(|path| {
            path.strip_prefix("/proc/")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
        })
    };
    assert_eq!(calls.iter().filter(files).count(), 0);
}

#[test]
fn no_file_holds_an_impossible_pid() {
    let text = Record::new("session", "/").to_json().expect("JSON");
    let own = format!("\"pid\": {}", std::process::id());
    for pid in ["0", "-0", "-1", "2147483648", "4294967295", "4294967296", "18446744073709551616"] {
        let text = text.replacen(&own, &format!("\"pid\": {pid}"), 1);
        let error = Record::from_json(text).expect_err(pid);
        assert_eq!(error.code(), ErrorCode::Corrupt, "{pid}: {error}");
    }
    for pid in [0, i32::MAX as u32 + 1, u32::MAX] {
        let error = Record::plain(pid, "session", "/").to_json().expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::InvalidInput, "{pid}: {error}");
    }
}

#[test]
fn a_pid_that_is_reused_at_once_is_never_alive_where_the_kernel_has_pidfs() {
    if !system::has(&[Need::Root, Need::Kernel]) {
        return;
    }
    if Record::new("session", "/").identity.pid_inode.is_none() {
        return system::skipped("this kernel has no pidfs");
    }
    let rounds = 2_000;
    let said = value_of(&actor(&["reuse", &rounds.to_string(), "0"]));
    println!("{rounds} immediate reuses: {said}");
    assert_eq!(said["inode"], serde_json::json!({ "reused": rounds }), "{said}");
    // The control: ticks alone are too coarse for this.
    assert!(said["equal_ticks"].as_u64().is_some_and(|count| count > rounds / 2), "{said}");
    assert_eq!(said["ticks"]["verified"], said["equal_ticks"], "{said}");
}

#[test]
fn a_pid_that_is_reused_after_20_ms_is_never_alive() {
    if !system::has(&[Need::Root, Need::Kernel]) {
        return;
    }
    let rounds = 200;
    let said = value_of(&actor(&["reuse", &rounds.to_string(), "20"]));
    println!("{rounds} reuses after 20 ms: {said}");
    assert_eq!(said["ticks"], serde_json::json!({ "reused": rounds }), "{said}");
    assert_eq!(said["equal_ticks"], 0, "{said}");
}
