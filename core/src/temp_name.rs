//! Names of temporary files that tell who writes them.

use std::io;

use crate::process;

/// `.sr-<pid>-<start>-<boot 8>-<namespace>-<random>.tmp`: from it alone a sweeper can tell whether
/// the writer still lives. It holds nothing of the record, whose id may be as long as a name can be.
pub(crate) fn new() -> io::Result<String> {
    let host = process::host();
    let boot = host.boot.as_deref().unwrap_or_default();
    // The beginning of a UUID is ASCII; another system's boot name may not be.
    let boot: String = boot.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let start = host.start.unwrap_or_default();
    let namespace = host.pid_ns.unwrap_or_default();
    let random = getrandom::u64()?;
    let pid = std::process::id();
    Ok(format!(".sr-{pid}-{start}-{boot:0>8}-{namespace}-{random:016x}.tmp"))
}
