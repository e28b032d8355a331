//! One fault anywhere: before the commit the old record stands, after it the new one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::actor::{actor, after_mounts, value_of, values_of};
use super::pattern;
use super::system::{self, Need, names_in};
use super::trace::{Call, calls, calls_between_marks, traced};

/// Calls that cannot fail, and one that only debug builds make, which then end the process for the
/// only error that it has.
const WITHOUT_ERRORS: [&str; 4] = ["getpid", "geteuid", "uname", "fcntl"];

/// Without memory a Rust program ends, wherever it is. The one page that is the library's own, by
/// which it notices a fork, is told by what is asked for it next.
fn is_of_allocator(steps: &[Call], place: usize) -> bool {
    match steps[place].name.as_str() {
        "brk" | "mprotect" | "mremap" | "munmap" => true,
        "mmap" => !steps.get(place + 1).is_some_and(|next| next.text.contains("MADV_WIPEONFORK")),
        _ => false,
    }
}

/// What a call may say; for one that is not here, what any call may.
fn errors_of(call: &str) -> &'static [&'static str] {
    match call {
        "openat" => &[
            "EACCES",
            "EDQUOT",
            "EINTR",
            "EIO",
            "ELOOP",
            "EMFILE",
            "ENAMETOOLONG",
            "ENFILE",
            "ENOENT",
            "ENOMEM",
            "ENOSPC",
            "ENOTDIR",
            "EPERM",
            "EROFS",
        ],
        "mkdirat" => &[
            "EACCES",
            "EDQUOT",
            "EEXIST",
            "EIO",
            "ELOOP",
            "EMLINK",
            "ENAMETOOLONG",
            "ENOENT",
            "ENOMEM",
            "ENOSPC",
            "ENOTDIR",
            "EPERM",
            "EROFS",
        ],
        "renameat" | "renameat2" => &[
            "EACCES",
            "EBUSY",
            "EDQUOT",
            "EEXIST",
            "EINVAL",
            "EIO",
            "EISDIR",
            "ELOOP",
            "EMLINK",
            "ENOENT",
            "ENOMEM",
            "ENOSPC",
            "ENOTDIR",
            "ENOTEMPTY",
            "EPERM",
            "EROFS",
            "EXDEV",
        ],
        "unlinkat" => &[
            "EACCES", "EBUSY", "EIO", "EISDIR", "ELOOP", "ENOENT", "ENOMEM", "ENOTDIR", "EPERM",
            "EROFS",
        ],
        "write" => {
            &["EAGAIN", "EDQUOT", "EFBIG", "EINTR", "EINVAL", "EIO", "ENOSPC", "EPERM", "EPIPE"]
        }
        "fsync" => &["EDQUOT", "EINTR", "EINVAL", "EIO", "ENOSPC", "EROFS"],
        "close" => &["EDQUOT", "EINTR", "EIO", "ENOSPC"],
        "flock" => &["EAGAIN", "EBADF", "EINTR", "EINVAL", "EIO", "ENOLCK", "EOPNOTSUPP"],
        "fchmod" | "fchmodat" => &["EINTR", "EIO", "EPERM", "EROFS"],
        "read" => &["EAGAIN", "EINTR", "EIO"],
        "newfstatat" | "statx" | "fstat" => &["EACCES", "EIO", "ENOENT", "ENOMEM", "ENOTDIR"],
        "pidfd_open" => &["EINVAL", "EMFILE", "ENFILE", "ENODEV", "ENOMEM", "ENOSYS", "EPERM"],
        "getrandom" => &["EAGAIN", "EINTR", "ENOSYS", "EPERM"],
        "mmap" => &["EAGAIN", "ENOMEM", "EPERM"],
        _ => &["EINTR", "EINVAL", "EIO", "ENOMEM", "ENOSYS", "EPERM"],
    }
}

/// The token of an error number, where the surface names one; the others are IO, or tell of what
/// is at the path.
fn token_of(errno: &str) -> Option<&'static str> {
    match errno {
        "ENOSPC" | "EDQUOT" => Some("NO_SPACE"),
        "EROFS" => Some("READ_ONLY"),
        "EACCES" | "EPERM" => Some("PERMISSION_DENIED"),
        "EINVAL" | "EIO" | "EMFILE" | "ENFILE" | "ENOMEM" => Some("IO"),
        _ => None,
    }
}

