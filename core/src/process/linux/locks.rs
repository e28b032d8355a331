//! Who holds which file lock: `/proc/locks`, read without taking any.

use std::collections::HashMap;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};

use super::super::Lock;

/// The locks that the kernel shows in this PID namespace.
pub(crate) struct LockTable {
    /// Device and inode of every file with an exclusive flock, and the process that took it.
    locked: HashMap<(Device, u64), u32>,
    mounts: Vec<Mount>,
}

/// Major and minor number, as `/proc/self/mountinfo` has them: not what `stat` gives on overlayfs.
type Device = (u32, u32);

struct Mount {
    id: u64,
    device: Device,
}

impl LockTable {
    /// `None` if the tables cannot be read.
    pub(crate) fn read() -> Option<Self> {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        Some(Self {
            locked: locks.lines().filter_map(lock_of).collect(),
            mounts: mounts.lines().filter_map(Mount::parse).collect(),
        })
    }

    /// Who holds the lock of a file; `None` if it is not certain which file of the table it would
    /// be.
    pub(crate) fn of(&self, path: &Path) -> Option<Lock> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
        let stat =
            rustix::fs::statx(CWD, path, flags, StatxFlags::INO | StatxFlags::MNT_ID).ok()?;
        if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            return None;
        }
        let device = self.mounts.iter().find(|mount| mount.id == stat.stx_mnt_id)?.device;
        let holder = self.locked.get(&(device, stat.stx_ino));
        Some(holder.map_or(Lock::Free, |pid| Lock::HeldBy(*pid)))
    }
}

/// `1: FLOCK  ADVISORY  WRITE 1234 08:02:131090 0 EOF`; one that waits has `->` after the number.
fn lock_of(line: &str) -> Option<((Device, u64), u32)> {
    let mut fields = line.split_whitespace().skip(1);
    if fields.next()? != "FLOCK" || fields.nth(1)? != "WRITE" {
        return None;
    }
    let pid = fields.next()?.parse().ok()?;
    let mut file = fields.next()?.split(':');
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
    let device = (hex(file.next()?)?, hex(file.next()?)?);
    Some(((device, file.next()?.parse().ok()?), pid))
}

impl Mount {
    /// `36 35 98:0 /root /mount/point …`
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let id = fields.next()?.parse().ok()?;
        let (major, minor) = fields.nth(1)?.split_once(':')?;
        Some(Self { id, device: (major.parse().ok()?, minor.parse().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_seen_without_being_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        let file = std::fs::File::create(&path).expect("a file");
        let lock = || LockTable::read().expect("/proc/locks").of(&path);
        assert_eq!(lock(), Some(Lock::Free));
        file.lock().expect("lock");
        assert_eq!(lock(), Some(Lock::HeldBy(std::process::id())));
        file.unlock().expect("unlock");
        assert_eq!(lock(), Some(Lock::Free));
    }
}
