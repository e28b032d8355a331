//! What is expected of a step.

use serde_json::{Map, Value, json};
use sessionreg::Error;
use sessionreg::restore::{EndReason, Failure, Settled};

use super::super::text::Texts;
use super::super::{Outcome, expect_eq, fail, scan};
use super::{Answer, History, Told};

const KEYS: [&str; 12] = [
    "error",
    "begun",
    "result",
    "event",
    "keep",
    "events",
    "settled",
    "signalled",
    "torn_down",
    "ended",
    "sessions",
    "default_target",
];

/// An error as an expected one is written: with every field that it has.
pub(super) fn describe(error: &Error) -> Value {
    let mut all = Map::from_iter([("code".to_owned(), error.code().as_str().into())]);
    if let Some(details) = error.details() {
        let fields = [
            ("session_id", details.session_id.clone().map(Value::from)),
            ("active", details.active.map(Value::from)),
            ("requested", details.requested.clone().map(Value::from)),
            ("reason", details.reason.map(Value::from)),
            ("retry_after", details.retry_after.map(|time| time.as_secs().into())),
            ("limit", details.limit.map(Value::from)),
            ("bound", details.bound.clone().map(Value::from)),
        ];
        all.extend(fields.into_iter().filter_map(|(key, field)| Some((key.to_owned(), field?))));
    }
    if let Some(holder) = error.holder() {
        let holder = json!({ "pid": holder.pid, "session_id": holder.session_id });
        all.insert("holder".to_owned(), holder);
    }
    Value::Object(all)
}

pub(super) fn compare_error(
    got: Option<Value>,
    expected: Option<&Value>,
    texts: &Texts,
) -> Outcome {
    let expected = expected.map(|error| texts.value(error)).transpose()?;
    expect_eq("error", got, expected)
}

impl History {
    pub(super) fn check(&mut self, name: &str, answer: Answer, expect: &Value) -> Outcome {
        if !expect.is_null() {
            scan::check_keys(expect, &KEYS)?;
        }
        let Answer { begun, error, result, event, events } = answer;
        let mut told = self.told();
        if error.is_some() {
            // He is told what the call says.
            told.callers.retain(|(caller, _)| caller != name);
        }
        compare_error(error, expect.get("error"), &self.texts)?;
        expect_eq("begun", begun.map(Value::from).as_ref(), expect.get("begun"))?;
        expect_eq("result", result.map(Value::from).as_ref(), expect.get("result"))?;
        let (number, id) = event.unzip();
        expect_eq("event", number.map(Value::from).as_ref(), expect.get("event"))?;
        if let Some(fact) = expect["keep"].as_str() {
            self.texts.keep(fact, id.into());
        }
        let wanted = expect.get("events").map(expanded).transpose()?;
        expect_eq("events", events, wanted)?;
        self.check_told(told, expect)?;
        if let Some(Value::Object(ended)) = expect.get("ended") {
            for (caller, reason) in ended {
                let Some(lease) = self.leases.get(caller) else { return fail("no such lease") };
                let got = Value::from(lease.ended().map(EndReason::as_str));
                expect_eq(&format!("the end of {caller}'s session"), &got, reason)?;
            }
        }
        if let Some(sessions) = expect.get("sessions") {
            expect_eq("sessions", &self.sessions(), sessions)?;
        }
        match expect.get("default_target") {
            Some(target) => {
                expect_eq("default target", &Value::from(self.table.default_target()), target)
            }
            None => Ok(()),
        }
    }

    fn check_told(&mut self, told: Told, expect: &Value) -> Outcome {
        let mut settled = Map::new();
        for (caller, outcome) in told.callers {
            let described = match outcome {
                Ok(Settled::Lease(lease)) => {
                    let state = lease.state().downcast_ref::<Value>().cloned();
                    let described = json!({ "attached": lease.is_attached(), "state": state });
                    self.leases.insert(caller.clone(), lease);
                    described
                }
                Ok(Settled::Owner(_)) => json!("owner"),
                Err(Failure::Error(error)) => json!({ "error": describe(&error) }),
                Err(Failure::Caller(text)) => json!({ "failure": text.downcast_ref::<String>() }),
            };
            settled.insert(caller, described);
        }
        settled.extend(told.closed.into_iter().map(|name| (name, json!({ "closed": true }))));
        let wanted = match expect.get("settled") {
            Some(settled) => self.texts.value(settled)?,
            None => json!({}),
        };
        expect_eq("settled", Value::Object(settled), wanted)?;
        for (what, mut names) in [("signalled", told.signalled), ("torn_down", told.torn_down)] {
            names.sort();
            expect_eq(what, &json!(names), expect.get(what).unwrap_or(&json!([])))?;
        }
        Ok(())
    }

    fn sessions(&self) -> Value {
        let sessions = self.table.sessions().into_iter().map(|one| {
            json!({
                "id": one.session_id,
                "action": one.action.as_str(),
                "stage": one.stage.as_str(),
                "attachments": one.attachments,
                "subscribers": one.subscribers,
            })
        });
        sessions.collect()
    }
}

/// The events, one by one: an element with `times` stands for several, whose numbers follow.
fn expanded(events: &Value) -> Outcome<Vec<Value>> {
    let Some(events) = events.as_array() else { return fail("the events are no list") };
    let mut all = vec![];
    for event in events {
        let mut event = event.clone();
        let times = event.as_object_mut().and_then(|event| event.remove("times"));
        for further in 0..times.and_then(|times| times.as_u64()).unwrap_or(1) {
            let mut one = event.clone();
            if let Some(number) = event["number"].as_u64() {
                one["number"] = (number + further).into();
            }
            all.push(one);
        }
    }
    Ok(all)
}
