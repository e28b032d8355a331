//! The system calls that a job cannot do without, and nothing else.

use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, RenameFlags, inotify, openat, renameat,
    renameat_with, unlinkat,
};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, test_kill_process};
use rustix::time::Timespec;

const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC);
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);
pub(crate) const NAME: &str = "floor.json";
const TEMP: &str = "floor.tmp";

/// A rename in the place of the record.
pub(crate) fn replace(folder: &Path, text: &[u8]) {
    let (path, temp) = (folder.join(NAME), folder.join(TEMP));
    let file = openat(CWD, &temp, NEW, MODE).expect("open");
    rustix::io::write(&file, text).expect("write");
    drop(file);
    rustix::fs::rename(&temp, &path).expect("rename");
}

/// The same with what the rules for records require: the folder's lock, a name that nobody else
/// has, and a mode that no umask changes.
pub(crate) fn replace_as_required(folder: &Path, text: &[u8]) {
    let folder = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, MODE)
        .expect("open");
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).expect("flock");
    // As long as a name must be that tells a sweeper whether its writer lives.
    let temp = format!(
        ".sr-{}-1234567-0123abcd-4026531836-{:016x}.tmp",
        getpid(),
        getrandom::u64().expect("random")
    );
    let file = openat(&folder, &temp, NEW, MODE).expect("open");
    rustix::fs::fchmod(&file, MODE).expect("fchmod");
    rustix::io::write(&file, text).expect("write");
    drop(file);
    renameat(&folder, &temp, &folder, NAME).expect("rename");
    rustix::fs::flock(&folder, FlockOperation::Unlock).expect("flock");
}

/// The two files change places, which starts no write-back, and the old one goes.
pub(crate) fn exchange(folder: &Path, text: &[u8]) {
    let (path, temp) = (folder.join(NAME), folder.join(TEMP));
    let file = openat(CWD, &temp, NEW, MODE).expect("open");
    rustix::io::write(&file, text).expect("write");
    drop(file);
    renameat_with(CWD, &path, CWD, &temp, RenameFlags::EXCHANGE).expect("renameat2");
    rustix::fs::unlink(&temp).expect("unlink");
}

/// The same with what the rules for an update require: the folder's lock, the record as it stands,
/// whether this is still the process, a name that nobody else has, a mode that no umask changes,
/// and a look at what came out.
pub(crate) fn exchange_as_required(folder: &Path, text: &[u8]) {
    let own_pidfd = pidfd_open(own(), PidfdFlags::empty()).expect("pidfd_open");
    std::hint::black_box(rustix::fs::fstat(&own_pidfd).expect("fstat").st_ino);
    let folder = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, MODE)
        .expect("open");
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).expect("flock");
    let current = openat(&folder, NAME, OFlags::RDONLY | OFlags::CLOEXEC, MODE).expect("open");
    std::hint::black_box(rustix::fs::fstat(&current).expect("fstat").st_size);
    let mut buffer = [0_u8; 4096];
    std::hint::black_box(rustix::io::read(&current, &mut buffer[..]).expect("read"));
    drop(current);
    let temp = format!(
        ".sr-{}-1234567-0123abcd-4026531836-{:016x}.tmp",
        getpid(),
        getrandom::u64().expect("random")
    );
    let file = openat(&folder, &temp, NEW, MODE).expect("open");
    rustix::fs::fchmod(&file, MODE).expect("fchmod");
    rustix::io::write(&file, text).expect("write");
    drop(file);
    renameat_with(&folder, NAME, &folder, &temp, RenameFlags::EXCHANGE).expect("renameat2");
    let out = rustix::fs::statat(&folder, &temp, AtFlags::SYMLINK_NOFOLLOW).expect("fstatat");
    std::hint::black_box(out.st_mode);
    unlinkat(&folder, &temp, AtFlags::empty()).expect("unlink");
    rustix::fs::flock(&folder, FlockOperation::Unlock).expect("flock");
}

