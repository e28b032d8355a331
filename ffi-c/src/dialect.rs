//! # Dialects
//!
//! What the programs that keep PID files in one folder have agreed on: how a start is written, which
//! keys must be there, how a file is called.

use std::ffi::c_char;

use sessionreg::Dialect;

use crate::guard;
use crate::input::Failure;
use crate::words::{self, Word, word};

/// The family of programs whose PID files a folder holds.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum sessionreg_dialect {
    /// The one of the program that is known to keep its records in that folder, else this
    /// library's own. Only the path is looked at.
    SESSIONREG_DIALECT_DETECTED = 0,
    /// This library's own.
    SESSIONREG_DIALECT_OURS = 1,
    /// qwen-code.
    SESSIONREG_DIALECT_QWEN = 2,
    /// Claude Code: one file, `<pid>.json`, for each process.
    SESSIONREG_DIALECT_CLAUDE = 3,
}

/// Every dialect, in the order of `Dialect::ALL`; the first has the number 1.
const DIALECTS: [sessionreg_dialect; Dialect::ALL.len()] = {
    use sessionreg_dialect as d;
    let all =
        [d::SESSIONREG_DIALECT_OURS, d::SESSIONREG_DIALECT_QWEN, d::SESSIONREG_DIALECT_CLAUDE];
    let mut index = 0;
    while index < all.len() {
        assert!(all[index] as usize == index + 1, "a dialect is not at its place");
        index += 1;
    }
    all
};

static WORDS: [Word; Dialect::ALL.len() + 1] = {
    let mut words = [word(""); Dialect::ALL.len() + 1];
    let mut index = 1;
    while index < words.len() {
        words[index] = word(Dialect::ALL[index - 1].as_str());
        index += 1;
    }
    words
};

impl From<Dialect> for sessionreg_dialect {
    fn from(dialect: Dialect) -> Self {
        let position = Dialect::ALL.iter().position(|known| *known == dialect);
        position.map_or(Self::SESSIONREG_DIALECT_OURS, |index| DIALECTS[index])
    }
}

/// The dialect of a number; `None` for the one that is to be detected.
pub(crate) fn dialect_of(number: u32) -> Result<Option<Dialect>, Failure> {
    let Some(index) = number.checked_sub(1) else { return Ok(None) };
    let dialect = usize::try_from(index).ok().and_then(|index| Dialect::ALL.get(index));
    match dialect {
        Some(dialect) => Ok(Some(*dialect)),
        None => Err(Failure::argument("dialect", "no dialect has that number")),
    }
}

/// The word for a dialect, the same in every language, such as `claude`. NULL for
/// `SESSIONREG_DIALECT_DETECTED` and for a number that is no dialect. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_dialect_string(dialect: u32) -> *const c_char {
    guard::value(std::ptr::null(), || words::find(&WORDS, dialect))
}
