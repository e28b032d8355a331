//! What a snapshot finds, and what a monitor tells of changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use sessionreg::{AgentSession, Batch, Monitor, Snapshot, Sources, State, snapshot};

use super::disk::{names_in, put, put_link};
use super::environment::Environment;
use super::scan::check_keys;
use super::text::{Texts, is_content};
use super::{Outcome, Stop, expect_eq, fail};
use crate::helper::Helper;

/// How long a change may take to be told.
const PATIENCE: Duration = Duration::from_secs(10);

type Sessions = Vec<Arc<AgentSession>>;

pub(super) fn run(case: &Value, texts: &Texts, folder: &Path) -> Outcome {
    let _environment = Environment::of(case, texts, folder)?;
    put_all(case, texts, folder)?;
    let before = contents_of(folder);
    let sources = sources(&case["sources"], folder)?;
    check_keys(&case["expect"], &["sessions", "skipped", "dead_before"])?;
    let alone = snapshot(&sources);
    check(&alone, &case["expect"], texts, folder)?;
    check_queries(&alone)?;

    let monitor = Monitor::new(sources).or_else(|error| fail(error.to_string()))?;
    let first = monitor.snapshot().or_else(|error| fail(error.to_string()))?;
    check(&first, &case["expect"], texts, folder)?;
    let second = monitor.snapshot().or_else(|error| fail(error.to_string()))?;
    expect_eq("a second snapshot", second.sessions, first.sessions.clone())?;
    match monitor.wait(None, Some(PATIENCE)) {
        Ok(Some(batch)) => {
            expect_eq("reset", batch.reset, true)?;
            expect_eq("sessions of the first batch", batch.added, first.sessions)?;
        }
        other => return fail(format!("the first batch: {other:?}")),
    }
    expect_eq("the files afterwards", contents_of(folder), before)
}

pub(super) fn watch(case: &Value, texts: &Texts, folder: &Path, helper: &mut Helper) -> Outcome {
    let _environment = Environment::of(case, texts, folder)?;
    put_all(case, texts, folder)?;
    let sources = sources(&case["sources"], folder)?;
    let monitor = Monitor::new(sources).or_else(|error| fail(error.to_string()))?;
    let mut table = Table::default();
    let Some(steps) = case["steps"].as_array() else { return fail("there are no steps") };
    for (number, step) in steps.iter().enumerate() {
        let outcome = act(step, texts, folder, helper)
            .and_then(|()| table.until(&monitor, &step["expect"], texts, folder));
        outcome.map_err(|stop| match stop {
            Stop::Fail(reason) => Stop::Fail(format!("step {number}, {}: {reason}", step["do"])),
            skip @ Stop::Skip(_) => skip,
        })?;
    }
    monitor.close();
    let closed = monitor.wait(table.cursor.as_deref(), None).err();
    expect_eq("after it was closed", closed.map(|error| error.code().as_str()), Some("CLOSED"))
}

/// The sessions, as batches tell of them.
#[derive(Default)]
struct Table {
    cursor: Option<String>,
    sessions: BTreeMap<String, Arc<AgentSession>>,
}

impl Table {
    fn until(
        &mut self,
        monitor: &Monitor,
        expect: &Value,
        texts: &Texts,
        folder: &Path,
    ) -> Outcome {
        check_keys(expect, &["sessions"])?;
        let end = Instant::now() + PATIENCE;
        loop {
            let compared = compare_all(&self.sorted(), &expect["sessions"], texts, folder);
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() || (compared.is_ok() && self.cursor.is_some()) {
                return compared;
            }
            match monitor.wait(self.cursor.as_deref(), Some(rest)) {
                Ok(Some(batch)) => self.take(batch),
                Ok(None) => {}
                Err(error) => return fail(error.to_string()),
            }
        }
    }

    fn take(&mut self, batch: Batch) {
        if batch.reset {
            self.sessions.clear();
        }
        let put = batch.added.into_iter().chain(batch.changed);
        self.sessions.extend(put.map(|session| (session.key.clone(), session)));
        for key in batch.removed {
            self.sessions.remove(&key);
        }
        self.cursor = Some(batch.cursor);
    }

