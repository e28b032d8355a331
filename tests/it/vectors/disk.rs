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

    /// The folder of the case.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn make(&mut self, file: &Value, texts: &Texts) -> Outcome {
        match file["kind"].as_str() {
            Some("below_a_file") => {
                write_private(&self.beside("f"), b"").expect("a file of the case");
                self.path = self.beside("f").join("s.runtime.json");
            }
            Some("through_a_linked_folder") => {
                put(&self.beside("real").join("s.runtime.json"), &file["to"], texts)?;
                sys::link(Path::new("real"), &self.beside("link"))?;
                self.path = self.beside("link").join("s.runtime.json");
            }
            Some("symlink") => {
                let target = self.beside("target");
                put(&target, &file["to"], texts)?;
                sys::link(Path::new("target"), &self.path)?;
                self.target = Some((target, texts.content(&file["to"])?));
            }
            _ => put(&self.path, file, texts)?,
        }
        Ok(())
    }

    /// Checks what is at the path, and what never changes.
    pub(super) fn check_left(&self, left: Option<&Value>, texts: &Texts) -> Outcome {
        if let Some((target, bytes)) = &self.target {
            expect_eq("what the link points to", fs::read(target).ok().as_ref(), Some(bytes))?;
        }
        left.map_or(Ok(()), |left| check_file(&self.path, left, texts))
    }

    /// Checks that a write left one private file, and nothing else that was not there.
    pub(super) fn check_written(&self) -> Outcome {
        if !is_private_file(&self.path) {
            let found = fs::symlink_metadata(&self.path);
            return fail(format!("no private regular file is there: {found:?}"));
        }
        let first =
            self.path.strip_prefix(self.folder.path()).ok().and_then(|path| path.iter().next());
        let first = first.map(|name| name.to_string_lossy().into_owned());
        let is_new = |name: &String| !self.before.contains(name) && Some(name) != first.as_ref();
        let new: Vec<_> = self.names().into_iter().filter(is_new).collect();
        expect_eq("what else is new in the folder", new, vec![])?;
        let beside = names_in(self.path.parent().expect("a file is in a folder"));
        let temporary = beside.into_iter().filter(|name| name.contains(".tmp"));
        expect_eq("temporary files", temporary.collect::<Vec<_>>(), vec![])
    }

    fn names(&self) -> Vec<String> {
        names_in(self.folder.path())
    }
}

/// Puts a file, or what is named instead, at a path, and makes its folder if there is none.
pub(super) fn put(path: &Path, file: &Value, texts: &Texts) -> Outcome {
    sys::make_folder(path.parent().expect("a file is in a folder")).expect("a folder");
    if is_content(file) {
        write_private(path, &texts.content(file)?).expect("a file of the case");
        return match file["owner"].as_u64() {
            None => Ok(()),
            Some(owner) => sys::give_to(path, u32::try_from(owner).expect("a user id")),
        };
    }
    match file["kind"].as_str() {
        Some("missing") => {}
        Some("directory") => fs::create_dir(path).expect("a directory"),
        Some("full_directory") => {
            fs::create_dir(path).expect("a directory");
            write_private(&path.join("f"), b"").expect("a file of the case");
        }
        Some("dangling_symlink") => sys::link(Path::new("target"), path)?,
        Some("symlink_loop") => sys::link(Path::new(path.file_name().expect("a name")), path)?,
        Some(kind @ ("fifo" | "socket" | "device")) => sys::special(kind, path)?,
        _ => return fail(format!("no such file: {file}")),
    }
    Ok(())
}

/// Puts a link to the regular file `target` at a path.
pub(super) fn put_link(path: &Path, target: &Path, file: &Value, texts: &Texts) -> Outcome {
    put(target, &file["to"], texts)?;
    sys::make_folder(path.parent().expect("a file is in a folder")).expect("a folder");
    sys::link(target, path)
}

/// Checks what is at a path.
pub(super) fn check_file(path: &Path, expected: &Value, texts: &Texts) -> Outcome {
    let found = fs::symlink_metadata(path).ok();
    let kind = found.as_ref().map(fs::Metadata::file_type);
    if is_content(expected) {
        let bytes = fs::read(path).map_err(|error| error.to_string());
        return expect_eq("what is left", readable(bytes), readable(Ok(texts.content(expected)?)));
    }
    let is_there = match expected["kind"].as_str() {
        Some("missing") => found.is_none(),
        Some("directory") => fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()),
        Some("full_directory") => path.join("f").exists(),
        Some("symlink") => kind.is_some_and(|kind| kind.is_symlink()),
        Some("fifo") => kind.is_some_and(sys::is_fifo),
        _ => return fail(format!("no such file: {expected}")),
    };
    if is_there { Ok(()) } else { fail(format!("{expected} is not left, but {found:?}")) }
}

/// Whether it is a regular file that nobody else may read.
pub(super) fn is_private_file(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && sys::is_private(&metadata))
}

/// The names in a folder; none if it is not there.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.expect("its entries").file_name().to_string_lossy().into_owned()
    };
    fs::read_dir(folder).map_or_else(|_| vec![], |entries| entries.map(name).collect())
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
