//! A file of one user says nothing about the process of another.

use std::fs;
use std::os::unix::fs::chown;

use serde_json::{Value, json};

use super::actor::{actor, lines_of};
use super::states::{full, plain};
use super::system::{self, NOBODY, Need, open_folder};
use crate::helper::Helper;

const SOMEBODY: u32 = 65533;

#[test]
fn the_owner_of_a_file_must_be_the_user_of_the_process_that_it_names() {
    if !system::has(&[Need::Root, Need::Kernel]) {
        return;
    }
    let mut helper = Helper::start();
    let mut spawn = |kind| helper.spawn(kind).expect("a process of this kind");
    let ours = spawn("living");
    let theirs = spawn("other_user");
    let zombie = spawn("zombie");
    let reused = spawn("reused_late");
    let gone = spawn("gone");
    let owners = [0, NOBODY, SOMEBODY];
    // What root, who reads everything, says of each in a file of root, of nobody, of somebody.
    let rows: [(&str, Value, [&str; 3]); 7] = [
        ("root's process", full(&ours), ["verified", "permission", "permission"]),
        ("nobody's process", full(&theirs), ["verified", "verified", "permission"]),
        ("root's, by its pid", plain(&ours), ["unverified", "permission", "permission"]),
        ("nobody's, by its pid", plain(&theirs), ["unverified", "unverified", "permission"]),
        // Only what would be alive is doubted.
        ("a zombie", full(&zombie), ["zombie"; 3]),
        ("a reused pid", full(&reused), ["reused"; 3]),
        ("a gone one", full(&gone), ["gone"; 3]),
    ];
    let folder = open_folder();
    for (what, record, verdicts) in rows {
        for (owner, verdict) in owners.into_iter().zip(verdicts) {
            let path = folder.path().join(format!("{owner}.json"));
            fs::write(&path, record.to_string()).expect("a file");
            system::set_mode(&path, 0o644);
            chown(&path, Some(owner), Some(owner)).expect("to give it away");
            let path = path.to_str().expect("text");
            let judge = |options: &[&str]| {
                let words: Vec<_> = options.iter().copied().chain(["judge-files", path]).collect();
                lines_of(&actor(&words), "").remove(0)
            };
            for _ in 0..crate::rounds(3, 100) {
                assert_eq!(judge(&[]), verdict, "{what} in a file of {owner}");
            }
            // Anybody else believes root and himself, and so reads no more.
            let seen = judge(&["--user", &NOBODY.to_string()]);
            let expected = if owner == SOMEBODY { "PERMISSION_DENIED" } else { verdict };
            assert_eq!(seen, expected, "{what} in a file of {owner}, seen by nobody");
        }
    }
    helper.finish();
}

/// The owner is that of the file that was read: a record without one is not asked for it.
#[test]
fn a_record_that_was_not_read_from_a_file_has_no_owner() {
    if !system::has(&[Need::Root]) {
        return;
    }
    let mut helper = Helper::start();
    let theirs = full(&helper.spawn("other_user").expect("a process of this kind"));
    let record = sessionreg::Record::from_json(theirs.to_string()).expect("a record");
    assert_eq!(sessionreg::liveness(&record).reason.as_str(), "verified");
    assert_ne!(theirs["pid"], json!(std::process::id()));
    helper.finish();
}
