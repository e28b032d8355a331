//! The calls by the names that the vectors have for them.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sessionreg::{By, New, Patch, Result, Session, SweepOptions};

use super::super::record::Fields;
use super::super::{Outcome, expect_eq, fail, skip};
use super::{Answer, Handle, History};

impl History<'_> {
    pub(super) fn call(&mut self, what: &str, name: &str, args: &Value) -> Outcome<Answer> {
        // Content stays as it is: its bytes need not be text.
        if what == "put_file" {
            return self.put_file(args);
        }
        let mut args = match self.texts.value(args)? {
            Value::Null => Fields::default(),
            Value::Object(args) => Fields(args),
            _ => return fail("the arguments are no object"),
        };
        let answer = match what {
            "register" => self.register(name, &mut args)?,
            "open_session" => self.open_session(name, &mut args)?,
            "update" => {
                let patch = args.0.remove("patch");
                self.change(name, patch, Session::update)?
            }
            "switch" => {
                let (patch, id) = (args.0.remove("patch"), text(&mut args, "session_id")?);
                self.change(name, patch, |session, patch| session.switch(id, patch))?
            }
            "refresh" => done(self.session(name)?.refresh()),
            "leave" => done(self.session(name)?.leave()),
            "close" => done(self.session(name)?.close()),
            "scan" => answer(self.registry.scan(), Answer::Scan),
            "live" => answer(self.registry.live(), Answer::Entries),
            "records" => answer(self.registry.records(), Answer::Entries),
            "count_live" => answer(self.registry.count_live(), Answer::Count),
            "find_by_pid" => answer(self.registry.find_by_pid(pid(&mut args)?), Answer::Entries),
            "owner_of" => answer(self.registry.owner_of(pid(&mut args)?), Answer::Entries),
            "find_under" => answer(self.registry.find_under(pid(&mut args)?), Answer::Entries),
            "find_by_session" => {
                let id = text(&mut args, "session_id")?;
                answer(self.registry.find_by_session(&id), Answer::Entries)
            }
            "find_by_work_dir" => {
                let work_dir = text(&mut args, "work_dir")?;
                answer(self.registry.find_by_work_dir(&work_dir), Answer::Entries)
            }
            "sweep" => self.sweep(&mut args),
            "claim" => self.claim_session(name, &mut args)?,
            "release" => self.release(name)?,
            "remove_file" => self.files.remove(&text(&mut args, "path")?)?,
            "end" => {
                self.helper.ask(&format!("end {}", self.texts.fact("pid")?));
                Answer::Nothing
            }
            "hold" | "let_go" => self.ask_about(what, &text(&mut args, "path")?)?,
            "check" => Answer::Nothing,
            _ => return fail("no such call"),
        };
        args.finish()?;
        Ok(answer)
    }

    fn register(&mut self, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let mut new = New::session(text(args, "session_id")?, text(args, "work_dir")?);
        new.agent = args.text("agent");
        new.agent_version = args.text("agent_version");
        new.kind = args.text("kind");
        new.name = args.text("name");
        new.entrypoint = args.text("entrypoint");
        new.status = args.text("status");
        new.transcript_path = args.text("transcript_path");
        new.parent_session_id = args.text("parent_session_id");
        new.terminal = args.terminal();
        new.sidecar = args.text("sidecar").map(|path| self.files.0.join(path));
        new.pid_file = args.flag("pid_file").unwrap_or(true);
        new.keep_sidecar = args.flag("keep_sidecar").unwrap_or_default();
        if args.0.contains_key("pid") {
            new.pid = Some(pid(args)?);
        }
        let is_set = args.extra(&mut new.extra);
        expect_eq("extra is accepted", is_set, true)?;
        if args.flag("on_error").unwrap_or_default() {
            let reported = Arc::clone(&self.reported);
            new.on_error = Some(Arc::new(move |error| {
                let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
                reported.push(error.code().as_str().to_owned());
            }));
        }
        Ok(match self.registry.register(&new) {
            Ok(session) => self.keep(name, Handle::Session(session), Answer::Nothing),
            Err(error) => Answer::Failed(error),
        })
    }

    fn open_session(&mut self, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let id = args.text("session_id");
        let by = match &id {
            Some(id) => By::Session(id),
            None => By::Pid(pid(args)?),
        };
        Ok(match self.registry.open_session(by) {
            Ok(session) => self.keep(name, Handle::Session(session), Answer::Nothing),
            Err(error) => Answer::Failed(error),
        })
    }

    fn change(
        &self,
        name: &str,
        patch: Option<Value>,
        call: impl FnOnce(&Session, Patch) -> Result<bool>,
    ) -> Outcome<Answer> {
        let session = self.session(name)?;
        let patch =
            patch.map_or_else(|| Ok(Patch::new()), |patch| Patch::from_json(patch.to_string()));
        Ok(done(patch.and_then(|patch| call(session, patch))))
    }

    fn sweep(&self, args: &mut Fields) -> Answer {
        let mut options = SweepOptions::default().dry_run(args.flag("dry_run").unwrap_or_default());
        if let Some(Value::Array(folders)) = args.0.remove("sidecar_folders") {
            for folder in folders.iter().filter_map(Value::as_str) {
                options = options.sidecar_folder(self.files.0.join(folder));
            }
        }
        answer(self.registry.sweep(&options), Answer::Swept)
    }

    fn claim_session(&mut self, name: &str, args: &mut Fields) -> Outcome<Answer> {
        let (agent, id) = (text(args, "agent")?, text(args, "session_id")?);
        Ok(match self.registry.claim(&agent, &id) {
            Ok(claim) => self.keep(name, Handle::Claim(Box::new(claim)), Answer::Claim),
            Err(error) => Answer::Failed(error),
        })
    }

    fn release(&mut self, name: &str) -> Outcome<Answer> {
        self.claim(name)?;
        match self.handles.remove(self.place_of(name)?).1 {
            Handle::Claim(claim) => Ok(answer(claim.release(), |()| Answer::Nothing)),
            Handle::Session(_) => fail("a session cannot be released"),
        }
    }

    fn keep(&mut self, name: &str, handle: Handle, answer: Answer) -> Answer {
        self.handles.push((name.to_owned(), handle));
        answer
    }

    fn put_file(&mut self, args: &Value) -> Outcome<Answer> {
        let path = self.texts.text(args["path"].as_str().unwrap_or_default())?;
        let path = self.files.put(&path, args, &self.texts)?;
        if let Some(age) = args["age"].as_u64() {
            let then = SystemTime::now() - Duration::from_secs(age);
            let file = std::fs::File::options().write(true).open(path).expect("a file of the case");
            file.set_modified(then).expect("its time");
        }
        Ok(Answer::Nothing)
    }

    fn ask_about(&mut self, command: &str, path: &str) -> Outcome<Answer> {
        let answer = self.helper.ask(&format!("{command} {}", self.files.0.join(path).display()));
        match answer["skip"].as_str() {
            Some(reason) => skip(reason),
            None => Ok(Answer::Nothing),
        }
    }
}

fn done(result: Result<bool>) -> Answer {
    answer(result, Answer::Done)
}

fn answer<T>(result: Result<T>, of: impl FnOnce(T) -> Answer) -> Answer {
    result.map_or_else(Answer::Failed, of)
}

fn text(args: &mut Fields, name: &str) -> Outcome<String> {
    args.text(name).map_or_else(|| fail(format!("{name} is missing")), Ok)
}

fn pid(args: &mut Fields) -> Outcome<u32> {
    let pid = args.0.remove("pid").and_then(|pid| pid.as_u64());
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    pid.map_or_else(|| fail("this pid cannot be given in Rust"), Ok)
}
