//! What a case calls, and what must come out.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sessionreg::{Record, Result, SessionId, paths};

use super::disk::{Disk, readable};
use super::text::{Texts, is_content};
use super::{Outcome, expect_eq, fail, history, record, restores, scan, snapshot};
use crate::helper::Helper;

/// The largest content that a record may have.
const MAX_BYTES: usize = 64 * 1024;

/// A case with all that its operation needs.
struct Call<'a> {
    case: &'a Value,
    expect: &'a Value,
    base: &'a Value,
    texts: Texts,
    disk: Disk,
}

pub(super) fn run(file: &Value, case: &Value, mut texts: Texts, helper: &mut Helper) -> Outcome {
    let disk = Disk::new(case, &mut texts)?;
    match case["op"].as_str() {
        Some("scan") => return scan::run(case, &file["base_record"], &texts, disk.folder()),
        Some("history") => return history::run(case, texts, disk.folder(), helper),
        Some("snapshot") => return snapshot::run(case, &texts, disk.folder()),
        Some("watch") => return snapshot::watch(case, &texts, disk.folder(), helper),
        Some("restore_history") => return restores::run(case, texts, disk.folder()),
        _ => {}
    }
    let call = Call { case, expect: &case["expect"], base: &file["base_record"], texts, disk };
    call.check_keys()?;
    match case["op"].as_str() {
        Some("load") => call.load(),
        Some("make") => call.make(),
        Some("write") => call.write(),
        Some("rewrite") => call.rewrite(),
        Some("clear") => call.clear(),
        Some("clear_if") => call.clear_if(),
        Some("liveness") => call.liveness(),
        Some("session_id") => call.session_id(),
        Some("path") => call.path(),
        _ => fail("no such operation"),
    }
}

fn token<T>(result: &Result<T>) -> std::result::Result<&T, &'static str> {
    result.as_ref().map_err(|error| error.code().as_str())
}

