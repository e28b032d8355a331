//! What the programs that keep PID files in one folder have agreed on.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};
use crate::paths;
use crate::process::{self, Identity};

/// The family of programs whose PID files a folder holds. It fixes the form of `procStart`, the
/// version key, what must be there, and the name of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// This library's own.
    #[default]
    Ours,
    /// qwen-code: `qwenVersion`; on Linux `<boot id>:<ticks>`, elsewhere null; a record has a name.
    Qwen,
    /// Claude Code: `version`; bare ticks on Linux; files are called `<pid>.json`.
    Claude,
}

impl Dialect {
    /// Every dialect, in the order in which the C header numbers them.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Qwen, Self::Claude];

    /// The word by which every language knows this dialect, such as `claude`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Qwen => "qwen",
            Self::Claude => "claude",
        }
    }

    /// The dialect of that name; [`ErrorCode::InvalidInput`] if there is none.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == word).ok_or_else(|| {
            let reason = "it is none of ours, qwen, claude";
            Error::value(ErrorCode::InvalidInput, "accept", "the dialect", reason)
        })
    }

    /// The dialect of a folder: that of a known program if it is the one in which that program
    /// keeps its records, else ours. Only the path is looked at.
    pub fn of_folder(folder: &Path) -> Self {
        let homes = [
            (paths::home_of(&["QWEN_HOME"], ".qwen"), Self::Qwen),
            (paths::home_of(&["CLAUDE_CONFIG_DIR"], ".claude"), Self::Claude),
        ];
        // Without a look at the disk; `components` leaves out `.` and doubled separators.
        let plain = |path: &Path| -> PathBuf {
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
        };
        let folder = plain(folder);
        homes
            .into_iter()
            .find(|(home, _)| {
                home.as_ref().is_some_and(|home| plain(&home.join("sessions")) == folder)
            })
            .map_or(Self::Ours, |(_, dialect)| dialect)
    }

    /// Whether a record may do without `schemaVersion`.
    pub(super) fn has_no_schema(self) -> bool {
        self == Self::Claude
    }

    pub(super) fn version_key(self) -> &'static str {
        match self {
            Self::Ours | Self::Claude => "version",
            Self::Qwen => "qwenVersion",
        }
    }

    /// qwen-code drops records without a name.
    pub(super) fn needs_name(self) -> bool {
        self == Self::Qwen
    }

    /// Whether a process has one file, called after its pid alone.
    pub(crate) fn is_one_file_per_process(self) -> bool {
        self == Self::Claude
    }

    /// What stands under `procStart`; `None` for null.
    pub(super) fn proc_start(self, identity: &Identity) -> Option<Cow<'_, str>> {
        let full = identity.proc_start.as_deref()?;
        match self {
            Self::Ours => Some(full.into()),
            Self::Qwen => (identity.platform.as_deref() == Some("linux")).then(|| full.into()),
            Self::Claude => Some(process::bare_start(full)),
        }
    }

    /// What stands under `bootId`, where `procStart` alone does not say it.
    pub(super) fn boot_id(self, identity: &Identity) -> Option<&str> {
        let (boot, _) = process::split_start(identity.proc_start.as_deref()?)?;
        (self == Self::Claude).then_some(boot)
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
