//! Linux: inotify for folders, a pidfd for each process, a timer, and epoll to wait for all of them.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, getrlimit, pidfd_open};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::fs::is_local;
use crate::snapshot::{Notices, Work};

/// Where a process's number is, these are none.
const FILES: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;
const WAKE: u64 = u64::MAX - 2;

/// A lock is taken a moment after its file is opened, which is all that can be seen of it.
const LOCKED_BY_THEN: Duration = Duration::from_millis(100);

/// A process that exited is there until its parent has asked for it.
const REAPED_BY_THEN: Duration = Duration::from_millis(100);

/// How often folders may come and go while one is looked for.
const MAX_ATTEMPTS: usize = 100;

/// More events are read in several calls.
const EVENT_BYTES: usize = 16 * 1024;

/// What the system has to tell.
pub(in super::super) struct Events {
    /// All that wakes: files, processes, the timer, and `wake`.
    epoll: Arc<OwnedFd>,
    is_held: bool,
    timer: OwnedFd,
    armed: Option<Instant>,
    wake: OwnedFd,
    /// None if the user has no more of them.
    files: Option<OwnedFd>,
    watches: HashMap<i32, PathBuf>,
    folders: HashMap<PathBuf, (i32, WatchFlags)>,
    /// Folders that are not there yet, by what is watched instead: the nearest one that is.
    awaited: HashMap<PathBuf, HashSet<PathBuf>>,
    lock_folders: HashSet<PathBuf>,
    processes: HashMap<u32, OwnedFd>,
    max_processes: usize,
    /// What is to be looked at again.
    later: Vec<(Instant, Later)>,
    polled_folders: HashSet<PathBuf>,
    polled_processes: HashSet<u32>,
}

enum Later {
    Name(PathBuf, OsString),
    Process(u32),
}

impl Events {
    pub(in super::super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let files = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let add =
            |fd: &OwnedFd, data| epoll::add(&epoll, fd, EventData::new_u64(data), EventFlags::IN);
        add(&timer, TIMER)?;
        add(&wake, WAKE)?;
        if let Some(files) = &files {
            add(files, FILES)?;
        }
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Ok(Self {
            epoll: Arc::new(epoll),
            is_held: false,
            timer,
            armed: None,
            wake,
            files,
            watches: HashMap::new(),
            folders: HashMap::new(),
            awaited: HashMap::new(),
            lock_folders: HashSet::new(),
            processes: HashMap::new(),
            max_processes: usize::try_from(limit / 2).unwrap_or(usize::MAX),
            later: Vec::new(),
            polled_folders: HashSet::new(),
            polled_processes: HashSet::new(),
        })
    }

    /// For one reader to sleep on.
    pub(in super::super) fn sleeper(&self) -> Sleeper {
        Sleeper(Arc::clone(&self.epoll))
    }

