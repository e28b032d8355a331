//! Processes that see other pids, another clock or another host name, over a folder that they
//! share.

use std::path::Path;

use super::actor::{Running, actor, lines_of, under};
use super::states::{full, plain, ticks};
use super::system::{self, Need};
use crate::helper::Helper;

const EACH: usize = 100;

/// A hundred processes, each in namespaces of its own, that have written a record to `folder`.
fn serve_in(namespaces: &[&str], folder: &Path) -> Vec<Running> {
    (0..EACH)
        .map(|number| {
            let path = folder.join(format!("{number}.json"));
            let serve = actor(&["serve", path.to_str().expect("text")]);
            Running::start(under(namespaces, &serve))
        })
        .collect()
}

fn paths_in(folder: &Path) -> Vec<String> {
    (0..EACH).map(|number| format!("{}/{number}.json", folder.display())).collect()
}

/// What is said of the files, here or within namespaces.
fn verdicts_on(paths: &[String], namespaces: &[&str]) -> Vec<String> {
    let words: Vec<_> =
        std::iter::once("judge-files").chain(paths.iter().map(String::as_str)).collect();
    let judge = actor(&words);
    lines_of(&if namespaces.is_empty() { judge } else { under(namespaces, &judge) }, "")
}

fn without(mut record: serde_json::Value, key: &str) -> serde_json::Value {
    record.as_object_mut().expect("an object").remove(key);
    record
}

#[track_caller]
fn all_are(verdicts: &[String], expected: &str) {
    assert_eq!(verdicts.len(), EACH);
    assert!(verdicts.iter().all(|verdict| verdict == expected), "not all {expected}: {verdicts:?}");
}

/// Changes the records in a folder, as if another library had written them.
fn rewrite(folder: &Path, change: impl Fn(&mut serde_json::Value)) {
    for path in paths_in(folder) {
        let text = std::fs::read(&path).expect("a file");
        let mut record = serde_json::from_slice(&text).expect("JSON");
        change(&mut record);
        std::fs::write(&path, record.to_string()).expect("a file");
    }
}

#[test]
fn a_pid_of_another_pid_namespace_is_not_judged() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shared = folder.path().join("shared");
    let mounted = folder.path().join("mounted");
    for folder in [&shared, &mounted] {
        std::fs::create_dir(folder).expect("a folder");
    }
    let script =
        format!("mount --bind '{}' '{}'; exec \"$@\"", shared.display(), mounted.display());
    let container =
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", &script, "sh"];
    let inside = serve_in(&container, &mounted);
    // To themselves, by their own /proc, they are alive.
    assert!(inside.iter().all(|served| served.first == "verified"), "{}", inside[0].first);
    all_are(&verdicts_on(&paths_in(&shared), &[]), "other_namespace");
    // Between two of them likewise, though all have the same pid.
    all_are(&verdicts_on(&paths_in(&mounted), &container), "other_namespace");
    drop(inside);
    all_are(&verdicts_on(&paths_in(&shared), &[]), "other_namespace");

    let outside = serve_in(&["env"], &shared);
    all_are(&verdicts_on(&paths_in(&mounted), &container), "other_namespace");
    all_are(&verdicts_on(&paths_in(&shared), &[]), "verified");
    // Of this boot, but of which namespace? Its absence here proves nothing.
    rewrite(&shared, |record| {
        record.as_object_mut().expect("an object").remove("pid_ns");
    });
    all_are(&verdicts_on(&paths_in(&mounted), &container), "no_identity");
    all_are(&verdicts_on(&paths_in(&shared), &[]), "verified");
    drop(outside);
    all_are(&verdicts_on(&paths_in(&shared), &[]), "no_identity");
}

/// `unshare --pid` without a mount, as careless containers do it: /proc is that of the outside,
/// and our pids are other processes there.
#[test]
fn a_proc_of_the_outside_is_not_believed() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let careless = ["unshare", "--pid", "--fork", "--kill-child"];
    let served = serve_in(&careless, folder.path());
    assert!(served.iter().all(|served| served.first == "verified"), "{}", served[0].first);
    all_are(&verdicts_on(&paths_in(folder.path()), &[]), "other_namespace");
    drop(served);

    // Of its neighbours nobody in there can see the start, and so nobody calls them dead.
    let neighbour = r#"sleep 60 | "$@" serve "$0" >/dev/null &
        until test -s "$0"; do sleep 0.01; done
        sed -i '/pid_inode/d' "$0"
        exec "$@" judge-files "$0""#;
    for (options, expected) in
        [(&[][..], "unverified"), (&["--pidfd-fails", "ENOSYS"][..], "unsupported")]
    {
        let path = folder.path().join(format!("{expected}.json"));
        let shell = ["sh", "-ec", neighbour, path.to_str().expect("text")];
        let words: Vec<_> = careless.iter().chain(&shell).copied().collect();
        assert_eq!(lines_of(&under(&words, &actor(options)), ""), [expected], "{options:?}");
    }
}