impl Call<'_> {
    /// Every key of the expectation is one that is looked at.
    fn check_keys(&self) -> Outcome {
        const KEYS: [&str; 9] =
            ["record", "error", "content", "keys", "removed", "left", "verdict", "ok", "path"];
        let Value::Object(expect) = self.expect else { return fail("nothing is expected") };
        match expect.keys().find(|key| !KEYS.contains(&key.as_str())) {
            None => Ok(()),
            Some(unknown) => fail(format!("no such expectation: {unknown}")),
        }
    }

    /// The expected token; `None` where success is expected.
    fn expected_error(&self) -> Option<&str> {
        self.expect["error"].as_str()
    }

    /// Compares an error with the expected one; gives the value where success is expected.
    fn succeeded<'r, T>(
        &self,
        what: &str,
        result: std::result::Result<&'r T, &str>,
    ) -> Outcome<Option<&'r T>> {
        expect_eq(&format!("error of {what}"), result.err(), self.expected_error())?;
        Ok(result.ok())
    }

    fn expect_record(&self, found: &Record) -> Outcome {
        record::compare(found, self.base, &self.expect["record"], &self.texts)
    }

    fn load(&self) -> Outcome {
        let path = &self.disk.path;
        let loaded = sessionreg::load(path);
        if let Some(found) = self.succeeded("load", token(&loaded))? {
            self.expect_record(found)?;
        }
        let read = sessionreg::read(path);
        expect_eq("read", token(&read), Ok(&loaded.as_ref().ok().cloned()))?;
        self.disk.check_left(self.expect.get("left"), &self.texts)?;

        let file = &self.case["file"];
        if is_content(file) {
            let bytes = self.texts.content(file)?;
            if bytes.len() <= MAX_BYTES {
                expect_eq("from_json", token(&Record::from_json(bytes)), token(&loaded))?;
            }
        }
        Ok(())
    }

    fn make(&self) -> Outcome {
        let made = record::make(&self.case["fields"], &self.texts)?;
        match self.succeeded("making a record", made.as_ref().map_err(|token| *token))? {
            Some(made) => self.expect_record(made),
            None => Ok(()),
        }
    }

    fn write(&self) -> Outcome {
        let written = match record::make(&self.case["fields"], &self.texts)? {
            Ok(record) => match sessionreg::write(&self.disk.path, &record) {
                Ok(()) => Ok(record),
                Err(error) => Err(error.code().as_str()),
            },
            Err(token) => Err(token),
        };
        if let Some(record) = self.succeeded("write", written.as_ref().map_err(|token| *token))? {
            self.disk.check_written()?;
            self.expect_content(&self.disk.path)?;
            expect_eq("what is read again", token(&sessionreg::load(&self.disk.path)), Ok(record))?;
        }
        self.disk.check_left(self.expect.get("left"), &self.texts)
    }

    fn expect_content(&self, path: &Path) -> Outcome {
        let bytes = fs::read(path).map_err(|error| error.to_string());
        if let Some(keys) = self.expect["keys"].as_array() {
            let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
            let found =
                text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next());
            let keys: Vec<_> = keys.iter().filter_map(Value::as_str).collect();
            return expect_eq("keys", found.collect::<Vec<_>>(), keys);
        }
        let expected = self.texts.content(&self.expect["content"])?;
        expect_eq("content", readable(bytes), readable(Ok(expected)))
    }

    fn rewrite(&self) -> Outcome {
        let out = self.disk.beside("out.runtime.json");
        let loaded = match sessionreg::load(&self.disk.path) {
            Ok(loaded) => loaded,
            Err(error) => return fail(format!("load: {error}")),
        };
        let written = sessionreg::write(&out, &loaded);
        if self.succeeded("write", token(&written))?.is_none() {
            return expect_eq("there is a new file", out.exists(), false);
        }
        self.expect_content(&out)?;
        let again = sessionreg::load(&out).and_then(|record| sessionreg::write(&out, &record));
        expect_eq("write once more", token(&again), Ok(&()))?;
        self.expect_content(&out)
    }

    fn clear(&self) -> Outcome {
        let clear = || sessionreg::clear(&self.disk.path);
        self.expect_removed(&clear())?;
        if self.expected_error().is_none() {
            expect_eq("clear once more", token(&clear()), Ok(&false))?;
        }
        Ok(())
    }

    fn clear_if(&self) -> Outcome {
        let other = self.disk.beside("other.runtime.json");
        fs::write(&other, self.texts.content(&self.case["record"])?).expect("a file of the case");
        let record = match sessionreg::load(&other) {
            Ok(record) => record,
            Err(error) => return fail(format!("load of the record: {error}")),
        };
        self.expect_removed(&sessionreg::clear_if(&self.disk.path, &record))
    }

    fn expect_removed(&self, removed: &Result<bool>) -> Outcome {
        if let Some(removed) = self.succeeded("clear", token(removed))? {
            expect_eq("removed", Some(*removed), self.expect["removed"].as_bool())?;
        }
        self.disk.check_left(self.expect.get("left"), &self.texts)
    }

    fn liveness(&self) -> Outcome {
        let judged = if self.case.get("fields").is_some() {
            match record::make(&self.case["fields"], &self.texts)? {
                Ok(record) => record,
                Err(token) => return fail(format!("making the record: {token}")),
            }
        } else {
            let loaded = if self.case["origin"] == false {
                Record::from_json(self.texts.content(&self.case["file"])?)
            } else {
                sessionreg::load(&self.disk.path)
            };
            match loaded {
                Ok(record) => record,
                Err(error) => return fail(format!("load: {error}")),
            }
        };
        let expected = &self.expect["verdict"];
        let expected = (expected["state"].as_str(), expected["reason"].as_str());
        let words = |verdict: sessionreg::Verdict| {
            (Some(verdict.state.as_str()), Some(verdict.reason.as_str()))
        };
        expect_eq("verdict", words(sessionreg::liveness(&judged)), expected)?;
        let all = sessionreg::liveness_all([&judged, &judged]);
        expect_eq("verdicts", all.into_iter().map(words).collect(), vec![expected; 2])
    }

    fn session_id(&self) -> Outcome {
        let Value::String(id) = self.texts.value(&self.case["id"])? else { return fail("no id") };
        let made = SessionId::new(id.clone());
        match self.succeeded("the id", token(&made))? {
            Some(made) => expect_eq("the id", made.as_str(), &id),
            None => Ok(()),
        }
    }

    fn path(&self) -> Outcome {
        let arguments = self.texts.value(&self.case["args"])?;
        let argument = |name: &str| arguments[name].as_str().unwrap_or_default();
        let found =
            SessionId::new(argument("id")).and_then(|id| match self.case["helper"].as_str() {
                Some("sidecar_in_project") => {
                    Ok(paths::sidecar_in_project(argument("project_dir"), &id))
                }
                Some("sidecar_of") => {
                    let home = Path::new(argument("home"));
                    paths::sidecar_of(argument("agent"), argument("work_dir"), &id, Some(home))
                }
                _ => Ok(PathBuf::from("no such helper")),
            });
        let Some(found) = self.succeeded("the helper", token(&found))? else { return Ok(()) };
        let expected = self.texts.text(self.expect["path"].as_str().unwrap_or_default())?;
        expect_eq("path", found.display().to_string().replace('\\', "/"), expected)
    }
}
