//! Where known programs keep the sidecar of a session.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use crate::error::{Error, ErrorCode, Result};
use crate::session_id::SessionId;

/// The sidecar of a session below a project folder: `<project_dir>/chats/<id>.runtime.json`.
pub fn sidecar_in_project(project_dir: impl AsRef<Path>, id: &SessionId) -> PathBuf {
    project_dir.as_ref().join("chats").join(format!("{id}.runtime.json"))
}

/// The sidecar that a known program writes for a session served in `work_dir`.
///
/// `home` is the program's own data folder; `None` takes the one that its environment variables
/// name, else its default below the user's home.
///
/// | agent | home | path below it |
/// |---|---|---|
/// | `qwen-code` | `QWEN_RUNTIME_DIR`, `QWEN_HOME`, `~/.qwen` | `projects/<encoded work_dir>/chats/<id>.runtime.json` |
/// | `kimi-cli` | `KIMI_SHARE_DIR`, `~/.kimi` | `sessions/<MD5 of work_dir>/<id>/runtime.json` |
///
/// Another agent, a relative `work_dir`, or no home to be found is
/// [`ErrorCode::InvalidInput`]. Nothing is looked up on the file system.
pub fn sidecar_of(
    agent: &str,
    work_dir: &str,
    id: &SessionId,
    home: Option<&Path>,
) -> Result<PathBuf> {
    let layout = Layout::of(agent)?;
    if !is_absolute(work_dir) {
        return Err(invalid("the working folder is not an absolute path"));
    }
    let home = match home {
        Some(home) => home.to_owned(),
        None => layout.default_home()?,
    };
    Ok(match layout {
        Layout::QwenCode => {
            sidecar_in_project(home.join("projects").join(encode_work_dir(work_dir)), id)
        }
        Layout::KimiCli => {
            home.join("sessions").join(md5_hex(work_dir)).join(id.as_str()).join("runtime.json")
        }
    })
}

#[derive(Clone, Copy)]
enum Layout {
    QwenCode,
    KimiCli,
}

impl Layout {
    fn of(agent: &str) -> Result<Self> {
        match agent {
            "qwen-code" => Ok(Self::QwenCode),
            "kimi-cli" => Ok(Self::KimiCli),
            _ => Err(invalid("the agent is none of qwen-code, kimi-cli")),
        }
    }

    fn default_home(self) -> Result<PathBuf> {
        let (variables, folder): (&[&str], _) = match self {
            Self::QwenCode => (&["QWEN_RUNTIME_DIR", "QWEN_HOME"], ".qwen"),
            Self::KimiCli => (&["KIMI_SHARE_DIR"], ".kimi"),
        };
        home_of(variables, folder).ok_or_else(|| invalid("the user's home folder is not known"))
    }
}

/// The data folder of a program: what the first of these environment variables names, else
/// `folder` in the user's home. An empty variable counts as unset, as it does for the programs.
pub(crate) fn home_of(variables: &[&str], folder: &str) -> Option<PathBuf> {
    match variables.iter().filter_map(env::var_os).find(|value| !value.is_empty()) {
        Some(home) => Some(PathBuf::from(home)),
        None => Some(env::home_dir()?.join(folder)),
    }
}

/// This library's own data folder: `SESSIONREG_HOME`, else `$XDG_STATE_HOME/sessionreg`
/// (`~/.local/state/sessionreg`); on macOS `~/Library/Application Support/sessionreg`, on Windows
/// `%LOCALAPPDATA%\sessionreg`.
///
/// [`ErrorCode::InvalidInput`] if none of the variables is set and the user's home is not known.
/// Nothing is looked up on the file system.
pub fn home() -> Result<PathBuf> {
    // A relative folder would be another one for every program; XDG says to ignore it.
    let variable =
        |name| env::var_os(name).map(PathBuf::from).filter(|folder: &PathBuf| folder.is_absolute());
    if let Some(home) = variable("SESSIONREG_HOME") {
        return Ok(home);
    }
    let state = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        env::home_dir().map(|home| home.join("Library").join("Application Support"))
    } else {
        variable("XDG_STATE_HOME")
            .or_else(|| env::home_dir().map(|home| home.join(".local").join("state")))
    };
    match state {
        Some(state) => Ok(state.join("sessionreg")),
        None => Err(Error::value(
            ErrorCode::InvalidInput,
            "find",
            "this library's data folder",
            "the user's home folder is not known",
        )),
    }
}

fn invalid(reason: &str) -> Error {
    Error::value(ErrorCode::InvalidInput, "find", "the sidecar's path", reason)
}

/// A path of this platform; under Windows also one that names only the root, as `/home` does.
pub(crate) fn is_absolute(work_dir: &str) -> bool {
    let path = Path::new(work_dir);
    path.is_absolute() || path.has_root()
}

/// qwen-code's name of a project: every UTF-16 code unit outside `[A-Za-z0-9]` becomes `-`, so a
/// character beyond the basic plane gives two. On Windows the path is lower-cased first.
pub(crate) fn encode_work_dir(work_dir: &str) -> String {
    let lowered;
    let work_dir = if cfg!(windows) {
        lowered = work_dir.to_lowercase();
        &lowered
    } else {
        work_dir
    };
    work_dir
        .encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
            _ => '-',
        })
        .collect()
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
