//! # Sessions
//!
//! A session in the hands of who may change its record: the process that registered it, or a helper
//! such as a hook that looked it up.
//!
//! Only `sessionreg_session_close` removes a record, and only through the handle with which a
//! process registered itself. Freeing a handle, the end of the program and a forked child leave the
//! record, whose verdict then tells that the process is gone.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use sessionreg::{By, Patch, Session, Ticket};

use crate::error::sessionreg_error;
use crate::guard;
use crate::holder::sessionreg_holder;
use crate::input::{Failure, given, optional_text, shared, text};
use crate::record::sessionreg_record;
use crate::registry::sessionreg_registry;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, hand_out, sessionreg_text};

/// A session. Threads may use one at the same time, and its calls are carried out one after the
/// other; who frees it must be alone with it.
///
/// In a forked child every call is `SESSIONREG_STATUS_CLOSED`: the registration is its parent's.
pub struct sessionreg_session {
    session: Session,
    path: Option<Terminated>,
    on_error: OnError,
}

/// Is told why a call of a session failed, on the thread that made the call and before that returns.
///
/// `context` is the `on_error_context` of the registration. The error is borrowed for the time of
/// the call. It must return: no `longjmp`, no C++ exception.
pub type sessionreg_on_error =
    Option<unsafe extern "C" fn(context: *mut c_void, error: *const sessionreg_error)>;

/// What is told of failures, if anything is.
#[derive(Clone, Copy)]
pub(crate) struct OnError {
    function: sessionreg_on_error,
    context: *mut c_void,
}

// SAFETY: the context is only handed to the function, and whoever gave both promised that this may
// be done on every thread that uses the session.
unsafe impl Send for OnError {}
// SAFETY: as above.
unsafe impl Sync for OnError {}

impl OnError {
    /// # Safety
    /// The function may be called with the context for as long as the result is used.
    pub(crate) unsafe fn new(function: sessionreg_on_error, context: *mut c_void) -> Self {
        Self { function, context }
    }

    fn nobody() -> Self {
        Self { function: None, context: std::ptr::null_mut() }
    }

    pub(crate) fn is_given(self) -> bool {
        self.function.is_some()
    }

    pub(crate) fn tell(self, failure: &Failure) {
        if let Some(function) = self.function {
            let error = sessionreg_error::from(failure);
            // SAFETY: by the promise with which this was made; the error outlives the call.
            unsafe { function(self.context, &raw const error) };
        }
    }
}

impl sessionreg_session {
    pub(crate) fn boxed(session: Session, on_error: OnError) -> Box<Self> {
        let path = session.path().map(|path| Terminated::new(&bytes_of(&path)));
        // Whatever frees it: a record is removed by a call that says so.
        Box::new(Self { session: session.without_close_on_drop(), path, on_error })
    }

    /// Makes one call of the session.
    fn run(&self, submit: impl FnOnce(&Session) -> Result<Ticket, Failure>) -> Result<(), Failure> {
        let done = submit(&self.session).and_then(|ticket| Ok(ticket.wait_and_tell()?));
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Refused(
                sessionreg_status::SESSIONREG_STATUS_NOT_FOUND,
                "failed to change the session: it is not registered",
            )),
            Err(failure) => {
                self.on_error.tell(&failure);
                Err(failure)
            }
        }
    }
}

/// Threads share sessions, and what tells who has their names.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_session>();
    is_shared::<sessionreg_holder>();
};

/// Gives a handle on the live session of a process, for a short-lived helper such as a hook.
///
/// `SESSIONREG_STATUS_NOT_FOUND` if no live registration of this library matches,
/// `SESSIONREG_STATUS_INVALID_INPUT` if several do, `SESSIONREG_STATUS_PERMISSION_DENIED` if it is
/// another user's.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_open_session_of_pid(
    registry: Option<&sessionreg_registry>,
    pid: u32,
    session: Option<&mut MaybeUninit<Box<sessionreg_session>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || open(registry, By::Pid(pid), session))
}

/// The same for a session that is known by its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_open_session(
    registry: Option<&sessionreg_registry>,
    session_id: *const c_char,
    session: Option<&mut MaybeUninit<Box<sessionreg_session>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(registry, "registry")?;
        // SAFETY: the caller keeps the header's conventions.
        let id = unsafe { text(session_id, "session_id")? };
        open(registry, By::Session(id), session)
    })
}

fn open(
    registry: Option<&sessionreg_registry>,
    by: By<'_>,
    session: Option<&mut MaybeUninit<Box<sessionreg_session>>>,
) -> Result<(), Failure> {
    let registry = given(registry, "registry")?;
    let session = given(session, "session")?;
    let opened = registry.get()?.open_session(by)?;
    session.write(sessionreg_session::boxed(opened, OnError::nobody()));
    Ok(())
}

