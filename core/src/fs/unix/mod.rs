//! Files on Linux and macOS: everything relative to an open folder, links never followed.

mod listing;
mod lock_file;

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RawMode, RenameFlags, Stat,
};
use rustix::io::Errno;

pub(crate) use listing::Listing;
pub(crate) use lock_file::LockFile;

use super::{
    Contents, FileId, LOCK_PATIENCE, MAX_RECORD_BYTES, Part, Stamp, Target, WriteOptions,
    lock_timed_out, not_a_file, too_large,
};
use crate::error::{Error, ErrorCode, Result};

const FILE_MODE: RawMode = 0o600;
const FOLDER_MODE: RawMode = 0o700;

/// Reads a regular file of ours, or of root, without following a link at its end and without ever
/// blocking on what is not a regular file.
pub(crate) fn read(path: &Path) -> Result<Contents> {
    read_at(CWD, path.as_os_str(), path)
}

fn read_at(folder: impl AsFd, name: &OsStr, path: &Path) -> Result<Contents> {
    let (file, stat) = open_regular(folder, name, path)?;
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > MAX_RECORD_BYTES {
        return Err(too_large(path));
    }
    let bytes =
        read_up_to_limit(&file, size).map_err(|errno| Error::os("read", path, errno.into()))?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(too_large(path));
    }
    Ok(Contents { bytes, owner: Some(stat.st_uid), stamp: stamp_of(&stat) })
}

/// Opens what may be read: a regular file of ours or of root.
fn open_regular(folder: impl AsFd, name: &OsStr, path: &Path) -> Result<(OwnedFd, Stat)> {
    let failed = |errno: Errno| match errno {
        Errno::LOOP => not_a_file("read", path, "a symbolic link"),
        // A socket (on macOS the last of the three), or a device without a driver.
        Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP => not_a_file("read", path, "a special file"),
        other => Error::os("read", path, other.into()),
    };
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(not_a_file("read", path, "a directory")),
        _ => return Err(not_a_file("read", path, "a special file")),
    }
    refuse_foreign(path, stat.st_uid)?;
    Ok((file, stat))
}

/// Reads the end of a regular file of ours, or of root, at most `limit` bytes of it.
pub(crate) fn read_tail(path: &Path, limit: u64) -> Result<Part> {
    let (file, stat) = open_regular(CWD, path.as_os_str(), path)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    let start = size.saturating_sub(limit);
    read_part(&file, path, start, limit.min(size), start == 0)
}

/// Reads the beginning of such a file.
pub(crate) fn read_head(path: &Path, limit: u64) -> Result<Part> {
    let (file, stat) = open_regular(CWD, path.as_os_str(), path)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    read_part(&file, path, 0, limit.min(size), size <= limit)
}

fn read_part(file: &OwnedFd, path: &Path, start: u64, length: u64, is_whole: bool) -> Result<Part> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut done = 0;
    while done < bytes.len() {
        match rustix::io::pread(file, &mut bytes[done..], start + done as u64) {
            // Shorter than it was.
            Ok(0) => break,
            Ok(got) => done += got,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::os("read", path, errno.into())),
        }
    }
    bytes.truncate(done);
    Ok(Part { bytes, is_whole })
}

fn stamp_of(stat: &Stat) -> Stamp {
    // Their types vary with the system; a time before 1970, or beyond what is, counts as 1970.
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, clippy::unnecessary_cast)]
    let time = |seconds, nanos| -> SystemTime {
        let since = Duration::new(u64::try_from(seconds).unwrap_or(0), nanos as u32);
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    };
    Stamp {
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: time(stat.st_mtime, stat.st_mtime_nsec),
        changed: time(stat.st_ctime, stat.st_ctime_nsec),
    }
}

/// Which file it is.
pub(crate) fn id_of(stat: &Stat) -> FileId {
    // Its type varies with the system.
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
    let device = stat.st_dev as u64;
    FileId { device, inode: stat.st_ino, owner: stat.st_uid }
}

/// Which file a path names, links followed.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    Some(id_of(&rustix::fs::stat(path).ok()?))
}

/// When a file was written, in nanoseconds since the Unix epoch; `None` if it is not there.
pub(crate) fn modified_nanos(path: &Path) -> Option<u128> {
    let modified = stamp_of(&rustix::fs::stat(path).ok()?).modified;
    modified.duration_since(UNIX_EPOCH).ok().map(|since| since.as_nanos())
}

