//! Sidecars beside the chat logs of qwen-code and in the session folders of kimi-cli.

use std::ffi::OsStr;
use std::path::Path;

use super::{File, Level, Source, Sources, Trace, Tree};
use crate::error::{Error, ErrorCode, Result};
use crate::fs::Stamp;
use crate::sidecar::record_of;

const NAME: &str = "runtime.json";

pub(super) struct Sidecars;

impl Source for Sidecars {
    fn name(&self) -> &'static str {
        "sidecars"
    }

    fn trees(&self, sources: &Sources) -> Vec<Tree> {
        let qwen = sources.qwen_code.iter().map(|home| Tree {
            root: home.join("projects"),
            levels: &[Level::Any, Level::Named("chats")],
        });
        // `tasks`, beside it, has files of the same name that are something else.
        let kimi = sources
            .kimi_cli
            .iter()
            .map(|home| Tree { root: home.join("sessions"), levels: &[Level::Any, Level::Any] });
        qwen.chain(kimi).collect()
    }

    fn is_trace(&self, name: &OsStr) -> bool {
        name.to_str().is_some_and(|name| name == NAME || name.ends_with(".runtime.json"))
    }

    fn read(&self, file: &File<'_>) -> Result<(Trace, Stamp)> {
        let contents = file.folder.read(file.name, file.path)?;
        let record = record_of(file.path, &contents)?;
        let name = file.name.to_str().and_then(|name| name.strip_suffix(NAME)).unwrap_or_default();
        let (id, agent) = match name.strip_suffix('.') {
            Some(id) => (Some(id), "qwen-code"),
            None => {
                (file.path.parent().and_then(Path::file_name).and_then(OsStr::to_str), "kimi-cli")
            }
        };
        if id != Some(&record.session_id) {
            let reason = "its name and its `session_id` disagree";
            return Err(Error::file(ErrorCode::Corrupt, "read", file.path, reason));
        }
        Ok((Trace::of_record(record, Some(agent)), contents.stamp))
    }
}
