//! Who leaves traces of agent sessions, and where.
//!
//! A source is a module that knows the files of one family of programs: where they lie, and what one
//! of them says. All of them only read. To add one is to write its module, and its line in [`ALL`].

mod claude_code;
mod codex;
mod copilot;
mod hooks;
mod qwen_code;
mod registry;
mod sidecars;

pub(crate) use hooks::Hook;

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::fs::{Listing, Stamp};
use crate::paths;
use crate::record::Record;
use crate::snapshot::AgentSession;

/// Every source, in the order in which a snapshot asks them.
pub(crate) static ALL: [&dyn Source; 7] = [
    &registry::Registry,
    &claude_code::ClaudeCode,
    &qwen_code::QwenCode,
    &sidecars::Sidecars,
    &codex::Codex,
    &copilot::Copilot,
    &hooks::Hooks,
];

/// Where to look for agent sessions: the data folders of the programs, any number of each.
///
/// [`Sources::default`] takes those that the programs' own environment variables name, else their
/// defaults in the user's home.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sources {
    /// Registry folders of this library.
    pub registries: Vec<PathBuf>,
    /// Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`.
    pub claude_code: Vec<PathBuf>,
    /// qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`.
    pub qwen_code: Vec<PathBuf>,
    /// kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`.
    pub kimi_cli: Vec<PathBuf>,
    /// Codex: `CODEX_HOME`, `~/.codex`.
    pub codex: Vec<PathBuf>,
    /// Copilot CLI: `~/.copilot`.
    pub copilot: Vec<PathBuf>,
    /// Data folders fed by hooks: `~/.local/share/amc`.
    pub hooks: Vec<PathBuf>,
    /// Whether programs that leave no trace are looked for among the processes (default: yes). Of
    /// such a process the folder is known, but not the session.
    pub processes: bool,
    /// Whether tmux and zellij are asked for their panes (default: no). Without it nothing is
    /// started, and what depends on a pane is unknown.
    pub multiplexers: bool,
    /// How long sessions are listed after they died (default: 24 hours).
    pub dead_within: Duration,
    /// Whether sessions are listed that another one superseded in its terminal (default: no).
    pub superseded: bool,
}

impl Default for Sources {
    fn default() -> Self {
        let home = |variables: &[&str], folder: &str| {
            paths::home_of(variables, folder).into_iter().collect::<Vec<_>>()
        };
        let mut qwen_code = home(&["QWEN_HOME"], ".qwen");
        let runtime = env::var_os("QWEN_RUNTIME_DIR").filter(|folder| !folder.is_empty());
        qwen_code.extend(runtime.map(PathBuf::from).filter(|folder| !qwen_code.contains(folder)));
        Self {
            registries: paths::home().map(|home| home.join("sessions")).into_iter().collect(),
            claude_code: home(&["CLAUDE_CONFIG_DIR"], ".claude"),
            qwen_code,
            kimi_cli: home(&["KIMI_SHARE_DIR"], ".kimi"),
            codex: home(&["CODEX_HOME"], ".codex"),
            copilot: home(&[], ".copilot"),
            hooks: home(&[], ".local/share/amc"),
            processes: true,
            ..Self::none()
        }
    }
}

impl Sources {
    /// No source at all; a start for naming them.
    #[must_use]
    pub fn none() -> Self {
        Self {
            registries: Vec::new(),
            claude_code: Vec::new(),
            qwen_code: Vec::new(),
            kimi_cli: Vec::new(),
            codex: Vec::new(),
            copilot: Vec::new(),
            hooks: Vec::new(),
            processes: false,
            multiplexers: false,
            dead_within: Duration::from_secs(24 * 60 * 60),
            superseded: false,
        }
    }
}

/// A family of programs that leaves traces.
pub(crate) trait Source: Sync {
    /// By which it is named in a snapshot.
    fn name(&self) -> &'static str;

    /// The trees in which its files lie.
    fn trees(&self, sources: &Sources) -> Vec<Tree>;

    /// Whether a file of that name is one of its traces.
    fn is_trace(&self, name: &OsStr) -> bool;

    /// What a file says. Its text is read here: of some only the first line counts.
    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)>;

    /// What the name of a file says by itself, of a source whose files stay when their sessions
    /// end: of one that nobody wrote to for long that is enough, until it proves to be in use.
    fn glance(&self, _file: &File<'_>) -> Option<Trace> {
        None
    }

    /// Whether a file says the same however it grows.
    fn says_the_same(&self) -> bool {
        false
    }

    /// Whether a file of that name, beside a trace, is part of what it says.
    fn is_beside(&self, _name: &OsStr) -> bool {
        false
    }
}

/// A folder, and which of the folders below it are looked into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) levels: &'static [Level],
}

/// Which folders of one level lead to a source's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Level {
    Any,
    Named(&'static str),
}

impl Level {
    pub(crate) fn admits(self, name: &OsStr) -> bool {
        match self {
            Self::Any => !name.as_encoded_bytes().starts_with(b"."),
            Self::Named(wanted) => name == wanted,
        }
    }
}

impl Tree {
    fn flat(root: PathBuf) -> Self {
        Self { root, levels: &[] }
    }
}

/// A file of a source, in its open folder.
pub(crate) struct File<'a> {
    pub(crate) folder: &'a Listing,
    pub(crate) name: &'a OsStr,
    pub(crate) path: &'a Path,
}

/// What one file says of a session, and by what it can be judged.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) session: AgentSession,
    pub(crate) evidence: Evidence,
    /// The registration, and which writing of it this is: of two the later counts.
    pub(crate) registration: Option<(String, u64)>,
    /// Only the name was looked at.
    pub(crate) is_glance: bool,
}

/// By what the process of a session is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Evidence {
    /// A record: see `liveness`.
    Record(Arc<Record>),
    /// A lock file called after its process; older than the process, it is a former one's.
    PidLock(Arc<Record>),
    /// A kernel lock that its process holds on the first file, if that is there, and a transcript
    /// that it holds open.
    Codex { lock: Option<PathBuf>, transcript: PathBuf },
    /// A record fed by hooks, which name no process.
    Hook(Hook),
}

impl Trace {
    fn new(session: AgentSession, evidence: Evidence) -> Self {
        Self { session, evidence, registration: None, is_glance: false }
    }

    fn of_record(mut record: Record, agent: Option<&str>) -> Self {
        let registration = record.instance.clone().zip(Some(record.revision.unwrap_or(0)));
        let session = AgentSession::of_record(&mut record, agent);
        Self { registration, ..Self::new(session, Evidence::Record(Arc::new(record))) }
    }
}
