//! Planted links and hostile ids: nothing outside the folder is made, changed or removed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use sessionreg::ErrorCode;

use super::actor::{actor, lines_of, value_of};
use super::pattern;
use super::system::{self, Need, names_in};
use super::trace::{Call, calls, calls_between_marks, traced};

fn plain_file_with_revision(path: &Path, revision: u64) {
    assert!(fs::symlink_metadata(path).expect("a file").is_file());
    assert_eq!(sessionreg::load(path).expect("a record").revision, Some(revision));
}

#[test]
fn a_link_at_the_file_is_replaced_or_removed_and_never_followed() {
    let outside = tempfile::tempdir().expect("a folder");
    let victim = outside.path().join("victim");
    let record = pattern::record(1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let targets = [
        victim.clone(),
        outside.path().join("nobody"),
        outside.path().to_owned(),
        path.clone(),
        "/dev/null".into(),
    ];
    for target in &targets {
        sessionreg::write(&victim, &record).expect("a written record");
        let before = fs::read(&victim).expect("its text");
        symlink(target, &path).expect("a link");
        let error = sessionreg::load(&path).expect_err("a link is no record");
        assert_eq!(error.code(), ErrorCode::NotAFile, "{error}");
        assert!(!sessionreg::clear_if(&path, &record).expect("an answer"), "{target:?}");
        assert!(fs::symlink_metadata(&path).expect("a link").is_symlink());

        sessionreg::write(&path, &pattern::record(2)).expect("a written record");
        plain_file_with_revision(&path, 2);
        fs::remove_file(&path).expect("the file");

        symlink(target, &path).expect("a link");
        assert!(sessionreg::clear(&path).expect("an answer"));
        assert_eq!(fs::read(&victim).expect("the victim"), before, "{target:?}");
        assert_eq!(names_in(outside.path()), ["victim"], "{target:?}");
        assert!(names_in(folder.path()).is_empty());
    }
}

#[test]
fn a_folder_may_be_a_link() {
    let real = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    symlink(real.path(), folder.path().join("link")).expect("a link");
    let path = folder.path().join("link/made/session.runtime.json");
    sessionreg::write(&path, &pattern::record(1)).expect("a written record");
    plain_file_with_revision(&real.path().join("made/session.runtime.json"), 1);
    assert!(sessionreg::clear(&path).expect("an answer"));
    assert!(names_in(&real.path().join("made")).is_empty());
}

#[test]
fn no_link_can_be_planted_where_the_temporary_file_will_be() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let path = folder.path().join("session.runtime.json");
    let mut names = Vec::new();
    for _ in 0..20 {
        let command = actor(&["write", path.to_str().expect("text")]);
        value_of(&traced(&["-e", "trace=openat"], &trace, &command));
        let made: Vec<_> =
            calls(&trace).into_iter().filter(|call| call.text.contains("O_CREAT")).collect();
        assert_eq!(made.len(), 1, "{made:?}");
        for flag in ["O_EXCL", "O_NOFOLLOW", "O_CLOEXEC"] {
            assert!(made[0].text.contains(flag), "{made:?}");
        }
        names.push(made[0].quoted()[0].rsplit('-').next().expect("a part").to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20, "random parts: {names:?}");
}

/// What an id must be to be more than a name in its folder, on some system or other.
fn hostile_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "",
        ".",
        "..",
        "...",
        "../x",
        "../../etc/x",
        "/etc/x",
        "a/b",
        "a/../b",
        "a/../../x",
        "./x",
        "x/.",
        "x/",
        "//x",
        "..\\x",
        "a\\b",
        "\\\\host\\share\\x",
        "C:\\x",
        "C:x",
        "x:y",
        "~/x",
        "-rf",
        "--",
        ".hidden",
        "x.",
        "x ",
        "x. ",
        "a..b",
        "x..",
        "CON",
        "con",
        "nul.txt",
        "COM1",
        "lpt9.a.b",
        "aux ",
        "a\0b",
        "\0",
        "a\nb",
        "a\rb",
        "a\tb",
        "\x1b[2J",
        "\x7f",
        "a*b",
        "a?b",
        "a\"b",
        "a<b",
        "a>b",
        "a|b",
        "\u{85}",
        "\u{9b}2J",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(201));
    ids.push("é".repeat(101));
    ids
}

