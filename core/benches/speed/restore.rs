//! The restore table: what each caller costs who shares a restore, or is attached to its session.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessionreg::restore::{Action, Begun, Opaque, RestoreOptions, RestoreTable, Waiting};

use crate::turns::{Plan, compare, contender};

/// Callers of one restore: a call of the job is all of them.
const CALLERS: usize = 1_000;

fn table() -> RestoreTable {
    RestoreTable::new(RestoreOptions::default().timeout(Duration::MAX))
}

fn begin(table: &RestoreTable) -> Begun {
    table.begin(Action::Load, "s1", Path::new("/srv/project")).expect("a place in the table")
}

/// 1000 callers, from the request to the release.
pub(crate) fn share(plan: Plan) {
    let table = table();
    let contenders = vec![
        contender("floor: lock, look up, allocate, call back, lock, count", floor),
        contender("Rust: by callback", || {
            let Begun::Owner(restoring) = begin(&table) else { panic!("nobody was before") };
            for _ in 1..CALLERS {
                drop(sharer(&table).on_settled(|outcome| drop(black_box(outcome))));
            }
            drop(restoring.complete(Ok(Arc::new(()))));
        }),
        contender("Rust: each waits", || {
            let Begun::Owner(restoring) = begin(&table) else { panic!("nobody was before") };
            let sharers: Vec<_> = (1..CALLERS).map(|_| sharer(&table)).collect();
            let lease = restoring.complete(Ok(Arc::new(())));
            for waiting in sharers {
                drop(black_box(waiting.wait()));
            }
            drop(lease);
        }),
    ];
    compare("share", plan, contenders);
}

fn sharer(table: &RestoreTable) -> Waiting {
    let Begun::Sharer(waiting) = begin(table) else { panic!("there is one to share") };
    waiting
}

type Callback = Box<dyn FnOnce(Opaque) + Send>;

/// The same without any promise.
fn floor() {
    let table: Mutex<HashMap<String, Vec<Callback>>> = Mutex::default();
    let shares = Mutex::new(0_usize);
    for _ in 0..CALLERS {
        let mut table = table.lock().expect("no panic");
        let callers = table.entry("s1".to_owned()).or_default();
        callers.push(Box::new(|state| drop(black_box(state))));
        *shares.lock().expect("no panic") += 1;
    }
    let callers = table.lock().expect("no panic").remove("s1").unwrap_or_default();
    let state: Opaque = Arc::new(());
    for callback in callers {
        callback(Arc::clone(&state));
        *shares.lock().expect("no panic") -= 1;
    }
}

/// One caller of a live session, from the request to the release.
pub(crate) fn attach(plan: Plan) {
    let table = table();
    let Begun::Owner(restoring) = begin(&table) else { panic!("nobody was before") };
    let lease = restoring.complete(Ok(Arc::new(())));
    let contenders = vec![contender("Rust", || drop(black_box(begin(&table))))];
    compare("attach", plan, contenders);
    drop(lease);
}

/// One event, for as many subscribers as there may be.
pub(crate) fn publish(plan: Plan) {
    let table = table();
    let Begun::Owner(restoring) = begin(&table) else { panic!("nobody was before") };
    let lease = restoring.complete(Ok(Arc::new(())));
    let event: Opaque = Arc::new(());
    let publish = || drop(black_box(table.publish("s1", Arc::clone(&event))));
    compare("publish", plan, vec![contender("Rust: no subscriber", publish)]);
    let mut subscribers: Vec<_> =
        (0..64).map(|_| table.subscribe("s1", None).expect("a subscriber")).collect();
    let read = || {
        publish();
        for subscriber in &mut subscribers {
            drop(black_box(subscriber.try_next()));
        }
    };
    compare("publish", plan, vec![contender("Rust: 64 subscribers, each of which reads it", read)]);
    drop(lease);
}
