//! The calls by the names that the vectors have for them.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use sessionreg::ErrorCode;
use sessionreg::restore::{Action, Begun, Event, Failure, Opaque, Run, canonical};

use super::super::record::Fields;
use super::super::{Outcome, fail};
use super::check::describe;
use super::{Answer, History};

impl History {
    pub(super) fn call(&mut self, what: &str, name: &str, args: &Value) -> Outcome<Answer> {
        let mut args = match self.texts.value(args)? {
            Value::Null => Fields::default(),
            Value::Object(args) => Fields(args),
            _ => return fail("the arguments are no object"),
        };
        let answer = match what {
            "load" => self.begin(Action::Load, name, &mut args)?,
            "resume" => self.begin(Action::Resume, name, &mut args)?,
            "spawn" => self.begin(Action::Spawn, name, &mut args)?,
            "complete" => {
                let state = args.0.remove("state").unwrap_or_default();
                self.run_of(name)?.complete(Ok(Arc::new(state)));
                Answer::default()
            }
            "fail" => self.fail(name, &mut args)?,
            "cancel" | "time_out" => {
                let Some(share) = self.shares.get(name) else { return fail("no such caller") };
                if what == "time_out" {
                    share.time_out();
                } else if !share.cancel() {
                    return fail("the caller was told already");
                }
                Answer::default()
            }
            "release" => match self.leases.get(name) {
                Some(lease) => Answer { result: Some(lease.release()), ..Answer::default() },
                None => return fail("no such lease"),
            },
            "end" => answer(self.table.end(&text(&mut args, "id")?)),
            "end_if_unattached" => match self.table.end_if_unattached(&text(&mut args, "id")?) {
                Ok(has_ended) => Answer { result: Some(has_ended), ..Answer::default() },
                Err(error) => failed(&error),
            },
            "publish" => self.publish(&mut args)?,
            "subscribe" => self.subscribe(name, &mut args)?,
            "unsubscribe" => {
                self.subscriptions.retain(|(other, _)| other != name);
                Answer::default()
            }
            "next" => self.next(name)?,
            "channel" => {
                let channel = name.to_owned();
                let tell = self.tell(move |told| told.torn_down.push(channel));
                self.channels.insert(name.to_owned(), self.table.channel(tell));
                Answer::default()
            }
            "carried_by" => self.carried_by(name, &text(&mut args, "channel")?)?,
            "exited" => {
                let Some(channel) = self.channels.get(name) else { return fail("no channel") };
                channel.exited(&text(&mut args, "info")?);
                Answer::default()
            }
            "close" => {
                let closer = name.to_owned();
                let tell = self.tell(move |told| told.closed.push(closer));
                self.table.begin_close().on_settled(tell);
                Answer::default()
            }
            "claim" => {
                let (agent, id) = (text(&mut args, "agent")?, text(&mut args, "session_id")?);
                let claimed = self.registry.claim(&agent, &id);
                answer(claimed.map(|claim| drop(self.claims.insert(name.to_owned(), claim))))
            }
            "release_claim" => match self.claims.remove(name) {
                Some(claim) => answer(claim.release()),
                None => return fail("no such claim"),
            },
            "check" => Answer::default(),
            _ => return fail("no such call"),
        };
        args.finish()?;
        Ok(answer)
    }

    fn begin(&mut self, action: Action, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let id = text(args, "id")?;
        let cwd = match args.text("cwd") {
            Some(cwd) => cwd,
            None => self.texts.text("${root}/srv/project")?,
        };
        let begun = match self.table.begin(action, &id, &canonical(&PathBuf::from(cwd))) {
            Ok(begun) => begun,
            Err(error) => return Ok(failed(&error)),
        };
        let word = match begun {
            Begun::Attached(lease) => {
                let settled = Ok(sessionreg::restore::Settled::Lease(lease));
                let caller = name.to_owned();
                self.tell(move |told| told.callers.push((caller, settled)))();
                "attached"
            }
            Begun::Sharer(waiting) => {
                self.wait_for(name, waiting);
                "sharer"
            }
            Begun::Owner(restoring) => {
                let (run, waiting) = restoring.split();
                if let Err(error) = run.secure() {
                    let answer = failed(&error);
                    run.complete(Err(error.into()));
                    return Ok(answer);
                }
                let owner = name.to_owned();
                let tell = self.tell(move |told| told.signalled.push(owner));
                run.context().on_cancelled(tell);
                self.runs.insert(name.to_owned(), run);
                self.wait_for(name, waiting);
                "owner"
            }
        };
        Ok(Answer { begun: Some(word), ..Answer::default() })
    }

