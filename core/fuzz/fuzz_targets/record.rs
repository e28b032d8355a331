//! Any bytes are either no record or one that is read the same again after it was written.
//!
//! `cargo +nightly fuzz run record -- -runs=20000000` in `core`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sessionreg::Record;

fuzz_target!(|text: &[u8]| {
    let Ok(found) = Record::from_json(text) else { return };
    // What was read may be more than is ever written, such as a relative folder.
    let Ok(again) = found.to_json() else { return };
    let back = Record::from_json(&again).expect("what is written is read");
    assert_eq!(back, found);
    assert_eq!(back.to_json().expect("what was read is written"), again);
});