    fn sorted(&self) -> Sessions {
        let mut sessions: Sessions = self.sessions.values().cloned().collect();
        sessions
            .sort_by(|one, other| (&one.session_id, one.pid).cmp(&(&other.session_id, other.pid)));
        sessions
    }
}

fn act(step: &Value, texts: &Texts, folder: &Path, helper: &mut Helper) -> Outcome {
    check_keys(step, &["do", "args", "expect"])?;
    let args = &step["args"];
    let path = || Ok(folder.join(texts.text(args["path"].as_str().unwrap_or_default())?));
    match step["do"].as_str() {
        Some("put_file") => put_one(&path()?, args, texts, folder),
        Some("remove_file") => {
            let path = path()?;
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.or_else(|error| fail(error.to_string()))
        }
        Some("end") => {
            helper.ask(&format!("end {}", texts.fact("pid")?));
            Ok(())
        }
        Some("check") => Ok(()),
        _ => fail("no such step"),
    }
}

fn put_all(case: &Value, texts: &Texts, folder: &Path) -> Outcome {
    for file in case["files"].as_array().into_iter().flatten() {
        let path = folder.join(texts.text(file["path"].as_str().unwrap_or_default())?);
        put_one(&path, file, texts, folder)?;
    }
    Ok(())
}

fn put_one(path: &Path, file: &Value, texts: &Texts, folder: &Path) -> Outcome {
    if is_content(file) && path.is_file() {
        fs::write(path, texts.content(file)?).expect("a file of the case");
    } else if file["kind"] == "symlink" {
        put_link(path, &folder.join("target"), file, texts)?;
    } else {
        put(path, file, texts)?;
    }
    if let Some(age) = file["age"].as_u64() {
        let then = SystemTime::now() - Duration::from_secs(age);
        let file = fs::File::options().write(true).open(path).expect("a file of the case");
        file.set_modified(then).expect("its time");
    }
    Ok(())
}

fn sources(value: &Value, folder: &Path) -> Outcome<Sources> {
    let mut sources = Sources::none();
    for (name, value) in value.as_object().into_iter().flatten() {
        let list = match name.as_str() {
            "registries" => &mut sources.registries,
            "claude_code" => &mut sources.claude_code,
            "qwen_code" => &mut sources.qwen_code,
            "kimi_cli" => &mut sources.kimi_cli,
            "codex" => &mut sources.codex,
            "copilot" => &mut sources.copilot,
            "hooks" => &mut sources.hooks,
            "superseded" => {
                sources.superseded = value == true;
                continue;
            }
            "dead_within" => {
                sources.dead_within = Duration::from_secs(value.as_u64().unwrap_or_default());
                continue;
            }
            _ => return fail(format!("no such source: {name}")),
        };
        let paths = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        *list = paths.map(|path| folder.join(path)).collect();
    }
    Ok(sources)
}

fn check(snapshot: &Snapshot, expect: &Value, texts: &Texts, folder: &Path) -> Outcome {
    compare_all(&snapshot.sessions, &expect["sessions"], texts, folder)?;
    let parsed: Value = serde_json::from_str(&snapshot.to_json())
        .or_else(|error| fail(format!("to_json: {error}")))?;
    let alone: Vec<Value> = snapshot.sessions.iter().map(|session| json(session)).collect();
    expect_eq("sessions of to_json", &parsed["sessions"], &Value::from(alone))?;
    let mut wanted = Vec::new();
    for skipped in expect["skipped"].as_array().into_iter().flatten() {
        let path = texts.text(skipped["file"].as_str().unwrap_or_default())?;
        wanted.push((folder.join(path), skipped["error"].as_str().unwrap_or_default()));
    }
    let found: Vec<(PathBuf, &str)> = snapshot
        .skipped
        .iter()
        .map(|skipped| (skipped.path.clone(), skipped.code.as_str()))
        .collect();
    expect_eq("skipped files", found, wanted)?;
    let dead_before = expect["dead_before"].as_u64().unwrap_or(0);
    expect_eq("dead_before", snapshot.dead_before as u64, dead_before)
}

fn json(session: &AgentSession) -> Value {
    serde_json::from_str(&session.to_json()).unwrap_or_default()
}

