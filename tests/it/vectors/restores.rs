//! Several calls, one after the other, on one restore table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use sessionreg::restore::{
    Channel, Failure, Lease, Run, Settled, Share, Subscription, Waiting, canonical,
};
use sessionreg::{Claim, Registry, RestoreOptions, RestoreTable};

use super::environment::Environment;
use super::text::Texts;
use super::{Outcome, Stop, expect_eq, fail, scan};

mod calls;
mod check;

/// What happens to callers, runs and channels, told by callbacks in whatever order.
#[derive(Default)]
struct Told {
    callers: Vec<(String, Result<Settled, Failure>)>,
    closed: Vec<String>,
    signalled: Vec<String>,
    torn_down: Vec<String>,
}

/// A list that callbacks write to.
type Log = Arc<Mutex<Told>>;

/// What a call gave.
#[derive(Default)]
struct Answer {
    /// What a request came to.
    begun: Option<&'static str>,
    error: Option<Value>,
    result: Option<bool>,
    /// The number of the event that was published last, and its id.
    event: Option<(Option<u64>, String)>,
    events: Option<Vec<Value>>,
}

struct History {
    texts: Texts,
    registry: Arc<Registry>,
    table: RestoreTable,
    log: Log,
    /// Of callers that are the owners of a run which has not ended.
    runs: BTreeMap<String, Run>,
    shares: BTreeMap<String, Share>,
    leases: BTreeMap<String, Lease>,
    subscriptions: Vec<(String, Subscription)>,
    channels: BTreeMap<String, Channel>,
    claims: BTreeMap<String, Claim>,
}

pub(super) fn run(case: &Value, texts: Texts, folder: &Path) -> Outcome {
    let _environment = Environment::of(case, &texts, folder)?;
    let Ok(registry) = Registry::open(folder.join("sessions")) else { return fail("no registry") };
    let registry = Arc::new(registry);
    let options = match options(&case["table"], &texts, &registry)? {
        Ok(options) => options,
        Err(error) => {
            return check::compare_error(
                Some(check::describe(&error)),
                case["expect"].get("error"),
                &texts,
            );
        }
    };
    let mut history = History {
        texts,
        registry,
        table: RestoreTable::new(options),
        log: Log::default(),
        runs: BTreeMap::new(),
        shares: BTreeMap::new(),
        leases: BTreeMap::new(),
        subscriptions: vec![],
        channels: BTreeMap::new(),
        claims: BTreeMap::new(),
    };
    expect_eq("a table is made", case.get("expect"), None)?;
    let Some(steps) = case["steps"].as_array() else { return fail("there are no steps") };
    for (number, step) in steps.iter().enumerate() {
        history.step(step).map_err(|stop| match stop {
            Stop::Fail(reason) => Stop::Fail(format!("step {number}, {}: {reason}", step["do"])),
            skip @ Stop::Skip(_) => skip,
        })?;
    }
    Ok(())
}

/// The options of a case's table, or why there can be no such table.
fn options(
    table: &Value,
    texts: &Texts,
    registry: &Arc<Registry>,
) -> Outcome<sessionreg::Result<RestoreOptions>> {
    if !table.is_null() {
        scan::check_keys(table, &["workspace", "limit", "ring_capacity", "agent"])?;
    }
    let number = |key: &str| table[key].as_u64().and_then(|number| usize::try_from(number).ok());
    let mut options = RestoreOptions::default().timeout(Duration::MAX);
    if let Some(limit) = number("limit") {
        options = options.limit(limit);
    }
    if let Some(capacity) = number("ring_capacity") {
        options = options.ring_capacity(capacity);
    }
    if let Some(workspace) = table["workspace"].as_str() {
        options = match options.workspace(canonical(&PathBuf::from(texts.text(workspace)?))) {
            Ok(options) => options,
            refused @ Err(_) => return Ok(refused),
        };
    }
    match table["agent"].as_str() {
        Some(agent) => Ok(options.across(Arc::clone(registry), agent)),
        None => Ok(Ok(options)),
    }
}

impl History {
    fn step(&mut self, step: &Value) -> Outcome {
        scan::check_keys(step, &["do", "as", "args", "expect"])?;
        let name = step["as"].as_str().unwrap_or("a");
        let answer = self.call(step["do"].as_str().unwrap_or_default(), name, &step["args"])?;
        self.check(name, answer, &step["expect"])
    }

    fn told(&self) -> Told {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What writes to the log when it is called.
    fn tell<W: FnOnce(&mut Told)>(&self, write: W) -> impl FnOnce() + use<W> {
        let log = Arc::clone(&self.log);
        move || write(&mut log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait_for(&mut self, name: &str, waiting: Waiting) {
        let (log, caller) = (Arc::clone(&self.log), name.to_owned());
        let share = waiting.on_settled(move |outcome| {
            log.lock().unwrap_or_else(PoisonError::into_inner).callers.push((caller, outcome));
        });
        self.shares.insert(name.to_owned(), share);
    }
}
