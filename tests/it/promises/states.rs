//! The table of states: every kind of process a hundred times, from every point of view.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use sessionreg::{Reason, Record, liveness, liveness_all};

use super::actor::{actor, after_mounts, lines_of, under};
use super::system::{self, NOBODY, Need};
use crate::helper::Helper;

const EACH: usize = 100;

const KINDS: [&str; 9] = [
    "living",
    "stopped",
    "dead_leader",
    "other_user",
    "zombie",
    "gone",
    "thread_id",
    "reused",
    "reused_late",
];

/// A record as this library writes it.
pub(super) fn full(facts: &Value) -> Value {
    let mut record = ticks(facts);
    record["pid_inode"] = facts["pid_inode"].clone();
    record
}

/// One from a kernel without pidfs: start ticks, boot and namespaces.
pub(super) fn ticks(facts: &Value) -> Value {
    let mut record = plain(facts);
    for key in ["proc_start", "pid_ns", "time_ns"] {
        record[key] = facts[key].clone();
    }
    record
}

/// The seven keys of schema 1.
pub(super) fn plain(facts: &Value) -> Value {
    json!({
        "schema_version": 1,
        "pid": facts["pid"],
        "session_id": "session",
        "work_dir": "/",
        "hostname": facts["hostname"],
        "started_at": facts["started_at"],
        "qwen_version": null,
    })
}

