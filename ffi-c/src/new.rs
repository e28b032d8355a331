//! # Registering a session
//!
//! A program that serves a session, and that no failure to say so keeps from it:
//!
//! ```c
//! #include <sessionreg.h>
//! #include <stdio.h>
//!
//! // A session that cannot be registered is served all the same.
//! static void complain(void *context, const sessionreg_error *error) {
//!     fprintf(context, "%s\n", sessionreg_error_message(error).data);
//! }
//!
//! int main(int argc, char **argv) {
//!     const char *folder = argc > 1 ? argv[1] : NULL;
//!     sessionreg_registry *registry = NULL;
//!     sessionreg_session *session = NULL;
//!     sessionreg_new new_session = SESSIONREG_NEW_INIT;
//!     new_session.session_id = "3f1c";
//!     new_session.work_dir = "/srv/project";
//!     new_session.agent = "my-agent";
//!     new_session.status = "idle";
//!     new_session.on_error = complain;
//!     new_session.on_error_context = stderr;
//!     if (sessionreg_registry_open(folder, NULL, &registry, NULL) == SESSIONREG_STATUS_OK)
//!         sessionreg_registry_register(registry, &new_session, &session, NULL);
//!
//!     char line[256];
//!     while (fgets(line, sizeof line, stdin) != NULL) {
//!         sessionreg_session_update(session, "{\"status\": \"busy\"}", NULL);
//!         // ... the model works here ...
//!         sessionreg_session_update(session, "{\"status\": \"idle\"}", NULL);
//!     }
//!     sessionreg_session_close(session, NULL);
//!     sessionreg_session_free(session);
//!     sessionreg_registry_free(registry);
//!     return 0;
//! }
//! ```

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::path::Path;

use sessionreg::{Extra, New, Registry, Session, Terminal};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, is_true, optional_text, path, sized, text};
use crate::registry::sessionreg_registry;
use crate::session::{OnError, sessionreg_on_error, sessionreg_session};
use crate::status::sessionreg_status;

/// A session to be registered. The text is copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_new {
    /// The size of this structure.
    pub struct_size: usize,
    /// The session's id. It must be given.
    pub session_id: *const c_char,
    /// The folder in which the session works, an absolute path. It must be given.
    pub work_dir: *const c_char,
    /// The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`.
    pub agent: *const c_char,
    /// The version of the program.
    pub agent_version: *const c_char,
    /// The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`. Default:
    /// what the environment variable `SESSIONREG_KIND` says.
    pub kind: *const c_char,
    /// A name for people.
    pub name: *const c_char,
    /// How the program was started, such as `cli` or `sdk-ts`.
    pub entrypoint: *const c_char,
    /// What the session is doing, such as `busy`, `idle` or `waiting`.
    pub status: *const c_char,
    /// The log of the session.
    pub transcript_path: *const c_char,
    /// The session that this one came from.
    pub parent_session_id: *const c_char,
    /// Where the session is shown: the multiplexer, such as `tmux` or `zellij`,
    pub terminal_multiplexer: *const c_char,
    /// its session,
    pub terminal_session: *const c_char,
    /// and the pane in it.
    pub terminal_pane: *const c_char,
    /// Where a sidecar goes: a path in which `{id}` stands for the session id, such as
    /// `chats/{id}.runtime.json`. Default: there is none.
    pub sidecar: *const c_char,
    /// Publish a PID file. Without one the session is known by its sidecar alone, which then also
    /// tells what it is doing. Default: true.
    pub pid_file: bool,
    /// Leave the sidecar in place when the session is closed. Default: false.
    pub keep_sidecar: bool,
    /// The process that serves the session; 0: the calling one. The record of another process is
    /// not removed by this one.
    pub pid: u32,
    /// Further keys with their values, as the text of a JSON object.
    pub extra_json: *const c_char,
    /// Is told of every failure of the session, in addition to what the failing call returns.
    pub on_error: sessionreg_on_error,
    /// The first argument of `on_error`. It must stay for as long as the session is used.
    pub on_error_context: *mut c_void,
}

