//! A monitor, told only what changed, knows what a snapshot finds that looks at everything.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sessionreg::{AgentSession, Monitor, MonitorOptions, Snapshot, Sources, snapshot};

use super::system;

/// One thing that happens to the files of several programs.
#[derive(Clone, Debug)]
enum Event {
    Registration { place: u8, session: u8, revision: u8 },
    Sidecar { session: u8, pid: u8 },
    Hook { session: u8, status: u8, pane: u8 },
    Rollout { session: u8 },
    Lock { session: u8 },
    Transcript { session: u8, tokens: u16 },
    Damage { place: u8 },
    Remove { file: u8 },
    RemoveFolder { folder: u8 },
    Move { folder: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    let small = || 0_u8..4;
    prop_oneof![
        4 => (small(), small(), 0_u8..6).prop_map(|(place, session, revision)| {
            Event::Registration { place, session, revision }
        }),
        3 => (small(), small()).prop_map(|(session, pid)| Event::Sidecar { session, pid }),
        3 => (small(), 0_u8..5, small()).prop_map(|(session, status, pane)| {
            Event::Hook { session, status, pane }
        }),
        2 => small().prop_map(|session| Event::Rollout { session }),
        1 => small().prop_map(|session| Event::Lock { session }),
        3 => (small(), any::<u16>())
            .prop_map(|(session, tokens)| Event::Transcript { session, tokens }),
        1 => small().prop_map(|place| Event::Damage { place }),
        4 => any::<u8>().prop_map(|file| Event::Remove { file }),
        1 => (0_u8..8).prop_map(|folder| Event::RemoveFolder { folder }),
        1 => (0_u8..8).prop_map(|folder| Event::Move { folder }),
    ]
}

const FOLDERS: [&str; 8] = [
    "reg",
    "qwen/projects/p/chats",
    "qwen/projects",
    "qwen",
    "amc/sessions",
    "amc",
    "codex/sessions/2025",
    "codex",
];

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// Processes of which the first is there, and the others are not.
fn pid(number: u8) -> u32 {
    if number == 0 { std::process::id() } else { 4_150_000 + u32::from(number) }
}

fn uuid(session: u8) -> String {
    format!("5973b6c0-94b8-487b-a530-{session:012x}")
}

fn apply(root: &Path, event: &Event) {
    match *event {
        Event::Registration { place, session, revision } => {
            let (pid, instance) = (pid(place), format!("{place:08x}{:024x}", 0));
            let text = format!(
                r#"{{"schemaVersion": 1, "pid": {pid}, "sessionId": "s{session}", "cwd": "/", "startedAt": 1763690000125, "instance": "{instance}", "revision": {revision}}}"#
            );
            put(&root.join(format!("reg/{pid}-{place:08x}.json")), &text);
        }
        Event::Sidecar { session, pid: number } => {
            let pid = pid(number);
            // Of some registration, which may be another session's by now.
            let instance = format!("{number:08x}{:024x}", 0);
            let text = format!(
                r#"{{"schema_version": 1, "pid": {pid}, "session_id": "s{session}", "work_dir": "/", "hostname": "h", "started_at": 1, "instance": "{instance}", "revision": 3}}"#
            );
            put(&root.join(format!("qwen/projects/p/chats/s{session}.runtime.json")), &text);
        }
        Event::Hook { session, status, pane } => {
            let status =
                ["starting", "active", "done", "needs_attention", "odd"][usize::from(status)];
            let transcript = root.join(format!("t{session}.jsonl"));
            let text = format!(
                r#"{{"session_id": "s{session}", "agent": "claude", "status": "{status}", "zellij_session": "z", "zellij_pane": "{pane}", "transcript_path": "{}"}}"#,
                transcript.display()
            );
            put(&root.join(format!("amc/sessions/s{session}.json")), &text);
        }
        Event::Rollout { session } => {
            let id = uuid(session);
            let text = format!(
                "{{\"type\": \"session_meta\", \"payload\": {{\"id\": \"{id}\", \"cwd\": \"/\"}}}}\n"
            );
            let name = format!("rollout-2025-05-07T17-24-21-{id}.jsonl");
            put(&root.join("codex/sessions/2025/05/07").join(name), &text);
        }
        Event::Lock { session } => {
            let name = format!("{}.lock", uuid(session));
            put(&root.join("codex/thread-writer-locks").join(name), "");
        }
        Event::Transcript { session, tokens } => {
            let text = format!("{{\"message\": {{\"usage\": {{\"input_tokens\": {tokens}}}}}}}\n");
            put(&root.join(format!("t{session}.jsonl")), &text);
        }
        Event::Damage { place } => {
            let pid = pid(place);
            put(&root.join(format!("reg/{pid}-{place:08x}.json")), "{");
        }
        Event::Remove { file } => {
            let files = files(root);
            if !files.is_empty() {
                fs::remove_file(&files[usize::from(file) % files.len()]).expect("it was there");
            }
        }
        Event::RemoveFolder { folder } => {
            // It may not be there.
            let _ = fs::remove_dir_all(root.join(FOLDERS[usize::from(folder)]));
        }
        Event::Move { folder } => {
            let path = root.join(FOLDERS[usize::from(folder)]);
            let away = root.join("away");
            let _ = fs::remove_dir_all(&away);
            let _ = fs::rename(&path, &away);
        }
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for name in system::names_in(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn sources(root: &Path) -> Sources {
    let home = |name: &str| vec![root.join(name)];
    let mut sources = Sources::none();
    sources.registries = home("reg");
    sources.qwen_code = home("qwen");
    sources.codex = home("codex");
    sources.hooks = home("amc");
    sources.superseded = true;
    sources
}

/// Only a promise that is broken takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

type Table = BTreeMap<String, Arc<AgentSession>>;

fn table(sessions: Vec<Arc<AgentSession>>) -> Table {
    sessions.into_iter().map(|session| (session.key.clone(), session)).collect()
}

/// What a monitor says, and what a snapshot. Who holds a file open may be another one at the second
/// look: the children of other tests have copies of our descriptors until they are other programs.
fn both(monitor: &Monitor, root: &Path) -> (Snapshot, Snapshot) {
    let end = Instant::now() + PATIENCE;
    let by_open_files = |session: &Arc<AgentSession>| session.sources == ["codex"];
    loop {
        let fresh = snapshot(&sources(root));
        let kept = monitor.snapshot().expect("a snapshot");
        let [one, other] = [&kept, &fresh]
            .map(|of| of.sessions.iter().filter(|it| by_open_files(it)).collect::<Vec<_>>());
        if one == other || Instant::now() >= end {
            return (kept, fresh);
        }
    }
}

/// What a reader knows of its batches alone, once it knows as much as `wanted`.
fn follow(monitor: &Monitor, cursor: &mut String, known: &mut Table, wanted: &Table) {
    let end = Instant::now() + PATIENCE;
    while known != wanted && Instant::now() < end {
        let batch = monitor.wait(Some(cursor), Some(Duration::from_millis(100))).expect("a wait");
        let Some(batch) = batch else { continue };
        if batch.reset {
            known.clear();
        }
        known.extend(table(batch.added));
        known.extend(table(batch.changed));
        known.retain(|key, _| !batch.removed.contains(key));
        *cursor = batch.cursor;
    }
}

#[test]
fn a_monitor_knows_what_a_snapshot_finds() {
    // What happened is known by no other than its files; where it is told late, it is told.
    let config = ProptestConfig {
        cases: u32::try_from(crate::rounds(48, 1_000)).expect("a number"),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in prop::collection::vec(event(), 1..24))| {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let options = MonitorOptions::default().fold(Duration::ZERO);
        let monitor = Monitor::with(sources(root), options).expect("a monitor");
        let first = monitor.snapshot().expect("a snapshot");
        let (mut cursor, mut known) = (first.cursor, table(first.sessions));
        for (index, event) in events.iter().enumerate() {
            apply(root, event);
            // Some are looked at alone, others together.
            if index % 3 == 0 {
                let (kept, fresh) = both(&monitor, root);
                prop_assert_eq!(table(kept.sessions), table(fresh.sessions), "after {:?}", event);
            }
        }
        let (kept, fresh) = both(&monitor, root);
        let refused = |skipped: Vec<sessionreg::Skipped>| -> Vec<_> {
            skipped.into_iter().map(|file| (file.path, file.code)).collect()
        };
        prop_assert_eq!(refused(kept.skipped), refused(fresh.skipped));
        prop_assert_eq!(kept.dead_before, fresh.dead_before);
        let wanted = table(fresh.sessions);
        prop_assert_eq!(&table(kept.sessions), &wanted);
        follow(&monitor, &mut cursor, &mut known, &wanted);
        prop_assert_eq!(known, wanted);
    });
}
