//! What a case puts on the disk, and what must be there afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::text::{Texts, is_content};
use super::{Outcome, expect_eq, fail};

#[cfg_attr(unix, path = "disk/unix.rs")]
#[cfg_attr(not(unix), path = "disk/other.rs")]
mod sys;

/// The folder of a case, and the path that it speaks of.
pub(super) struct Disk {
    folder: TempDir,
    pub(super) path: PathBuf,
    /// What a link points to.
    target: Option<(PathBuf, Vec<u8>)>,
    /// Names in the folder before the call.
    before: Vec<String>,
}

impl Disk {
    pub(super) fn new(case: &Value, texts: &mut Texts) -> Outcome<Self> {
        let folder = tempfile::tempdir().expect("a folder for the case");
        texts.set("dir", folder.path().display().to_string().replace('\\', "/"));
        let path = folder.path().join(case["path"].as_str().unwrap_or("s.runtime.json"));
        let mut disk = Self { folder, path, target: None, before: vec![] };
        if let Some(file) = case.get("file") {
            disk.make(file, texts)?;
        }
        disk.before = disk.names();
        Ok(disk)
    }

    /// A path beside that of the case.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn make(&mut self, file: &Value, texts: &Texts) -> Outcome {
        let put =
            |path: &Path, bytes: &[u8]| write_private(path, bytes).expect("a file of the case");
        if is_content(file) {
            put(&self.path, &texts.content(file)?);
            return match file["owner"].as_u64() {
                None => Ok(()),
                Some(owner) => sys::give_to(&self.path, u32::try_from(owner).expect("a user id")),
            };
        }
        match file["kind"].as_str() {
            Some("missing") => {}
            Some("directory") => fs::create_dir(&self.path).expect("a directory"),
            Some("full_directory") => {
                fs::create_dir(&self.path).expect("a directory");
                put(&self.path.join("f"), b"");
            }
            Some("below_a_file") => {
                put(&self.beside("f"), b"");
                self.path = self.beside("f").join("s.runtime.json");
            }
            Some("through_a_linked_folder") => {
                let real = self.beside("real");
                fs::create_dir(&real).expect("a directory");
                put(&real.join("s.runtime.json"), &texts.content(&file["to"])?);
                sys::link(Path::new("real"), &self.beside("link"))?;
                self.path = self.beside("link").join("s.runtime.json");
            }
            Some("symlink") => {
                let (target, bytes) = (self.beside("target"), texts.content(&file["to"])?);
                put(&target, &bytes);
                sys::link(Path::new("target"), &self.path)?;
                self.target = Some((target, bytes));
            }
            Some("dangling_symlink") => sys::link(Path::new("target"), &self.path)?,
            Some("symlink_loop") => sys::link(Path::new("s.runtime.json"), &self.path)?,
            Some(kind @ ("fifo" | "socket" | "device")) => sys::special(kind, &self.path)?,
            _ => return fail(format!("no such file: {file}")),
        }
        Ok(())
    }

    /// Checks what is at the path, and what never changes.
    pub(super) fn check_left(&self, left: Option<&Value>, texts: &Texts) -> Outcome {
        if let Some((target, bytes)) = &self.target {
            expect_eq("what the link points to", fs::read(target).ok().as_ref(), Some(bytes))?;
        }
        let Some(left) = left else { return Ok(()) };
        let found = fs::symlink_metadata(&self.path).ok();
        let kind = found.as_ref().map(fs::Metadata::file_type);
        if is_content(left) {
            let bytes = fs::read(&self.path).map_err(|error| error.to_string());
            return expect_eq("what is left", readable(bytes), readable(Ok(texts.content(left)?)));
        }
        let is_there = match left["kind"].as_str() {
            Some("missing") => found.is_none(),
            Some("directory") => {
                fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_none())
            }
            Some("full_directory") => self.path.join("f").exists(),
            Some("symlink") => kind.is_some_and(|kind| kind.is_symlink()),
            Some("fifo") => kind.is_some_and(sys::is_fifo),
            _ => return fail(format!("no such file: {left}")),
        };
        if is_there { Ok(()) } else { fail(format!("{left} is not left, but {found:?}")) }
    }

    /// Checks that a write left one private file, and nothing else that was not there.
    pub(super) fn check_written(&self) -> Outcome {
        let found = fs::symlink_metadata(&self.path);
        if !found.as_ref().is_ok_and(|metadata| metadata.is_file() && sys::is_private(metadata)) {
            return fail(format!("no private regular file is there: {found:?}"));
        }
        let first =
            self.path.strip_prefix(self.folder.path()).ok().and_then(|path| path.iter().next());
        let first = first.map(|name| name.to_string_lossy().into_owned());
        let is_new = |name: &String| !self.before.contains(name) && Some(name) != first.as_ref();
        let new: Vec<_> = self.names().into_iter().filter(is_new).collect();
        expect_eq("what else is new in the folder", new, vec![])?;
        let beside = fs::read_dir(self.path.parent().expect("a file is in a folder"));
        let names =
            beside.expect("it can be listed").map(|entry| entry.expect("its names").file_name());
        let temporary: Vec<_> =
            names.filter(|name| name.to_string_lossy().contains(".tmp")).collect();
        expect_eq("temporary files", temporary, vec![])
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder of the case");
        entries
            .map(|entry| entry.expect("its entries").file_name().to_string_lossy().into_owned())
            .collect()
    }
}

/// Bytes as text where they are text, for messages that a person can read.
pub(super) fn readable(bytes: Result<Vec<u8>, String>) -> Result<String, String> {
    let text = |bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => format!("not UTF-8: {}", error.as_bytes().escape_ascii()),
    };
    bytes.map(text)
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    sys::make_private(path)
}