/// Whether processes of a user are shown to this one in all that they are.
pub(crate) fn sees_processes_of(user: u32) -> bool {
    let own = rustix::process::geteuid();
    own.is_root() || own.as_raw() == user
}

/// Whether a file of this owner is one that this process might have made.
pub(crate) fn is_own(owner: Option<u32>) -> bool {
    owner == Some(rustix::process::geteuid().as_raw())
}

/// Another user could name any process of ours in a file of his own: only our files and root's are
/// believed, unless we are root, who judges by the owner (see `liveness`).
fn refuse_foreign(path: &Path, owner: u32) -> Result<()> {
    if owner == 0 {
        return Ok(());
    }
    let reader = rustix::process::geteuid();
    if reader.is_root() || reader.as_raw() == owner {
        return Ok(());
    }
    let reason = format!("it belongs to another user (uid {owner})");
    Err(Error::file(ErrorCode::PermissionDenied, "read", path, reason))
}

/// Reads the file, and one byte past the limit if there is one. Files that say nothing of their
/// size, as those of /proc do, are read in growing steps.
fn read_up_to_limit(file: &OwnedFd, size: usize) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(if size == 0 { 4096 } else { size + 1 });
    while bytes.len() <= MAX_RECORD_BYTES {
        if bytes.len() == bytes.capacity() {
            bytes.reserve_exact((MAX_RECORD_BYTES + 1 - bytes.len()).min(bytes.len().max(4096)));
        }
        let got = match rustix::io::read(file, rustix::buffer::spare_capacity(&mut bytes)) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        // A read that ends where the size says, with room left, has reached the end of the file:
        // one system call less for every record.
        if got == 0 || (bytes.len() == size && bytes.len() < bytes.capacity()) {
            break;
        }
    }
    Ok(bytes)
}

/// An open folder, in which files are written and removed by name.
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    /// Whether this system could lock it; some network file systems cannot.
    locked: bool,
}

impl Folder {
    /// Opens the folder of a file and takes its lock, which drops with it. `Ok(None)`: there is no
    /// such folder.
    pub(crate) fn lock(target: Target<'_>) -> Result<Option<Self>> {
        match open_folder(target.folder) {
            Ok(fd) => Self::locked(target, fd).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(Error::os(target.verb, target.path, errno.into())),
        }
    }

