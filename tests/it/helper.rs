//! The helper that makes processes, as a conversation.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A running `processes`; dropping it ends the processes that it made.
pub(crate) struct Helper {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_processes"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the helper starts");
        let answers = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Self { child, answers }
    }

    /// The answer to one command; an error is one of the test.
    pub(crate) fn ask(&mut self, command: &str) -> Value {
        let input = self.child.stdin.as_mut().expect("its input is open");
        writeln!(input, "{command}").expect("the helper reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the helper answers");
        let answer: Value = serde_json::from_str(&line).expect("the answer is JSON");
        assert!(answer.get("error").is_none(), "{command}: {answer}");
        answer
    }

    /// A process of this kind; `None`, with the reason printed, where there can be none.
    pub(crate) fn spawn(&mut self, kind: &str) -> Option<Value> {
        let facts = self.ask(&format!("spawn {kind}"));
        if let Some(reason) = facts.get("skip") {
            println!("skipped: {kind}: {reason}");
            return None;
        }
        Some(facts)
    }

    /// Ends the helper in order, and with it all that it made.
    pub(crate) fn finish(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("the helper ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // After a failed test there is nobody left to tell.
        let _ = self.child.wait();
    }
}
