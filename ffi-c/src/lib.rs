//! sessionreg: which agent sessions run on this machine.
//!
//! A session record is one small JSON file that says which process serves a session, in which
//! folder, and since when. This library makes such records, writes them so that every reader sees
//! a complete one at every instant, reads them strictly, removes them safely, and judges whether
//! the process that a record names is still there. A registry is a folder of such files: in it a
//! program registers the sessions that it serves, and everybody can see which of them live. A snapshot
//! shows every agent session on the machine, whatever program serves it, and a monitor tells what
//! changes.
//!
//! # A program in ten lines
//!
//! It says of each file that it is given whether the session in it is alive, and how that is known.
//! Build it with `cc judge.c $(pkg-config --cflags --libs sessionreg)`.
//!
//! ```c
//! #include <sessionreg.h>
//! #include <stdio.h>
//!
//! int main(int argc, char **argv) {
//!     for (int i = 1; i < argc; i++) {
//!         sessionreg_record *record = NULL;
//!         sessionreg_verdict verdict;
//!         if (sessionreg_load(argv[i], &record, NULL) == SESSIONREG_STATUS_OK &&
//!             sessionreg_liveness(record, &verdict, NULL) == SESSIONREG_STATUS_OK) {
//!             printf("%s: %s (%s)\n", argv[i], sessionreg_state_string(verdict.state),
//!                    sessionreg_reason_string(verdict.reason));
//!         }
//!         sessionreg_record_free(record);
//!     }
//! }
//! ```
//!
//! And this is how a program says that it serves a session, until the session ends:
//!
//! ```c
//! sessionreg_record *record = NULL;
//! sessionreg_error *error = NULL;
//! sessionreg_fields fields = SESSIONREG_FIELDS_INIT;
//! fields.session_id = "3f1c";
//! fields.work_dir = "/srv/project";
//! fields.agent = "qwen-code";
//! if (sessionreg_record_new(&fields, &record, &error) != SESSIONREG_STATUS_OK ||
//!     sessionreg_write("chats/3f1c.runtime.json", record, NULL, &error) != SESSIONREG_STATUS_OK) {
//!     fprintf(stderr, "%s\n", sessionreg_error_message(error).data);
//!     sessionreg_error_free(error);
//!     sessionreg_record_free(record);
//!     return 1;
//! }
//! // ... the session is served here ...
//! bool removed = false;
//! sessionreg_clear_if("chats/3f1c.runtime.json", record, &removed, NULL);
//! sessionreg_record_free(record);
//! ```
//!
//! # Conventions
//!
//! Order. The object comes first, then what goes in, then what comes out, then the error.
//!
//! Status. A function that can fail returns a `sessionreg_status`. What comes out is written only
//! on success; until then the caller's variables stay as they were.
//!
//! Errors. The last parameter of such a function, `error`, may be NULL. Otherwise a failure puts a
//! `sessionreg_error` there, which is the caller's to free; success leaves it alone. It is only
//! written, so an error that is still in the variable is lost: free it first.
//!
//! NULL. It is allowed for `options`, for `error`, for `home` and `dir`, in every `_free`, for
//! members of a structure, and where a function says so. Anywhere else it is
//! `SESSIONREG_STATUS_INVALID_INPUT`; a function that returns a value instead of a status returns
//! the absent value.
//!
//! Handles. What ends something reports, as `_close`, `_leave` and `_release` do: the handle stays,
//! and every later call on it is `SESSIONREG_STATUS_CLOSED`. `_free` is for the memory alone: it
//! comes once and last, and nothing that others see changes by it. Only a caller of a restore table
//! who is freed while he waits, runs a restore or is subscribed has left, as their types say.
//!
//! Borrowed. What a function returns as a pointer to `const` belongs to the object that was asked,
//! stays until that is freed, and is never freed itself.
//!
//! Absent values. NULL for text, 0 for a pid, NaN for a time, -1 for any other number; going in
//! they say: not given, coming out: not there.
//!
//! Text. All of it is UTF-8. Text that goes in ends with NUL. Text that comes out does so too, and
//! has its length besides, as a session id may contain NUL: it is borrowed, and stays until its
//! object is changed or freed. A `char *` that a function hands out is the caller's, to be freed by
//! `sessionreg_string_free` and by nothing else.
//!
//! Paths. On Unix any bytes but NUL, on Windows UTF-8.
//!
//! Options. A structure of options or fields begins with its own size, so that it may grow. Begin
//! with its `_INIT` macro, which names every member, and change what is to be different. Another
//! size than that of a version which this library knows is `SESSIONREG_STATUS_INVALID_INPUT`.
//!
//! Time. Seconds since the Unix epoch, with fractions. How long to wait, and what ends in `_ms`, is in
//! milliseconds, and -1 is without end or as it is by default.
//!
//! Threads. Every function may be called from every thread. What threads may do with one object at
//! the same time is said with its type; a structure whose members are shown is plain memory.
//!
//! Fork. Nothing here belongs to a thread or holds a lock between two calls. A forked child may use
//! and free what it inherited; no file is removed by that. Sessions, claims and monitors stay the
//! parent's: to change or to use one is `SESSIONREG_STATUS_CLOSED` in the child, as is to use a
//! restore table, or what that gave.
//!
//! Defects. Should one of this library's own show itself by a panic, the call returns
//! `SESSIONREG_STATUS_PANIC` and the process goes on; a message is on standard error.
//!
//! Numbers. The numbers of statuses, states, reasons, dialects and sources are fixed, and none is
//! ever used for something else. Later versions may add some: be prepared for one that this header
//! does not name.

#![allow(
    non_camel_case_types, // The types have the names that the header gives them.
    clippy::missing_safety_doc, // The header's conventions are what every caller must keep.
)]

mod agent_texts;
mod guard;
mod input;
mod own;
mod texts;
mod words;

// Each of these is a section of the header.
pub mod agent_getters;
pub mod agent_session;
pub mod agent_sessions;
pub mod batch;
pub mod claim;
pub mod cleaned;
pub mod dialect;
pub mod error;
pub mod extra;
pub mod fields;
pub mod file;
pub mod getters;
pub mod holder;
pub mod json;
pub mod list;
pub mod monitor;
pub mod new;
pub mod paths;
pub mod polled;
pub mod record;
pub mod registry;
pub mod session;
pub mod skipped;
pub mod snapshot;
pub mod sources;
pub mod status;
pub mod sweep;
pub mod text;
pub mod verdict;

pub mod channel;
pub mod details;
pub mod events;
pub mod lease;
pub mod restore;
pub mod restored;
pub mod restoring;
pub mod waiting;