    /// The same, after making the folder and its missing parents, where `options` say so.
    pub(crate) fn lock_for_writing(target: Target<'_>, options: WriteOptions) -> Result<Self> {
        let failed = |errno: Errno| Error::os(target.verb, target.path, errno.into());
        let fd = match open_folder(target.folder) {
            Err(Errno::NOENT) if options.create_folders => {
                make_folders(target.folder, options).map_err(failed)?;
                open_folder(target.folder).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        Self::locked(target, fd)
    }

    fn locked(target: Target<'_>, fd: OwnedFd) -> Result<Self> {
        let attempt = || match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(true)),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            // What a network file system says that cannot lock a folder. Not to write at all
            // would help nobody: there, writers are as safe as rename alone makes them.
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::BADF | Errno::NOSYS | Errno::INVAL) => {
                Ok(Some(false))
            }
            Err(errno) => Err(errno),
        };
        let failed = |errno: Errno| Error::os(target.verb, target.path, errno.into());
        match patiently(attempt).map_err(failed)? {
            Some(locked) => Ok(Self { fd, path: target.folder.to_owned(), locked }),
            None => Err(lock_timed_out(target)),
        }
    }

    /// Reads a file of this folder.
    pub(crate) fn read(&self, name: &OsStr) -> Result<Contents> {
        read_at(&self.fd, name, &self.path.join(name))
    }

    /// Makes `name` hold `bytes`, for every reader either entirely or not at all.
    ///
    /// `temp` is the name of the file that is written first. Until the rename any failure leaves
    /// what was there, and no `temp`; after it only a failed sync of a durable write is an error.
    pub(crate) fn replace(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<()> {
        let path = self.path.join(name);
        let failed = |errno: Errno| match errno {
            Errno::ISDIR => not_a_file("write", &path, "a directory"),
            other => Error::os("write", &path, other.into()),
        };
        let file = self.create(temp).map_err(failed)?;
        let committed = fill(file, bytes, options)
            .and_then(|()| rustix::fs::renameat(&self.fd, temp, &self.fd, name));
        if let Err(errno) = committed {
            // Best effort: the error to report is the one that came first.
            let _ = rustix::fs::unlinkat(&self.fd, temp, AtFlags::empty());
            return Err(failed(errno));
        }
        if options.durable {
            // Never retried: after a failed sync the kernel has dropped what it could not write.
            sync(&self.fd).map_err(|errno| Error::os("sync", &path, errno.into()))?;
        }
        Ok(())
    }

    /// The same for a file that is known to be there, without the write-back that a file system
    /// such as ext4 starts when a rename replaces a file: the two change places, as atomic for
    /// readers, and the old one goes.
    ///
    /// Only over a regular file: should anything else come out, it is put back.
    pub(crate) fn exchange(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<()> {
        let path = self.path.join(name);
        let failed = |errno: Errno| Error::os("write", &path, errno.into());
        let discard = || {
            // Best effort: after the exchange the write has succeeded, before it another error is
            // the one to report.
            let _ = rustix::fs::unlinkat(&self.fd, temp, AtFlags::empty());
        };
        // The target first: whoever watches the folder sees it written, not removed.
        let swap =
            || rustix::fs::renameat_with(&self.fd, name, &self.fd, temp, RenameFlags::EXCHANGE);
        let file = self.create(temp).map_err(failed)?;
        if let Err(errno) = fill(file, bytes, options) {
            discard();
            return Err(failed(errno));
        }
        match swap() {
            Ok(()) if self.is_regular(temp) => discard(),
            Ok(()) => {
                swap().map_err(failed)?;
                discard();
                return Err(not_a_file("write", &path, "something else"));
            }
            // Removed meanwhile, or a file system that cannot exchange.
            Err(_) => {
                if let Err(errno) = rustix::fs::renameat(&self.fd, temp, &self.fd, name) {
                    discard();
                    return Err(failed(errno));
                }
            }
        }
        if options.durable {
            sync(&self.fd).map_err(|errno| Error::os("sync", &path, errno.into()))?;
        }
        Ok(())
    }

    fn is_regular(&self, name: &str) -> bool {
        rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file())
    }

    /// Makes a new file hold `bytes`, complete from its first instant; `false` if there is one of
    /// that name, which then stays.
    pub(crate) fn publish(
        &self,
        name: &OsStr,
        temp: &str,
        bytes: &[u8],
        options: WriteOptions,
    ) -> Result<bool> {
        let path = self.path.join(name);
        let failed = |errno: Errno| Error::os("write", &path, errno.into());
        let file = self.create(temp).map_err(failed)?;
        let published = fill(file, bytes, options).and_then(|()| self.rename_to_new(temp, name));
        if published != Ok(true) {
            // Best effort: what is to be reported is what came first.
            let _ = rustix::fs::unlinkat(&self.fd, temp, AtFlags::empty());
        }
        let published = published.map_err(failed)?;
        if options.durable && published {
            sync(&self.fd).map_err(|errno| Error::os("sync", &path, errno.into()))?;
        }
        Ok(published)
    }

    fn rename_to_new(&self, temp: &str, name: &OsStr) -> rustix::io::Result<bool> {
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&self.fd, temp, &self.fd, name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            // A file system, or a kernel, that does not know the request.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Ok(false),
                    // Safe among those who take the folder's lock, as we have.
                    Err(Errno::NOENT) => {
                        rustix::fs::renameat(&self.fd, temp, &self.fd, name).map(|()| true)
                    }
                    Err(errno) => Err(errno),
                }
            }
            Err(errno) => Err(errno),
        }
    }

    fn create(&self, temp: &str) -> rustix::io::Result<OwnedFd> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, temp, flags, Mode::from_raw_mode(FILE_MODE))
    }

    /// Removes a file, or a link; tells whether there was one.
    pub(crate) fn remove(&self, name: &OsStr) -> Result<bool> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => {
                let path = self.path.join(name);
                // Linux says ISDIR, POSIX and macOS say PERM for a folder.
                let is_folder = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir());
                Err(if is_folder {
                    not_a_file("clear", &path, "a directory")
                } else {
                    Error::os("clear", &path, errno.into())
                })
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.locked {
            // A forked child may hold a copy of the descriptor: closing ours would not unlock.
            let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock);
        }
    }
}

/// Calls `attempt` until it gives something; `None` when patience is over. Pauses stay short, at
/// most 1 ms: whoever looks rarely loses against those who write without pause.
fn patiently<T>(
    mut attempt: impl FnMut() -> rustix::io::Result<Option<T>>,
) -> rustix::io::Result<Option<T>> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(100);
    loop {
        if let Some(done) = attempt()? {
            return Ok(Some(done));
        }
        if start.elapsed() + pause > LOCK_PATIENCE {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(1));
    }
}

