//! Several calls, one after the other, on a registry and the handles that it gave.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sessionreg::{Claim, Entry, Error, Registry, Scan, Session, Swept};

use super::environment::Environment;
use super::text::Texts;
use super::{Outcome, Stop, fail, scan};
use crate::helper::Helper;

mod calls;
mod check;
mod files;

use files::Files;

/// What a call gave.
enum Answer {
    Nothing,
    /// Whether a session did what it was told.
    Done(bool),
    Entries(Vec<Entry>),
    Scan(Scan),
    Count(usize),
    Swept(Swept),
    Claim,
    Failed(Error),
}

enum Handle {
    Session(Session),
    Claim(Box<Claim>),
}

struct History<'a> {
    texts: Texts,
    files: Files<'a>,
    helper: &'a mut Helper,
    registry: Registry,
    /// In the order in which they were given: of one name the last counts. Those before it stay
    /// open, as a drop would close them.
    handles: Vec<(String, Handle)>,
    /// Tokens of the errors that went to a session's own function.
    reported: Arc<Mutex<Vec<String>>>,
}

pub(super) fn run(case: &Value, texts: Texts, folder: &Path, helper: &mut Helper) -> Outcome {
    let environment = Environment::of(case, &texts, folder)?;
    let dir = folder.join(case["registry"].as_str().unwrap_or("sessions"));
    let mut history = History {
        texts,
        files: Files(folder),
        helper,
        registry: scan::registry(case, &dir)?,
        handles: vec![],
        reported: Arc::default(),
    };
    let Some(steps) = case["steps"].as_array() else { return fail("there are no steps") };
    for (number, step) in steps.iter().enumerate() {
        history.step(step).map_err(|stop| match stop {
            Stop::Fail(reason) => Stop::Fail(format!("step {number}, {}: {reason}", step["do"])),
            skip @ Stop::Skip(_) => skip,
        })?;
    }
    // Sessions are closed while the variables are those of the case.
    drop(history);
    drop(environment);
    Ok(())
}

impl History<'_> {
    fn step(&mut self, step: &Value) -> Outcome {
        scan::check_keys(step, &["do", "as", "args", "expect"])?;
        let name = step["as"].as_str().unwrap_or("a");
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let answer = self.call(step["do"].as_str().unwrap_or_default(), name, &step["args"])?;
        self.check(name, &answer, &step["expect"])
    }

    /// The place of the handle that has a name now.
    fn place_of(&self, name: &str) -> Outcome<usize> {
        let place = self.handles.iter().rposition(|(other, _)| other == name);
        place.map_or_else(|| fail(format!("there is no handle {name}")), Ok)
    }

    fn session(&self, name: &str) -> Outcome<&Session> {
        match &self.handles[self.place_of(name)?].1 {
            Handle::Session(session) => Ok(session),
            Handle::Claim(_) => fail(format!("{name} is no session")),
        }
    }

    fn claim(&self, name: &str) -> Outcome<&Claim> {
        match &self.handles[self.place_of(name)?].1 {
            Handle::Claim(claim) => Ok(claim),
            Handle::Session(_) => fail(format!("{name} is no claim")),
        }
    }
}
