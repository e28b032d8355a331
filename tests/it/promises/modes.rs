//! Who may read what is written: nobody else, whatever the umask.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::{fs, iter};

use super::actor::{actor, value_of};
use super::system::{self, NOBODY, Need, folder_of, mode_of, open_folder, set_mode};

const UMASKS: [&str; 4] = ["000", "022", "077", "0777"];

fn write_as(options: &[&str], path: &Path) {
    let words = ["write", path.to_str().expect("text")];
    let words: Vec<_> = options.iter().copied().chain(words).collect();
    let said = value_of(&actor(&words));
    assert!(said.get("ok").is_some(), "{options:?}: {said}");
}

fn check(user: u32, options: &[&str]) {
    let outside = open_folder();
    let folder = folder_of(user, outside.path());
    for umask in UMASKS {
        let options: Vec<_> =
            ["--umask", umask].into_iter().chain(options.iter().copied()).collect();
        for existing in [0o755, 0o711, 0o750, 0o700] {
            let there = folder.join(format!("there-{umask}-{existing:o}"));
            fs::create_dir(&there).expect("a folder");
            set_mode(&there, existing);
            std::os::unix::fs::chown(&there, Some(user), Some(user)).expect("to give it away");
            let path = there.join("a/b/session.runtime.json");
            write_as(&options, &path);
            // Once more, over itself: the folders are there now.
            write_as(&options, &path);
            assert_eq!(mode_of(&path), 0o600, "umask {umask}");
            assert_eq!(fs::metadata(&path).expect("a file").uid(), user);
            for folder in [there.join("a"), there.join("a/b")] {
                assert_eq!(mode_of(&folder), 0o700, "umask {umask}: {}", folder.display());
            }
            let beside = there.join("session.runtime.json");
            write_as(&options, &beside);
            assert_eq!(mode_of(&beside), 0o600, "umask {umask}");
            assert_eq!(mode_of(&there), existing, "umask {umask}");
        }
    }
}

#[test]
fn files_are_0600_and_folders_0700_under_any_umask() {
    check(rustix::process::geteuid().as_raw(), &[]);
}

#[test]
fn files_are_0600_and_folders_0700_under_any_umask_of_any_user() {
    if system::has(&[Need::Root]) {
        check(NOBODY, &["--user", &NOBODY.to_string()]);
    }
}

/// A file that was open to all is replaced by one that is not.
#[test]
fn a_replaced_file_keeps_nothing_of_its_mode() {
    let folder = open_folder();
    let path = folder.path().join("session.runtime.json");
    for mode in iter::once(0o666).chain([0o777, 0o4755, 0o400, 0]) {
        fs::write(&path, "{}").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        write_as(&[], &path);
        assert_eq!(mode_of(&path), 0o600, "was {mode:o}");
    }
}
