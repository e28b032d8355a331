//! How a table is set up, and which working folders it accepts.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Details, Error, ErrorCode, Result};

/// The longest path that an error repeats, in bytes.
const MAX_PATH: usize = 4096;

/// What has to be had before a restore may run, by the id of its session; it goes when the session
/// ends or the restore has failed.
pub(super) type Guard = Arc<dyn Fn(&str) -> Result<Box<dyn Any + Send>> + Send + Sync>;

/// How a [`RestoreTable`](super::RestoreTable) is set up.
#[derive(Clone)]
pub struct RestoreOptions {
    workspace: Option<PathBuf>,
    pub(super) limit: usize,
    pub(super) timeout: Duration,
    pub(super) ring_capacity: usize,
    pub(super) guard: Option<Guard>,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            workspace: None,
            limit: 20,
            timeout: Duration::from_secs(60),
            ring_capacity: 4000,
            guard: None,
        }
    }
}

impl RestoreOptions {
    /// Binds the table to a workspace: sessions of other folders are refused. The path is a
    /// [canonical](super::canonical) one. Without it every absolute folder is accepted.
    ///
    /// [`ErrorCode::InvalidInput`] for a path that is not absolute, to which no folder would ever
    /// be equal.
    pub fn workspace(mut self, workspace: impl Into<PathBuf>) -> Result<Self> {
        let workspace = workspace.into();
        if !workspace.is_absolute() {
            return Err(refused(ErrorCode::InvalidInput, "the workspace", NOT_ABSOLUTE));
        }
        self.workspace = Some(workspace);
        Ok(self)
    }

    /// How many sessions there may be, live or on their way; 20, and 0 for any number.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// How long a restore may take, 60 seconds. [`Duration::MAX`] lets it take any time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many events of a session are kept for later subscribers; 4000.
    #[must_use]
    pub fn ring_capacity(mut self, capacity: usize) -> Self {
        self.ring_capacity = capacity;
        self
    }

    /// Refuses a working folder that is no absolute path, or another one than the workspace.
    pub(super) fn check(&self, cwd: &Path) -> Result<()> {
        if !cwd.is_absolute() {
            return Err(refused(ErrorCode::InvalidInput, FOLDER, NOT_ABSOLUTE));
        }
        match &self.workspace {
            Some(bound) if bound != cwd => {
                let reason = "the table is bound to another workspace";
                Err(refused(ErrorCode::WorkspaceMismatch, FOLDER, reason).with_details(Details {
                    bound: Some(text_of(bound)),
                    requested: Some(text_of(cwd)),
                    ..Details::default()
                }))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RestoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreOptions")
            .field("workspace", &self.workspace)
            .field("limit", &self.limit)
            .field("timeout", &self.timeout)
            .field("ring_capacity", &self.ring_capacity)
            .finish_non_exhaustive()
    }
}

const FOLDER: &str = "the working folder";
const NOT_ABSOLUTE: &str = "its path is not absolute";

fn refused(code: ErrorCode, what: &'static str, reason: &'static str) -> Error {
    Error::value(code, "accept", what, reason)
}

fn text_of(path: &Path) -> String {
    let mut text = path.to_string_lossy().into_owned();
    if text.len() > MAX_PATH {
        let end = (0..=MAX_PATH).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
    }
    text
}
