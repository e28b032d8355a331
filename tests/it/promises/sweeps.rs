//! A sweep removes what is proven dead, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use sessionreg::{Dialect, ErrorCode, New, Record, Registry, SweepOptions, Swept};

use super::actor::{Running, actor, lines_of, under};
use super::system::{self, Need, names_in};
use crate::helper::Helper;

fn sweep(dir: &Path) -> Swept {
    Registry::open(dir)
        .and_then(|registry| registry.sweep(&SweepOptions::default()))
        .expect("a sweep")
}

/// The text of a PID file of a process, changed.
fn file_of(facts: &Value, change: &dyn Fn(&mut Value)) -> String {
    let mut record = json!({
        "schemaVersion": 1,
        "pid": facts["pid"],
        "procStart": facts["proc_start"],
        "pidInode": facts["pid_inode"],
        "hostKey": Record::new("s", "/").identity.host_key,
        "platform": "linux",
        "pidNs": facts["pid_ns"],
        "timeNs": facts["time_ns"],
        "instance": "0a1b2c3d000000000000000000000000",
        "sessionId": "s",
        "cwd": "/srv",
        "startedAt": 0,
    });
    record.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    change(&mut record);
    record.to_string()
}

fn set(record: &mut Value, key: &str, value: impl Into<Value>) {
    record[key] = value.into();
}

fn unset(record: &mut Value, key: &str) {
    record.as_object_mut().expect("an object").remove(key);
}

/// A name, the kind of process that a file speaks of, what is changed in it, and whether it goes.
type Row = (&'static str, &'static str, Box<dyn Fn(&mut Value)>, bool);

#[test]
fn only_proof_of_death_deletes() {
    let mut helper = Helper::start();
    let other_boot = "00000000-1111-2222-3333-444444444444:77";
    let rows: Vec<Row> = vec![
        ("gone", "gone", Box::new(|_| ()), true),
        ("zombie", "zombie", Box::new(|_| ()), true),
        ("reused", "reused", Box::new(|_| ()), true),
        ("thread", "thread_id", Box::new(|_| ()), true),
        ("living", "living", Box::new(|_| ()), false),
        ("stopped", "stopped", Box::new(|_| ()), false),
        ("dead-leader", "dead_leader", Box::new(|_| ()), false),
        ("no-instance", "gone", Box::new(|r| unset(r, "instance")), false),
        ("no-namespace", "gone", Box::new(|r| unset(r, "pidNs")), false),
        ("no-start", "gone", Box::new(|r| unset(r, "procStart")), false),
        ("bare-ticks", "gone", Box::new(|r| set(r, "procStart", "77")), false),
        ("other-namespace", "gone", Box::new(|r| set(r, "pidNs", 7)), false),
        ("other-platform", "gone", Box::new(|r| set(r, "platform", "win32")), false),
        ("rebooted", "living", Box::new(move |r| set(r, "procStart", other_boot)), true),
        (
            "rebooted-elsewhere",
            "living",
            Box::new(move |r| {
                set(r, "procStart", other_boot);
                set(r, "pidNs", 7);
            }),
            false,
        ),
        (
            "other-host",
            "gone",
            Box::new(move |r| {
                set(r, "procStart", other_boot);
                set(r, "hostKey", "00000000000000000000000000000001");
            }),
            false,
        ),
        ("later-schema", "gone", Box::new(|r| set(r, "schemaVersion", 2)), false),
    ];
    let each = crate::rounds(3, 100);
    for (name, kind, change, goes) in rows {
        for round in 0..each {
            let Some(facts) = helper.spawn(kind) else {
                system::skipped(format!("{name}: no such process can be made here"));
                break;
            };
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(format!("{}-0a1b2c3d.json", facts["pid"]));
            fs::write(&path, file_of(&facts, &*change)).expect("a file");
            let dry = SweepOptions::default().dry_run(true);
            let registry = Registry::open(folder.path()).expect("a folder");
            let told = registry.sweep(&dry).expect("a sweep");
            assert_eq!((told.removed.len(), path.exists()), (usize::from(goes), true), "{name}");
            let swept = sweep(folder.path());
            assert_eq!(swept.removed.len(), usize::from(goes), "{name}, round {round}");
            assert_eq!(path.exists(), !goes, "{name}, round {round}");
        }
    }
}

