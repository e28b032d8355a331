//! What a request comes to: the checks, in their order, and what their errors say.

use std::path::PathBuf;
use std::time::Duration;

use sessionreg::ErrorCode;
use sessionreg::restore::{Action, Begun, RestoreOptions, RestoreTable};

use super::{begin, cwd, live, owner, sharer, stage, state, table};

fn refused(
    table: &RestoreTable,
    action: Action,
    id: &str,
    cwd: impl Into<PathBuf>,
) -> sessionreg::Error {
    table.begin(action, id, &cwd.into()).expect_err("a refusal")
}

/// A table in which every check would fail: each is made to pass in turn, and the next one speaks.
#[test]
fn of_several_objections_the_first_in_the_order_is_made() {
    let bound = cwd();
    let options = RestoreOptions::default().limit(1).timeout(Duration::MAX);
    let table = RestoreTable::new(options.workspace(bound).expect("a folder"));
    let other = owner(&table, Action::Load, "x");
    let code = |cwd: PathBuf, action, id: &str| refused(&table, action, id, cwd).code();
    // The limit is reached, the id is impossible, and the folder is wrong.
    assert_eq!(code("srv".into(), Action::Resume, "../x"), ErrorCode::InvalidInput);
    assert_eq!(code(bound.join("other"), Action::Resume, "../x"), ErrorCode::WorkspaceMismatch);
    assert_eq!(code(bound.into(), Action::Resume, "../x"), ErrorCode::InvalidId);
    assert_eq!(code(bound.into(), Action::Resume, "x"), ErrorCode::RestoreInProgress);
    assert_eq!(code(bound.into(), Action::Resume, "y"), ErrorCode::SessionLimit);
    let closing = table.begin_close();
    assert_eq!(code("srv".into(), Action::Resume, "../x"), ErrorCode::Closing);
    drop(other);
    closing.wait(Duration::ZERO).expect("nothing runs");
}

#[test]
fn a_live_session_is_attached_to_whatever_the_action_and_the_limit() {
    let table = RestoreTable::new(RestoreOptions::default().limit(1));
    let first = live(&table, Action::Load, "x");
    assert!(!first.is_attached());
    for action in [Action::Load, Action::Resume, Action::Spawn] {
        let Ok(Begun::Attached(lease)) = begin(&table, action, "x") else { panic!("{action}") };
        assert!(lease.is_attached());
        assert!(std::sync::Arc::ptr_eq(first.state(), lease.state()), "the very same state");
    }
    assert_eq!(refused(&table, Action::Load, "y", cwd()).code(), ErrorCode::SessionLimit);
}

#[test]
fn the_other_action_is_refused_at_once_in_both_directions() {
    for (active, requested) in [(Action::Load, Action::Resume), (Action::Resume, Action::Load)] {
        let table = table();
        let restoring = owner(&table, active, "x");
        let error = refused(&table, requested, "x", cwd());
        assert_eq!(error.code(), ErrorCode::RestoreInProgress);
        let details = error.details().expect("details");
        assert_eq!(details.session_id.as_deref(), Some("x"));
        assert_eq!(details.active, Some(active.as_str()));
        assert_eq!(details.requested.as_deref(), Some(requested.as_str()));
        assert_eq!(details.reason, Some("restoring"));
        assert_eq!(details.retry_after, Some(Duration::from_secs(5)));
        // Those of the same kind are not in its way.
        let waiting = sharer(&table, active, "x");
        drop(restoring.complete(Ok(state(1))));
        drop(waiting);
    }
}

#[test]
fn live_spawning_and_restoring_sessions_count_and_sharing_does_not() {
    let table = RestoreTable::new(RestoreOptions::default().limit(3));
    let _live = live(&table, Action::Load, "live");
    let spawning = owner(&table, Action::Spawn, "spawning");
    let restoring = owner(&table, Action::Resume, "restoring");
    let error = refused(&table, Action::Load, "one-more", cwd());
    assert_eq!(error.code(), ErrorCode::SessionLimit);
    let details = error.details().expect("details");
    assert_eq!((details.limit, details.retry_after), (Some(3), Some(Duration::from_secs(5))));
    let _sharer = sharer(&table, Action::Resume, "restoring");
    assert!(matches!(begin(&table, Action::Load, "live"), Ok(Begun::Attached(_))));
    // A place is free as soon as one of them is gone.
    drop(spawning);
    let one_more = owner(&table, Action::Load, "one-more");
    drop((one_more, restoring));
}

#[test]
fn without_a_limit_any_number_of_sessions_is_live() {
    let table = table();
    let leases: Vec<_> = (0..500).map(|n| live(&table, Action::Load, &format!("s{n}"))).collect();
    assert_eq!(table.sessions().len(), leases.len());
}

#[test]
fn a_folder_that_is_not_the_workspace_is_named_beside_it_and_cut() {
    let options = RestoreOptions::default().workspace(cwd()).expect("a folder");
    let table = RestoreTable::new(options);
    let error = refused(&table, Action::Load, "x", cwd().join("é".repeat(5_000)));
    let details = error.details().expect("details");
    assert_eq!(details.bound.as_deref(), cwd().to_str());
    let requested = details.requested.as_deref().expect("the folder");
    assert!((4_095..=4_096).contains(&requested.len()), "{}", requested.len());
    assert!(requested.starts_with(cwd().to_str().expect("text")));
    assert!(error.to_string().len() < 200, "it is not in the text too");
    drop(live(&table, Action::Load, "x"));
}

#[test]
fn a_workspace_to_which_no_folder_would_be_equal_is_refused() {
    for workspace in ["", "srv/project", "./srv", "~/project"] {
        let error = RestoreOptions::default().workspace(workspace).expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::InvalidInput, "{workspace}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_and_a_link_to_it_are_one_workspace() {
    use sessionreg::restore::canonical;

    let folder = tempfile::tempdir().expect("a folder");
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    std::fs::create_dir(&real).expect("a folder");
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    let options = RestoreOptions::default().workspace(canonical(&link)).expect("a folder");
    let table = RestoreTable::new(options);
    for path in [&link, &real, &real.join("../link/.")] {
        assert!(table.begin(Action::Load, "x", &canonical(path)).is_ok(), "{path:?}");
    }
    for path in [folder.path().to_owned(), folder.path().join("absent"), "real".into()] {
        assert!(table.begin(Action::Load, "x", &canonical(&path)).is_err(), "{path:?}");
    }
}

#[test]
fn an_id_that_can_be_no_part_of_a_path_reserves_nothing() {
    let table = table();
    for id in ["", "..", "../x", "a/b", ".x", "CON", &"x".repeat(201)] {
        assert_eq!(refused(&table, Action::Load, id, cwd()).code(), ErrorCode::InvalidId, "{id}");
    }
    assert!(table.sessions().is_empty());
    assert_eq!(stage(&table, "x"), None);
}
