//! All processes at once, as proc(5) shows them: read once, asked many times.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use rustix::fs::{CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::super::ProcessInfo;
use super::{Stat, proc_is_ours};
use crate::fs::{FileId, id_of};

/// What a command line is read of: programs are told by its beginning.
const COMMAND_LINE_BYTES: usize = 4096;

/// An open `/proc`, for questions about its processes.
pub(crate) struct ProcessTable {
    proc: OwnedFd,
}

impl ProcessTable {
    /// `None` where `/proc` is not there, or is another namespace's.
    pub(crate) fn open() -> Option<Self> {
        if !proc_is_ours() {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Some(Self { proc: rustix::fs::openat(CWD, "/proc", flags, Mode::empty()).ok()? })
    }

    /// Every process that is shown to us. One that ends meanwhile is left out.
    pub(crate) fn processes(&self) -> Vec<ProcessInfo> {
        self.pids().into_iter().filter_map(|pid| self.process(pid)).collect()
    }

    /// The ids of every process that is shown to us.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let Ok(entries) = Dir::read_from(&self.proc) else { return Vec::new() };
        let pid = |name: &[u8]| std::str::from_utf8(name).ok()?.parse().ok();
        entries.flatten().filter_map(|entry| pid(entry.file_name().to_bytes())).collect()
    }

    /// One of them; `None` if it is not there any more.
    pub(crate) fn process(&self, pid: u32) -> Option<ProcessInfo> {
        let file = self.open_at(&format!("{pid}/stat"), OFlags::RDONLY).ok()?;
        let user = rustix::fs::fstat(&file).ok()?.st_uid;
        let text = read_up_to(&file, 1024)?;
        let stat = Stat::parse(&text)?;
        let name_start = text.iter().position(|&byte| byte == b'(')? + 1;
        let name_end = text.iter().rposition(|&byte| byte == b')')?;
        let name = text.get(name_start..name_end)?;
        Some(ProcessInfo {
            pid,
            start: stat.start,
            user,
            terminal: terminal_name(stat.terminal),
            name: String::from_utf8_lossy(name).into_owned(),
            has_exited: stat.has_exited(),
        })
    }

    /// The arguments of a process; empty for one of the kernel's, or if they cannot be read.
    pub(crate) fn arguments(&self, pid: u32) -> Vec<OsString> {
        let text = self
            .open_at(&format!("{pid}/cmdline"), OFlags::RDONLY)
            .ok()
            .and_then(|file| read_up_to(&file, COMMAND_LINE_BYTES))
            .unwrap_or_default();
        let arguments = text.split(|&byte| byte == 0).filter(|argument| !argument.is_empty());
        arguments.map(|argument| OsStr::from_bytes(argument).to_owned()).collect()
    }

    /// The working folder of a process of ours.
    pub(crate) fn working_dir(&self, pid: u32) -> Option<PathBuf> {
        let path = rustix::fs::readlinkat(&self.proc, format!("{pid}/cwd"), Vec::new()).ok()?;
        Some(OsString::from_vec(path.into_bytes()).into())
    }

    /// What the descriptors of a process are open on, as the kernel names it: number and target.
    /// `None` if they are not shown to us.
    pub(crate) fn descriptors(&self, pid: u32) -> Option<Vec<(OsString, PathBuf)>> {
        let found = self.descriptors_in(&format!("{pid}/fd"))?;
        if !found.is_empty() {
            return Some(found);
        }
        // Of a process whose first thread has exited the others have them.
        let folder = self.open_at(&format!("{pid}/task"), OFlags::RDONLY | OFlags::DIRECTORY);
        let Ok(folder) = folder else { return Some(found) };
        let is_alone = rustix::fs::fstat(&folder).is_ok_and(|stat| stat.st_nlink <= 3);
        if is_alone {
            return Some(found);
        }
        let threads = Dir::read_from(&folder).ok()?;
        let names = threads.flatten().map(|thread| thread.file_name().to_owned());
        let of = |name: std::ffi::CString| {
            let name = name.into_string().ok().filter(|name| !name.starts_with('.'))?;
            self.descriptors_in(&format!("{pid}/task/{name}/fd"))
        };
        Some(names.filter_map(of).find(|of| !of.is_empty()).unwrap_or(found))
    }

    fn descriptors_in(&self, path: &str) -> Option<Vec<(OsString, PathBuf)>> {
        let folder = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
        let mut found = Vec::new();
        for entry in Dir::read_from(&folder).ok()? {
            let Ok(entry) = entry else { return None };
            let name = entry.file_name();
            if name.to_bytes().first().is_none_or(|first| !first.is_ascii_digit()) {
                continue;
            }
            match rustix::fs::readlinkat(&folder, name, Vec::new()) {
                Ok(target) => {
                    let target = OsString::from_vec(target.into_bytes()).into();
                    found.push((OsStr::from_bytes(name.to_bytes()).to_owned(), target));
                }
                // Closed meanwhile.
                Err(Errno::NOENT) => {}
                Err(_) => return None,
            }
        }
        Some(found)
    }

    /// Which file a descriptor of a process is open on.
    pub(crate) fn file_of(&self, pid: u32, descriptor: &OsStr) -> Option<FileId> {
        let path = format!("{pid}/fd/{}", descriptor.to_str()?);
        let stat = rustix::fs::statat(&self.proc, path, rustix::fs::AtFlags::empty()).ok()?;
        Some(id_of(&stat))
    }

    fn open_at(&self, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        rustix::fs::openat(&self.proc, path, flags | OFlags::CLOEXEC, Mode::empty())
    }
}

fn read_up_to(file: &OwnedFd, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(limit);
    loop {
        match rustix::io::read(file, rustix::buffer::spare_capacity(&mut bytes)) {
            Err(Errno::INTR) => {}
            Err(_) => return None,
            Ok(_) => return Some(bytes),
        }
    }
}

/// `tty_nr` of proc(5) as the name below `/dev`: pseudo-terminals and virtual consoles.
fn terminal_name(number: u32) -> Option<String> {
    let major = (number >> 8) & 0xFFF;
    let minor = (number & 0xFF) | ((number >> 12) & 0xF_FF00);
    match major {
        136..=143 => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calling_process_is_in_the_table() {
        let table = ProcessTable::open().expect("/proc");
        let own = std::process::id();
        let processes = table.processes();
        let found = processes.iter().find(|process| process.pid == own).expect("this process");
        assert_eq!(Some(found.start), super::super::parent_of(own).map(|lineage| lineage.start));
        assert_eq!(table.working_dir(own), std::env::current_dir().ok());
        let arguments: Vec<OsString> = std::env::args_os().collect();
        assert_eq!(table.arguments(own).first(), arguments.first());
    }

    #[test]
    fn terminals_have_the_names_of_their_devices() {
        for (number, name) in
            [(0x8800, "pts/0"), (0x8803, "pts/3"), (0x0401, "tty1"), (0x0440, "ttyS0")]
        {
            assert_eq!(terminal_name(number).as_deref(), Some(name), "{number:#x}");
        }
        assert_eq!(terminal_name(0), None);
    }
}