/// What lies in the folder of a registry and is no record of ours.
#[test]
fn what_is_not_a_record_of_this_library_is_never_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let mut helper = Helper::start();
    let facts = helper.spawn("gone").expect("a process that is gone");
    let pid = facts["pid"].as_u64().expect("a pid");
    let text = file_of(&facts, &|_| ());
    let names = [
        "2026-03-14_notes.md".to_owned(),
        "2026-03-14_notes.json".to_owned(),
        format!("{pid}-0A1B2C3D.json"),
        format!("0{pid}.json"),
        format!("{}-0a1b2c3d.json", pid + 1),
        format!("{pid}-0a1b2c3d.json.bak"),
        ".sr-1-2-3.tmp".to_owned(),
    ];
    for name in &names {
        fs::write(dir.join(name), &text).expect("a file");
    }
    fs::create_dir(dir.join(format!("{pid}-1a1b2c3d.json"))).expect("a folder");
    fs::write(dir.join(format!("{pid}-2a1b2c3d.json")), "{").expect("a file");
    let link = dir.join(format!("{pid}-3a1b2c3d.json"));
    std::os::unix::fs::symlink(dir.join(&names[0]), link).expect("a link");
    let before = names_in(dir);
    let swept = sweep(dir);
    assert!(swept.removed.is_empty(), "{:?}", swept.removed);
    assert_eq!(names_in(dir), before);
}

/// The temporary file of a writer that was killed, of one that lives, and of one elsewhere.
#[test]
fn temporary_files_go_when_their_writer_is_dead_or_long_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let writer = Running::start(actor(&["update-loop", dir.to_str().expect("text")]));
    // One of its own names, caught in the act; another one like it, for it may still use that one.
    let temporary = |names: Vec<String>| names.into_iter().find(|name| name.starts_with(".sr-"));
    let caught = loop {
        if let Some(name) = temporary(names_in(dir)) {
            let (writer, _) = name.rsplit_once('-').expect("a random part");
            break format!("{writer}-0123456789abcdef.tmp");
        }
    };
    fs::write(dir.join(&caught), "half").expect("a file");
    assert!(sweep(dir).removed.is_empty(), "the writer lives");
    writer.kill();
    let elsewhere = caught.replacen(|c: char| c.is_ascii_digit(), "9", 1).replace("-4026", "-1026");
    fs::write(dir.join(&elsewhere), "half").expect("a file");
    fs::write(dir.join(&caught), "half").expect("a file");
    assert!(sweep(dir).failed.is_empty());
    assert_eq!(names_in(dir), [elsewhere.as_str()], "that of a dead writer goes at once");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(6 * 60);
    let file = fs::File::options().write(true).open(dir.join(&elsewhere)).expect("a file");
    file.set_modified(old).expect("an older file");
    let swept = sweep(dir);
    assert_eq!(swept.removed.len(), 1);
    assert_eq!(swept.removed[0].reason, None, "nobody knows of its writer");
}

/// A sweeper against registrations under one name, `<pid>.json`: rounds, and how many were lost.
fn race(rounds: u64, remove: impl Fn(&Path) + Sync) -> [u64; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let mut helper = Helper::start();
    let facts = helper.spawn("gone").expect("a process that is gone");
    // A dead record under the name of this process, as a former one with its pid left it.
    let own = std::process::id();
    let dead = file_of(&facts, &|record| {
        set(record, "pid", own);
        set(record, "procStart", format!("{}:1", facts["boot_id"].as_str().unwrap_or_default()));
        unset(record, "pidInode");
    });
    let path: PathBuf = dir.join(format!("{own}.json"));
    let registry = Registry::open_in(dir, Dialect::Claude).expect("a folder");
    let stop = AtomicBool::new(false);
    let mut lost = 0;
    let mut done = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                remove(dir);
            }
        });
        while done < rounds && lost == 0 {
            fs::write(&path, &dead).expect("a file");
            let session = loop {
                match registry.register(&New::session("successor", "/srv")) {
                    Ok(session) => break session,
                    Err(error) => assert_eq!(error.code(), ErrorCode::Busy, "{error}"),
                }
            };
            for _ in 0..done % 20 {
                thread::yield_now();
            }
            lost += u64::from(!path.exists());
            while session.close().is_err() {}
            done += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    [done, lost]
}

