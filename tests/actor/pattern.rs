//! Records of many sizes that show by themselves whether they are whole.

use sessionreg::Record;

/// A record of the calling process, of a size that jumps with every revision.
pub(crate) fn record(revision: u64) -> Record {
    let mut record = Record::new("session", "/");
    set_revision(&mut record, revision);
    record
}

/// The same registration, another content.
pub(crate) fn set_revision(record: &mut Record, revision: u64) {
    record.revision = Some(revision);
    record.name = Some(name(revision));
}

/// Whether all of a record is of one revision.
pub(crate) fn is_whole(record: &Record) -> bool {
    record.revision.is_some_and(|revision| record.name.as_deref() == Some(&name(revision)))
}

fn name(revision: u64) -> String {
    // From less than a sector to several pages.
    let length = usize::try_from(revision.wrapping_mul(7919) % 16_000).unwrap_or_default();
    format!("{revision} ").repeat(length / 4 + 1)
}
