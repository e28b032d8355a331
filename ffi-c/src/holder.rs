//! # Holders
//!
//! Another process has what was asked for: who it is, as far as it is known.

use sessionreg::Holder;

use crate::guard;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// Who holds a name or a session. It never changes: threads may look at one at the same time.
pub struct sessionreg_holder {
    pid: Option<u32>,
    session_id: Option<Terminated>,
    host: Option<Terminated>,
    path: Terminated,
}

impl From<&Holder> for sessionreg_holder {
    fn from(holder: &Holder) -> Self {
        let text = |text: &Option<String>| Some(Terminated::new(text.as_ref()?.as_bytes()));
        Self {
            pid: holder.pid,
            session_id: text(&holder.session_id),
            host: text(&holder.host),
            path: Terminated::new(&bytes_of(&holder.path)),
        }
    }
}

/// The process, in its own PID namespace; 0 if it is not known.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_holder_pid(holder: Option<&sessionreg_holder>) -> u32 {
    guard::value(0, || holder.and_then(|holder| holder.pid).unwrap_or(0))
}

/// The session that it serves; absent if it is not known.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_holder_session_id(
    holder: Option<&sessionreg_holder>,
) -> sessionreg_text {
    lend(holder, |holder| holder.session_id.as_ref())
}

/// The name of its host; absent if it is not known.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_holder_host(holder: Option<&sessionreg_holder>) -> sessionreg_text {
    lend(holder, |holder| holder.host.as_ref())
}

/// The file by which it holds, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_holder_path(holder: Option<&sessionreg_holder>) -> sessionreg_text {
    lend(holder, |holder| Some(&holder.path))
}

/// Frees a holder that a function gave; one that is borrowed from an error goes with the error.
/// NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_holder_free(holder: Option<Box<sessionreg_holder>>) {
    guard::value((), || drop(holder));
}

fn lend(
    holder: Option<&sessionreg_holder>,
    text: impl FnOnce(&sessionreg_holder) -> Option<&Terminated>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        holder.and_then(text).map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}