#[test]
fn a_sweep_never_removes_the_record_of_a_successor() {
    let rounds = crate::rounds(1_000, 50_000);
    let swept = |dir: &Path| {
        let registry = Registry::open_in(dir, Dialect::Claude).expect("a folder");
        registry.sweep(&SweepOptions::default()).expect("a sweep");
    };
    assert_eq!(race(rounds, swept), [rounds, 0]);
}

/// The control: to judge and then to remove does lose some.
#[test]
fn judge_and_unlink_loses_successors() {
    let naive = |dir: &Path| {
        let registry = Registry::open_in(dir, Dialect::Claude).expect("a folder");
        for entry in registry.records().expect("a list") {
            if entry.verdict.state == sessionreg::State::Dead {
                // It may be gone already.
                let _ = fs::remove_file(entry.path());
            }
        }
    };
    let [done, lost] = race(500_000, naive);
    println!("control: lost after {done} rounds");
    assert_eq!(lost, 1);
}

/// Two containers with one registry, by a bind mount, in which the pids are the same.
#[test]
fn containers_that_share_a_folder_leave_each_other_alone() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("shared");
    let mounted = folder.path().join("mounted");
    for folder in [&dir, &mounted] {
        fs::create_dir(folder).expect("a folder");
    }
    let script = format!("mount --bind '{}' '{}'; exec \"$@\"", dir.display(), mounted.display());
    let container =
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", &script, "sh"];
    let inside = |arguments: &[&str]| under(&container, &actor(arguments));
    let mounted = mounted.to_str().expect("text");
    let one = Running::start(inside(&["register", mounted, "one"]));
    let two = Running::start(inside(&["register", mounted, "two"]));
    let pid = |running: &Running| {
        let first: Value = serde_json::from_str(&running.first).expect("a line of JSON");
        first["pid"].as_u64()
    };
    assert_eq!(pid(&one), pid(&two), "the pids collide");
    assert_eq!(names_in(&dir).len(), 2, "neither has overwritten the other");

    let seen: Vec<Value> = lines_of(&inside(&["list", mounted]), "")
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let foreign = |id: &str| json!([id, "unknown", "other_namespace"]);
    assert_eq!(seen, [foreign("one"), foreign("two")]);
    for _ in 0..3 {
        assert_eq!(lines_of(&inside(&["sweep", mounted]), ""), ["[]"]);
        assert!(sweep(&dir).removed.is_empty());
    }
    assert_eq!(names_in(&dir).len(), 2, "neither was swept");
    one.finish();
    assert_eq!(names_in(&dir).len(), 1, "each closes its own");
    drop(two);
}

/// As systemd-nspawn has it: a container with a boot id of its own, and its host's machine id.
#[test]
fn a_container_with_a_boot_id_of_its_own_takes_nothing_for_rebooted() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("sessions");
    let dir = dir.to_str().expect("text");
    let outside = Running::start(actor(&["register", dir, "outside"]));
    let boot = folder.path().join("boot_id");
    fs::write(&boot, "00000000-1111-2222-3333-444444444444\n").expect("a file");
    let script =
        format!("mount --bind '{}' /proc/sys/kernel/random/boot_id; exec \"$@\"", boot.display());
    let container =
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", &script, "sh"];
    let inside = |arguments: &[&str]| lines_of(&under(&container, &actor(arguments)), "");
    assert_eq!(inside(&["list", dir]), [r#"["outside","unknown","other_namespace"]"#]);
    assert_eq!(inside(&["sweep", dir]), ["[]"]);
    outside.finish();
}
