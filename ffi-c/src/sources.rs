//! # Where sessions are looked for
//!
//! Programs leave traces of their sessions in data folders of their own. By default those are taken
//! that the programs' environment variables name, else the ones in the user's home; all can be
//! given, several of each.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::time::Duration;

use sessionreg::Sources;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, path};
use crate::status::sessionreg_status;

/// A family of programs, and what its folders are.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_source {
    /// Registry folders of this library.
    SESSIONREG_SOURCE_REGISTRY = 1,
    /// Claude Code: `CLAUDE_CONFIG_DIR`, `~/.claude`.
    SESSIONREG_SOURCE_CLAUDE_CODE = 2,
    /// qwen-code: `QWEN_HOME`, `~/.qwen`, and for sidecars also `QWEN_RUNTIME_DIR`.
    SESSIONREG_SOURCE_QWEN_CODE = 3,
    /// kimi-cli: `KIMI_SHARE_DIR`, `~/.kimi`.
    SESSIONREG_SOURCE_KIMI_CLI = 4,
    /// Codex: `CODEX_HOME`, `~/.codex`.
    SESSIONREG_SOURCE_CODEX = 5,
    /// Copilot CLI: `~/.copilot`.
    SESSIONREG_SOURCE_COPILOT = 6,
    /// Data folders fed by hooks: `~/.local/share/amc`.
    SESSIONREG_SOURCE_HOOKS = 7,
}

/// Where to look, and what for. Threads may use one at the same time; who changes or frees it must
/// be alone with it.
pub struct sessionreg_sources(Sources);

/// Threads share sources.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_sources>();
};

type Folders = fn(&mut Sources) -> &mut Vec<PathBuf>;

const FOLDERS: [(sessionreg_source, Folders); 7] = {
    use sessionreg_source as s;
    [
        (s::SESSIONREG_SOURCE_REGISTRY, |sources| &mut sources.registries),
        (s::SESSIONREG_SOURCE_CLAUDE_CODE, |sources| &mut sources.claude_code),
        (s::SESSIONREG_SOURCE_QWEN_CODE, |sources| &mut sources.qwen_code),
        (s::SESSIONREG_SOURCE_KIMI_CLI, |sources| &mut sources.kimi_cli),
        (s::SESSIONREG_SOURCE_CODEX, |sources| &mut sources.codex),
        (s::SESSIONREG_SOURCE_COPILOT, |sources| &mut sources.copilot),
        (s::SESSIONREG_SOURCE_HOOKS, |sources| &mut sources.hooks),
    ]
};

fn folders_of(number: u32) -> Result<Folders, Failure> {
    let found = FOLDERS.iter().find(|(source, _)| *source as u32 == number);
    let (_, folders) =
        found.ok_or_else(|| Failure::argument("source", "no source has that number"))?;
    Ok(*folders)
}

/// What is looked for where nothing is given.
pub(crate) fn sources_or_default(sources: Option<&sessionreg_sources>) -> Sources {
    sources.map_or_else(Sources::default, |sources| sources.0.clone())
}

/// Gives the sources that are used where none are given, for the caller to free.
///
/// The folders are those that the environment names now; programs that leave no trace are looked for
/// among the processes, and multiplexers are not asked.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_default(
    sources: Option<&mut MaybeUninit<Box<sessionreg_sources>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(sources, "sources")?.write(Box::new(sessionreg_sources(Sources::default())));
        Ok(())
    })
}

/// Gives no source at all, a start for naming them, for the caller to free.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_none(
    sources: Option<&mut MaybeUninit<Box<sessionreg_sources>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(sources, "sources")?.write(Box::new(sessionreg_sources(Sources::none())));
        Ok(())
    })
}

/// Adds a folder; `source` is a `sessionreg_source`. Nothing is looked up on the file system: a
/// folder that is not there yet has no sessions yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_sources_add(
    sources: Option<&mut sessionreg_sources>,
    source: u32,
    folder: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let sources = given(sources, "sources")?;
        let folders = folders_of(source)?;
        // SAFETY: the caller keeps the header's conventions.
        let folder = unsafe { path(folder, "folder")? };
        folders(&mut sources.0).push(folder.to_owned());
        Ok(())
    })
}

/// Takes all folders of a source away, a `sessionreg_source`: the default ones as well.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_clear(
    sources: Option<&mut sessionreg_sources>,
    source: u32,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let sources = given(sources, "sources")?;
        folders_of(source)?(&mut sources.0).clear();
        Ok(())
    })
}

/// Sets whether programs that leave no trace are looked for among the processes. Of such a process
/// the folder is known, but not the session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_set_processes(
    sources: Option<&mut sessionreg_sources>,
    wanted: bool,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || set(sources, |sources| sources.processes = wanted))
}

/// Sets whether tmux and zellij are asked for their panes. Without it nothing is started, and what
/// depends on a pane is unknown.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_set_multiplexers(
    sources: Option<&mut sessionreg_sources>,
    wanted: bool,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || set(sources, |sources| sources.multiplexers = wanted))
}

/// Sets whether sessions are listed that another one superseded in its terminal; otherwise they are
/// not.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_set_superseded(
    sources: Option<&mut sessionreg_sources>,
    wanted: bool,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || set(sources, |sources| sources.superseded = wanted))
}

/// Sets for how many seconds sessions are listed after they died, 24 hours otherwise; infinity:
/// without end. `SESSIONREG_STATUS_INVALID_INPUT` for NaN and for less than nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_set_dead_within(
    sources: Option<&mut sessionreg_sources>,
    seconds: f64,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        if seconds.is_nan() || seconds < 0.0 {
            return Err(Failure::argument("seconds", "it is no length of time"));
        }
        // Beyond what can be counted there is no end.
        let dead_within = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        set(sources, |sources| sources.dead_within = dead_within)
    })
}

fn set(
    sources: Option<&mut sessionreg_sources>,
    change: impl FnOnce(&mut Sources),
) -> Result<(), Failure> {
    change(&mut given(sources, "sources")?.0);
    Ok(())
}

/// Frees sources; what was made of them stays. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_sources_free(sources: Option<Box<sessionreg_sources>>) {
    guard::value((), || drop(sources));
}
