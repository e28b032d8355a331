//! qwen-code: `sessions/<pid>.json`, with the boot and the PID namespace.

use std::ffi::OsStr;

use super::registry::read_pid_file;
use super::{File, Source, Sources, Trace, Tree};
use crate::error::Result;
use crate::fs::Stamp;
use crate::record::Dialect;
use crate::registry::FileName;

pub(super) struct QwenCode;

impl Source for QwenCode {
    fn name(&self) -> &'static str {
        "qwen-code"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        sources.qwen_code.iter().map(|home| Tree::flat(home.join("sessions"))).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        FileName::parse(name) != FileName::NoRecord
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        read_pid_file(file, Dialect::Qwen, Some("qwen-code"))
    }
}
