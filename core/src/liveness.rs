//! Is the process that wrote a record still there? Dead is said only on proof.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use crate::fs;
use crate::process::{
    self, Facts, HAS_PID_NAMESPACES, Host, INITIAL_TIME_NS, MAX_PID, PLATFORM, Probe, Want,
};
use crate::record::Record;

/// A process that started so many seconds after the session did is hardly the session's, but a
/// clock may have been set in between: then nothing is said.
const CLOCK_TOLERANCE: f64 = 60.0;

/// Whether the process of a record is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It is.
    Alive,
    /// It is not, and that is proven.
    Dead,
    /// It cannot be told from here.
    Unknown,
}

impl State {
    /// The word by which every language knows this state, such as `alive`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares the reasons once: name, word, state, meaning.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal => $state:ident,)*) => {
        /// Why a [`Verdict`] says what it says; each reason belongs to one [`State`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason { $($(#[doc = $doc])+ $name,)* }

        impl Reason {
            /// Every reason, in the order in which the C header numbers them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word by which every language knows this reason, such as `verified`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The state that this reason stands for.
            pub const fn state(self) -> State {
                match self { $(Self::$name => State::$state,)* }
            }
        }
    };
}

reasons! {
    /// The process exists and its identity equals the record's.
    Verified = "verified" => Alive,
    /// The process exists, but the record, or the system, has no identity to compare.
    Unverified = "unverified" => Alive,
    /// No such process in this namespace.
    Gone = "gone" => Dead,
    /// It has exited and was not reaped.
    Zombie = "zombie" => Dead,
    /// Another process has the pid now.
    Reused = "reused" => Dead,
    /// The host was started anew since; the record lies on a local file system.
    Rebooted = "rebooted" => Dead,
    /// The program holds its own kernel lock.
    LockHeld = "lock_held" => Alive,
    /// The program holds its transcript open.
    FileOpen = "file_open" => Alive,
    /// Nobody holds the program's kernel lock.
    LockFree = "lock_free" => Dead,
    /// Nobody holds the transcript open.
    FileClosed = "file_closed" => Dead,
    /// The terminal pane is gone.
    PaneGone = "pane_gone" => Dead,
    /// The record was written on another host.
    OtherHost = "other_host" => Unknown,
    /// The pid is meant in another PID namespace.
    OtherNamespace = "other_namespace" => Unknown,
    /// The pid is meant on another operating system.
    OtherPlatform = "other_platform" => Unknown,
    /// The file's owner is not the user of the process that it names.
    Permission = "permission" => Unknown,
    /// The start was read in another time namespace and nothing else can be compared.
    Clock = "clock" => Unknown,
    /// What would be needed to tell is missing from the record.
    NoIdentity = "no_identity" => Unknown,
    /// The session is being started.
    Starting = "starting" => Unknown,
    /// The session was being started, too long ago.
    Stale = "stale" => Unknown,
    /// This system gives no way to tell.
    Unsupported = "unsupported" => Unknown,
    /// No process can have this pid; the system was not asked.
    Invalid = "invalid" => Unknown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The answer of [`liveness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Verdict {
    /// Alive, dead or unknown.
    pub state: State,
    /// Why.
    pub reason: Reason,
}

impl From<Reason> for Verdict {
    fn from(reason: Reason) -> Self {
        Self { state: reason.state(), reason }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.state, self.reason)
    }
}

/// Whether the process of a record is still there, and how that is known.
///
/// Never a guess: `dead` only on proof, and the wall clock is no proof. A record that was read
/// remembers its file: without one neither `permission` nor `rebooted` is said.
pub fn liveness(record: &Record) -> Verdict {
    Judge::forgetful().judge(record)
}

/// The same for many records at once: each process and each folder is asked for once.
pub fn liveness_all<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Verdict> {
    let mut judge = Judge::of_many();
    records.into_iter().map(|record| judge.judge(record)).collect()
}

/// Judges records, and remembers what it asked the system for.
pub(crate) struct Judge {
    host: Rc<Host>,
    host_is_fresh: bool,
    probes: Memory,
    local: HashMap<PathBuf, bool>,
}

/// What processes were asked for already, if any is going to be asked for twice.
enum Memory {
    None,
    Probes(HashMap<(u32, Want), Probe>),
}

impl Memory {
    fn probe(&mut self, pid: u32, want: Want) -> Probe {
        match self {
            Self::None => process::probe(pid, want),
            Self::Probes(known) => {
                known.entry((pid, want)).or_insert_with(|| process::probe(pid, want)).clone()
            }
        }
    }
}

/// How far the start that a record holds can be compared.
#[derive(Clone, Copy, PartialEq)]
enum Anchor {
    /// Of this boot and PID namespace.
    Certain,
    /// With a boot, but the namespace is not known: a process that is not found may be elsewhere.
    NoNamespace,
    /// Without a boot; this host by its name or key.
    NoBoot,
}

impl Judge {
    /// For one record, or for each anew.
    pub(crate) fn forgetful() -> Self {
        Self::new(Memory::None)
    }

    /// For many records at one moment: each process and each folder is asked for once.
    pub(crate) fn of_many() -> Self {
        Self::new(Memory::Probes(HashMap::new()))
    }

    fn new(probes: Memory) -> Self {
        Self { host: process::host(), host_is_fresh: false, probes, local: HashMap::new() }
    }

    pub(crate) fn judge(&mut self, record: &Record) -> Verdict {
        let start = Start::of(record);
        let mut reason = self.reason(record, start);
        // What is remembered of the boot may be from before a checkpoint. Nothing is concluded from
        // it to the worse before it was looked at again, once.
        if start.boot.is_some() && reason.state() != State::Alive && !self.host_is_fresh {
            self.host_is_fresh = true;
            if let Some(host) = process::moved_to(&self.host) {
                self.host = host;
                reason = self.reason(record, start);
            }
        }
        reason.into()
    }

    /// Whether a verdict just given is proof enough to delete the record: of a registration of this
    /// library, whose boot and namespace are ours, or whose boot is over. What is merely not found
    /// may be elsewhere.
    pub(crate) fn is_proof(&self, record: &Record, verdict: Verdict) -> bool {
        if verdict.state != State::Dead || record.instance.is_none() {
            return false;
        }
        let boot = Start::of(record).boot;
        let is_our_namespace = record.identity.pid_ns == self.host.pid_ns
            && (record.identity.pid_ns.is_some() || !HAS_PID_NAMESPACES);
        match verdict.reason {
            Reason::Rebooted => is_our_namespace,
            Reason::Gone | Reason::Zombie | Reason::Reused => {
                is_our_namespace && boot.is_some() && boot == self.host.boot.as_deref()
            }
            _ => false,
        }
    }

    fn reason(&mut self, record: &Record, start: Start<'_>) -> Reason {
        if !(1..=MAX_PID).contains(&record.pid) {
            return Reason::Invalid;
        }
        let anchor = match self.anchor(record, start) {
            Ok(anchor) => anchor,
            Err(reason) => return reason,
        };
        let comparison = Comparison::of(record, start, &self.host);
        let owner = record.origin.get().and_then(|origin| origin.owner).filter(|owner| *owner != 0);
        let want = Want { start: comparison.needs_start(), user: owner.is_some() };
        let reason = match self.probes.probe(record.pid, want) {
            Probe::Unsupported => Reason::Unsupported,
            Probe::Gone | Probe::Zombie if anchor == Anchor::NoNamespace => Reason::NoIdentity,
            Probe::Gone => Reason::Gone,
            Probe::Zombie => Reason::Zombie,
            Probe::There(facts) => match comparison.with(&facts, anchor) {
                reason if reason.state() == State::Alive && !is_whose(owner, &facts) => {
                    Reason::Permission
                }
                reason => reason,
            },
        };
        // The pid may be one of the Windows side's.
        let may_be_elsewhere = self.host.wsl && record.identity.pid_ns.is_none();
        if may_be_elsewhere && reason.state() == State::Dead {
            return Reason::OtherPlatform;
        }
        reason
    }

    /// Whether the record speaks of this host, boot and namespace at all.
    fn anchor(&mut self, record: &Record, start: Start<'_>) -> Result<Anchor, Reason> {
        let identity = &record.identity;
        if identity.platform.as_deref().is_some_and(|platform| platform != PLATFORM) {
            return Err(Reason::OtherPlatform);
        }
        let is_this_boot = |host: &Host| start.boot.is_some() && start.boot == host.boot.as_deref();
        let anchor = if is_this_boot(&self.host) {
            Anchor::Certain
        } else if start.boot.is_some() && self.host.boot.is_some() {
            return Err(self.of_another_boot(record));
        } else if self.is_this_host(record) {
            Anchor::NoBoot
        } else {
            return Err(Reason::OtherHost);
        };
        match (identity.pid_ns, self.host.pid_ns) {
            (Some(theirs), Some(ours)) if theirs != ours => Err(Reason::OtherNamespace),
            (Some(_), None) => Err(Reason::Unsupported),
            (None, _) if HAS_PID_NAMESPACES && start.boot.is_some() => Ok(Anchor::NoNamespace),
            _ => Ok(anchor),
        }
    }

    fn of_another_boot(&mut self, record: &Record) -> Reason {
        let same_host =
            record.identity.host_key.is_some() && record.identity.host_key == self.host.host_key;
        // A container may have a boot id of its own, and the machine id of its host.
        match (record.identity.pid_ns, self.host.pid_ns) {
            (Some(theirs), Some(ours)) if theirs != ours => Reason::OtherNamespace,
            _ if same_host && self.is_local(record) => Reason::Rebooted,
            _ => Reason::OtherHost,
        }
    }

    /// Whether the record was read from a file system of this machine; asked once for a folder.
    fn is_local(&mut self, record: &Record) -> bool {
        let Some(origin) = record.origin.get() else { return false };
        let folder = fs::folder_of(&origin.path);
        if let Some(local) = self.local.get(&folder) {
            return *local;
        }
        let local = fs::is_local(&folder);
        self.local.insert(folder, local);
        local
    }

    /// By the host key, else by the name, for a record without a boot. An empty name is nobody's.
    fn is_this_host(&self, record: &Record) -> bool {
        match (&record.identity.host_key, &record.hostname) {
            (Some(key), _) => Some(key) == self.host.host_key.as_ref(),
            (None, Some(name)) => !name.is_empty() && *name == process::hostname(),
            (None, None) => true,
        }
    }
}

/// Whether a process may be meant by a file of this owner; without one anybody's may.
fn is_whose(owner: Option<u32>, facts: &Facts) -> bool {
    match (owner, facts.users) {
        (Some(owner), Some(users)) => users.contains(&owner),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// The `proc_start` of a record, taken apart.
#[derive(Clone, Copy, Default)]
struct Start<'a> {
    boot: Option<&'a str>,
    start: Option<u64>,
}

impl<'a> Start<'a> {
    /// Text that is neither form says nothing: missing identity is never a reused pid.
    fn of(record: &'a Record) -> Self {
        let Some(text) = record.identity.proc_start.as_deref() else {
            return Self::default();
        };
        let (boot, start) = match text.rsplit_once(':') {
            Some((boot, start)) => (Some(boot).filter(|boot| !boot.is_empty()), start),
            None => (None, text),
        };
        match number(start) {
            Some(start) => Self { boot, start: Some(start) },
            None => Self::default(),
        }
    }
}

/// A number in plain digits: a sign would be another form.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What of a record's identity is there to compare with a process.
struct Comparison {
    inode: Option<u64>,
    start: Option<u64>,
    /// Another time namespace shifts every start by an offset that is not known.
    shifted: bool,
    started_at: f64,
}

impl Comparison {
    fn of(record: &Record, start: Start<'_>, host: &Host) -> Self {
        let inode = record.identity.pid_inode.as_deref().and_then(number);
        Self {
            // Inodes are counted anew in every boot.
            inode: inode.filter(|_| start.boot.is_some() && host.boot.is_some() && host.pidfs),
            // With a boot of the record's, but none of ours, there is nothing to compare with.
            start: start.start.filter(|_| start.boot.is_none() || host.boot.is_some()),
            shifted: match (record.identity.time_ns, host.time_ns) {
                (Some(theirs), Some(ours)) => theirs != ours,
                // Whoever writes none may have been anywhere, most likely where nothing is shifted.
                (None, Some(ours)) => start.start.is_some() && ours != INITIAL_TIME_NS,
                (_, None) => false,
            },
            started_at: record.started_at,
        }
    }

    /// An inode decides alone; without any identity the start is held against the clock.
    fn needs_start(&self) -> bool {
        self.inode.is_none() && !self.shifted
    }

    fn with(&self, facts: &Facts, anchor: Anchor) -> Reason {
        let equal = match (self.inode.zip(facts.inode), self.start.zip(facts.start)) {
            (Some((theirs, found)), _) => Some(theirs == found),
            (None, Some((theirs, found))) if !self.shifted => Some(theirs == found),
            _ => None,
        };
        match equal {
            Some(true) => Reason::Verified,
            _ if anchor == Anchor::NoNamespace => Reason::NoIdentity,
            Some(false) => Reason::Reused,
            None if self.shifted => Reason::Clock,
            None if self.inode.is_none() && self.start.is_none() && self.is_younger(facts) => {
                Reason::NoIdentity
            }
            None => Reason::Unverified,
        }
    }

    /// Whether the process found started well after the session that it should have started.
    fn is_younger(&self, facts: &Facts) -> bool {
        facts
            .start
            .is_some_and(|start| process::epoch_of(start) > self.started_at + CLOCK_TOLERANCE)
    }
}
