//! Power cuts: a file system that forgets in an instant what it has not written.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use rustix::ioctl::{Opcode, Setter, ioctl, opcode};
use serde_json::json;
use sessionreg::{ErrorCode, WriteOptions};

use crate::once::say;
use crate::pattern;

/// Mounts an image of ext4 again and again; each time a durable record and one that is not are
/// written, and the power goes. Says what was there afterwards.
pub(crate) fn cuts(image: &str, mount_point: &str, rounds: u64) {
    let durable = Path::new(mount_point).join("durable.json");
    let ordinary = Path::new(mount_point).join("ordinary.json");
    let mut survived = 0;
    let (mut new, mut old, mut missing, mut unreadable, mut wrong) = (0, 0, 0, 0, 0);
    for round in 1..=rounds {
        run("mount", &["-o", "loop", image, mount_point]);
        let record = pattern::record(round);
        sessionreg::write_with(&durable, &record, WriteOptions::default().durable(true))
            .expect("a written record");
        let later = pattern::record(round + rounds);
        sessionreg::write(&ordinary, &later).expect("a written record");
        cut(mount_point);
        run("umount", &[mount_point]);

        run("mount", &["-o", "loop", image, mount_point]);
        survived += u64::from(sessionreg::load(&durable).is_ok_and(|found| found == record));
        match sessionreg::load(&ordinary) {
            Ok(found) if found == later => new += 1,
            // Of the round before, which a clean end has brought to the disk.
            Ok(found) if found.revision == Some(round) && pattern::is_whole(&found) => old += 1,
            Ok(_) => wrong += 1,
            Err(error) if error.code() == ErrorCode::NotFound => missing += 1,
            Err(_) => unreadable += 1,
        }
        let next = pattern::record(round + 1);
        sessionreg::write(&ordinary, &next).expect("a written record");
        run("umount", &[mount_point]);
    }
    say(json!({
        "survived": survived,
        "ordinary": {
            "new": new, "old": old, "missing": missing, "unreadable": unreadable, "wrong": wrong,
        },
    }));
}

/// `EXT4_IOC_SHUTDOWN` without flushing the journal: what is not on the disk by now never will be.
fn cut(mount_point: &str) {
    const SHUTDOWN: Opcode = opcode::read::<u32>(b'X', 125);
    const WITHOUT_LOG: u32 = 2;
    let folder = File::open(mount_point).expect("the mounted folder");
    // SAFETY: the request takes a pointer to 32 bits, which it reads.
    unsafe { ioctl(&folder, Setter::<SHUTDOWN, u32>::new(WITHOUT_LOG)) }.expect("a shutdown");
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().expect("a program");
    assert!(status.success(), "{program} {arguments:?}: {status}");
}
