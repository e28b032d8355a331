//! Modes, owners, links and special files.

use std::ffi::CString;
use std::fs::{DirBuilder, FileType, Metadata, Permissions, set_permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _, chown, symlink,
};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::super::{Outcome, Stop};

const PRIVATE: u32 = 0o600;

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn make_private(path: &Path) -> io::Result<()> {
    set_permissions(path, Permissions::from_mode(PRIVATE))
}

pub(super) fn is_private(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o7777 == PRIVATE
}

pub(super) fn is_fifo(kind: FileType) -> bool {
    kind.is_fifo()
}

pub(super) fn give_to(path: &Path, owner: u32) -> Outcome {
    let refused = |error| Stop::Skip(format!("a file cannot be given away: {error}"));
    chown(path, Some(owner), None).map_err(refused)
}

pub(super) fn link(target: &Path, path: &Path) -> Outcome {
    symlink(target, path).map_err(|error| Stop::Fail(format!("a link: {error}")))
}

pub(super) fn special(kind: &str, path: &Path) -> Outcome {
    let made = match kind {
        "socket" => UnixListener::bind(path).map(drop),
        "fifo" => make_node(path, libc::S_IFIFO, 0),
        _ => make_node(path, libc::S_IFCHR, libc::makedev(1, 5)),
    };
    made.map_err(|error| match kind {
        // Even root may not, in many containers.
        "device" => Stop::Skip(format!("a device cannot be made: {error}")),
        _ => Stop::Fail(format!("a {kind}: {error}")),
    })
}

fn make_node(path: &Path, kind: libc::mode_t, device: libc::dev_t) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is NUL-terminated; the rest is plain numbers.
    match unsafe { libc::mknod(path.as_ptr(), kind | 0o600, device) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
