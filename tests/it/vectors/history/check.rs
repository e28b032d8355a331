//! What must be so after a call.

use std::path::Path;
use std::sync::PoisonError;

use serde_json::Value;
use sessionreg::{Entry, Holder, Removed, Session, Skipped};

use super::super::scan::{check_keys, check_verdict};
use super::super::{Outcome, expect_eq, fail, record};
use super::files::is_end;
use super::{Answer, History};

const KEYS: [&str; 14] = [
    "error", "holder", "result", "reported", "session", "entries", "skipped", "count", "removed",
    "live", "failed", "path", "files", "names",
];

impl History<'_> {
    pub(super) fn check(&mut self, name: &str, answer: &Answer, expect: &Value) -> Outcome {
        if !expect.is_null() {
            check_keys(expect, &KEYS)?;
        }
        self.check_error(answer, expect)?;
        let reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner).clone();
        expect_eq("reported", reported.into(), list(expect, "reported"))?;
        self.check_answer(name, answer, expect)?;
        if let Some(session) = expect.get("session") {
            self.check_session(self.session(name)?, session)?;
        }
        self.files.check_names(&expect["names"], &self.texts)?;
        for (name, value) in self.files.check(&expect["files"], &self.texts)? {
            self.texts.keep(&name, value);
        }
        Ok(())
    }

    fn check_error(&self, answer: &Answer, expect: &Value) -> Outcome {
        let error = match answer {
            Answer::Failed(error) => Some(error),
            _ => None,
        };
        let token = error.map(|error| error.code().as_str());
        match (token, expect["error"].as_str()) {
            (got, wanted) if got == wanted => {}
            (_, wanted) => return fail(format!("error: expected {wanted:?}, got {error:?}")),
        }
        match expect.get("holder") {
            None => Ok(()),
            Some(holder) => self.check_holder(error.and_then(|error| error.holder()), holder),
        }
    }

    /// What a call gave, and that nothing is expected that it does not give.
    fn check_answer(&self, name: &str, answer: &Answer, expect: &Value) -> Outcome {
        let about: &[&str] = match answer {
            Answer::Nothing | Answer::Failed(_) => &[],
            Answer::Done(_) => &["result"],
            Answer::Entries(_) => &["entries"],
            Answer::Scan(_) => &["entries", "skipped"],
            Answer::Count(_) => &["count"],
            Answer::Swept(_) => &["removed", "live", "failed"],
            Answer::Claim => &["path"],
        };
        let of_answers =
            ["result", "entries", "skipped", "count", "removed", "live", "failed", "path"];
        for key in of_answers.into_iter().filter(|key| !about.contains(key)) {
            if expect.get(key).is_some() {
                return fail(format!("the call gives no {key}"));
            }
        }
        match answer {
            Answer::Nothing | Answer::Failed(_) => Ok(()),
            Answer::Done(done) => {
                expect_eq("result", *done, expect["result"].as_bool().unwrap_or(true))
            }
            Answer::Entries(entries) => self.check_entries(entries, expect),
            Answer::Scan(scan) => {
                self.check_entries(&scan.entries, expect)?;
                self.check_refused(&scan.skipped, &list(expect, "skipped"))
            }
            Answer::Count(count) => {
                let expected = expect["count"].as_u64().unwrap_or(*count as u64);
                expect_eq("count", *count as u64, expected)
            }
            Answer::Swept(swept) => {
                self.check_removed(&swept.removed, &list(expect, "removed"))?;
                let live = expect["live"].as_u64().unwrap_or(swept.live as u64);
                expect_eq("live", swept.live as u64, live)?;
                self.check_refused(&swept.failed, &list(expect, "failed"))
            }
            Answer::Claim => match expect.get("path") {
                None => Ok(()),
                Some(path) => self.check_path(Some(self.claim(name)?.path()), path),
            },
        }
    }

    fn check_entries(&self, entries: &[Entry], expect: &Value) -> Outcome {
        let Some(wanted) = expect["entries"].as_array() else { return Ok(()) };
        expect_eq("number of entries", entries.len(), wanted.len())?;
        for (entry, wanted) in entries.iter().zip(wanted) {
            check_keys(wanted, &["file", "record", "verdict"])?;
            if let Some(file) = wanted.get("file") {
                self.check_path(Some(entry.path()), file)?;
            }
            if let Some(some) = wanted.get("record") {
                record::compare_some(&entry.record, some, &self.texts)?;
            }
            check_verdict(entry, &wanted["verdict"])?;
        }
        Ok(())
    }

    /// Files that could not be read, or not be removed.
    fn check_refused(&self, found: &[Skipped], wanted: &Value) -> Outcome {
        let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
        expect_eq(&format!("number of {found:?}"), found.len(), wanted.len())?;
        for wanted in wanted {
            check_keys(wanted, &["file", "error"])?;
            let mut codes = vec![];
            for refused in found {
                if self.is_at(&refused.path, &wanted["file"])? {
                    codes.push(refused.code.as_str());
                }
            }
            let expected = wanted["error"].as_str().unwrap_or_default();
            expect_eq(&format!("error of {}", wanted["file"]), codes, vec![expected])?;
        }
        Ok(())
    }

    fn check_removed(&self, removed: &[Removed], wanted: &Value) -> Outcome {
        let wanted = wanted.as_array().map_or(&[][..], Vec::as_slice);
        expect_eq(&format!("number of {removed:?}"), removed.len(), wanted.len())?;
        let mut left: Vec<_> = removed.iter().collect();
        for wanted in wanted {
            check_keys(wanted, &["file", "reason", "record"])?;
            let mut place = None;
            for (index, removed) in left.iter().enumerate() {
                if self.is_at(&removed.path, &wanted["file"])? {
                    place = Some(index);
                }
            }
            let Some(place) = place else { return fail(format!("{wanted} was not removed")) };
            let removed = left.swap_remove(place);
            let reason = removed.reason.map(sessionreg::Reason::as_str);
            expect_eq("reason", reason, wanted["reason"].as_str())?;
            match (&removed.record, wanted.get("record")) {
                (_, None) | (None, Some(Value::Null)) => {}
                (Some(found), Some(some)) => record::compare_some(found, some, &self.texts)?,
                (None, Some(_)) => return fail("there is no record of what was removed"),
            }
        }
        Ok(())
    }

    fn check_session(&self, session: &Session, wanted: &Value) -> Outcome {
        for (key, wanted) in wanted.as_object().into_iter().flatten() {
            match key.as_str() {
                "record" => record::compare_some(&session.record(), wanted, &self.texts)?,
                "path" => self.check_path(session.path().as_deref(), wanted)?,
                "sidecar_path" => self.check_path(session.sidecar_path().as_deref(), wanted)?,
                "registered" => expect_eq(key, session.is_registered().into(), wanted.clone())?,
                "sidecar_holder" => self.check_holder(session.sidecar_holder().as_ref(), wanted)?,
                "pid_file_holder" => {
                    self.check_holder(session.pid_file_holder().as_ref(), wanted)?;
                }
                _ => return fail(format!("a session tells no {key}")),
            }
        }
        Ok(())
    }

    fn check_holder(&self, holder: Option<&Holder>, wanted: &Value) -> Outcome {
        let (Some(holder), Value::Object(some)) = (holder, wanted) else {
            return expect_eq("there is a holder", holder.is_some(), !wanted.is_null());
        };
        for (key, wanted) in some {
            let wanted = self.texts.value(wanted)?;
            match key.as_str() {
                "pid" => expect_eq("pid of the holder", Value::from(holder.pid), wanted)?,
                "session_id" => {
                    let id = holder.session_id.as_deref();
                    expect_eq("session of the holder", Value::from(id), wanted)?;
                }
                "host" => {
                    let host = holder.host.as_deref();
                    expect_eq("host of the holder", Value::from(host), wanted)?;
                }
                "path" => self.check_path(Some(&holder.path), &wanted)?,
                _ => return fail(format!("a holder has no {key}")),
            }
        }
        Ok(())
    }

    fn check_path(&self, path: Option<&Path>, wanted: &Value) -> Outcome {
        let is_it = match path {
            Some(path) => self.is_at(path, wanted)?,
            None => wanted.is_null(),
        };
        if is_it { Ok(()) } else { fail(format!("path: expected {wanted}, got {path:?}")) }
    }

    fn is_at(&self, path: &Path, wanted: &Value) -> Outcome<bool> {
        match wanted.as_str() {
            Some(wanted) => Ok(is_end(&self.texts.text(wanted)?, path)),
            None => Ok(false),
        }
    }
}

/// A list that is expected; one that is not named is empty.
fn list(expect: &Value, key: &str) -> Value {
    expect.get(key).cloned().unwrap_or_else(|| Value::Array(vec![]))
}
