//! Names of temporary files that tell who writes them, and whether that process still lives.

use std::io;

use crate::process::{self, HAS_PID_NAMESPACES, Host, INITIAL_TIME_NS, MAX_PID, Probe, Want};

const PREFIX: &str = ".sr-";
const SUFFIX: &str = ".tmp";

/// `.sr-<pid>-<start>-<boot 8>-<namespace>-<random>.tmp`: from it alone a sweeper can tell whether
/// the writer still lives. It holds nothing of the record, whose id may be as long as a name can be.
pub(crate) fn new() -> io::Result<String> {
    let host = process::host();
    let boot = boot_part(&host);
    let start = host.start.unwrap_or_default();
    let namespace = host.pid_ns.unwrap_or_default();
    let random = getrandom::u64()?;
    let pid = std::process::id();
    Ok(format!("{PREFIX}{pid}-{start}-{boot}-{namespace}-{random:016x}{SUFFIX}"))
}

/// The beginning of a UUID is ASCII; another system's boot name may not be.
fn boot_part(host: &Host) -> String {
    let boot = host.boot.as_deref().unwrap_or_default();
    let boot: String = boot.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{boot:0>8}")
}

/// Who wrote a temporary file, as its name says.
pub(crate) struct Writer<'a> {
    pid: u32,
    start: u64,
    boot: &'a str,
    namespace: u64,
}

impl<'a> Writer<'a> {
    /// `None` for every name that [`new`] would not give.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        let parts: Vec<&str> =
            name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split('-').collect();
        let [pid, start, boot, namespace, random] = parts[..] else { return None };
        let is_word = |word: &str, length, radix| {
            word.len() == length && word.chars().all(|c| c.is_digit(radix) && !c.is_uppercase())
        };
        let number = |digits: &str| {
            let canonical = digits == "0" || !digits.starts_with(['0', '+']);
            canonical.then(|| digits.parse::<u64>().ok()).flatten()
        };
        let pid = u32::try_from(number(pid)?).ok()?;
        ((1..=MAX_PID).contains(&pid) && is_word(boot, 8, 36) && is_word(random, 16, 16))
            .then_some(())?;
        Some(Self { pid, start: number(start)?, boot, namespace: number(namespace)? })
    }

    /// `Some(true)`: it is proven not to run any more; `None`: it cannot be told from here.
    pub(crate) fn is_dead(&self) -> Option<bool> {
        let host = process::host();
        let is_ours = host.boot.is_some()
            && self.boot == boot_part(&host)
            && (host.pid_ns.is_some() || !HAS_PID_NAMESPACES)
            && self.namespace == host.pid_ns.unwrap_or_default()
            // Elsewhere a start is shifted, and the name does not say where it was read.
            && host.time_ns.is_none_or(|ns| ns == INITIAL_TIME_NS);
        if !is_ours {
            return None;
        }
        match process::probe(self.pid, Want { start: true, user: false }) {
            Probe::Gone | Probe::Zombie => Some(true),
            Probe::There(facts) => facts.start.map(|start| start != self.start),
            Probe::Unsupported => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_temporary_file_tells_its_writer() {
        let name = new().expect("randomness");
        let writer = Writer::of(&name).expect("our own name");
        assert_eq!((writer.pid, writer.is_dead()), (std::process::id(), Some(false)));
    }

    /// Whatever is not ours to the letter is somebody else's file.
    #[test]
    fn other_names_are_not_ours() {
        let good = ".sr-12-345-0a1b2c3d-4026531836-0123456789abcdef.tmp";
        assert!(Writer::of(good).is_some());
        for (from, to) in [
            (".sr-", ".sr"),
            (".sr-", "sr-"),
            (".tmp", ".tmp~"),
            (".sr-12", ".sr-012"),
            (".sr-12", ".sr-0"),
            (".sr-12", ".sr-+12"),
            (".sr-12", ".sr-4294967296"),
            ("0a1b2c3d", "0a1b2c3"),
            ("0a1b2c3d", "0A1B2C3D"),
            ("abcdef", "abcdeg"),
            ("-345-", "-"),
            ("-345-", "-345-6-"),
        ] {
            let name = good.replacen(from, to, 1);
            assert!(Writer::of(&name).is_none(), "{name}");
        }
    }
}