/// Something that is done to a file while one of its system calls fails.
struct Deed {
    command: &'static str,
    /// What is there before: a record, nothing, or not even the folder.
    before: Before,
    /// The system call that makes it so.
    commit: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Record,
    Nothing,
    NoFolder,
}

const DEEDS: [Deed; 8] = [
    Deed { command: "write", before: Before::Record, commit: "renameat" },
    Deed { command: "write", before: Before::Nothing, commit: "renameat" },
    Deed { command: "write", before: Before::NoFolder, commit: "renameat" },
    Deed { command: "write-durably", before: Before::Record, commit: "renameat" },
    Deed { command: "write-durably", before: Before::Nothing, commit: "renameat" },
    Deed { command: "clear", before: Before::Record, commit: "unlinkat" },
    Deed { command: "clear", before: Before::Nothing, commit: "unlinkat" },
    Deed { command: "clear-if", before: Before::Record, commit: "unlinkat" },
];

impl Deed {
    fn is_write(&self) -> bool {
        self.command.starts_with("write")
    }

    /// Makes what is there before, in a new folder.
    fn prepare(&self, folder: &Path) -> PathBuf {
        let path = match self.before {
            Before::NoFolder => folder.join("a/b/session.runtime.json"),
            _ => folder.join("session.runtime.json"),
        };
        if self.before == Before::Record {
            sessionreg::write(&path, &pattern::record(1)).expect("a written record");
        }
        path
    }
}

/// What the sweep came to.
#[derive(Debug, Default)]
struct Sums {
    refused: usize,
    withstood: usize,
    after_the_commit: usize,
}

#[test]
fn one_fault_before_the_commit_leaves_the_old_record_and_one_after_it_the_new() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let scratch = tempfile::tempdir().expect("a folder");
    let trace = scratch.path().join("trace");
    let mut sums = Sums::default();
    let mut broken = Vec::new();
    for deed in &DEEDS {
        let folder = tempfile::tempdir().expect("a folder");
        let path = deed.prepare(folder.path());
        let command = actor(&[deed.command, path.to_str().expect("text")]);
        let said = value_of(&traced(&["-y"], &trace, &command));
        assert!(said.get("ok").is_some(), "without a fault: {said}");
        let steps = calls_between_marks(&trace);
        let commit = steps.iter().rposition(|call| call.name == deed.commit).expect("a commit");
        for (place, call) in steps.iter().enumerate() {
            if WITHOUT_ERRORS.contains(&call.name.as_str()) || is_of_allocator(&steps, place) {
                continue;
            }
            for errno in errors_of(&call.name) {
                let committed = place > commit;
                match one_fault(deed, call, errno, committed, &trace) {
                    Ok(true) if committed => sums.after_the_commit += 1,
                    Ok(true) => sums.withstood += 1,
                    Ok(false) => sums.refused += 1,
                    Err(reason) => broken.push(format!(
                        "{} over {:?}, {errno} of {}: {reason}",
                        deed.command, deed.before, call.text
                    )),
                }
            }
        }
    }
    println!("{sums:?}");
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
    assert!(sums.refused > 100 && sums.withstood > 100 && sums.after_the_commit > 10, "{sums:?}");
}

/// Does the deed with one fault; tells whether it was done in spite of it.
fn one_fault(
    deed: &Deed,
    call: &Call,
    errno: &str,
    committed: bool,
    trace: &Path,
) -> Result<bool, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = deed.prepare(folder.path());
    let before = fs::read(&path).ok();
    let command = actor(&[deed.command, path.to_str().expect("text")]);
    let marks = "access,faccessat,faccessat2";
    let filter = format!("trace={},{marks}", call.name);
    let fault = format!("inject={}:error={errno}:when={}", call.name, call.nth);
    let said = value_of(&traced(&["-e", &filter, "-e", &fault], trace, &command));
    if !calls_between_marks(trace).iter().any(|call| call.text.contains("(INJECTED)")) {
        return Err(format!("the fault came elsewhere: {:?}", calls(trace)));
    }

    let after = fs::read(&path).ok();
    let parent = path.parent().expect("a folder");
    if parent.exists() {
        let left = names_in(parent);
        if left.iter().any(|name| name != "session.runtime.json") {
            return Err(format!("left behind: {left:?}"));
        }
    }
    let is_done = if deed.is_write() {
        sessionreg::load(&path)
            .is_ok_and(|record| record.revision == Some(2) && pattern::is_whole(&record))
    } else {
        after.is_none()
    };
    let is_untouched = after == before;
    // What was refused to the temporary file, be it at its close, may not be there.
    let is_lossy = call.text.contains(".sr-") && !committed && errno != "EINTR";
    if said.get("ok").is_some() && is_lossy {
        return Err(format!("ignored: {said}"));
    }
    if said.get("ok").is_some() {
        // "There was none" is what a clear may say of a file that the system says is not there.
        let is_excused =
            said["ok"] == false && is_untouched && ["ENOENT", "ENOTDIR", "ELOOP"].contains(&errno);
        return if is_done || is_excused { Ok(true) } else { Err(format!("not done: {said}")) };
    }
    check_error(&said, call, errno, &path)?;
    if committed {
        return if is_done { Ok(true) } else { Err(format!("undone: {said}")) };
    }
    if is_untouched { Ok(false) } else { Err(format!("changed: {said}")) }
}

