//! The processes made so far, and how each kind is made.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{Answer, Refusal, actor, facts, os};

/// Every kind that a vector may name; `os::KINDS` are those of this system.
const KINDS: [&str; 10] = [
    "living",
    "stopped",
    "zombie",
    "gone",
    "thread_id",
    "dead_leader",
    "reused",
    "reused_late",
    "other_user",
    "self",
];

/// Owns what it made: dropping it ends and reaps all of them, and nothing else.
#[derive(Default)]
pub(crate) struct Zoo {
    actors: Vec<Child>,
    // Held for its Drop.
    successors: Vec<os::Successor>,
    /// Files of claims, by path, with their locks.
    held: HashMap<String, File>,
}

impl Zoo {
    /// Makes a process and gives its facts.
    pub(crate) fn spawn(&mut self, kind: &str) -> Answer {
        if !KINDS.contains(&kind) {
            return Err(Refusal::Failed(format!("no such kind: {kind}")));
        }
        if !os::KINDS.contains(&kind) {
            return Err(Refusal::Skip(format!("{kind}: not on {}", os::PLATFORM)));
        }
        match kind {
            "self" => Ok(facts::process(std::process::id())?),
            "reused" | "reused_late" => {
                let (former, successor) = os::reuse(kind == "reused_late")?;
                self.successors.push(successor);
                Ok(former)
            }
            _ => self.spawn_actor(kind),
        }
    }

    /// Starts a process under a pid that nobody has, and gives its facts.
    pub(crate) fn occupy(&mut self, pid: u32) -> Answer {
        self.successors.push(os::occupy(pid)?);
        Ok(facts::process(pid)?)
    }

    /// Ends a process that was made as `living`, and waits until its pid is free.
    pub(crate) fn end(&mut self, pid: u32) -> Answer {
        let Some(index) = self.actors.iter().position(|actor| actor.id() == pid) else {
            return Err(Refusal::Failed(format!("{pid} is no process of this helper")));
        };
        let mut actor = self.actors.swap_remove(index);
        end(&mut actor);
        drop(actor);
        os::wait_until_free(pid)?;
        Ok(json!({}))
    }

    /// Takes the lock of a claim. A file must not be opened twice: its lock falls with any close.
    pub(crate) fn hold(&mut self, path: &str) -> Answer {
        if self.held.contains_key(path) {
            return Err(Refusal::Failed(format!("{path} is held already")));
        }
        self.held.insert(path.to_owned(), os::lock(path)?);
        Ok(json!({}))
    }

    /// Lets go of it again.
    pub(crate) fn let_go(&mut self, path: &str) -> Answer {
        match self.held.remove(path) {
            Some(_) => Ok(json!({})),
            None => Err(Refusal::Failed(format!("{path} is not held"))),
        }
    }

    fn spawn_actor(&mut self, kind: &str) -> Answer {
        let mut child = Command::new(std::env::current_exe()?)
            .args([actor::FLAG, kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        match raise(kind, &mut child) {
            Ok(facts) => {
                if kind == "gone" {
                    let pid = child.id();
                    drop(child);
                    os::wait_until_free(pid)?;
                } else {
                    self.actors.push(child);
                }
                Ok(facts)
            }
            Err(refusal) => {
                end(&mut child);
                Err(refusal)
            }
        }
    }
}

impl Drop for Zoo {
    fn drop(&mut self) {
        self.actors.iter_mut().for_each(end);
    }
}

/// Both fail only for a process that is reaped already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits until the actor is ready, reads its identity while it can be read, and has it play.
fn raise(kind: &str, child: &mut Child) -> Answer {
    let id = ready(child)?;
    let facts: Value = facts::process(id)?;
    match kind {
        "gone" => {
            drop(child.stdin.take());
            child.wait()?;
        }
        "living" | "other_user" | "thread_id" => {}
        _ => {
            cue(child)?;
            os::settle(kind, child)?;
        }
    }
    Ok(facts)
}

/// The id that the actor announces.
fn ready(child: &mut Child) -> Result<u32, Refusal> {
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let line = line.trim();
    line.strip_prefix("ready ")
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Refusal::Skip(line.to_owned()))
}

fn cue(child: &mut Child) -> io::Result<()> {
    match &mut child.stdin {
        Some(input) => writeln!(input),
        None => Ok(()),
    }
}
