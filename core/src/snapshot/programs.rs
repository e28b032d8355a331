//! Agents among the processes, known by what they call themselves. Of such a process the folder is
//! known, but not the session.

use std::ffi::OsStr;
use std::path::Path;

use super::AgentSession;
use crate::liveness::Reason;
use crate::process::{self, ProcessInfo, ProcessTable};

/// Programs and the names of their commands. A name that is a common word for something else is not
/// here: nothing is guessed.
const PROGRAMS: [(&str, &[&str]); 12] = [
    ("claude-code", &["claude"]),
    ("codex", &["codex"]),
    ("qwen-code", &["qwen"]),
    ("kimi-cli", &["kimi", "kimi-cli"]),
    ("copilot-cli", &["copilot"]),
    ("gemini-cli", &["gemini"]),
    ("opencode", &["opencode"]),
    ("goose", &["goose"]),
    ("cursor-agent", &["cursor-agent"]),
    ("aider", &["aider"]),
    ("crush", &["crush"]),
    ("amp", &["amp"]),
];

/// What runs the script of a program; then the script's name counts.
const INTERPRETERS: [&str; 6] = ["node", "bun", "deno", "python", "python3", "MainThread"];

/// A process of an agent.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) agent: &'static str,
    pub(super) process: ProcessInfo,
    pub(super) work_dir: Option<String>,
}

impl Candidate {
    /// Whether it is of the session's program, and works in its folder.
    pub(super) fn may_serve(&self, session: &AgentSession) -> bool {
        session.agent.as_deref() == Some(self.agent)
            && session.work_dir.is_some()
            && session.work_dir == self.work_dir
    }
}

/// The agents among the processes. Of a program that starts itself anew, as a script that starts a binary, only
/// the first process counts.
pub(super) fn candidates(table: &ProcessTable, processes: &[ProcessInfo]) -> Vec<Candidate> {
    let agent_of = |process: &ProcessInfo| {
        if process.has_exited {
            return None;
        }
        if let Some(agent) = agent_called(&process.name) {
            return Some(agent);
        }
        let runs_scripts =
            INTERPRETERS.contains(&process.name.as_str()) || process.name.starts_with("python3.");
        if !runs_scripts {
            return None;
        }
        let arguments = table.arguments(process.pid);
        let mut words = arguments.iter().filter_map(|argument| argument.to_str());
        let script = words.by_ref().skip(1).find(|word| !word.starts_with('-'))?;
        agent_called(Path::new(script).file_name().and_then(OsStr::to_str)?)
    };
    let agents: Vec<(&ProcessInfo, &'static str)> =
        processes.iter().filter_map(|process| Some((process, agent_of(process)?))).collect();
    let is_started_by_itself = |(process, agent): &(&ProcessInfo, &str)| {
        process::ancestry(process.pid).skip(1).any(|ancestor| {
            agents.iter().any(|(other, same)| other.pid == ancestor && same == agent)
        })
    };
    agents
        .iter()
        .filter(|found| !is_started_by_itself(found))
        .map(|(process, agent)| Candidate {
            agent,
            process: ProcessInfo::clone(process),
            work_dir: table
                .working_dir(process.pid)
                .and_then(|folder| folder.to_str().map(str::to_owned)),
        })
        .collect()
}

fn agent_called(name: &str) -> Option<&'static str> {
    PROGRAMS.iter().find(|(_, names)| names.contains(&name)).map(|(agent, _)| *agent)
}

/// A process that no trace speaks of.
pub(super) fn session_of(candidate: &Candidate) -> AgentSession {
    let process = &candidate.process;
    AgentSession {
        agent: Some(candidate.agent.to_owned()),
        pid: Some(process.pid),
        tty: process.terminal.clone(),
        work_dir: candidate.work_dir.clone(),
        started_at: Some(process::epoch_of(process.start)),
        sources: vec!["processes"],
        verdict: Reason::Unverified.into(),
        ..AgentSession::unknown(format!("process:{}:{}", process.pid, process.start))
    }
}
