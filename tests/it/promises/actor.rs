//! Conversations with `actor`, the program that does one thing as a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// Ends whatever blocks: only a promise that is broken takes so long.
const PATIENCE_SECONDS: &str = "120";

/// The actor with these arguments.
pub(super) fn actor<T: AsRef<str>>(arguments: &[T]) -> Command {
    let mut command = Command::new(ACTOR);
    command.args(arguments.iter().map(AsRef::as_ref));
    command
}

/// The actor under another program, such as `unshare`, which gets its arguments first.
pub(super) fn under<T: AsRef<str>>(program: &[T], actor: &Command) -> Command {
    let mut words = program.iter().map(AsRef::as_ref);
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).arg(actor.get_program()).args(actor.get_args());
    command
}

/// The actor after a shell script in a mount namespace of its own; `$0` is `folder`.
pub(super) fn after_mounts(script: &str, folder: &str, actor: &Command) -> Command {
    let script = format!("{script}; exec \"$@\"");
    under(&["unshare", "--mount", "--", "sh", "-ec", &script, folder], actor)
}

/// Runs a command that must succeed, with lines on its standard input, and gives its lines.
pub(super) fn lines_of(command: &Command, input: &str) -> Vec<String> {
    let mut command = under(&["timeout", "--signal=KILL", PATIENCE_SECONDS], command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a program that starts");
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that does not read on says so by its status.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("the input");
    assert!(
        output.status.success(),
        "{command:?}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// The same for a command that says JSON.
pub(super) fn values_of(command: &Command) -> Vec<Value> {
    let value = |line: String| serde_json::from_str(&line).expect("a line of JSON");
    lines_of(command, "").into_iter().map(value).collect()
}

/// The one value that a command says.
pub(super) fn value_of(command: &Command) -> Value {
    let mut values = values_of(command);
    assert_eq!(values.len(), 1, "{command:?}: {values:?}");
    values.remove(0)
}

/// A command that said its first line and lives on; dropping it ends it.
pub(super) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(super) first: String,
}

impl Running {
    pub(super) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a program that starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("its first line");
        assert!(!first.is_empty(), "{command:?} said nothing");
        Self { child, lines, first: first.trim_end().to_owned() }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    /// Kills it at once and waits until it is gone.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it was there");
        self.child.wait().expect("it is gone");
    }

    /// Ends its input, waits, and gives what else it said.
    pub(super) fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let rest = (&mut self.lines).lines().map(|line| line.expect("text")).collect();
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Both fail only for a process that is reaped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