fn compare_all(sessions: &Sessions, wanted: &Value, texts: &Texts, folder: &Path) -> Outcome {
    let Some(wanted) = wanted.as_array() else { return fail("no sessions are expected") };
    let found: Vec<Value> = sessions.iter().map(|session| json(session)).collect();
    let ids: Vec<&Value> = found.iter().map(|session| &session["session_id"]).collect();
    let wanted_ids: Vec<&Value> = wanted.iter().map(|session| &session["session_id"]).collect();
    expect_eq("session ids", ids, wanted_ids)?;
    for (found, wanted) in found.iter().zip(wanted) {
        compare(found, wanted, texts, folder)?;
    }
    Ok(())
}

fn compare(found: &Value, wanted: &Value, texts: &Texts, folder: &Path) -> Outcome {
    let of = |key: &str| format!("{key} of {}", found["session_id"]);
    for (key, wanted) in wanted.as_object().into_iter().flatten() {
        let wanted = match key.as_str() {
            "session_id" | "sources" => wanted.clone(),
            "files" => {
                let paths = wanted.as_array().into_iter().flatten().filter_map(Value::as_str);
                let absolute = |path| Ok(below(folder, &texts.text(path)?));
                paths.map(absolute).collect::<Outcome<Vec<Value>>>()?.into()
            }
            _ => texts.value(wanted)?,
        };
        match (&found[key], &wanted) {
            (found, Value::String(any)) if any == "<any>" => {
                expect_eq(&format!("{} is there", of(key)), found.is_null(), false)?;
            }
            (Value::Object(found), Value::Object(wanted)) if key == "transcript" => {
                for (key, wanted) in wanted {
                    let wanted = match (key.as_str(), wanted.as_str()) {
                        ("path", Some(path)) => below(folder, path),
                        (_, Some("<any>")) if found.contains_key(key) => continue,
                        _ => wanted.clone(),
                    };
                    let found = found.get(key).cloned().unwrap_or_default();
                    expect_eq(&of(&format!("transcript.{key}")), found, wanted)?;
                }
            }
            (found, wanted) => expect_eq(&of(key), found, wanted)?,
        }
    }
    Ok(())
}

fn below(folder: &Path, path: &str) -> Value {
    folder.join(path).to_string_lossy().into_owned().into()
}

/// Every question gives the sessions of the list that say the same.
fn check_queries(snapshot: &Snapshot) -> Outcome {
    let those = |wanted: &dyn Fn(&AgentSession) -> bool| -> Sessions {
        snapshot.sessions.iter().filter(|session| wanted(session)).cloned().collect()
    };
    let live = those(&|session| session.verdict.state == State::Alive);
    expect_eq("count_live", snapshot.count_live(), live.len())?;
    expect_eq("live", snapshot.live(), live)?;
    for session in &snapshot.sessions {
        if let Some(pid) = session.pid {
            expect_eq("find_by_pid", snapshot.find_by_pid(pid), those(&|of| of.pid == Some(pid)))?;
        }
        if let Some(id) = &session.session_id {
            let same = those(&|of| of.session_id.as_ref() == Some(id));
            expect_eq("find_by_session", snapshot.find_by_session(id), same)?;
        }
        if let Some(work_dir) = &session.work_dir {
            let same = those(&|of| of.work_dir.as_ref() == Some(work_dir));
            expect_eq("find_by_work_dir", snapshot.find_by_work_dir(work_dir), same)?;
        }
    }
    Ok(())
}

/// What every file below a folder holds, and when it changed.
fn contents_of(folder: &Path) -> BTreeMap<PathBuf, (Option<SystemTime>, Option<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    for name in names_in(folder) {
        let path = folder.join(name);
        let metadata = fs::symlink_metadata(&path).ok();
        if metadata.as_ref().is_some_and(fs::Metadata::is_dir) {
            found.extend(contents_of(&path));
        }
        let is_file = metadata.as_ref().is_some_and(fs::Metadata::is_file);
        let bytes = is_file.then(|| fs::read(&path).ok()).flatten();
        found.insert(path, (metadata.and_then(|metadata| metadata.modified().ok()), bytes));
    }
    found
}
