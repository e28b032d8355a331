//! Writers that are killed at any instant, with a reader beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sessionreg::ErrorCode;

use super::actor::{Running, actor};
use super::pattern;
use super::system::{self, Need, names_in};

/// Reads a record until it is told to stop, and counts what it saw.
struct Reader {
    counts: Arc<Counts>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    whole: AtomicU64,
    missing: AtomicU64,
    partial: AtomicU64,
}

impl Reader {
    fn start(path: PathBuf) -> Self {
        let counts = Arc::<Counts>::default();
        let seen = Arc::clone(&counts);
        let thread = thread::spawn(move || {
            while !seen.stop.load(Ordering::Relaxed) {
                let count = match sessionreg::load(&path) {
                    Ok(record) if pattern::is_whole(&record) => &seen.whole,
                    Err(error) if error.code() == ErrorCode::NotFound => &seen.missing,
                    _ => &seen.partial,
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { counts, thread }
    }

    fn whole(&self) -> u64 {
        self.counts.whole.load(Ordering::Relaxed)
    }

    fn bad(&self) -> u64 {
        self.counts.missing.load(Ordering::Relaxed) + self.counts.partial.load(Ordering::Relaxed)
    }

    fn finish(self) -> [u64; 3] {
        self.counts.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the reader ends");
        let Counts { whole, missing, partial, .. } = &*self.counts;
        [whole, missing, partial].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Starts a writer, lets it write for less than 2 ms and kills it.
fn kill_one(command: &str, path: &Path, look: impl FnOnce(&Running)) {
    let writer = Running::start(actor(&[command, path.to_str().expect("a path of text")]));
    look(&writer);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    thread::sleep(Duration::from_nanos(u64::from(now.subsec_nanos()) % 2_000_000));
    writer.kill();
}

#[test]
fn a_reader_never_sees_a_partial_or_a_missing_record_while_its_writers_are_killed() {
    if !system::has(&[Need::Kernel]) {
        return;
    }
    let kills = crate::rounds(500, 10_000);
    let least_reads = crate::rounds(10_000, 5_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    sessionreg::write(&path, &pattern::record(1)).expect("a written record");
    let reader = Reader::start(path.clone());
    let (mut killed, mut orphans) = (0, 0);
    while killed < kills || reader.whole() < least_reads {
        let mut prefix = String::new();
        kill_one("write-loop", &path, |writer| prefix = temp_prefix(writer.pid()));
        killed += 1;
        let left: Vec<_> =
            names_in(folder.path()).into_iter().filter(|name| !name.ends_with("json")).collect();
        assert!(left.len() <= 1, "one kill left {left:?}");
        for name in left {
            assert_names_its_writer(&name, &prefix);
            fs::remove_file(folder.path().join(name)).expect("the orphan");
            orphans += 1;
        }
    }
    let [whole, missing, partial] = reader.finish();
    println!(
        "{killed} kills: {whole} whole reads, {missing} missing, {partial} partial, \
         {orphans} orphans"
    );
    assert_eq!([missing, partial], [0, 0]);
    assert!(orphans > 0, "no kill fell between the making of a file and its rename");
}

/// `.sr-<pid>-<start>-<boot 8>-<namespace>-`, all of it read from the system here.
fn temp_prefix(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a living writer");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let start = fields.split_whitespace().nth(19).expect("field 22");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let namespace = fs::read_link(format!("/proc/{pid}/ns/pid")).expect("a namespace");
    let namespace = namespace.to_string_lossy();
    let namespace = namespace.trim_matches(|c: char| !c.is_ascii_digit());
    format!(".sr-{pid}-{start}-{}-{namespace}-", &boot[..8])
}

fn assert_names_its_writer(name: &str, prefix: &str) {
    let random = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".tmp"));
    let is_random = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(random.is_some_and(is_random), "{name}, but its writer was {prefix}");
}

/// The control: the same reader does see what a plain write does to a file.
#[test]
fn a_plain_write_shows_partial_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    sessionreg::write(&path, &pattern::record(1)).expect("a written record");
    let reader = Reader::start(path.clone());
    let start = Instant::now();
    let mut kills = 0;
    while reader.bad() == 0 && start.elapsed() < Duration::from_secs(60) {
        kill_one("naive-loop", &path, |_| ());
        kills += 1;
    }
    let [whole, missing, partial] = reader.finish();
    println!("control, {kills} kills: {whole} whole reads, {missing} missing, {partial} partial");
    assert!(missing + partial > 0);
}