/// Changes what is said of the session, by a JSON merge patch (RFC 7396) such as
/// `{"status": "waiting", "waiting_for": "approval"}`: null removes, what is absent stays.
///
/// `work_dir`, `agent`, `agent_version`, `kind`, `name`, `entrypoint`, `transcript_path`,
/// `parent_session_id`, `terminal`, `status` and `waiting_for` can be changed; any other name is
/// that of an unknown key. A status other than `waiting` drops `waiting_for`; the times of the
/// update, and of the status, follow. Several processes may update one session: none of their
/// changes is lost.
///
/// Like every call of a session that is not registered, because its registration failed or its file
/// is another process's, this is `SESSIONREG_STATUS_NOT_FOUND` and changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_update(
    session: *mut sessionreg_session,
    patch_json: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(session, "session")? }.run(|session| {
            // SAFETY: the caller keeps the header's conventions.
            let patch = unsafe { text(patch_json, "patch_json")? };
            Ok(session.submit_update(Patch::from_json(patch)?))
        })
    })
}

/// Goes on with another session in the same process, as `/clear` and `/resume` of a CLI do.
///
/// Status, what it waits for, name and transcript are reset before the patch, which may be NULL, is
/// applied. At every instant the session is found: the new sidecar is there before the PID file
/// changes, and the old one goes after it. If it fails, the old record still stands. The id that it
/// has already changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_switch(
    session: *mut sessionreg_session,
    new_id: *const c_char,
    patch_json: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(session, "session")? }.run(|session| {
            // SAFETY: the caller keeps the header's conventions.
            let (id, patch) =
                unsafe { (text(new_id, "new_id")?, optional_text(patch_json, "patch_json")?) };
            let patch = patch.map(Patch::from_json).transpose()?.unwrap_or_default();
            Ok(session.submit_switch(id, patch))
        })
    })
}

/// Puts the record back if somebody removed or damaged it, and reads the identity of the process
/// again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_refresh(
    session: *mut sessionreg_session,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(session, "session")? }.run(|session| Ok(session.submit_refresh()))
    })
}

/// Lets go of the session and leaves its record. Later calls are `SESSIONREG_STATUS_CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_leave(
    session: *mut sessionreg_session,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(session, "session")? }.run(|session| Ok(session.submit_leave()))
    })
}

/// Ends the session: its record goes, and nothing of it is written any more. Later calls are
/// `SESSIONREG_STATUS_CLOSED`.
///
/// If it fails the session stays open, and may be closed again. On a handle on another process's
/// session this is `sessionreg_session_leave`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_close(
    session: *mut sessionreg_session,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { shared(session, "session")? }.run(|session| Ok(session.submit_close()))
    })
}

/// Whether the session is registered: it could be, and was not closed or left since.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_registered(session: Option<&sessionreg_session>) -> bool {
    guard::value(false, || session.is_some_and(|session| session.session.is_registered()))
}

/// The process that serves the session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_pid(session: Option<&sessionreg_session>) -> u32 {
    guard::value(0, || session.map_or(0, |session| session.session.record().pid))
}

/// The PID file, as bytes of a path; absent if there is none. It never changes.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_path(session: Option<&sessionreg_session>) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        session
            .and_then(|session| session.path.as_ref())
            .map_or(sessionreg_text::ABSENT, Terminated::lend)
    })
}

/// Gives a copy of the record as it was last written, or found, by this handle, for the caller to
/// free.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_record(
    session: Option<&sessionreg_session>,
    record: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        given(record, "record")?.write(sessionreg_record::boxed(session.session.record()));
        Ok(())
    })
}

/// Gives the path of the sidecar, for the caller to free, or NULL if there is none or its name is
/// another process's.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_sidecar_path(
    session: Option<&sessionreg_session>,
    path: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        let path = given(path, "path")?;
        path.write(match session.session.sidecar_path() {
            Some(sidecar) => hand_out(bytes_of(&sidecar))?,
            None => std::ptr::null_mut(),
        });
        Ok(())
    })
}

/// Gives who has the name of the sidecar instead, for the caller to free, or NULL if nobody has.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_sidecar_holder(
    session: Option<&sessionreg_session>,
    holder: Option<&mut MaybeUninit<Option<Box<sessionreg_holder>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || tell_holder(session, holder, Session::sidecar_holder))
}

/// Gives who has the name of the PID file instead, where a process has only one
/// (`SESSIONREG_DIALECT_CLAUDE`), for the caller to free, or NULL if nobody has.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_pid_file_holder(
    session: Option<&sessionreg_session>,
    holder: Option<&mut MaybeUninit<Option<Box<sessionreg_holder>>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || tell_holder(session, holder, Session::pid_file_holder))
}

fn tell_holder(
    session: Option<&sessionreg_session>,
    holder: Option<&mut MaybeUninit<Option<Box<sessionreg_holder>>>>,
    of: fn(&Session) -> Option<sessionreg::Holder>,
) -> Result<(), Failure> {
    let session = given(session, "session")?;
    let found = of(&session.session);
    given(holder, "holder")?.write(found.as_ref().map(|found| Box::new(found.into())));
    Ok(())
}

/// Frees a session; its record stays, whether it was closed before or not. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_session_free(session: Option<Box<sessionreg_session>>) {
    guard::value((), || drop(session));
}
