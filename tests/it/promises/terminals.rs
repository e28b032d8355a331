//! What a hostile name or file can make a terminal do: nothing.

use std::fs;
use std::path::Path;

use sessionreg::{Error, Record, SessionId};

/// Control, bidirectional and zero-width characters, line separators and tags.
fn dangerous() -> Vec<char> {
    let ranges = [
        0x01..=0x1F,
        0x7F..=0x9F,
        0x061C..=0x061C,
        0x180E..=0x180E,
        0x200B..=0x200F,
        0x2028..=0x202E,
        0x2060..=0x206F,
        0xFEFF..=0xFEFF,
        0xFFF9..=0xFFFB,
        0xE0001..=0xE0001,
        0xE0020..=0xE007F,
    ];
    ranges.into_iter().flatten().filter_map(char::from_u32).collect()
}

#[track_caller]
fn assert_safe(text: &str) {
    let raw: Vec<_> = dangerous().into_iter().filter(|c| text.contains(*c)).collect();
    assert!(raw.is_empty(), "{text:?} holds {raw:?} as they are");
    assert!(!text.contains(['\0', '\n']), "{text:?}");
}

#[track_caller]
fn assert_tells_safely(error: &Error, of: char) {
    let text = error.to_string();
    assert_safe(&text);
    let shown = of.escape_default().to_string();
    let code = shown.trim_start_matches("\\u{").trim_end_matches('}');
    // Not dropped either: what is shown in its place says which it was.
    assert!(text.contains(&shown) || text.contains(code), "{text:?} says nothing of {of:?}");
}

#[test]
fn no_name_of_a_file_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = Record::new("session", "/");
    for c in dangerous() {
        let path = folder.path().join(format!("a{c}[2Jb")).join("session.runtime.json");
        let error = sessionreg::load(&path).expect_err("there is none");
        assert_tells_safely(&error, c);
        let path = folder.path().join(format!("x{c}y")).join("..");
        let error = sessionreg::write(&path, &record).expect_err("not the name of a file");
        assert_tells_safely(&error, c);
        assert_tells_safely(&sessionreg::clear(&path).expect_err("likewise"), c);
        assert_tells_safely(&sessionreg::clear_if(&path, &record).expect_err("likewise"), c);
    }
    let error = sessionreg::load(Path::new("a\0b")).expect_err("no path");
    assert_safe(&error.to_string());
}

#[test]
fn nothing_in_a_file_reaches_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let text = Record::plain(1, "session", "/").to_json().expect("JSON");
    for c in dangerous() {
        let escaped = format!("\\u{:04x}", u32::from(c).min(0xFFFF));
        let spoilt = [
            text.replace("agent_version\": null", &format!("{escaped}_version\": 5")),
            text.replace("\"work_dir\": \"/\"", &format!("\"work_dir\": {c}")),
            text.replace("\"pid\": 1", &format!("\"pid\": \"{escaped}\"")),
            text.replace("\"schema_version\": 1", &format!("\"schema_version\": \"{escaped}\"")),
            format!("{text}{c}x"),
        ];
        for spoilt in spoilt {
            assert_ne!(spoilt, text);
            fs::write(&path, &spoilt).expect("a file");
            let error = sessionreg::load(&path).expect_err(&spoilt);
            assert_safe(&error.to_string());
        }
    }
}

#[test]
fn no_argument_reaches_the_terminal_raw() {
    for c in dangerous() {
        if let Err(error) = SessionId::new(format!("a{c}/b")) {
            assert_safe(&error.to_string());
        }
        let refused = |change: &dyn Fn(&mut Record)| {
            let mut record = Record::plain(1, "session", "/");
            change(&mut record);
            assert_safe(&record.to_json().expect_err("no reader would accept it").to_string());
        };
        refused(&|record| record.work_dir = format!("{c}relative"));
        refused(&|record| record.agent = Some(format!("a{c}")));
        refused(&|record| record.kind = Some(format!("a{c}")));
        refused(&|record| record.set_version_key(format!("a{c}")));
        refused(&|record| {
            let key = format!("a{c}_version");
            record.extra.set(&key, "1").expect("JSON");
            record.set_version_key(key);
        });
    }
}
