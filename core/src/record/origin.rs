//! Where a record was read from: needed to judge it, but no part of what it says.

use std::path::PathBuf;
use std::sync::Arc;

/// A file from which a record was read.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) path: PathBuf,
    /// The file's owner; `None` where the system has no user ids.
    pub(crate) owner: Option<u32>,
}

/// The origin of a record that was read; none for one that was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attached(Option<Arc<Origin>>);

impl Attached {
    pub(crate) fn to(origin: Origin) -> Self {
        Self(Some(Arc::new(origin)))
    }

    pub(crate) fn get(&self) -> Option<&Origin> {
        self.0.as_deref()
    }
}