/// Unusual, but names.
fn harmless_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "x",
        "a b",
        "a.b",
        "%2e%2e%2f",
        "~",
        "$HOME",
        "$(id)",
        "`id`",
        "'",
        ";",
        "&",
        "#",
        "!",
        "é",
        "日本語",
        "🦀",
        "a\u{202e}b",
        "\u{feff}",
        "CON1",
        "com0",
        "runtime.json",
        ".a".trim_start_matches('.'),
        "x.tmp",
        "sr-1-1-1-1-1.tmp",
        "{id}",
        "%s",
        "(a)",
        "[a]",
        "a=b",
        "a,b",
        "@",
        "^",
        "+",
        "﹒﹒",
        "．．",
        "∕etc∕x",
        "⁄x",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(200));
    ids.push("é".repeat(100));
    ids
}

#[test]
fn no_id_leads_out_of_its_folder() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("project");
    fs::create_dir(&inside).expect("a folder");
    let trace = folder.path().join("trace");
    let [hostile, harmless] = [hostile_ids(), harmless_ids()];
    let input: String = hostile
        .iter()
        .chain(&harmless)
        .map(|id| serde_json::to_string(id).expect("JSON") + "\n")
        .collect();
    let command = actor(&["write-for-ids", inside.to_str().expect("text")]);
    let said = lines_of(&traced(&["-y", "-s", "4096"], &trace, &command), &input);
    assert_eq!(said.len(), hostile.len() + harmless.len());
    let (refused, done) = said.split_at(hostile.len());
    for (id, said) in hostile.iter().zip(refused) {
        assert!(said.contains("\"INVALID_ID\""), "{id:?}: {said}");
    }
    for (id, said) in harmless.iter().zip(done) {
        assert!(said.contains("{\"ok\":true}"), "{id:?}: {said}");
    }

    let changing: Vec<Call> = calls_between_marks(&trace).into_iter().filter(changes).collect();
    assert!(changing.len() > 3 * harmless.len(), "{}", changing.len());
    let outside: Vec<_> = changing.iter().filter(|call| !is_within(call, &inside)).collect();
    assert!(outside.is_empty(), "{outside:#?}");
    println!("{} calls that make or remove, 0 of them outside", changing.len());
    assert_eq!(names_in(&inside), ["chats"]);
    assert!(names_in(&inside.join("chats")).is_empty());
    assert_eq!(names_in(folder.path()), ["project", "trace"]);
}

fn changes(call: &Call) -> bool {
    let opens_to_write = ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"];
    match call.name.as_str() {
        "open" | "openat" | "openat2" | "creat" => {
            opens_to_write.iter().any(|flag| call.text.contains(flag))
        }
        name => [
            "mkdir", "rename", "unlink", "rmdir", "link", "symlink", "mknod", "chmod", "chown",
            "truncate", "fchmodat", "utime", "setxattr",
        ]
        .iter()
        .any(|word| name.starts_with(word)),
    }
}

/// Every path is absolute and below the folder, or one name in a folder that is.
fn is_within(call: &Call, folder: &Path) -> bool {
    let folder = folder.to_str().expect("text");
    call.quoted().iter().all(|path| {
        if path.starts_with('/') {
            path.strip_prefix(folder).is_some_and(|rest| {
                rest.starts_with('/') && !rest.split('/').any(|part| part == "..")
            })
        } else {
            let names_folder = call.text.contains(&format!("<{folder}/chats>"));
            names_folder && !path.contains('/') && *path != ".."
        }
    })
}
