//! # Text

use std::ffi::{CString, c_char};
use std::path::Path;
use std::sync::OnceLock;

use crate::guard;
use crate::input::Failure;

/// Text that is borrowed from an object: UTF-8, followed by a NUL, or `data` is NULL if there is
/// none.
///
/// It stays until the object is changed or freed. Where the text cannot hold NUL, which is
/// everywhere but in what a file says, `data` alone will do.
#[repr(C)]
pub struct sessionreg_text {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes there are, the NUL at the end not counted.
    pub length: usize,
}

impl sessionreg_text {
    pub(crate) const ABSENT: Self = Self { data: std::ptr::null(), length: 0 };
}

/// Bytes of our own with a NUL behind them.
pub(crate) struct Terminated(Box<[u8]>);

impl Terminated {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self([bytes, b"\0"].concat().into_boxed_slice())
    }

    pub(crate) fn lend(&self) -> sessionreg_text {
        sessionreg_text { data: self.0.as_ptr().cast(), length: self.0.len() - 1 }
    }
}

/// What was lent of an object's texts so far. Threads may ask at the same time.
pub(crate) struct Lent<const COUNT: usize>([OnceLock<Terminated>; COUNT]);

impl<const COUNT: usize> Default for Lent<COUNT> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; COUNT])
    }
}

impl<const COUNT: usize> Lent<COUNT> {
    /// Lends the text at a place, which is always the same bytes.
    pub(crate) fn lend(&self, place: usize, bytes: &[u8]) -> sessionreg_text {
        self.0[place].get_or_init(|| Terminated::new(bytes)).lend()
    }
}

/// A path as C has it.
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
    }
    #[cfg(not(unix))]
    {
        path.to_string_lossy().into_owned().into_bytes()
    }
}

/// Hands text over to C, which gives it back to [`sessionreg_string_free`].
pub(crate) fn hand_out(text: impl Into<Vec<u8>>) -> Result<*mut c_char, Failure> {
    let text = CString::new(text)
        .map_err(|_| Failure::argument("text", "what was asked for contains a NUL"))?;
    Ok(text.into_raw())
}

/// Frees text that a function handed out. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_string_free(string: *mut c_char) {
    guard::value((), || {
        if !string.is_null() {
            // SAFETY: it came from `hand_out`, and the caller gives it back once and unchanged.
            drop(unsafe { CString::from_raw(string) });
        }
    });
}
