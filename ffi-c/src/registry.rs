//! # Registries
//!
//! A registry is a folder of PID files: one for each session that a process serves. Who serves
//! sessions registers them there, and everybody can ask which of them live. This is a status bar:
//!
//! ```c
//! #include <sessionreg.h>
//! #include <stdio.h>
//!
//! // What a record says was written by another program: none of it may act on a terminal.
//! static void put(sessionreg_text text) {
//!     for (size_t i = 0; i < text.length; i++)
//!         putchar(text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?');
//! }
//!
//! int main(int argc, char **argv) {
//!     const char *folder = argc > 1 ? argv[1] : NULL;
//!     sessionreg_registry *registry = NULL;
//!     sessionreg_list *list = NULL;
//!     sessionreg_error *error = NULL;
//!     if (sessionreg_registry_open(folder, NULL, &registry, &error) != SESSIONREG_STATUS_OK ||
//!         sessionreg_registry_live(registry, &list, &error) != SESSIONREG_STATUS_OK)
//!         fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
//!     for (size_t i = 0; i < sessionreg_list_len(list); i++) {
//!         const sessionreg_record *record = sessionreg_entry_record(sessionreg_list_get(list, i));
//!         printf("%lu ", (unsigned long)sessionreg_record_pid(record));
//!         put(sessionreg_record_session_id(record));
//!         putchar(' ');
//!         put(sessionreg_record_status(record));
//!         putchar('\n');
//!     }
//!     int failed = error != NULL;
//!     sessionreg_error_free(error);
//!     sessionreg_list_free(list);
//!     sessionreg_registry_free(registry);
//!     return failed;
//! }
//! ```

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionreg::{Registry, paths};

use crate::dialect::{dialect_of, sessionreg_dialect};
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, path, shared, sized, text};
use crate::list::sessionreg_list;
use crate::status::sessionreg_status;
use crate::text::{Terminated, bytes_of, sessionreg_text};

/// A registry. Threads may use one at the same time; who frees it must be alone with it.
///
/// It remembers the files that it read, so that a second scan reads only what changed: keep it.
pub struct sessionreg_registry {
    registry: Arc<Registry>,
    dir: Terminated,
    is_closed: AtomicBool,
}

impl sessionreg_registry {
    pub(crate) fn get(&self) -> Result<&Registry, Failure> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(CLOSED);
        }
        Ok(&self.registry)
    }

    /// The same for what goes on without the handle.
    pub(crate) fn share(&self) -> Result<Arc<Registry>, Failure> {
        self.get()?;
        Ok(Arc::clone(&self.registry))
    }
}

const CLOSED: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to use the registry: it is closed",
);

/// Threads share registries.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_registry>();
};

/// How a registry is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_registry_options {
    /// The size of this structure.
    pub struct_size: usize,
    /// The dialect of the folder's records, a `sessionreg_dialect`. Default: detected.
    pub dialect: u32,
}

/// Opens the registry of a folder, an absolute path or one that is meant from where the caller is
/// now; NULL: the user's own.
///
/// The user's own is `sessions` in `SESSIONREG_HOME`, else in `$XDG_STATE_HOME/sessionreg`
/// (`~/.local/state/sessionreg`), on macOS in `~/Library/Application Support/sessionreg`, on
/// Windows in `%LOCALAPPDATA%\sessionreg`.
///
/// Nothing is looked up on the file system: a folder that is not there has no sessions, and is made
/// by the first registration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_open(
    dir: *const c_char,
    options: *const sessionreg_registry_options,
    registry: Option<&mut MaybeUninit<Box<sessionreg_registry>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let dialect = if options.is_null() {
            None
        } else {
            // SAFETY: the caller keeps the header's conventions.
            let options = unsafe { sized(options, "options")? };
            // SAFETY: the caller filled it in, and numbers may be any bytes.
            dialect_of(unsafe { options.assume_init() }.dialect)?
        };
        let out = given(registry, "registry")?;
        let registry = if dir.is_null() {
            match dialect {
                None => Registry::open_default(),
                Some(dialect) => Registry::open_in(paths::home()?.join("sessions"), dialect),
            }
        } else {
            // SAFETY: the caller keeps the header's conventions.
            let dir = unsafe { path(dir, "dir")? };
            match dialect {
                None => Registry::open(dir),
                Some(dialect) => Registry::open_in(dir, dialect),
            }
        }?;
        let dir = Terminated::new(&bytes_of(registry.dir()));
        let is_closed = AtomicBool::new(false);
        let registry = Arc::new(registry);
        out.write(Box::new(sessionreg_registry { registry, dir, is_closed }));
        Ok(())
    })
}

