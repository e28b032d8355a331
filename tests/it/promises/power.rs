//! Power cuts, on a file system that can be told to forget.

use super::actor::{actor, under, value_of};
use super::system::{self, Need, ext4_image};
use super::trace::{calls_between_marks, traced};

/// What a lucky disk forgives: the order in which a write goes there.
#[test]
fn a_durable_write_syncs_the_file_before_its_name_and_the_folder_after_it() {
    if !system::has(&[Need::Strace]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let path = folder.path().join("session.runtime.json");
    let steps = |command| {
        let command = actor(&[command, path.to_str().expect("text")]);
        value_of(&traced(&["-y"], &trace, &command));
        let steps = calls_between_marks(&trace);
        let step = |text: &str| match text.split_once('(') {
            Some(("fsync", rest)) if rest.contains("/.sr-") => Some("the file"),
            Some(("fsync", _)) => Some("the folder"),
            Some(("write", _)) => Some("its text"),
            Some(("renameat", _)) => Some("its name"),
            _ => None,
        };
        steps.iter().filter_map(|call| step(&call.text)).collect::<Vec<_>>()
    };
    assert_eq!(steps("write-durably"), ["its text", "the file", "its name", "the folder"]);
    assert_eq!(steps("write"), ["its text", "its name"]);
}

#[test]
fn a_durable_record_survives_a_power_cut_and_no_other_is_wrong_after_it() {
    if !system::has(&[Need::Root, Need::Namespaces, Need::Ext4Images]) {
        return;
    }
    let cuts = crate::rounds(10, 150);
    let folder = tempfile::tempdir().expect("a folder");
    let image = ext4_image(folder.path());
    let mount_point = folder.path().join("mounted");
    std::fs::create_dir(&mount_point).expect("a folder");
    let text = |path: &std::path::Path| path.to_str().expect("a path of text").to_owned();
    let command = actor(&["power-cuts", &text(&image), &text(&mount_point), &cuts.to_string()]);
    let said = value_of(&under(&["unshare", "--mount", "--"], &command));
    println!("{cuts} power cuts: {said}");
    assert_eq!(said["survived"], cuts, "{said}");
    assert_eq!(said["ordinary"]["wrong"], 0, "{said}");
    // The control: a cut that takes nothing from anybody shows nothing.
    assert_ne!(said["ordinary"]["new"], cuts, "{said}");
}
