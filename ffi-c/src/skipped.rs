//! # Files that were skipped

use sessionreg::Skipped;

use crate::guard;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// A file that was left alone, borrowed from a list, a snapshot, or from what a sweep or a clean-up
/// did. It never changes: threads may look at one at the same time.
pub struct sessionreg_skipped {
    path: Terminated,
    status: sessionreg_status,
    reason: Terminated,
}

impl From<&Skipped> for sessionreg_skipped {
    fn from(skipped: &Skipped) -> Self {
        Self {
            path: Terminated::new(&bytes_of(&skipped.path)),
            status: skipped.code.into(),
            reason: Terminated::new(skipped.reason.as_bytes()),
        }
    }
}

/// The file, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_skipped_path(skipped: Option<&sessionreg_skipped>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        skipped.map_or(sessionreg_text::ABSENT, |skipped| skipped.path.lend())
    })
}

/// The kind of objection; `SESSIONREG_STATUS_INVALID_INPUT` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_skipped_status(
    skipped: Option<&sessionreg_skipped>,
) -> sessionreg_status {
    guard::value(sessionreg_status::SESSIONREG_STATUS_PANIC, || {
        skipped.map_or(sessionreg_status::SESSIONREG_STATUS_INVALID_INPUT, |skipped| skipped.status)
    })
}

/// The objection in words. It is safe to print.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_skipped_reason(
    skipped: Option<&sessionreg_skipped>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        skipped.map_or(sessionreg_text::ABSENT, |skipped| skipped.reason.lend())
    })
}
