//! System calls, as `strace` tells of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::actor;

/// One system call of a traced process.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The whole line.
    pub(super) text: String,
    /// Which of the process's calls of this name it is, from 1.
    pub(super) nth: usize,
}

impl Call {
    /// What it returned, if that is a number that says success.
    pub(super) fn returned(&self) -> Option<u64> {
        self.text.rsplit_once("= ")?.1.split([' ', '<']).next()?.parse().ok()
    }

    /// The texts among its arguments, unescaped only where that does not matter.
    pub(super) fn quoted(&self) -> Vec<&str> {
        self.text.split('"').skip(1).step_by(2).collect()
    }
}

/// A command under `strace`, which writes to `file`; `options` come before the command.
pub(super) fn traced<T: AsRef<str>>(options: &[T], file: &Path, command: &Command) -> Command {
    let file = file.to_str().expect("a path of text");
    let mut words = vec!["strace", "-qq", "-o", file];
    words.extend(options.iter().map(AsRef::as_ref));
    actor::under(&words, command)
}

/// The calls between the marks that `actor` sets around what it does.
pub(super) fn calls_between_marks(file: &Path) -> Vec<Call> {
    let calls = calls(file);
    let place = |mark: &str| {
        let found = calls.iter().position(|call| call.text.contains(mark));
        found.unwrap_or_else(|| panic!("no mark {mark} in {calls:#?}"))
    };
    calls[place("/.sessionreg-begin") + 1..place("/.sessionreg-end")].to_vec()
}

/// All calls of the process.
pub(super) fn calls(file: &Path) -> Vec<Call> {
    let text = fs::read(file).expect("a trace");
    let text = String::from_utf8_lossy(&text);
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        // With `-f` the pid comes first.
        let name = name.rsplit(' ').next().unwrap_or(name).to_owned();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let nth = calls.iter().filter(|call| call.name == name).count() + 1;
        calls.push(Call { name, text: line.to_owned(), nth });
    }
    calls
}
