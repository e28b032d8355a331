//! Several processes, each with a table of its own.

#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use serde_json::Value;
use sessionreg::restore::{Action, Begun, RestoreOptions, RestoreTable};
use sessionreg::{ErrorCode, Registry};

use super::{begin, code_of, cwd, live, owner, sharer, state};

/// Names the home in the environment of a test that runs as a process of its own.
const HOME: &str = "SESSIONREG_HOME";
const ALONE: &str = "SESSIONREG_TEST_ALONE";

/// Runs a test again, as a process of its own with a home of its own: claims lie in the home, and
/// a process that has others beside it does not change its environment.
fn in_a_home_of_its_own(test: &str, body: impl FnOnce(&Path)) {
    if std::env::var_os(ALONE).is_some() {
        return body(Path::new(&std::env::var_os(HOME).expect("a home")));
    }
    let home = tempfile::tempdir().expect("a folder");
    let program = std::env::current_exe().expect("this program");
    let name = format!("restore::across::{test}");
    let output = Command::new(program)
        .args(["--exact", &name, "--nocapture"])
        .env(HOME, home.path())
        .env(ALONE, "1")
        .output()
        .expect("a program that starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

/// The actor, after it has said its first line.
struct Actor(Child, Value);

impl Actor {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_actor"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program that starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let said = serde_json::from_str(&line).unwrap_or_else(|_| line.trim().into());
        Self(child, said)
    }

    fn claims(id: &str) -> Value {
        let mut actor = Self::start(&["claim", id]);
        actor.end();
        actor.1.clone()
    }

    fn end(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("it ends");
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.end();
    }
}

fn table_of(home: &Path) -> RestoreTable {
    let registry = Arc::new(Registry::open(home.join("sessions")).expect("a possible folder"));
    RestoreTable::new(RestoreOptions::default().across(registry, "actor").expect("an agent"))
}

#[test]
fn a_session_that_another_process_has_claimed_is_held() {
    in_a_home_of_its_own("a_session_that_another_process_has_claimed_is_held", |home| {
        let table = table_of(home);
        let mut holder = Actor::start(&["claim", "x"]);
        assert!(!holder.1["claimed"].is_null(), "{}", holder.1);
        let refused = table.restore(Action::Load, "x", cwd(), |_| panic!("it is not ours"));
        let failure = refused.expect_err("a refusal");
        let error = failure.error().expect("an error");
        assert_eq!(error.code(), ErrorCode::Held);
        assert_eq!(error.holder().and_then(|holder| holder.pid), Some(holder.0.id()));
        assert!(table.sessions().is_empty());
        holder.end();
        drop(live(&table, Action::Load, "x"));
    });
}

#[test]
fn a_session_that_another_process_serves_is_held_and_the_claim_let_go() {
    in_a_home_of_its_own(
        "a_session_that_another_process_serves_is_held_and_the_claim_let_go",
        |home| {
            let table = table_of(home);
            let sessions = home.join("sessions");
            let server = Actor::start(&["register", sessions.to_str().expect("text"), "x"]);
            let restoring = owner(&table, Action::Load, "x");
            let waiting = sharer(&table, Action::Load, "x");
            let refused = restoring.run(|_| panic!("it is not ours"));
            for failure in [refused.expect_err("a refusal"), waiting.wait().expect_err("the same")]
            {
                let error = failure.error().expect("an error");
                assert_eq!(error.code(), ErrorCode::Held);
                assert_eq!(error.holder().and_then(|holder| holder.pid), Some(server.0.id()));
            }
            assert!(!Actor::claims("x")["claimed"].is_null(), "nothing was kept");
        },
    );
}

#[test]
fn the_claim_is_there_while_the_session_is_and_not_longer() {
    in_a_home_of_its_own("the_claim_is_there_while_the_session_is_and_not_longer", |home| {
        let table = table_of(home);
        let is_ours = || Actor::claims("x")["error"] == "HELD";
        let lease = table.restore(Action::Load, "x", cwd(), |_| {
            assert!(is_ours(), "before the restore runs");
            Ok(state(1))
        });
        let lease = lease.expect("a session");
        assert!(is_ours());
        lease.release();
        assert!(!is_ours());
        let failed = table.restore(Action::Load, "x", cwd(), |_| panic!("on purpose"));
        assert_eq!(code_of(failed), Some(ErrorCode::Panic));
        assert!(!is_ours(), "it goes with a restore that failed");

        // A run that nobody waits for may still write: its claim goes when it has ended.
        let (run, caller) = owner(&table, Action::Load, "x").split();
        run.secure().expect("nobody has it");
        drop(caller);
        assert!(is_ours());
        run.complete(Ok(state(1)));
        assert!(!is_ours());

        // One that is left to another caller keeps it.
        let (run, caller) = owner(&table, Action::Load, "x").split();
        run.secure().expect("nobody has it");
        let waiting = sharer(&table, Action::Load, "x");
        drop((caller, run));
        assert!(is_ours());
        let Ok(sessionreg::restore::Settled::Owner(restoring)) = waiting.wait() else {
            panic!("it is up to him")
        };
        restoring.run(|_| Ok(state(1))).expect("a session").release();
        assert!(!is_ours());
    });
}

/// A process may not claim twice: whoever comes while a claim is on its way out takes it over.
#[test]
fn sessions_that_end_and_begin_at_once_are_never_in_each_others_way() {
    in_a_home_of_its_own(
        "sessions_that_end_and_begin_at_once_are_never_in_each_others_way",
        |home| {
            let table = table_of(home);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..100 {
                            let lease = table.restore(Action::Load, "x", cwd(), |_| Ok(state(1)));
                            // It may be gone again before he looks.
                            match lease {
                                Ok(lease) => drop(lease),
                                Err(failure) => {
                                    assert_eq!(
                                        failure.code(),
                                        Some(ErrorCode::NotFound),
                                        "{failure}"
                                    );
                                }
                            }
                        }
                    });
                }
            });
            assert!(!Actor::claims("x")["claimed"].is_null(), "nothing was kept");
        },
    );
}

#[test]
fn what_can_be_no_agent_is_refused() {
    let registry = Arc::new(Registry::open("/nowhere").expect("a possible folder"));
    let refused = RestoreOptions::default().across(registry, "No Agent").expect_err("no agent");
    assert_eq!(refused.code(), ErrorCode::InvalidInput);
}

/// The process's own record of a session is no other process.
#[test]
fn a_session_that_this_process_serves_may_be_restored_by_it() {
    in_a_home_of_its_own("a_session_that_this_process_serves_may_be_restored_by_it", |home| {
        let registry = Registry::open(home.join("sessions")).expect("a possible folder");
        let session = registry.register(&sessionreg::New::session("x", "/srv/project"));
        let _session = session.expect("a registration");
        let table = table_of(home);
        let _lease = live(&table, Action::Load, "x");
        assert!(matches!(begin(&table, Action::Load, "x"), Ok(Begun::Attached(_))));
    });
}
