//! # What a record says
//!
//! All but the pid, the session id, the working folder, the start and the version key may be absent.

use crate::guard;
use crate::record::sessionreg_record;
use crate::text::sessionreg_text;
use crate::texts::Text;

/// The process that serves the session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_pid(record: Option<&sessionreg_record>) -> u32 {
    guard::value(0, || record.map_or(0, |record| record.get().pid))
}

/// The session's id. It is whatever the file says, and may contain NUL: see
/// `sessionreg_session_id_check` before making a path of it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_session_id(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::SessionId)
}

/// The folder in which the session works.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_work_dir(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::WorkDir)
}

/// The host's name, for people to read.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_hostname(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::Hostname)
}

/// When the session began, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_started_at(record: Option<&sessionreg_record>) -> f64 {
    time(record, |record| Some(record.started_at))
}

/// The version of the program.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_agent_version(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::AgentVersion)
}

/// The key under which a file holds the version of the program, such as `qwen_version`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_version_key(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::VersionKey)
}

/// `<boot>:<start>`, or the start alone. Linux: boot id and start time in clock ticks since boot
/// (field 22 of proc(5) `/proc/<pid>/stat`). macOS: boot session UUID and start in microseconds
/// since the epoch. Windows: host key and creation FILETIME.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_proc_start(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::ProcStart)
}

/// Inode of the process's pidfd, as decimal digits: unique in a boot, Linux 6.9 and later.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_pid_inode(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::PidInode)
}

/// Keyed hash of the machine id: equal on one machine, and tells nothing about it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_host_key(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::HostKey)
}

/// `linux`, `darwin` or `win32`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_platform(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::Platform)
}

/// Inode of the PID namespace in which the pid is meant (Linux).
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_pid_ns(record: Option<&sessionreg_record>) -> i64 {
    number(record, |record| record.identity.pid_ns)
}

/// Inode of the time namespace in which the start was read (Linux).
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_time_ns(record: Option<&sessionreg_record>) -> i64 {
    number(record, |record| record.identity.time_ns)
}

/// 32 hex digits, random for every registration.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_instance(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::Instance)
}

/// Counts the writes of a registration; who owns the record raises it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_revision(record: Option<&sessionreg_record>) -> i64 {
    number(record, |record| record.revision)
}

/// The program, such as `qwen-code`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_agent(record: Option<&sessionreg_record>) -> sessionreg_text {
    text(record, Text::Agent)
}

/// The kind of session, such as `interactive` or `headless`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_kind(record: Option<&sessionreg_record>) -> sessionreg_text {
    text(record, Text::Kind)
}

/// A name for people.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_name(record: Option<&sessionreg_record>) -> sessionreg_text {
    text(record, Text::Name)
}

/// How the program was started, such as `cli` or `sdk-ts`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_entrypoint(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::Entrypoint)
}

/// The log of the session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_transcript_path(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::TranscriptPath)
}

/// The session that this one came from.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_parent_session_id(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::ParentSessionId)
}

/// The terminal multiplexer in which the session is shown, such as `tmux` or `zellij`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_terminal_multiplexer(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::TerminalMultiplexer)
}

/// The multiplexer's session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_terminal_session(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::TerminalSession)
}

/// The pane in it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_terminal_pane(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::TerminalPane)
}

/// What the session is doing, such as `busy`, `idle` or `waiting`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_status(record: Option<&sessionreg_record>) -> sessionreg_text {
    text(record, Text::Status)
}

/// What a `waiting` session waits for.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_waiting_for(
    record: Option<&sessionreg_record>,
) -> sessionreg_text {
    text(record, Text::WaitingFor)
}

/// When the record was last updated, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_updated_at(record: Option<&sessionreg_record>) -> f64 {
    time(record, |record| record.updated_at)
}

/// When the status last changed, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_status_updated_at(record: Option<&sessionreg_record>) -> f64 {
    time(record, |record| record.status_updated_at)
}

fn text(record: Option<&sessionreg_record>, text: Text) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        record.map_or(sessionreg_text::ABSENT, |record| record.lend(text))
    })
}

fn time(
    record: Option<&sessionreg_record>,
    field: impl FnOnce(&sessionreg::Record) -> Option<f64>,
) -> f64 {
    guard::value(f64::NAN, || record.and_then(|record| field(record.get())).unwrap_or(f64::NAN))
}

/// No number that a file may hold is beyond `i64`.
fn number(
    record: Option<&sessionreg_record>,
    field: impl FnOnce(&sessionreg::Record) -> Option<u64>,
) -> i64 {
    guard::value(-1, || {
        record
            .and_then(|record| field(record.get()))
            .and_then(|number| i64::try_from(number).ok())
            .unwrap_or(-1)
    })
}