/// A record that does not say in which namespace its pid is meant, where nothing of our own can be
/// read: the process may well be outside.
#[test]
fn without_proc_nobody_elsewhere_is_called_dead() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let mut helper = Helper::start();
    let facts = helper.spawn("living").expect("a living process");
    let record = without(full(&facts), "pid_ns").to_string() + "\n";
    let hide = "mount -t tmpfs none /proc; exec \"$@\"";
    let blind = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-ec", hide, "sh"];
    let seen = lines_of(&under(&blind, &actor(&["judge-lines"])), &record.repeat(EACH));
    all_are(&seen, "no_identity");
    helper.finish();
}

/// As a process finds it that was saved on one host and restored on another: the boot that it
/// remembers is not the one that it is in.
#[test]
fn a_remembered_boot_proves_no_death() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.json");
    let other_boot = folder.path().join("boot_id");
    std::fs::write(&other_boot, "00000000-0000-4000-8000-000000000000\n").expect("a file");
    let mut helper = Helper::start();
    let mut record = full(&helper.spawn("gone").expect("a process that is gone"));
    record["host_key"] = "0".repeat(32).into();
    std::fs::write(&path, record.to_string()).expect("a file");
    let path = path.to_str().expect("text");
    let boot_id = "/proc/sys/kernel/random/boot_id";
    let moved = format!("mount --bind '{}' {boot_id}", other_boot.display());
    for (change, expected) in [("true", "gone"), (moved.as_str(), "other_host")] {
        let judge = actor(&["judge-file-after", path, "sh", "-ec", change]);
        assert_eq!(lines_of(&under(&["unshare", "--mount"], &judge), ""), [expected], "{change}");
    }
    helper.finish();
}

#[test]
fn another_time_namespace_shifts_the_clock_and_not_the_verdict() {
    if !system::has(&[Need::Root, Need::TimeNamespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shifted = ["unshare", "--time", "--boottime", "100000", "--monotonic", "100000"];
    let served = serve_in(&shifted, folder.path());
    assert!(served.iter().all(|served| served.first == "verified"), "{}", served[0].first);
    let paths = paths_in(folder.path());
    all_are(&verdicts_on(&paths, &[]), "verified");
    // In yet another one.
    all_are(&verdicts_on(&paths, &shifted), "verified");
    rewrite(folder.path(), |record| {
        record.as_object_mut().expect("an object").remove("pid_inode");
    });
    all_are(&verdicts_on(&paths, &[]), "clock");
    all_are(&verdicts_on(&paths, &shifted), "clock");
    drop(served);
    // Absence needs no clock.
    all_are(&verdicts_on(&paths, &[]), "gone");

    // The other way round.
    let mut helper = Helper::start();
    let facts = helper.spawn("living").expect("a living process");
    let silent = without(ticks(&facts), "time_ns");
    for (record, expected) in [
        (full(&facts), "verified"),
        (ticks(&facts), "clock"),
        // Other programs do not say where they read the start.
        (silent, "clock"),
        (plain(&facts), "unverified"),
    ] {
        let lines = record.to_string() + "\n";
        let seen = lines_of(&under(&shifted, &actor(&["judge-lines"])), &lines.repeat(EACH));
        all_are(&seen, expected);
    }
    helper.finish();
}

#[test]
fn the_same_boot_is_the_same_host_whatever_it_is_called() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let renamed = ["unshare", "--uts", "sh", "-ec", "hostname elsewhere; exec \"$@\"", "sh"];
    let served = serve_in(&renamed, folder.path());
    let paths = paths_in(folder.path());
    let text = std::fs::read_to_string(&paths[0]).expect("a file");
    assert!(text.contains("\"hostname\": \"elsewhere\""), "{text}");
    all_are(&verdicts_on(&paths, &[]), "verified");
    // A plain record has nothing but the name.
    rewrite(folder.path(), |record| {
        let keep = ["schema_version", "pid", "session_id", "work_dir", "hostname", "started_at"];
        record.as_object_mut().expect("an object").retain(|key, _| keep.contains(&key.as_str()));
    });
    all_are(&verdicts_on(&paths, &[]), "other_host");
    all_are(&verdicts_on(&paths, &renamed), "unverified");
    drop(served);
    all_are(&verdicts_on(&paths, &renamed), "gone");
    all_are(&verdicts_on(&paths, &[]), "other_host");
}