    /// Wakes whoever sleeps, for good.
    pub(in super::super) fn wake(&self) {
        // Only a full counter refuses, and that one wakes as well.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Adds what happened to the work. Never waits.
    pub(in super::super) fn take(&mut self, work: &mut Work) {
        let time = Instant::now();
        if self.armed.is_some_and(|armed| armed <= time) {
            // Read, so that it wakes nobody before it is set again.
            let _ = rustix::io::read(&self.timer, &mut [0_u8; 8]);
            self.armed = None;
        }
        for (_, later) in self.later.extract_if(.., |(at, _)| *at <= time) {
            match later {
                Later::Name(folder, name) => drop(work.names.insert((folder, name))),
                Later::Process(pid) => drop(work.processes.insert(pid)),
            }
        }
        if self.is_held {
            self.take_files(work, time);
        }
        let mut ready = [const { MaybeUninit::uninit() }; 64];
        loop {
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            let events = match epoll::wait(&*self.epoll, &mut ready, Some(&at_once)) {
                Ok((events, _)) => events,
                Err(Errno::INTR) => continue,
                Err(_) => return,
            };
            let is_full = events.len() == 64;
            let mut has_files = false;
            let mut has_processes = false;
            for event in events.iter() {
                let data = event.data;
                if let Ok(pid) = u32::try_from(data.u64()) {
                    // Closed, it is gone from the list too.
                    self.processes.remove(&pid);
                    work.processes.insert(pid);
                    self.later.push((time + REAPED_BY_THEN, Later::Process(pid)));
                    has_processes = true;
                }
                has_files |= data.u64() == FILES;
            }
            if has_files {
                self.take_files(work, time);
            }
            // A process is told of once; all else would be told again and again.
            if !(is_full && has_processes) {
                return;
            }
        }
    }

    fn take_files(&mut self, work: &mut Work, time: Instant) {
        let Some(files) = self.files.take() else { return };
        let mut buffer = [const { MaybeUninit::uninit() }; EVENT_BYTES];
        let mut reader = inotify::Reader::new(&files, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(_) => break,
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                // What was lost is not known.
                work.everything = true;
                continue;
            }
            let Some(folder) = self.watches.get(&event.wd()).cloned() else { continue };
            if flags.contains(ReadFlags::IGNORED) {
                self.watches.remove(&event.wd());
                // By now another folder may be watched in its place.
                if self.folders.get(&folder).is_some_and(|(watch, _)| *watch == event.wd()) {
                    self.folders.remove(&folder);
                }
            }
            let Some(name) = event.file_name() else {
                // The folder itself was removed, or moved.
                if flags.contains(ReadFlags::MOVE_SELF) {
                    self.forget_below(&files, &folder, work);
                }
                work.folders.extend(self.awaited.remove(&folder).unwrap_or_default());
                work.folders.insert(folder);
                continue;
            };
            let name = OsStr::from_bytes(name.to_bytes());
            if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
                let path = folder.join(name);
                if self.folders.contains_key(&path) {
                    // It tells so itself, but not before the last who works in it has left.
                    self.forget_below(&files, &path, work);
                }
            }
            if let Some(awaited) = self.awaited.get_mut(&folder) {
                let path = folder.join(name);
                work.folders.extend(awaited.extract_if(|root| root.starts_with(&path)));
                if awaited.is_empty() {
                    self.awaited.remove(&folder);
                }
            }
            let is_awaited_only = !self
                .folders
                .get(&folder)
                .is_some_and(|(_, flags)| flags.contains(WatchFlags::CLOSE_WRITE));
            // Files that are being written, ours among them: renamed, they have another name.
            if is_awaited_only || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if self.lock_folders.contains(&folder) {
                let later = Later::Name(folder.clone(), name.to_owned());
                self.later.push((time + LOCKED_BY_THEN, later));
            }
            work.names.insert((folder, name.to_owned()));
        }
        self.files = Some(files);
    }

    /// What is watched below a folder that was moved has another path now, or is gone with it.
    fn forget_below(&mut self, files: &OwnedFd, folder: &Path, work: &mut Work) {
        for (path, (watch, _)) in self.folders.extract_if(|path, _| path.starts_with(folder)) {
            // It may be gone already.
            let _ = inotify::remove_watch(files, watch);
            self.watches.remove(&watch);
            work.folders.extend(self.awaited.remove(&path).unwrap_or_default());
            work.folders.insert(path);
        }
    }

    /// Until [`release`](Self::release), changes of files wake nobody: they are being gathered.
    pub(in super::super) fn hold(&mut self) {
        self.set_held(true);
    }

    pub(in super::super) fn release(&mut self) {
        self.set_held(false);
    }

    fn set_held(&mut self, is_held: bool) {
        let Some(files) = &self.files else { return };
        if self.is_held != is_held {
            let flags = if is_held { EventFlags::empty() } else { EventFlags::IN };
            let set = epoll::modify(&*self.epoll, files, EventData::new_u64(FILES), flags);
            // Where it could not be set, readers only wake more often than they need.
            self.is_held = if set.is_ok() { is_held } else { self.is_held };
        }
    }

    /// When something is to be looked at again.
    pub(in super::super) fn later(&self) -> Option<Instant> {
        self.later.iter().map(|(at, ..)| *at).min()
    }

    /// Sets when the readers have to wake although nothing happens.
    pub(in super::super) fn arm(&mut self, at: Option<Instant>) {
        if self.armed == at {
            return;
        }
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would never come.
        let rest =
            at.map(|at| at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1)));
        let it_value = rest.and_then(|rest| Timespec::try_from(rest).ok()).unwrap_or(zero);
        let timer = Itimerspec { it_interval: zero, it_value };
        if timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &timer).is_ok() {
            self.armed = at;
        }
    }

    pub(in super::super) fn polls(&self) -> bool {
        !self.polled_folders.is_empty() || !self.polled_processes.is_empty()
    }

    /// Adds to the work what nobody tells of.
    pub(in super::super) fn poll(&mut self, work: &mut Work) {
        work.folders.extend(self.polled_folders.iter().cloned());
        work.processes.extend(self.polled_processes.iter().copied());
    }

    /// What nobody tells of, in words.
    pub(in super::super) fn polled(&self) -> Vec<String> {
        let mut folders: Vec<&PathBuf> = self.polled_folders.iter().collect();
        folders.sort();
        let mut polled: Vec<String> =
            folders.iter().map(|folder| format!("folder {}", folder.display())).collect();
        if !self.polled_processes.is_empty() {
            polled.push(format!("exits of {} processes", self.polled_processes.len()));
        }
        polled
    }

    /// Watches a folder, or the nearest one above it that is there.
    fn watch(&mut self, path: &Path, flags: WatchFlags) {
        // Folders may come while those above them are being looked for.
        for _ in 0..MAX_ATTEMPTS {
            let mut missing = None;
            let mut folder = path;
            loop {
                let flags = if missing.is_none() { flags } else { arrivals() };
                match self.watch_one(folder, flags) {
                    Ok(()) => break,
                    Err(Errno::NOENT | Errno::NOTDIR) => {
                        // One that was there may be held open, and be told of later.
                        self.forget(folder);
                        missing = Some(folder);
                    }
                    Err(_) => {
                        self.polled_folders.insert(path.to_owned());
                        return;
                    }
                }
                match folder.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => folder = parent,
                    _ => return,
                }
            }
            let Some(missing) = missing else { return self.watch_above(path) };
            self.awaited.entry(folder.to_owned()).or_default().insert(path.to_owned());
            if !missing.exists() {
                return self.watch_above(folder);
            }
        }
        self.polled_folders.insert(path.to_owned());
    }

    fn watch_one(&mut self, folder: &Path, flags: WatchFlags) -> Result<(), Errno> {
        let known = self.known_flags(folder);
        if known.contains(flags) {
            return Ok(());
        }
        let watch = self.add(folder, known | flags)?;
        self.watches.insert(watch, folder.to_owned());
        self.folders.insert(folder.to_owned(), (watch, known | flags));
        Ok(())
    }

    fn known_flags(&self, folder: &Path) -> WatchFlags {
        self.folders.get(folder).map_or(WatchFlags::empty(), |(_, flags)| *flags)
    }

    fn forget(&mut self, folder: &Path) {
        if let (Some((watch, _)), Some(files)) = (self.folders.remove(folder), &self.files) {
            self.watches.remove(&watch);
            // It may be gone already.
            let _ = inotify::remove_watch(files, watch);
        }
    }

    /// A folder moves with the one that it is in, and is not told. That it is removed is told at once
    /// by the one that it is in, but not where everybody's files come and go.
    fn watch_above(&mut self, path: &Path) {
        let moves = WatchFlags::MOVE_SELF | WatchFlags::ONLYDIR;
        let mut flags = moves | WatchFlags::DELETE;
        for folder in path.ancestors().skip(1) {
            let known = self.known_flags(folder);
            // The system is not asked again for what is watched already.
            if !known.contains(flags) && is_shared(folder) {
                flags = moves;
            }
            let is_known = known.contains(flags);
            // Of what cannot be watched, as one that may not be read, a move goes unnoticed.
            if folder.as_os_str().is_empty() || is_known || self.watch_one(folder, flags).is_err() {
                return;
            }
            flags = moves;
        }
    }

    fn add(&self, folder: &Path, flags: WatchFlags) -> Result<i32, Errno> {
        let files = self.files.as_ref().ok_or(Errno::MFILE)?;
        // Of what other machines write there, nobody tells.
        if folder.exists() && !is_local(folder) {
            return Err(Errno::REMOTE);
        }
        inotify::add_watch(files, folder, flags)
    }
}