    fn run_of(&mut self, name: &str) -> Outcome<Run> {
        self.runs.remove(name).map_or_else(|| fail("no such run"), Ok)
    }

    fn fail(&mut self, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let failure = match (args.text("failure"), args.text("error")) {
            (Some(text), None) => Failure::Caller(Arc::new(text)),
            (None, Some(token)) => {
                let code = ErrorCode::ALL.into_iter().find(|code| code.as_str() == token);
                let Some(code) = code else { return fail("no such error") };
                Failure::coded(code, "the vector says so")
            }
            _ => return fail("it has to fail with one thing"),
        };
        self.run_of(name)?.complete(Err(failure));
        Ok(Answer::default())
    }

    fn publish(&self, args: &mut Fields) -> Outcome<Answer> {
        let (id, data) = (text(args, "id")?, text(args, "data")?);
        let mut answer = Answer::default();
        for _ in 0..times(args) {
            let data: Opaque = Arc::new(data.clone());
            match self.table.publish(&id, data) {
                Ok(Some(event)) => {
                    answer.event = Some((Some(event.number()), event.to_string()));
                }
                Ok(None) => answer.event = Some((None, String::new())),
                Err(error) => return Ok(failed(&error)),
            }
        }
        Ok(answer)
    }

    fn subscribe(&mut self, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let (id, last_event_id) = (text(args, "id")?, args.text("last_event_id"));
        for _ in 0..times(args) {
            match self.table.subscribe(&id, last_event_id.as_deref()) {
                Ok(subscription) => self.subscriptions.push((name.to_owned(), subscription)),
                Err(error) => return Ok(failed(&error)),
            }
        }
        Ok(Answer::default())
    }

    fn next(&mut self, name: &str) -> Outcome<Answer> {
        let found = self.subscriptions.iter_mut().rev().find(|(other, _)| other == name);
        let Some((_, subscription)) = found else { return fail("no such subscription") };
        let mut events = vec![];
        while let Some(event) = subscription.try_next() {
            let mut described = serde_json::json!({ "kind": event.kind() });
            match event {
                Event::Published { id, data } => {
                    described["number"] = id.number().into();
                    described["data"] = data.downcast_ref::<String>().cloned().into();
                }
                Event::Gap { missed } => described["missed"] = missed.into(),
                Event::Ended(reason) => described["reason"] = reason.as_str().into(),
                _ => {}
            }
            events.push(described);
        }
        Ok(Answer { events: Some(events), ..Answer::default() })
    }

    fn carried_by(&self, name: &str, channel: &str) -> Outcome<Answer> {
        match (self.runs.get(name), self.channels.get(channel)) {
            (Some(run), Some(channel)) => Ok(answer(run.context().carried_by(channel))),
            _ => fail("no such run, or no such channel"),
        }
    }
}

fn answer(result: sessionreg::Result<()>) -> Answer {
    result.map_or_else(|error| failed(&error), |()| Answer::default())
}

fn failed(error: &sessionreg::Error) -> Answer {
    Answer { error: Some(describe(error)), ..Answer::default() }
}

fn times(args: &mut Fields) -> u64 {
    args.0.remove("times").and_then(|times| times.as_u64()).unwrap_or(1)
}

fn text(args: &mut Fields, name: &str) -> Outcome<String> {
    args.text(name).map_or_else(|| fail(format!("{name} is missing")), Ok)
}
