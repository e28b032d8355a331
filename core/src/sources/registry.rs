//! This library's own registry: PID files.

use std::ffi::OsStr;

use super::{File, Source, Sources, Trace, Tree};
use crate::error::Result;
use crate::fs::Stamp;
use crate::record::Dialect;
use crate::registry::{FileName, record_of};

pub(super) struct Registry;

impl Source for Registry {
    fn name(&self) -> &'static str {
        "registry"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        sources.registries.iter().cloned().map(Tree::flat).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        FileName::parse(name) != FileName::NoRecord
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        read_pid_file(file, Dialect::Ours, None)
    }
}

/// Reads a file of a folder of PID files, whosever it is.
pub(super) fn read_pid_file(
    file: &File<'_>,
    dialect: Dialect,
    agent: Option<&str>,
) -> Result<(Trace, Stamp)> {
    let contents = file.folder.read(file.name, file.path)?;
    let record = record_of(file.name, file.path, &contents, dialect)?;
    Ok((Trace::of_record(record, agent), contents.stamp))
}