/// Whether everybody may put files there, and remove his own: as in `/tmp`.
fn is_shared(folder: &Path) -> bool {
    folder.metadata().is_ok_and(|found| found.mode() & 0o1000 != 0)
}

/// What tells that a folder has come. All else that happens beside it is nobody's business.
fn arrivals() -> WatchFlags {
    WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
        | WatchFlags::EXCL_UNLINK
}

/// What tells that a file is there, gone, or other than it was.
fn folder_flags() -> WatchFlags {
    arrivals()
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MODIFY
        | WatchFlags::CLOSE_WRITE
}

impl Notices for Events {
    fn watch_folder(&mut self, path: &Path) {
        self.watch(path, folder_flags());
    }

    fn watch_locks(&mut self, path: &Path) {
        if self.lock_folders.insert(path.to_owned()) {
            // Nobody opens a lock but to take it; we do not.
            self.watch(path, folder_flags() | WatchFlags::OPEN | WatchFlags::CLOSE_NOWRITE);
        }
    }

    fn watch_process(&mut self, pid: u32) -> bool {
        if self.processes.contains_key(&pid) || self.polled_processes.contains(&pid) {
            return true;
        }
        let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
        if self.processes.len() >= self.max_processes {
            self.polled_processes.insert(pid);
            return true;
        }
        match pidfd_open(id, PidfdFlags::empty()) {
            Ok(fd) => {
                let data = EventData::new_u64(pid.into());
                match epoll::add(&*self.epoll, &fd, data, EventFlags::IN) {
                    Ok(()) => drop(self.processes.insert(pid, fd)),
                    Err(_) => drop(self.polled_processes.insert(pid)),
                }
            }
            // There is none to watch.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return false,
            Err(_) => drop(self.polled_processes.insert(pid)),
        }
        true
    }