/// Writes and closes a file that was just made.
fn fill(file: OwnedFd, bytes: &[u8], options: WriteOptions) -> rustix::io::Result<()> {
    // The umask may have taken even the owner's bits away.
    rustix::fs::fchmod(&file, Mode::from_raw_mode(FILE_MODE))?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&file, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    if options.durable {
        sync(&file)?;
    }
    close(file)
}

fn open_folder(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

/// Forces a file or a folder to the disk. On macOS `fsync` leaves it in the disk's own cache.
fn sync(file: &OwnedFd) -> rustix::io::Result<()> {
    #[cfg(target_os = "macos")]
    match rustix::fs::fcntl_fullfsync(file) {
        // A file system that does not know the request.
        Err(Errno::NOTSUP | Errno::NOTTY | Errno::INVAL) => {}
        other => return other,
    }
    rustix::fs::fsync(file)
}

/// Makes a folder that is not there, and its parents.
pub(crate) fn ensure_folder(path: &Path) -> Result<()> {
    make_folders(path, WriteOptions::default())
        .map_err(|errno| Error::os("make", path, errno.into()))
}

/// Makes the folder and its missing parents, each 0700 whatever the umask. What is there already,
/// also by another process at the same moment, is left as it is.
fn make_folders(path: &Path, options: WriteOptions) -> rustix::io::Result<()> {
    let mode = Mode::from_raw_mode(FOLDER_MODE);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut made = rustix::fs::mkdirat(CWD, path, mode);
    if made == Err(Errno::NOENT) {
        make_folders(parent.ok_or(Errno::NOENT)?, options)?;
        made = rustix::fs::mkdirat(CWD, path, mode);
    }
    match made {
        Err(Errno::EXIST) => return Ok(()),
        other => other?,
    }
    let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if Mode::from_raw_mode(stat.st_mode) & Mode::RWXU != mode {
        rustix::fs::chmodat(CWD, path, mode, AtFlags::empty())?;
    }
    if options.durable {
        sync(&open_folder(parent.unwrap_or(Path::new(".")))?)?;
    }
    Ok(())
}

/// Closes a file and tells what `close` said: on a network file system or under a quota, this is
/// where a write fails.
fn close(file: OwnedFd) -> rustix::io::Result<()> {
    // SAFETY: the descriptor was ours alone and is given up here.
    if unsafe { libc::close(file.into_raw_fd()) } == 0 {
        return Ok(());
    }
    match Errno::from_io_error(&io::Error::last_os_error()) {
        // Interrupted, but closed: neither Linux nor macOS wants a second try.
        None | Some(Errno::INTR) => Ok(()),
        Some(errno) => Err(errno),
    }
}

/// Whether the folder is on a file system of this machine, so that what it holds was written here.
/// Only types that are known to be local count; FUSE, 9p, virtiofs and NFS do not.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn is_local(folder: &Path) -> bool {
    /// From linux/magic.h and the file systems' own headers.
    const LOCAL: [u64; 16] = [
        0xEF53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683E, // btrfs
        0x0102_1994, // tmpfs
        0x8584_58F6, // ramfs
        0x794C_7630, // overlayfs
        0x2FC1_2FC1, // zfs
        0xF2F5_2010, // f2fs
        0xCA45_1A4E, // bcachefs
        0x3153_464A, // jfs
        0x5265_4973, // reiserfs
        0x3434,      // nilfs2
        0x4D44,      // vfat
        0x2011_BAB0, // exfat
        0x7366_746E, // ntfs3
        0x24_1905,   // ubifs
    ];
    rustix::fs::statfs(folder).is_ok_and(|fs| {
        // The field's type differs between architectures; magic numbers have 32 bits.
        #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
        let magic = (fs.f_type as u64) & 0xFFFF_FFFF;
        LOCAL.contains(&magic)
    })
}

/// Whether the folder is on a file system of this machine.
#[cfg(target_os = "macos")]
pub(crate) fn is_local(folder: &Path) -> bool {
    const LOCAL: [&[u8]; 5] = [b"apfs", b"hfs", b"msdos", b"exfat", b"tmpfs"];
    rustix::fs::statfs(folder).is_ok_and(|fs| {
        let name = fs.f_fstypename.iter().map(|&unit| unit.to_ne_bytes()[0]);
        let name: Vec<u8> = name.take_while(|&byte| byte != 0).collect();
        LOCAL.contains(&name.as_slice())
    })
}
