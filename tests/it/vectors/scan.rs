//! What a registry reads from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;
use sessionreg::{Dialect, Entry, Record, Registry, Scan, State};

use super::disk::{names_in, put, put_link};
use super::text::Texts;
use super::{Outcome, expect_eq, fail, record};

/// What the secrets in the files are, or contain.
const SECRET: &str = "s3cr3t";

pub(super) fn run(case: &Value, base: &Value, texts: &Texts, folder: &Path) -> Outcome {
    let dir = folder.join("sessions");
    let registry = registry(case, &dir)?;
    for file in case["files"].as_array().into_iter().flatten() {
        let path = dir.join(texts.text(file["name"].as_str().unwrap_or_default())?);
        match file["kind"].as_str() {
            Some("symlink") => put_link(&path, &folder.join("target"), file, texts)?,
            _ => put(&path, file, texts)?,
        }
    }
    let before = contents_of(folder);
    let Ok(scan) = registry.scan() else { return fail("the scan fails") };
    let entries = expected(case, "entries")?;
    expect_eq(
        "names of entries",
        names(scan.entries.iter().map(Entry::path)),
        texts_of(entries, "file", texts)?,
    )?;
    for (entry, wanted) in scan.entries.iter().zip(entries) {
        check_keys(wanted, &["file", "record", "verdict"])?;
        in_file(entry.path(), record::compare(&entry.record, base, &wanted["record"], texts))?;
        in_file(entry.path(), check_verdict(entry, &wanted["verdict"]))?;
    }
    let skipped = expected(case, "skipped")?;
    let paths = names(scan.skipped.iter().map(|skipped| skipped.path.as_path()));
    expect_eq("names of skipped files", paths, texts_of(skipped, "file", texts)?)?;
    let codes: Vec<_> =
        scan.skipped.iter().map(|skipped| skipped.code.as_str().to_owned()).collect();
    expect_eq("errors of skipped files", codes, texts_of(skipped, "error", texts)?)?;

    expect_eq(
        "keys of the expectation",
        case["expect"].as_object().map(serde_json::Map::len),
        Some(2),
    )?;
    check_queries(&registry, &scan)?;
    check_secrets(&scan)?;
    expect_eq("the files afterwards", contents_of(folder), before)
}

/// The registry of a case, in its dialect.
pub(super) fn registry(case: &Value, dir: &Path) -> Outcome<Registry> {
    let opened = match case["dialect"].as_str() {
        Some("detected") => Registry::open(dir),
        word => Dialect::parse(word.unwrap_or("ours"))
            .and_then(|dialect| Registry::open_in(dir, dialect)),
    };
    opened.or_else(|error| fail(format!("opening the registry: {error}")))
}

pub(super) fn check_verdict(entry: &Entry, expected: &Value) -> Outcome {
    let (state, reason) = (expected["state"].as_str(), expected["reason"].as_str());
    if expected.is_null() {
        return Ok(());
    }
    let got = (Some(entry.verdict.state.as_str()), Some(entry.verdict.reason.as_str()));
    expect_eq("verdict", got, (state, reason))
}

/// Every key of an expectation is one that is looked at.
pub(super) fn check_keys(value: &Value, known: &[&str]) -> Outcome {
    let Value::Object(members) = value else { return fail(format!("it is no object: {value}")) };
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => fail(format!("no such key: {unknown}")),
    }
}

fn expected<'a>(case: &'a Value, key: &str) -> Outcome<&'a [Value]> {
    let list = case["expect"][key].as_array();
    list.map_or_else(|| fail(format!("no {key} are expected")), |list| Ok(list.as_slice()))
}

fn texts_of(list: &[Value], key: &str, texts: &Texts) -> Outcome<Vec<String>> {
    list.iter().map(|value| texts.text(value[key].as_str().unwrap_or_default())).collect()
}

fn names<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.map(name).collect()
}

/// Says of which file a disagreement is.
fn in_file(path: &Path, outcome: Outcome) -> Outcome {
    outcome.map_err(|stop| match stop {
        super::Stop::Fail(reason) => super::Stop::Fail(format!("{}: {reason}", path.display())),
        skip @ super::Stop::Skip(_) => skip,
    })
}

/// Every other question gives what the scan gave.
fn check_queries(registry: &Registry, scan: &Scan) -> Outcome {
    type Seen<'a> = (PathBuf, &'a Record, sessionreg::Verdict);
    fn seen(entries: &[Entry]) -> Vec<Seen<'_>> {
        entries
            .iter()
            .map(|entry| (entry.path().to_owned(), &*entry.record, entry.verdict))
            .collect()
    }
    let check = |what: &str,
                 got: sessionreg::Result<Vec<Entry>>,
                 wanted: &dyn Fn(&Entry) -> bool| {
        let Ok(got) = got else { return fail(format!("{what} fails")) };
        let wanted: Vec<_> = scan.entries.iter().filter(|entry| wanted(entry)).cloned().collect();
        expect_eq(what, seen(&got), seen(&wanted))
    };
    check("records", registry.records(), &|_| true)?;
    let is_alive = |entry: &Entry| entry.verdict.state == State::Alive;
    check("live", registry.live(), &is_alive)?;
    let live = scan.entries.iter().filter(|entry| is_alive(entry)).count();
    expect_eq("count_live", registry.count_live().ok(), Some(live))?;
    for entry in &scan.entries {
        let Record { pid, session_id, work_dir, .. } = &*entry.record;
        check("find_by_pid", registry.find_by_pid(*pid), &|entry| entry.record.pid == *pid)?;
        let found = registry.find_by_session(session_id);
        check("find_by_session", found, &|entry| entry.record.session_id == *session_id)?;
        let found = registry.find_by_work_dir(work_dir);
        check("find_by_work_dir", found, &|entry| entry.record.work_dir == *work_dir)?;
    }
    let Ok(again) = registry.scan() else { return fail("the second scan fails") };
    expect_eq("entries of a second scan", seen(&again.entries), seen(&scan.entries))?;
    let refused = |scan: &Scan| -> Vec<_> {
        scan.skipped.iter().map(|skipped| (skipped.path.clone(), skipped.code)).collect()
    };
    expect_eq("skipped by a second scan", refused(&again), refused(scan))
}

/// No text that is made of a record says a secret.
fn check_secrets(scan: &Scan) -> Outcome {
    let mut shown = vec![format!("{scan:?}"), format!("{scan:#?}")];
    for entry in &scan.entries {
        // Not every record that was read may be written.
        shown.extend(entry.record.to_json());
    }
    expect_eq("a secret is shown", shown.iter().any(|text| text.contains(SECRET)), false)
}

/// What every file below a folder holds, and when it changed.
fn contents_of(folder: &Path) -> BTreeMap<PathBuf, (Option<SystemTime>, Option<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    for folder in [folder.to_owned(), folder.join("sessions")] {
        for name in names_in(&folder) {
            let path = folder.join(name);
            let metadata = fs::symlink_metadata(&path).ok();
            let is_file = metadata.as_ref().is_some_and(fs::Metadata::is_file);
            let bytes = is_file.then(|| fs::read(&path).ok()).flatten();
            found.insert(path, (metadata.and_then(|metadata| metadata.modified().ok()), bytes));
        }
    }
    found
}
