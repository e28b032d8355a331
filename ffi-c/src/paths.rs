//! # Where sidecars lie

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{given, path, session_id, text};
use crate::status::sessionreg_status;
use crate::text::{bytes_of, hand_out};

/// Whether a session id may become part of a path; `SESSIONREG_STATUS_INVALID_ID` if not.
///
/// Refused are an empty id; one longer than 200 bytes; any of `/ \ : * ? " < > |` or a control
/// character; `..` anywhere; a leading `.` or `-`; a trailing `.` or space; a Windows device name
/// (`CON`, `PRN`, `AUX`, `NUL`, `COM1`-`COM9`, `LPT1`-`LPT9`), with or without an extension.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_session_id_check(
    session_id: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        unsafe { self::session_id(session_id, "session_id") }.map(drop)
    })
}

/// Gives the sidecar of a session below a project folder,
/// `<project_dir>/chats/<session_id>.runtime.json`, for the caller to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_sidecar_in_project(
    project_dir: *const c_char,
    session_id: *const c_char,
    path: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (folder, id) = unsafe {
            (self::path(project_dir, "project_dir")?, self::session_id(session_id, "session_id")?)
        };
        let sidecar = sessionreg::paths::sidecar_in_project(folder, &id);
        given(path, "path")?.write(hand_out(bytes_of(&sidecar))?);
        Ok(())
    })
}

/// Gives the sidecar that a known program writes for a session served in `work_dir`, for the caller
/// to free.
///
/// `home` is the program's own data folder; NULL takes the one that its environment variables name,
/// else its default below the user's home.
///
///     qwen-code   <home>/projects/<encoded work_dir>/chats/<id>.runtime.json
///                 QWEN_RUNTIME_DIR, QWEN_HOME, ~/.qwen
///     kimi-cli    <home>/sessions/<MD5 of work_dir>/<id>/runtime.json
///                 KIMI_SHARE_DIR, ~/.kimi
///
/// Another agent, a relative `work_dir`, or no home to be found is
/// `SESSIONREG_STATUS_INVALID_INPUT`. Nothing is looked up on the file system.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_sidecar_of(
    agent: *const c_char,
    work_dir: *const c_char,
    session_id: *const c_char,
    home: *const c_char,
    path: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let (agent, work_dir, id) = unsafe {
            (
                text(agent, "agent")?,
                text(work_dir, "work_dir")?,
                self::session_id(session_id, "session_id")?,
            )
        };
        let home = if home.is_null() {
            None
        } else {
            // SAFETY: the caller keeps the header's conventions.
            Some(unsafe { self::path(home, "home")? })
        };
        let sidecar = sessionreg::paths::sidecar_of(agent, work_dir, &id, home)?;
        given(path, "path")?.write(hand_out(bytes_of(&sidecar))?);
        Ok(())
    })
}
