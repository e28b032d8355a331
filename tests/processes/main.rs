//! Makes the processes that the test vectors speak of, and tells the truth about them.
//!
//! One command a line on standard input, one JSON object a line on standard output; the protocol
//! is in `tests/vectors/README.md`. It reads the system by itself and never through the library:
//! it is what the library is measured against.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};

mod actor;
mod facts;
#[cfg(unix)]
mod unix;
mod zoo;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;
#[cfg(windows)]
#[path = "windows.rs"]
mod os;

/// What a command may come to.
type Answer = Result<Value, Refusal>;

/// Why there is no such process.
enum Refusal {
    /// This machine does not permit it.
    Skip(String),
    /// It should have worked.
    Failed(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve(),
        [actor::FLAG, role] => actor::play(role),
        _ => {
            eprintln!("usage: processes < commands (see tests/vectors/README.md)");
            ExitCode::from(2)
        }
    }
}

fn serve() -> ExitCode {
    let mut zoo = zoo::Zoo::default();
    let mut output = io::stdout();
    for line in io::stdin().lines() {
        let Ok(line) = line else { break };
        let answer = answer(&mut zoo, line.trim()).unwrap_or_else(|refusal| match refusal {
            Refusal::Skip(reason) => json!({ "skip": reason }),
            Refusal::Failed(reason) => json!({ "error": reason }),
        });
        if writeln!(output, "{answer}").and_then(|()| output.flush()).is_err() {
            break;
        }
    }
    drop(zoo);
    ExitCode::SUCCESS
}

fn answer(zoo: &mut zoo::Zoo, line: &str) -> Answer {
    // A path may hold spaces.
    if let Some(path) = line.strip_prefix("hold ") {
        return zoo.hold(path);
    }
    if let Some(path) = line.strip_prefix("let_go ") {
        return zoo.let_go(path);
    }
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["host"] => Ok(facts::host()?),
        ["spawn", kind] => zoo.spawn(kind),
        ["identify", pid] => Ok(facts::process(number(pid)?)?),
        ["end", pid] => zoo.end(number(pid)?),
        ["occupy", pid] => zoo.occupy(number(pid)?),
        _ => Err(Refusal::Failed(format!("no such command: {line}"))),
    }
}

fn number(pid: &str) -> Result<u32, Refusal> {
    pid.parse().map_err(|_| Refusal::Failed(format!("{pid} is not a pid")))
}