    fn look_again(&mut self, pid: u32) {
        self.later.push((Instant::now(), Later::Process(pid)));
    }

    fn forget_process(&mut self, pid: u32) {
        self.processes.remove(&pid);
        self.polled_processes.remove(&pid);
    }
}

/// What a reader sleeps on.
pub(in super::super) struct Sleeper(Arc<OwnedFd>);

impl Sleeper {
    /// Tells whether a signal ended it.
    pub(in super::super) fn sleep(&self, bell: &Bell, timeout: Option<Duration>) -> bool {
        sleep_on(&[self.0.as_fd(), bell.0.as_fd()], timeout)
    }
}

/// What one reader rings and another waits for.
#[derive(Debug)]
pub(in super::super) struct Bell(OwnedFd);

impl Bell {
    pub(in super::super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(in super::super) fn ring(&self) {
        // Only a full counter refuses, and that one rings as well.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(in super::super) fn silence(&self) {
        // It fails if it does not ring.
        let _ = rustix::io::read(&self.0, &mut [0_u8; 8]);
    }

    /// Tells whether a signal ended it.
    pub(in super::super) fn wait(&self, timeout: Option<Duration>) -> bool {
        sleep_on(&[self.0.as_fd()], timeout)
    }
}

/// A descriptor that is readable when a reader has something to fetch, or somebody has to look.
#[derive(Debug)]
pub(in super::super) struct Readiness {
    epoll: OwnedFd,
}

impl Readiness {
    /// The kernel bounds how many of these there can be of one monitor: 500, and 100 in one loop
    /// that uses epoll itself (`path_limits` of Linux's fs/eventpoll.c).
    pub(in super::super) fn of(bell: &Bell, events: &Events) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &bell.0, EventData::new_u64(0), EventFlags::IN)?;
        epoll::add(&epoll, &*events.epoll, EventData::new_u64(0), EventFlags::IN)?;
        Ok(Self { epoll })
    }

    #[allow(clippy::unnecessary_wraps)] // Not every system has one.
    pub(in super::super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.epoll.as_fd())
    }
}

/// Waits until one of the descriptors is readable; tells whether a signal ended it.
fn sleep_on<const N: usize>(fds: &[BorrowedFd<'_>; N], timeout: Option<Duration>) -> bool {
    let mut fds = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    rustix::event::poll(&mut fds, timeout.as_ref()) == Err(Errno::INTR)
}
