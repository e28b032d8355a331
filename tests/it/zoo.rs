//! The helper says the truth about the processes that it makes: vectors are only as good as it.

use serde_json::Value;

use crate::helper::Helper;

fn pid_of(facts: &Value) -> u64 {
    facts["pid"].as_u64().expect("a pid")
}

#[test]
fn every_kind_is_a_process_of_its_own_or_says_why_not() {
    let mut helper = Helper::start();
    let kinds = ["living", "stopped", "zombie", "thread_id", "dead_leader", "other_user", "self"];
    let found = kinds.iter().filter_map(|kind| helper.spawn(kind));
    let mut pids: Vec<u64> = found.map(|facts| pid_of(&facts)).collect();
    let count = pids.len();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), count);
    assert!(count >= 2, "at least a living one, and the helper itself");
    helper.finish();
}

#[test]
fn facts_are_whole() {
    let mut helper = Helper::start();
    let facts = helper.spawn("living").expect("a living process, on every system");
    let ticks = facts["ticks"].as_str().expect("ticks");
    assert!(ticks.parse::<u64>().is_ok(), "{facts}");
    let start = facts["proc_start"].as_str().expect("proc_start");
    assert!(start.ends_with(&format!(":{ticks}")), "{facts}");
    assert_eq!(facts["hostname"], helper.ask("host")["hostname"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let age = now.as_secs().abs_diff(facts["started_at"].as_u64().expect("seconds"));
    assert!(age <= 5, "{facts}: {age} s");
    helper.finish();
}

#[test]
fn identify_says_of_a_process_what_spawn_said() {
    let mut helper = Helper::start();
    let facts = helper.spawn("living").expect("a living process, on every system");
    assert_eq!(helper.ask(&format!("identify {}", pid_of(&facts))), facts);
    helper.finish();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::Path;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// The state of a process and the number of its threads, from proc(5) `/proc/<pid>/stat`.
    fn state_of(pid: u64) -> Option<(String, u64)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((fields.next()?.to_owned(), fields.nth(16)?.parse().ok()?))
    }

    /// Waits for the state: who says that it is ready has yet to fall asleep.
    fn expect_state(pid: u64, state: &str, threads: u64) {
        let wanted = Some((state.to_owned(), threads));
        let start = Instant::now();
        while state_of(pid) != wanted && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(state_of(pid), wanted);
    }

    fn expect_kind(kind: &str, state: &str, threads: u64) {
        let mut helper = Helper::start();
        let Some(facts) = helper.spawn(kind) else { return };
        expect_state(pid_of(&facts), state, threads);
        helper.finish();
    }

    #[test]
    fn a_living_one_sleeps() {
        expect_kind("living", "S", 1);
    }

    #[test]
    fn a_stopped_one_is_stopped() {
        expect_kind("stopped", "T", 1);
    }

    #[test]
    fn a_zombie_has_exited_and_is_there() {
        expect_kind("zombie", "Z", 1);
    }

    #[test]
    fn a_dead_leader_reads_as_a_zombie_with_threads() {
        expect_kind("dead_leader", "Z", 2);
    }

    #[test]
    fn a_gone_one_is_not_there() {
        let mut helper = Helper::start();
        let facts = helper.spawn("gone").expect("a process that ends, on every system");
        assert_eq!(state_of(pid_of(&facts)), None);
        helper.finish();
    }

    #[test]
    fn a_thread_id_is_that_of_a_thread() {
        let mut helper = Helper::start();
        let id = pid_of(&helper.spawn("thread_id").expect("threads are everywhere"));
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("a thread");
        let process = status.lines().find_map(|line| line.strip_prefix("Tgid:")).expect("Tgid");
        assert_ne!(process.trim(), id.to_string());
        assert!(Path::new(&format!("/proc/{}/task/{id}", process.trim())).exists());
        helper.finish();
    }

    fn expect_reuse(kind: &str, equal_ticks: bool) {
        let mut helper = Helper::start();
        let Some(former) = helper.spawn(kind) else { return };
        let now = helper.ask(&format!("identify {}", pid_of(&former)));
        assert_eq!(now["pid"], former["pid"]);
        assert_eq!(now["ticks"] == former["ticks"], equal_ticks, "{former} {now}");
        if former["pid_inode"].is_string() {
            assert_ne!(now["pid_inode"], former["pid_inode"]);
        }
        expect_state(pid_of(&former), "S", 1);
        helper.finish();
    }

    #[test]
    fn a_reused_pid_has_equal_ticks_and_another_inode() {
        expect_reuse("reused", true);
    }

    #[test]
    fn a_pid_reused_late_has_other_ticks() {
        expect_reuse("reused_late", false);
    }

    #[test]
    fn another_user_is_another_user() {
        let mut helper = Helper::start();
        let Some(facts) = helper.spawn("other_user") else { return };
        assert_eq!(facts["uid"], 65534);
        assert_ne!(facts["uid"], helper.ask("host")["uid"]);
        helper.finish();
    }

    #[test]
    fn nothing_outlives_the_helper() {
        let mut helper = Helper::start();
        let kinds = ["living", "stopped", "zombie", "thread_id", "dead_leader", "reused"];
        let all: Vec<_> = kinds.iter().filter_map(|kind| helper.spawn(kind)).collect();
        assert!(all.len() >= 5);
        let before: Vec<_> =
            all.iter().map(|facts| helper.ask(&format!("identify {}", pid_of(facts)))).collect();
        helper.finish();
        let mut next = Helper::start();
        for facts in before {
            if state_of(pid_of(&facts)).is_some() {
                // Somebody else's by now.
                assert_ne!(next.ask(&format!("identify {}", pid_of(&facts))), facts);
            }
        }
    }
}