/// The folder, an absolute path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_dir(
    registry: Option<&sessionreg_registry>,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        registry.map_or(sessionreg_text::ABSENT, |registry| registry.dir.lend())
    })
}

/// The dialect of its records; `SESSIONREG_DIALECT_DETECTED` for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_dialect(
    registry: Option<&sessionreg_registry>,
) -> sessionreg_dialect {
    const ABSENT: sessionreg_dialect = sessionreg_dialect::SESSIONREG_DIALECT_DETECTED;
    guard::value(ABSENT, || registry.map_or(ABSENT, |registry| registry.registry.dialect().into()))
}

/// Reads every record and judges it, in one pass; gives a list, for the caller to free.
///
/// A file that is called as a record and is none is among the skipped ones, with the reason: one bad
/// file hides nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_scan(
    registry: Option<&sessionreg_registry>,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(registry, list, Registry::scan))
}

/// Lists the sessions whose process is there. Those that cannot be judged from here are not among
/// them.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_live(
    registry: Option<&sessionreg_registry>,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(registry, list, Registry::live))
}

/// Counts the sessions that `sessionreg_registry_live` lists.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_count_live(
    registry: Option<&sessionreg_registry>,
    count: Option<&mut MaybeUninit<usize>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let registry = given(registry, "registry")?;
        let count = given(count, "count")?;
        count.write(registry.get()?.count_live()?);
        Ok(())
    })
}

/// Lists the records of a process, whatever their verdict.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_find_by_pid(
    registry: Option<&sessionreg_registry>,
    pid: u32,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(registry, list, |registry| registry.find_by_pid(pid)))
}

/// Lists the records of a session, whatever their verdict; several processes may serve one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_find_by_session(
    registry: Option<&sessionreg_registry>,
    session_id: *const c_char,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(registry, "registry")?;
        // SAFETY: the caller keeps the header's conventions.
        let id = unsafe { text(session_id, "session_id")? };
        find(registry, list, |registry| registry.find_by_session(id))
    })
}

/// Lists the records of a working folder, by exactly that text, whatever their verdict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_find_by_work_dir(
    registry: Option<&sessionreg_registry>,
    work_dir: *const c_char,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        given(registry, "registry")?;
        // SAFETY: the caller keeps the header's conventions.
        let work_dir = unsafe { text(work_dir, "work_dir")? };
        find(registry, list, |registry| registry.find_by_work_dir(work_dir))
    })
}

/// Lists the live sessions of the nearest process that serves any, from `pid` upwards: of a shell or
/// a language server, the sessions of the agent that started it.
///
/// It goes by the process tree, never by inherited environment variables. The list is empty if no
/// ancestor is registered, or `pid` is no process.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_owner_of(
    registry: Option<&sessionreg_registry>,
    pid: u32,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(registry, list, |registry| registry.owner_of(pid)))
}

/// Lists the live sessions of `pid` and of the processes below it: of a terminal pane's shell, the
/// agents that run in it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_find_under(
    registry: Option<&sessionreg_registry>,
    pid: u32,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || find(registry, list, |registry| registry.find_under(pid)))
}

fn find<T: Into<sessionreg_list>>(
    registry: Option<&sessionreg_registry>,
    list: Option<&mut MaybeUninit<Box<sessionreg_list>>>,
    question: impl FnOnce(&Registry) -> sessionreg::Result<T>,
) -> Result<(), Failure> {
    let registry = given(registry, "registry")?;
    let list = given(list, "list")?;
    list.write(Box::new(question(registry.get()?)?.into()));
    Ok(())
}

/// Closes a registry: every later call on it is `SESSIONREG_STATUS_CLOSED`, this one too.
///
/// Its sessions and claims are not touched by that, and go on without it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_registry_close(
    registry: *mut sessionreg_registry,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let registry = unsafe { shared(registry, "registry")? };
        if registry.is_closed.swap(true, Ordering::AcqRel) {
            return Err(CLOSED);
        }
        Ok(())
    })
}

/// Frees a registry, closed or not; its folder, sessions and claims stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_registry_free(registry: Option<Box<sessionreg_registry>>) {
    guard::value((), || drop(registry));
}