/// A failure has a name and the path, in a sentence too, and hides nothing of what was said.
fn check_error(said: &Value, call: &Call, errno: &str, path: &Path) -> Result<(), String> {
    let code = said["code"].as_str().unwrap_or_default();
    // Whatever randomness says, it is not to be had.
    let token = if call.name == "getrandom" { Some("UNAVAILABLE") } else { token_of(errno) };
    if token.is_some_and(|token| token != code) {
        return Err(format!("misnamed: {said}"));
    }
    let named = said["path"].as_str().map(Path::new);
    if !named.is_some_and(|named| path.starts_with(named) && named != Path::new("/")) {
        return Err(format!("without its path: {said}"));
    }
    let message = said["message"].as_str().unwrap_or_default();
    if !message.starts_with("failed to ") || !message.contains(said["path"].as_str().unwrap_or("?"))
    {
        return Err(format!("in other words: {said}"));
    }
    Ok(())
}

#[test]
fn a_full_file_system_leaves_the_old_record() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    // Full of bytes, with something left for names; and out of names.
    let full_of_bytes = r#"mount -t tmpfs -o size=64k none "$0"
        "$1" write "$0/session.runtime.json"; cp "$0/session.runtime.json" "$0/before"
        cat /dev/zero >"$0/fill" 2>/dev/null || true"#;
    let out_of_names = r#"mount -t tmpfs -o nr_inodes=3 none "$0"
        "$1" write "$0/session.runtime.json"; cp "$0/session.runtime.json" "$0/before""#;
    for script in [full_of_bytes, out_of_names] {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().to_str().expect("text");
        let script = format!(
            r#"{script}
            "$1" write "$0/session.runtime.json"
            "$1" write-durably "$0/session.runtime.json"
            cmp "$0/before" "$0/session.runtime.json"
            test -z "$(find "$0" -name '*.tmp')""#
        );
        let clear = actor(&["clear", &format!("{place}/session.runtime.json")]);
        let said = values_of(&after_mounts(&script, place, &clear));
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].get("ok").is_some(), "{said:?}");
        assert_eq!([&said[1]["code"], &said[2]["code"]], ["NO_SPACE", "NO_SPACE"], "{said:?}");
        assert_eq!(said[3]["ok"], true, "to clear needs no room: {said:?}");
    }
}

#[test]
fn a_read_only_file_system_is_told_and_read() {
    if !system::has(&[Need::Root, Need::Namespaces]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    sessionreg::write(&path, &pattern::record(1)).expect("a written record");
    let before = fs::read(&path).expect("its text");
    let script = r#"mount --bind "$0" "$0"; mount -o remount,bind,ro "$0""#;
    let place = folder.path().to_str().expect("text");
    let path = path.to_str().expect("text");
    let missing = format!("{place}/a/b/session.runtime.json");
    for (command, path) in [
        ("write", path),
        ("write-durably", path),
        ("write", &missing),
        ("clear", path),
        ("clear-if", path),
    ] {
        let said = value_of(&after_mounts(script, place, &actor(&[command, path])));
        assert_eq!(said["code"], "READ_ONLY", "{command}: {said}");
    }
    let said = value_of(&after_mounts(script, place, &actor(&["load", path])));
    assert_eq!(said["ok"], 1, "{said}");
    assert_eq!(fs::read(path).expect("its text"), before);
    assert_eq!(names_in(folder.path()), ["session.runtime.json"]);
}