/// A point of view: who looks, and what is in his way.
struct View {
    name: &'static str,
    judge: Command,
    /// The verdicts on the full record, on ticks, and on the plain one; kinds in the order above.
    verdicts: [[&'static str; 3]; 9],
}

const SEEN: [&str; 3] = ["verified", "verified", "unverified"];
const BY_INODE: [&str; 3] = ["verified", "unverified", "unverified"];
const BY_PID: [&str; 3] = ["unverified"; 3];
const GONE: [&str; 3] = ["gone"; 3];
const ZOMBIE: [&str; 3] = ["zombie"; 3];
/// Without an inode a pid that was reused within a tick cannot be told from its former self.
const REUSED: [&str; 3] = ["reused", "verified", "unverified"];
const REUSED_LATE: [&str; 3] = ["reused", "reused", "unverified"];
/// The boot cannot be read, or the namespace is not known: only plain records can be judged.
const BLIND_TO: fn(&'static str) -> [&'static str; 3] =
    |plain| ["unsupported", "unsupported", plain];

const CLEAR_SIGHT: [[&str; 3]; 9] =
    [SEEN, SEEN, SEEN, SEEN, ZOMBIE, GONE, GONE, REUSED, REUSED_LATE];
/// Nothing but the inode can be seen, not even of nobody's own processes if they were root's once.
const HIDDEN: [[&str; 3]; 9] =
    [BY_INODE, BY_INODE, BY_INODE, BY_INODE, ZOMBIE, GONE, GONE, HIDDEN_REUSED, HIDDEN_REUSED];
const HIDDEN_REUSED: [&str; 3] = ["reused", "unverified", "unverified"];
const WITHOUT_PIDFD: [[&str; 3]; 9] = [
    SEEN,
    SEEN,
    SEEN,
    SEEN,
    ZOMBIE,
    GONE,
    GONE,
    ["verified", "verified", "unverified"],
    REUSED_LATE,
];
/// Nothing is left but `kill`, which tells presence from absence: no word of identity, no death
/// but absence.
const HIDDEN_WITHOUT_PIDFD: [[&str; 3]; 9] =
    [BY_PID, BY_PID, BY_PID, BY_PID, BY_PID, GONE, BY_PID, BY_PID, BY_PID];

fn views() -> Vec<View> {
    let nobody = NOBODY.to_string();
    let user = ["--user", &nobody];
    let judge = |options: &[&str]| {
        let words: Vec<_> = options.iter().copied().chain(["judge-lines"]).collect();
        actor(&words)
    };
    let within = |script, options: &[&str]| after_mounts(script, "sh", &judge(options));
    let hidden = "mount -t proc -o hidepid=2 proc /proc";
    let no_proc = "mount -t tmpfs none /proc";
    // The /proc of a namespace that has ended: it shows nobody, not even the reader.
    let foreign_proc = "unshare --pid --fork mount -t proc proc /proc";
    let no_pidfd = |errno: &'static str| ["--pidfd-fails", errno];
    let blind = |plain: [&'static str; 9]| plain.map(BLIND_TO);
    let by_pidfd = blind([
        "unverified",
        "unverified",
        "unverified",
        "unverified",
        "zombie",
        "gone",
        "gone",
        "unverified",
        "unverified",
    ]);
    let mut by_kill = ["unsupported"; 9];
    by_kill[5] = "gone";
    let view = |name, judge, verdicts| View { name, judge, verdicts };
    let mut views = vec![
        view("root", judge(&[]), CLEAR_SIGHT),
        view("nobody", judge(&user), CLEAR_SIGHT),
        view("root, hidepid=2", within(hidden, &[]), CLEAR_SIGHT),
        view("nobody, hidepid=2", within(hidden, &user), HIDDEN),
        view("no /proc", within(no_proc, &[]), by_pidfd),
        view("nobody, no /proc", within(no_proc, &user), by_pidfd),
        view("another's /proc", within(foreign_proc, &[]), by_pidfd),
    ];
    for errno in ["ENOSYS", "EPERM"] {
        let refused = no_pidfd(errno);
        let both = [user, refused].concat();
        views.extend([
            view("no pidfd", judge(&refused), WITHOUT_PIDFD),
            view("nobody, no pidfd", judge(&both), WITHOUT_PIDFD),
            view("nobody, hidepid=2, no pidfd", within(hidden, &both), HIDDEN_WITHOUT_PIDFD),
            view("no pidfd, no /proc", within(no_proc, &refused), blind(by_kill)),
            view("no pidfd, another's /proc", within(foreign_proc, &refused), blind(by_kill)),
        ]);
    }
    views
}

/// A hundred processes of every kind.
fn zoo(helper: &mut Helper) -> Vec<Vec<Value>> {
    let mut hundred = |kind| -> Vec<Value> {
        (0..EACH).map(|_| helper.spawn(kind).expect("a process of this kind")).collect()
    };
    KINDS.iter().map(|kind| hundred(kind)).collect()
}

#[test]
fn every_state_is_told_a_hundred_times_from_every_point_of_view() {
    if !system::has(&[Need::Root, Need::Namespaces, Need::Kernel]) {
        return;
    }
    let mut helper = Helper::start();
    if helper.ask("host")["pidfs"] == false {
        return system::skipped("this kernel has no pidfs");
    }
    let zoo = zoo(&mut helper);
    let forms = [full, ticks, plain];
    let records: String = zoo
        .iter()
        .flat_map(|facts| forms.map(|form| (facts, form)))
        .flat_map(|(facts, form)| facts.iter().map(move |facts| form(facts).to_string() + "\n"))
        .collect();
    let mut wrong = Vec::new();
    let mut told = 0;
    for view in views() {
        let mut verdicts = lines_of(&view.judge, &records).into_iter();
        for (kind, row) in KINDS.iter().zip(view.verdicts) {
            for (form, expected) in ["full", "ticks", "plain"].iter().zip(row) {
                let mut counts = BTreeMap::<String, usize>::new();
                for verdict in verdicts.by_ref().take(EACH) {
                    *counts.entry(verdict).or_default() += 1;
                }
                told += EACH;
                if counts != BTreeMap::from([(expected.to_owned(), EACH)]) {
                    wrong
                        .push(format!("{}: {kind}, {form}: {counts:?}, not {expected}", view.name));
                }
            }
        }
        assert_eq!(verdicts.next(), None);
    }
    println!("{told} verdicts");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    helper.finish();
}

/// What a record says of where it was made decides before any process is asked.
#[test]
fn every_origin_is_told_a_hundred_times() {
    let mut helper = Helper::start();
    let host_key = Record::new("session", "/").identity.host_key;
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..EACH {
        let facts = helper.spawn("living").expect("a living process");
        let with = |base: &Value, changes: Value| {
            let mut record = base.clone();
            for (key, value) in changes.as_object().expect("changes") {
                record[key] = value.clone();
            }
            record
        };
        let (full, ticks, plain) = (full(&facts), ticks(&facts), plain(&facts));
        let start = facts["ticks"].as_str().expect("ticks");
        let other_boot = format!("00000000-0000-4000-8000-000000000000:{start}");
        let elsewhere = json!({ "proc_start": other_boot, "host_key": host_key });
        let stranger = json!({ "proc_start": other_boot, "host_key": "0" });
        let earlier = facts["started_at"].as_u64().expect("seconds") - 3600;
        let rows = [
            (Reason::OtherHost, with(&plain, json!({ "hostname": "elsewhere" }))),
            (Reason::OtherHost, with(&plain, json!({ "hostname": "" }))),
            // The same boot is the same host, whatever it is called.
            (Reason::Verified, with(&full, json!({ "hostname": "elsewhere" }))),
            (Reason::Verified, with(&ticks, json!({ "hostname": "" }))),
            (Reason::OtherHost, with(&full, stranger)),
            // Without a file nobody knows whether it is of this machine's disk.
            (Reason::OtherHost, with(&full, elsewhere.clone())),
            (Reason::OtherNamespace, with(&full, json!({ "pid_ns": 1 }))),
            (Reason::OtherPlatform, with(&full, json!({ "platform": "darwin" }))),
            (Reason::Clock, with(&ticks, json!({ "time_ns": 1 }))),
            (Reason::Verified, with(&full, json!({ "time_ns": 1 }))),
            (Reason::NoIdentity, with(&plain, json!({ "started_at": earlier }))),
            // With an identity the wall clock is nobody's business.
            (Reason::Verified, with(&full, json!({ "started_at": earlier }))),
            (Reason::Verified, with(&ticks, json!({ "started_at": earlier }))),
            (Reason::Unverified, with(&plain, json!({ "started_at": earlier + 7200 }))),
            (Reason::Verified, with(&plain, json!({ "proc_start": start }))),
            (Reason::Reused, with(&plain, json!({ "proc_start": "1" }))),
            (Reason::Unverified, with(&plain, json!({ "proc_start": "Thu Jan  1 00:00:00 1970" }))),
            (Reason::NoIdentity, {
                let boot_only = facts["proc_start"].as_str().expect("text").replace(start, "1");
                with(&plain, json!({ "proc_start": boot_only }))
            }),
        ];
        for (expected, record) in &rows {
            let record = Record::from_json(record.to_string()).expect("a record");
            let verdict = liveness(&record);
            assert_eq!(verdict.reason, *expected, "{record:?}");
            assert_eq!(liveness_all([&record, &record]), [verdict, verdict]);
        }
        let path = folder.path().join("session.runtime.json");
        std::fs::write(&path, with(&full, elsewhere).to_string()).expect("a file");
        let record = sessionreg::load(&path).expect("a record");
        assert_eq!(liveness(&record).reason, Reason::Rebooted);
    }
    helper.finish();
}

/// Another boot of this host: over, if the record lies on a disk of ours. A file system that could
/// be somebody else's may hold what a clone of this machine wrote.
#[test]
fn a_reboot_is_only_believed_of_a_local_file_system() {
    if !system::has(&[Need::Root, Need::Namespaces, Need::Fuse]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let mut record = Record::new("session", "/");
    record.identity.proc_start = Some("00000000-0000-4000-8000-000000000000:1".to_owned());
    sessionreg::write(&path, &record).expect("a written record");
    let [folder, path] = [folder.path(), &path].map(|path| path.to_str().expect("text"));
    let local = ["tmpfs", "ramfs"].map(|kind| format!("mount -t {kind} none {folder}"));
    // It belongs to another user, so that the kernel answers for it and asks no server.
    let foreign = format!(
        "mount -i -t fuse -o fd=0,rootmode=40000,user_id=1,group_id=1 none {folder} 0<>/dev/fuse"
    );
    let mut rows = vec![("true".to_owned(), "rebooted"), (foreign, "other_host")];
    rows.extend(local.map(|mount| (mount, "rebooted")));
    for (mount, expected) in rows {
        let judge = actor(&["judge-file-after", path, "sh", "-ec", &mount]);
        let verdicts = lines_of(&under(&["unshare", "--mount", "--"], &judge), "");
        assert_eq!(verdicts, [expected], "{mount}");
    }
}
