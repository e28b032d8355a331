//! Forked children: another process, with its own identity and no lock of its parent's.

use std::path::Path;

use serde_json::Value;

use super::actor::{Running, actor, under, value_of};
use super::system::{self, Need, names_in};
use super::trace::calls;
use crate::helper::Helper;

fn said_by(running: &Running) -> Value {
    serde_json::from_str(&running.first).expect("a line of JSON")
}

/// The pid and namespace in the name of each temporary file that was made.
fn temps_in(trace: &Path) -> Vec<[String; 3]> {
    calls(trace)
        .iter()
        .filter(|call| call.text.contains("O_CREAT"))
        .filter_map(|call| {
            let quoted = call.quoted();
            let parts: Vec<_> = quoted[0].split('-').collect();
            let [".sr", pid, start, _boot, namespace, _] = parts[..] else { return None };
            Some([pid, start, namespace].map(str::to_owned))
        })
        .collect()
}

fn parts_of(record: &Value) -> [String; 3] {
    let start = record["proc_start"].as_str().expect("text");
    let start = start.rsplit_once(':').expect("a boot").1;
    [record["pid"].to_string(), start.to_owned(), record["pid_ns"].to_string()]
}

#[test]
fn a_forked_child_of_a_user_of_the_library_is_another_process() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let records = folder.path().to_str().expect("text");
    let running = Running::start(actor(&["fork", records]));
    let said = said_by(&running);
    let [parent, child] = [&said["parent"], &said["child"]];
    assert_ne!(parent["pid"], child["pid"]);
    assert_eq!([&said["of_itself"], &said["of_its_parent"]], ["verified", "verified"], "{said}");
    let mut helper = Helper::start();
    let truth = helper.ask(&format!("identify {}", child["pid"]));
    for key in ["proc_start", "pid_inode", "pid_ns"] {
        assert_eq!(child[key], truth[key], "{key}");
    }
    running.finish();
    helper.finish();
}

#[test]
fn a_forked_child_forgets_what_its_parent_knew_of_the_host() {
    if !system::has(&[Need::Root, Need::Namespaces, Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let strace = ["strace", "-f", "-qq", "-e", "trace=openat", "-o", trace.to_str().expect("text")];
    let records = folder.path().to_str().expect("text");
    let container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    for (command, around) in [("fork", &[][..]), ("fork-into-namespace", &container[..])] {
        // The first process of its namespace is the actor: the tracer stays outside.
        let words: Vec<_> = strace.iter().chain(around).copied().collect();
        let running = Running::start(under(&words, &actor(&[command, records])));
        let said = said_by(&running);
        running.finish();
        // Each file that was made on the way to a record says truly who made it.
        let [parent, child] = [&said["parent"], &said["child"]].map(parts_of);
        assert_eq!(temps_in(&trace), [parent.clone(), child.clone(), child.clone()], "{said}");
        if command == "fork-into-namespace" {
            assert_eq!([&parent[0], &child[0]], ["1", "1"], "the same pid");
            assert_ne!(parent[2], child[2], "of two namespaces");
            assert_ne!(said["parent"]["pid_inode"], said["child"]["pid_inode"]);
            assert_eq!(said["of_itself"], "verified");
            assert_eq!(said["of_its_parent"], "other_namespace");
        }
    }
}

#[test]
fn children_that_fork_among_writers_can_write() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let rounds = crate::rounds(25, 250).to_string();
    let said =
        value_of(&actor(&["fork-among-writers", folder.path().to_str().expect("text"), &rounds]));
    println!("{said}");
    assert_eq!(said["hung_or_failed"], 0, "{said}");
    let expected: Vec<_> = (0..8).map(|number| format!("{number}.json")).collect();
    assert_eq!(names_in(folder.path()), expected);
}

/// A copy of the folder's descriptor in a child is no lock: it was unlocked, not only closed.
#[test]
fn children_that_stay_keep_no_lock() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let said = value_of(&actor(&["fork-and-stay", folder.path().to_str().expect("text"), "100"]));
    assert_eq!(said, serde_json::json!({ "children": 100, "refused": null }));
}
