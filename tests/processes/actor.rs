//! The life of a process of the zoo: this program, started again with a role.
//!
//! It says `ready` when it can be looked at, then waits for a line and does what its role says.
//! Whatever it waits for, it ends when its standard input does: none outlives the helper.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use crate::os;

/// The argument before the role.
pub(crate) const FLAG: &str = "--play";

pub(crate) fn play(role: &str) -> ExitCode {
    if let Err(error) = os::prepare(role) {
        println!("cannot: {error}");
        return ExitCode::FAILURE;
    }
    let id = if role == "thread_id" { os::second_thread() } else { std::process::id() };
    println!("ready {id}");
    if wait_for_line() {
        os::perform(role);
    }
    ExitCode::SUCCESS
}

/// False at the end of input.
pub(crate) fn wait_for_line() -> bool {
    let mut byte = [0];
    let _ = io::stdout().flush();
    while let Ok(1) = io::stdin().read(&mut byte) {
        if byte == *b"\n" {
            return true;
        }
    }
    false
}
