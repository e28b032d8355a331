//! What this machine permits, and how much of it a run should ask for.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The user `nobody`, in whose place any other would do.
pub(super) const NOBODY: u32 = 65534;

/// What a test cannot do without.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    Root,
    /// Faults and traces of system calls.
    Strace,
    /// A mount namespace of its own and what is mounted in it.
    Namespaces,
    TimeNamespaces,
    /// The kernel itself and not an emulator of programs, which makes up much of it.
    Kernel,
    Ext4Images,
    Fuse,
}

/// Whether a test can run here; what is missing is printed.
pub(super) fn has(needs: &[Need]) -> bool {
    let missing: Vec<_> = needs.iter().filter(|need| !is_there(**need)).collect();
    if missing.is_empty() {
        return true;
    }
    let strict = std::env::var_os("SESSIONREG_NO_SKIP").is_some_and(|value| value == "1");
    assert!(!strict || is_emulated(), "may not be skipped, but this is missing: {missing:?}");
    skipped(format!("{missing:?} not to be had here"));
    false
}

pub(super) fn skipped(reason: impl Display) {
    let test = std::thread::current();
    eprintln!("skipped: {}: {reason}", test.name().unwrap_or_default());
}

fn is_there(need: Need) -> bool {
    match need {
        Need::Root => rustix::process::geteuid().is_root(),
        Need::Strace => !is_emulated() && succeeds("strace", &["-o", "/dev/null", "true"]),
        Need::Namespaces => {
            !is_emulated()
                && succeeds("unshare", &["--mount", "mount", "-t", "tmpfs", "none", "/tmp"])
        }
        Need::TimeNamespaces => {
            !is_emulated() && succeeds("unshare", &["--time", "--boottime", "1", "true"])
        }
        Need::Kernel => !is_emulated(),
        Need::Fuse => Path::new("/dev/fuse").exists(),
        Need::Ext4Images => !is_emulated() && can_mount_an_image(),
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// qemu's user emulation knows no seccomp; every kernel that is met does.
fn is_emulated() -> bool {
    // SAFETY: asks for a number.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) < 0 }
}

fn can_mount_an_image() -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let image = ext4_image(folder.path());
    let arguments = ["--mount", "mount", "-o", "loop"].map(str::to_owned);
    let paths = [image, folder.path().to_owned()].map(|path| path.display().to_string());
    let all: Vec<_> = arguments.iter().chain(&paths).map(String::as_str).collect();
    succeeds("unshare", &all)
}

/// An empty file system in a file of this folder.
pub(super) fn ext4_image(folder: &Path) -> PathBuf {
    let image = folder.join("image");
    let file = fs::File::create(&image).expect("a file");
    file.set_len(16 << 20).expect("its size");
    succeeds("mkfs.ext4", &["-q", &image.display().to_string()]);
    image
}

/// A folder that every user can look into.
pub(super) fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    set_mode(folder.path(), 0o755);
    folder
}

/// A new folder in `parent`, of this user.
pub(super) fn folder_of(user: u32, parent: &Path) -> PathBuf {
    let folder = parent.join(format!("of-{user}"));
    fs::create_dir(&folder).expect("a folder");
    set_mode(&folder, 0o755);
    chown(&folder, Some(user), Some(user)).expect("to give it away");
    folder
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("to set a mode");
}

/// Permission bits, also those above the nine.
pub(super) fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("a file").permissions().mode() & 0o7777
}

/// The names in a folder, sorted.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}