/// Every file of a folder, read in one call.
pub(crate) fn scan(folder: &Path) {
    let folder = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, MODE)
        .expect("open");
    let mut buffer = [0_u8; 4096];
    for entry in Dir::read_from(&folder).expect("list") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_bytes().starts_with(b".") {
            continue;
        }
        let file = openat(&folder, entry.file_name(), OFlags::RDONLY | OFlags::CLOEXEC, MODE)
            .expect("open");
        std::hint::black_box(rustix::io::read(&file, &mut buffer[..]).expect("read"));
    }
}

/// With the syncs that a power cut asks for.
pub(crate) fn replace_durably(folder: &Path, text: &[u8]) {
    let folder = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, MODE)
        .expect("open");
    let file = openat(&folder, TEMP, NEW, MODE).expect("open");
    rustix::io::write(&file, text).expect("write");
    rustix::fs::fsync(&file).expect("fsync");
    drop(file);
    renameat(&folder, TEMP, &folder, NAME).expect("rename");
    rustix::fs::fsync(&folder).expect("fsync");
}

/// A small file in one call.
pub(crate) fn read(path: &Path) {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, MODE).expect("open");
    let mut buffer = [0_u8; 4096];
    std::hint::black_box(rustix::io::read(&file, &mut buffer[..]).expect("read"));
}

/// A small file, after a look at what it is.
pub(crate) fn read_as_required(path: &Path) -> Vec<u8> {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, MODE).expect("open");
    let size = rustix::fs::fstat(&file).expect("fstat").st_size;
    let mut bytes = Vec::with_capacity(usize::try_from(size).expect("a size") + 1);
    rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)).expect("read");
    bytes
}

/// Takes zombies and threads for processes, and any process for the one that was meant.
pub(crate) fn kill() {
    test_kill_process(own()).expect("kill");
}

/// The cheapest calls that tell a process from its successor and from a zombie.
pub(crate) fn pidfd() {
    let fd = pidfd_open(own(), PidfdFlags::empty()).expect("pidfd_open");
    std::hint::black_box(rustix::fs::fstat(&fd).expect("fstat").st_ino);
    poll(&fd);
}

/// The same where the record has no inode; a `/proc` of another namespace would show another
/// process.
pub(crate) fn pidfd_and_stat() {
    let fd = pidfd_open(own(), PidfdFlags::empty()).expect("pidfd_open");
    std::hint::black_box(rustix::fs::readlink("/proc/self", Vec::new()).expect("readlink"));
    read(Path::new(&format!("/proc/{}/stat", own())));
    poll(&fd);
}

fn own() -> Pid {
    getpid()
}

fn poll(fd: &impl std::os::fd::AsFd) {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut fds, Some(&at_once)).expect("poll");
}

/// Reads what `/proc` says of every process.
pub(crate) fn processes() {
    for pid in pids() {
        // One that ended meanwhile has nothing to say.
        let _ = std::fs::read(format!("/proc/{pid}/stat")).map(black_box);
    }
}

/// Asks what every descriptor of every process is open on.
pub(crate) fn descriptors() {
    for pid in pids() {
        let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for entry in folder.flatten() {
            let _ = std::fs::read_link(entry.path()).map(black_box);
        }
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A folder with a watch, and a file that is replaced in it.
pub(crate) struct Watched {
    inotify: OwnedFd,
    folder: PathBuf,
}

impl Watched {
    pub(crate) fn new(folder: &Path) -> Self {
        let folder = folder.join("floor-watched");
        std::fs::create_dir_all(&folder).expect("a folder");
        let inotify = inotify::init(inotify::CreateFlags::CLOEXEC).expect("inotify");
        inotify::add_watch(&inotify, &folder, inotify::WatchFlags::MOVED_TO).expect("a watch");
        Self { inotify, folder }
    }

    pub(crate) fn change(&self) {
        let temp = self.folder.join(".t");
        std::fs::write(&temp, "{}").expect("write");
        std::fs::rename(temp, self.folder.join("f")).expect("rename");
        rustix::io::read(&self.inotify, &mut [0_u8; 4096]).expect("an event");
    }
}

/// Ends a process and waits until that shows.
pub(crate) fn end(child: &mut std::process::Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    let fd = pidfd_open(pid, PidfdFlags::empty()).expect("a pidfd");
    child.kill().expect("kill");
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    rustix::event::poll(&mut fds, None).expect("poll");
}
