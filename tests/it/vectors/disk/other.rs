//! Where there are no modes and owners, and links and special files are not made.

use std::fs::{FileType, Metadata};
use std::io;
use std::path::Path;

use super::super::{Outcome, skip};

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub(super) fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_private(_: &Metadata) -> bool {
    true
}

pub(super) fn is_fifo(_: FileType) -> bool {
    false
}

pub(super) fn give_to(_: &Path, _: u32) -> Outcome {
    skip("files have no user ids here")
}

pub(super) fn link(_: &Path, _: &Path) -> Outcome {
    skip("links are not made here")
}

pub(super) fn special(kind: &str, _: &Path) -> Outcome {
    skip(format!("there is no {kind} here"))
}
