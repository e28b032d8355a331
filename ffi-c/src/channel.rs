//! # Channels
//!
//! A channel is one agent process that carries several sessions. It is torn down once, when the last
//! session and the last restore that it carries are gone, and carries nothing after that.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use sessionreg::restore::Channel;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, shared, text};
use crate::own::Owned;
use crate::restore::sessionreg_restore_table;
use crate::status::sessionreg_status;

/// A channel of a table. Threads may use one at the same time; who frees it must be alone with it.
pub struct sessionreg_channel {
    channel: Owned<Channel>,
}

impl sessionreg_channel {
    pub(crate) fn get(&self) -> Result<&Channel, Failure> {
        self.channel.get()
    }
}

/// Threads share channels.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_channel>();
};

/// Is called when the last session and the last restore that a channel carries are gone, once, on
/// the thread that made the call by which they went. It may call the table, and must return.
pub type sessionreg_on_teardown = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// What is called, if anything is.
struct OnTeardown {
    function: sessionreg_on_teardown,
    context: *mut c_void,
}

// SAFETY: the context is only handed to the function, and whoever gave both promised that this may
// be done on every thread that uses the table.
unsafe impl Send for OnTeardown {}

impl OnTeardown {
    fn call(self) {
        if let Some(function) = self.function {
            // SAFETY: by the promise with which this was made.
            unsafe { function(self.context) };
        }
    }
}

/// Makes a channel for sessions of a table. `on_teardown` may be NULL; `context` is its argument.
///
/// The function is not called if `sessionreg_channel_exited` comes first, nor if the channel is freed
/// while it carries nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_channel_new(
    table: *mut sessionreg_restore_table,
    on_teardown: sessionreg_on_teardown,
    context: *mut c_void,
    channel: Option<&mut MaybeUninit<Box<sessionreg_channel>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let table = unsafe { shared(table, "table")? }.get()?;
        let out = given(channel, "channel")?;
        let on_teardown = OnTeardown { function: on_teardown, context };
        let channel = Owned::new(table.channel(move || on_teardown.call()));
        out.write(Box::new(sessionreg_channel { channel }));
        Ok(())
    })
}

/// Whether it can carry a session: it is neither dead nor torn down.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_channel_is_open(channel: Option<&sessionreg_channel>) -> bool {
    guard::value(false, || {
        channel.and_then(|channel| channel.get().ok()).is_some_and(Channel::is_open)
    })
}

/// Says that its process is dead: its sessions end (`SESSIONREG_END_REASON_CHANNEL_CLOSED`), and its
/// restores fail with `SESSIONREG_STATUS_CLOSED`. `info`, such as `killed by signal 9`, becomes part
/// of the error's message. It is not torn down any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_channel_exited(
    channel: *mut sessionreg_channel,
    info: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (channel, info) = unsafe { (shared(channel, "channel")?.get()?, text(info, "info")?) };
        channel.exited(info);
        Ok(())
    })
}

/// Frees a channel; what it carries goes on, and it is torn down all the same. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_channel_free(channel: Option<Box<sessionreg_channel>>) {
    guard::value((), || drop(channel));
}