/// Registers a session: publishes its PID file and, where it is asked for, its sidecar. All of it,
/// or nothing.
///
/// It does not fail because another process has a name. A sidecar whose holder may live is left
/// alone, and `sessionreg_session_sidecar_holder` names the holder. In a folder with one file for
/// each process (`SESSIONREG_DIALECT_CLAUDE`) the session is not registered then, and
/// `sessionreg_session_pid_file_holder` names the holder; a second session of one process is
/// `SESSIONREG_STATUS_INVALID_INPUT` there.
///
/// With `new_session->on_error` a registration that fails is `SESSIONREG_STATUS_OK` too, so that a
/// full disk keeps no program from its work: `on_error` is told why, and the session is not
/// registered, as `sessionreg_session_registered` says. Its calls are
/// `SESSIONREG_STATUS_NOT_FOUND` and do nothing. Only what cannot be read as a
/// `sessionreg_new`, such as text that is not UTF-8, is an error nevertheless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_register(
    registry: Option<&sessionreg_registry>,
    new_session: *const sessionreg_new,
    session: Option<&mut MaybeUninit<Box<sessionreg_session>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let registry = given(registry, "registry")?.get()?;
        // SAFETY: the caller keeps the header's conventions.
        let new = unsafe { sized(new_session, "new_session")? };
        let session = given(session, "session")?;
        let at = new.as_ptr();
        // SAFETY: both are members of the copy, filled in by the caller, who keeps the header's
        // conventions.
        let on_error = unsafe { OnError::new((*at).on_error, (*at).on_error_context) };
        // SAFETY: the caller keeps the header's conventions.
        let new = unsafe { read(at) }.inspect_err(|failure| on_error.tell(failure))?;
        let registered = register(registry, &new, on_error)?;
        session.write(sessionreg_session::boxed(registered, on_error));
        Ok(())
    })
}

fn register(registry: &Registry, new: &New, on_error: OnError) -> Result<Session, Failure> {
    match registry.register_or_tell(new) {
        (session, None) => Ok(session),
        (session, Some(error)) if on_error.is_given() => {
            on_error.tell(&error.into());
            Ok(session)
        }
        (_, Some(error)) => Err(error.into()),
    }
}

/// # Safety
/// The pointer points to a structure that was filled in; its members are NULL or text that stays for
/// the time of this call.
unsafe fn read(new: *const sessionreg_new) -> Result<New, Failure> {
    // SAFETY: the caller's promise; a `bool` that C filled in may be any byte, and is read as one.
    let (pid_file, keep_sidecar) =
        unsafe { (is_true(&raw const (*new).pid_file), is_true(&raw const (*new).keep_sidecar)) };
    let owned = |pointer, name| {
        // SAFETY: the caller's promise.
        unsafe { optional_text(pointer, name) }.map(|text| text.map(str::to_owned))
    };
    // SAFETY: the caller's promise; each member but those above may be any bytes.
    unsafe {
        let id = text((*new).session_id, "session_id")?;
        let mut made = New::session(id, text((*new).work_dir, "work_dir")?);
        made.agent = owned((*new).agent, "agent")?;
        made.agent_version = owned((*new).agent_version, "agent_version")?;
        made.kind = owned((*new).kind, "kind")?;
        made.name = owned((*new).name, "name")?;
        made.entrypoint = owned((*new).entrypoint, "entrypoint")?;
        made.status = owned((*new).status, "status")?;
        made.transcript_path = owned((*new).transcript_path, "transcript_path")?;
        made.parent_session_id = owned((*new).parent_session_id, "parent_session_id")?;
        let terminal = Terminal::new(
            owned((*new).terminal_multiplexer, "terminal_multiplexer")?,
            owned((*new).terminal_session, "terminal_session")?,
            owned((*new).terminal_pane, "terminal_pane")?,
        );
        made.terminal = Some(terminal).filter(|terminal| *terminal != Terminal::default());
        if !(*new).sidecar.is_null() {
            made.sidecar = Some(path((*new).sidecar, "sidecar").map(Path::to_owned)?);
        }
        made.pid_file = pid_file;
        made.keep_sidecar = keep_sidecar;
        made.pid = Some((*new).pid).filter(|pid| *pid != 0);
        if let Some(extra) = optional_text((*new).extra_json, "extra_json")? {
            made.extra = Extra::from_json(extra)?;
        }
        Ok(made)
    }
}
