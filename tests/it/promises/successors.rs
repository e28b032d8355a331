//! An owner that clears its record while a successor writes the same name.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sessionreg::{ErrorCode, Record, Result};

use super::pattern;

/// Lets two threads go at the same instant: one that sleeps would be late.
#[derive(Default)]
struct Gate(AtomicU64);

impl Gate {
    /// Every pass takes the two of them once.
    fn pass(&self, number: u64) {
        self.0.fetch_add(1, Ordering::AcqRel);
        while self.0.load(Ordering::Acquire) < 2 * number {
            thread::yield_now();
        }
    }
}

/// A folder that is busy for long on a busy machine is no news here.
fn insist<T>(action: impl Fn() -> Result<T>) -> T {
    loop {
        match action() {
            Ok(done) => return done,
            Err(error) => assert_eq!(error.code(), ErrorCode::Busy, "{error}"),
        }
    }
}

/// Rounds in which an owner clears and a successor writes; how often the successor's was lost, and
/// how often the owner's was there to be cleared. Ends early at the first loss if told so.
fn race(
    rounds: u64,
    clear: impl Fn(&Path, &Record) -> bool,
    enough: impl Fn(u64) -> bool,
) -> [u64; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let gate = Gate::default();
    let stop = AtomicU64::new(u64::MAX);
    let (mut lost, mut cleared, mut done) = (0, 0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                let successor = pattern::record(2);
                gate.pass(3 * round - 2);
                if stop.load(Ordering::Acquire) <= round {
                    return;
                }
                insist(|| sessionreg::write(&path, &successor));
                gate.pass(3 * round - 1);
                // Here the owner looks at what is left.
                gate.pass(3 * round);
            }
        });
        for round in 1..=rounds {
            let own = pattern::record(1);
            insist(|| sessionreg::write(&path, &own));
            if enough(lost) {
                stop.store(round, Ordering::Release);
            }
            gate.pass(3 * round - 2);
            if enough(lost) {
                return;
            }
            // Early, late, and all that is between.
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(round % 300) {}
            cleared += u64::from(clear(&path, &own));
            gate.pass(3 * round - 1);
            let left = sessionreg::read(&path).expect("a possible path");
            lost += u64::from(left.and_then(|record| record.revision) != Some(2));
            done += 1;
            gate.pass(3 * round);
        }
    });
    [done, lost, cleared]
}

#[test]
fn clear_if_never_removes_the_record_of_a_successor() {
    let rounds = crate::rounds(1_500, 50_000);
    let [done, lost, cleared] =
        race(rounds, |path, own| insist(|| sessionreg::clear_if(path, own)), |_| false);
    println!("{done} rounds: {cleared} cleared by their owner, {lost} successors lost");
    assert_eq!((done, lost), (rounds, 0));
    assert!(0 < cleared && cleared < rounds, "the two were always in the same order");
}

/// The control: to look and then to remove does lose some.
#[test]
fn read_compare_unlink_loses_successors() {
    let naive = |path: &Path, own: &Record| {
        let found = sessionreg::read(path).expect("a possible path");
        let is_own = found.is_some_and(|found| found.instance == own.instance);
        is_own && fs::remove_file(path).is_ok()
    };
    let [done, lost, _] = race(200_000, naive, |lost| lost > 0);
    println!("control, {done} rounds: {lost} successors lost");
    assert!(lost > 0);
}
