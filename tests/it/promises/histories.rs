//! Many processes on one path.

use serde_json::Value;

use super::actor::{actor, value_of};
use super::system::names_in;

#[test]
fn eight_processes_on_one_path_see_whole_records_or_none() {
    let millis = crate::rounds(2_000, 30_000).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let path = path.to_str().expect("a path of text");
    let deeds = ["write", "write", "write", "clear", "clear", "read", "read", "read"]
        .map(|verb| actor(&[&format!("{verb}-for-a-while"), path, &millis]));
    let said: Vec<Value> = std::thread::scope(|scope| {
        let processes: Vec<_> =
            deeds.iter().map(|command| scope.spawn(|| value_of(command))).collect();
        processes.into_iter().map(|process| process.join().expect("it ends well")).collect()
    });
    let sum = |key: &str| said.iter().filter_map(|value| value[key].as_u64()).sum::<u64>();
    println!(
        "{} written, {} cleared, {} whole reads, {} of none, {} times busy",
        sum("written"),
        sum("cleared"),
        sum("whole"),
        sum("none"),
        sum("busy")
    );
    let other: Vec<_> =
        said.iter().filter_map(|value| value["other"].as_array()).flatten().collect();
    assert!(other.is_empty(), "{other:?}");
    assert!(["written", "cleared", "whole", "none"].iter().all(|key| sum(key) > 0), "{said:?}");
    let left = names_in(folder.path());
    assert!(left.iter().all(|name| name == "session.runtime.json"), "{left:?}");
}
