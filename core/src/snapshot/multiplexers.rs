//! What terminal multiplexers say of their panes: asked only where that was wanted, seldom, and
//! never waited for.

use std::collections::HashMap;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::AgentSession;
use crate::liveness::{Reason, Verdict};
use crate::process;
use crate::record::Terminal;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(5);

/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// tmux and zellij, and what they said last.
pub(super) struct Multiplexers {
    is_wanted: bool,
    asked: Option<Instant>,
    /// The sessions of zellij, and whether each is active; none if it could not be asked.
    zellij: Option<HashMap<String, bool>>,
    /// The panes of tmux, by the process that runs in each.
    tmux: HashMap<u32, Terminal>,
}

impl Multiplexers {
    pub(super) fn new(is_wanted: bool) -> Self {
        Self { is_wanted, asked: None, zellij: None, tmux: HashMap::new() }
    }

    /// Asks them, unless they were asked just now; zellij only if a record names one of its panes.
    pub(super) fn ask(&mut self, names_a_pane: bool) {
        if !self.is_wanted || self.asked.is_some_and(|asked| asked.elapsed() < HOLDS) {
            return;
        }
        self.asked = Some(Instant::now());
        self.zellij = names_a_pane.then(zellij_sessions).flatten();
        self.tmux = tmux_panes();
    }

    /// What the pane of a session tells of it that only names its folder.
    pub(super) fn judge(&self, session: &AgentSession) -> Verdict {
        let name = session.terminal.as_ref().and_then(|terminal| terminal.session.as_ref());
        let Some((sessions, name)) = self.zellij.as_ref().zip(name) else {
            return session.verdict;
        };
        match sessions.get(name) {
            Some(true) => Reason::Unverified.into(),
            Some(false) | None => Reason::PaneGone.into(),
        }
    }

    /// Whether a session of zellij is known not to be there any more.
    pub(super) fn is_gone(&self, zellij_session: &str) -> bool {
        let sessions = self.zellij.as_ref();
        sessions.is_some_and(|sessions| !sessions.get(zellij_session).copied().unwrap_or(false))
    }

    /// The pane of tmux that a process runs in.
    pub(super) fn pane_of(&self, pid: u32) -> Option<Terminal> {
        if self.tmux.is_empty() {
            return None;
        }
        process::ancestry(pid).find_map(|ancestor| self.tmux.get(&ancestor).cloned())
    }
}

/// Every session of zellij, and whether it is active: `name [Created …] (EXITED - …)`.
fn zellij_sessions() -> Option<HashMap<String, bool>> {
    let answer = run("zellij", &["list-sessions", "--no-formatting"])?;
    if !answer.succeeded {
        return answer.text.contains("No active").then(HashMap::new);
    }
    Some(answer.text.lines().filter_map(zellij_session).collect())
}

fn zellij_session(line: &str) -> Option<(String, bool)> {
    let name = line.split(" [Created").next()?.trim();
    (!name.is_empty()).then(|| (name.to_owned(), !line.contains("(EXITED")))
}

fn tmux_panes() -> HashMap<u32, Terminal> {
    let format = "#{pane_pid} #{pane_id} #{session_name}";
    let answer = run("tmux", &["list-panes", "-a", "-F", format]);
    let answer = answer.filter(|answer| answer.succeeded).map(|answer| answer.text);
    answer.unwrap_or_default().lines().filter_map(tmux_pane).collect()
}

fn tmux_pane(line: &str) -> Option<(u32, Terminal)> {
    let mut fields = line.splitn(3, ' ');
    let pid = fields.next()?.parse().ok()?;
    let pane = fields.next()?.to_owned();
    let session = fields.next()?.to_owned();
    Some((pid, Terminal::new(Some("tmux".to_owned()), Some(session), Some(pane))))
}

struct Answer {
    succeeded: bool,
    /// Of both its outputs.
    text: String,
}

/// `None` if the program is not there, or does not answer in time.
fn run(program: &str, arguments: &[&str]) -> Option<Answer> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // Read by threads of their own: an answer longer than a pipe would never end, and one whose pipe
    // somebody else keeps open would not either.
    let output = reader(child.stdout.take());
    let errors = reader(child.stderr.take());
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            None => {
                // It is ours, and answers nobody.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    let text =
        |of: Receiver<Vec<u8>>| of.recv_timeout(end.saturating_duration_since(Instant::now())).ok();
    let text = [text(output)?, text(errors)?].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Some(Answer { succeeded: status.success(), text })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        // A pipe that breaks gives what it gave; nobody may wait for it any more.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut text));
        let _ = sender.send(text);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_zellij_that_exited_is_not_active() {
        let lines = [
            ("main [Created 3m 2s ago]", ("main", true)),
            ("a b [Created 1day ago] (current)", ("a b", true)),
            ("old [Created 2h ago] (EXITED - attach to resurrect)", ("old", false)),
        ];
        for (line, (name, is_active)) in lines {
            assert_eq!(zellij_session(line), Some((name.to_owned(), is_active)), "{line}");
        }
        assert_eq!(zellij_session(""), None);
    }

    #[test]
    fn a_session_of_tmux_may_have_spaces_in_its_name() {
        let (pid, terminal) = tmux_pane("4711 %3 my work").expect("a pane");
        assert_eq!(pid, 4711);
        assert_eq!(terminal.session.as_deref(), Some("my work"));
        assert_eq!(terminal.pane.as_deref(), Some("%3"));
        assert!(tmux_pane("%3").is_none());
    }
}
