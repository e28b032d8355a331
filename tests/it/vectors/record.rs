//! Records in the words of the vectors.

use serde_json::{Map, Value, json};
use sessionreg::{Extra, Record, Terminal};

use super::text::Texts;
use super::{Outcome, expect_eq, fail};

/// A record as an expected one is written; what is absent is null.
fn describe(record: &Record) -> Value {
    let identity = &record.identity;
    json!({
        "pid": record.pid,
        "session_id": record.session_id,
        "work_dir": record.work_dir,
        "hostname": record.hostname,
        "started_at": record.started_at,
        "agent_version": record.agent_version,
        "proc_start": identity.proc_start,
        "pid_inode": identity.pid_inode,
        "host_key": identity.host_key,
        "platform": identity.platform,
        "pid_ns": identity.pid_ns,
        "time_ns": identity.time_ns,
        "instance": record.instance,
        "revision": record.revision,
        "agent": record.agent,
        "kind": record.kind,
        "name": record.name,
        "entrypoint": record.entrypoint,
        "transcript_path": record.transcript_path,
        "parent_session_id": record.parent_session_id,
        "terminal": record.terminal.as_ref().map(describe_terminal),
        "status": record.status,
        "waiting_for": record.waiting_for,
        "updated_at": record.updated_at,
        "status_updated_at": record.status_updated_at,
    })
}

fn describe_terminal(terminal: &Terminal) -> Value {
    let parts = [
        ("multiplexer", &terminal.multiplexer),
        ("session", &terminal.session),
        ("pane", &terminal.pane),
    ];
    let present = parts.into_iter().filter_map(|(name, part)| Some((name, part.as_ref()?)));
    Value::Object(present.map(|(name, part)| (name.to_owned(), part.as_str().into())).collect())
}

/// Compares a record with the expected one, laid over the base of its file.
pub(super) fn compare(record: &Record, base: &Value, expected: &Value, texts: &Texts) -> Outcome {
    let mut wanted = base.as_object().cloned().unwrap_or_default();
    wanted.extend(expected.as_object().cloned().unwrap_or_default());
    wanted.entry("extra").or_insert(Value::Null);
    for field in describe(record).as_object().into_iter().flatten().map(|(field, _)| field) {
        wanted.entry(field).or_insert(Value::Null);
    }
    compare_some(record, &Value::Object(wanted), texts)
}

/// Compares what is named of a record.
pub(super) fn compare_some(record: &Record, expected: &Value, texts: &Texts) -> Outcome {
    let Value::Object(expected) = expected else { return fail("a record is no object") };
    let described = describe(record);
    for (field, wanted) in expected {
        if field == "extra" {
            compare_extra(record, wanted, texts)?;
            continue;
        }
        let Some(got) = described.get(field) else {
            return fail(format!("no such field: {field}"));
        };
        let wanted = texts.value(wanted)?;
        if wanted == "<any>" && !got.is_null() {
            continue;
        }
        match (got.as_f64(), wanted.as_f64()) {
            // 7 and 7.0 are the same number.
            (Some(got), Some(wanted)) if (got - wanted).abs() == 0.0 => {}
            _ => expect_eq(field, got, &wanted)?,
        }
    }
    Ok(())
}

fn compare_extra(record: &Record, expected: &Value, texts: &Texts) -> Outcome {
    if expected == "<any>" {
        return expect_eq("extra is empty", record.extra.is_empty(), false);
    }
    let expected = expected.as_object().cloned().unwrap_or_default();
    for (key, value) in &expected {
        let value = texts.value(value)?;
        expect_eq(&format!("extra {key:?}"), record.extra.get(key), value.as_str())?;
    }
    expect_eq("number of unknown keys", record.extra.len(), expected.len())
}

/// Makes a record as a caller does; the other error is one of the library, by its token.
pub(super) fn make(fields: &Value, texts: &Texts) -> Outcome<Result<Record, &'static str>> {
    let Value::Object(fields) = texts.value(fields)? else { return fail("fields are missing") };
    let mut fields = Fields(fields);
    let (Some(id), Some(work_dir)) = (fields.text("session_id"), fields.text("work_dir")) else {
        return fail("session_id and work_dir are not given");
    };
    let mut record = match fields.0.remove("pid") {
        None => Record::new(id, work_dir),
        Some(pid) => match pid.as_u64().and_then(|pid| u32::try_from(pid).ok()) {
            Some(pid) => Record::plain(pid, id, work_dir),
            None => return fail("this pid cannot be given in Rust"),
        },
    };
    if let Some(hostname) = fields.text("hostname") {
        record.hostname = Some(hostname);
    }
    record.started_at = fields.time("started_at").unwrap_or(record.started_at);
    record.agent = fields.text("agent");
    record.agent_version = fields.text("agent_version");
    record.kind = fields.text("kind");
    record.name = fields.text("name");
    record.entrypoint = fields.text("entrypoint");
    record.transcript_path = fields.text("transcript_path");
    record.parent_session_id = fields.text("parent_session_id");
    record.status = fields.text("status");
    record.waiting_for = fields.text("waiting_for");
    record.updated_at = fields.time("updated_at");
    record.status_updated_at = fields.time("status_updated_at");
    record.terminal = fields.terminal();
    let is_set = fields.extra(&mut record.extra);
    fields.finish()?;
    Ok(if is_set { Ok(record) } else { Err("INVALID_INPUT") })
}

/// Named arguments, which are taken out one by one.
#[derive(Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name)?.as_bool()
    }

    pub(super) fn terminal(&mut self) -> Option<Terminal> {
        let Value::Object(terminal) = self.0.remove("terminal")? else { return None };
        let mut parts = Self(terminal);
        let mut part = |name| parts.text(name);
        Some(Terminal::new(part("multiplexer"), part("session"), part("pane")))
    }

    /// Sets further keys, given as JSON text; false if one is refused.
    pub(super) fn extra(&mut self, extra: &mut Extra) -> bool {
        let Some(Value::Object(members)) = self.0.remove("extra") else { return true };
        members.iter().all(|(key, text)| extra.set(key, text.as_str().unwrap_or_default()).is_ok())
    }

    /// Nothing may be left that nobody took.
    pub(super) fn finish(self) -> Outcome {
        match self.0.keys().next() {
            None => Ok(()),
            Some(unknown) => fail(format!("no such field: {unknown}")),
        }
    }

    /// Seconds; words such as `nan` stand for what JSON cannot say.
    fn time(&mut self, name: &str) -> Option<f64> {
        Some(match self.0.remove(name)? {
            Value::String(word) => word.parse().unwrap_or(f64::NAN),
            number => number.as_f64().unwrap_or(f64::NAN),
        })
    }
}
