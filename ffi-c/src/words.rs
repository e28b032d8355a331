//! The core's words for C, which wants a NUL behind them.

use std::ffi::c_char;

/// A word, and NULs up to the end.
pub(crate) type Word = [u8; 24];

/// Makes a word of the core's; the compiler refuses one that does not leave room for a NUL.
pub(crate) const fn word(text: &str) -> Word {
    let mut word: Word = [0; size_of::<Word>()];
    let bytes = text.as_bytes();
    assert!(bytes.len() < size_of::<Word>(), "a word is too long");
    let mut index = 0;
    while index < bytes.len() {
        word[index] = bytes[index];
        index += 1;
    }
    word
}

/// The word of a number, or NULL if there is none.
pub(crate) fn find(words: &'static [Word], number: u32) -> *const c_char {
    usize::try_from(number)
        .ok()
        .and_then(|index| words.get(index))
        .filter(|word| word[0] != 0)
        .map_or(std::ptr::null(), |word| word.as_ptr().cast())
}
