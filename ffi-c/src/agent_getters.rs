//! # What an agent session says
//!
//! All but its key, its verdict, its sources and its files may be absent.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use sessionreg::AgentSession;

use crate::agent_session::sessionreg_agent_session;
use crate::agent_texts::Text;
use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{given, text as text_of};
use crate::status::sessionreg_status;
use crate::text::{hand_out, sessionreg_text};
use crate::verdict::sessionreg_verdict;

/// Whether its process was there, by the best evidence, and how that is known.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_verdict(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_verdict {
    guard::value(sessionreg_verdict::ABSENT, || {
        session.map_or(sessionreg_verdict::ABSENT, |session| session.get().verdict.into())
    })
}

/// What identifies it: the registration, where there is one, so that a process that moves to another
/// session keeps it. It is never absent.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_key(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Key)
}

/// The program, such as `qwen-code`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_agent(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Agent)
}

/// The session's id; absent of a process of which only the folder is known. It is whatever a file
/// says, and may contain NUL: see `sessionreg_session_id_check` before making a path of it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_session_id(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::SessionId)
}

/// The process that serves it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_pid(session: Option<&sessionreg_agent_session>) -> u32 {
    guard::value(0, || session.and_then(|session| session.get().pid).unwrap_or(0))
}

/// The controlling terminal of the process, such as `pts/3`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_tty(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Tty)
}

/// The folder in which the session works.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_work_dir(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::WorkDir)
}

/// The kind of session, such as `interactive` or `headless`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_kind(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Kind)
}

/// What the session is doing: `busy`, `idle`, `waiting`, or a word of the program's own.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_status(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Status)
}

/// What a `waiting` session waits for.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_waiting_for(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::WaitingFor)
}

/// A name for people.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_name(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::Name)
}

/// When it began, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_started_at(
    session: Option<&sessionreg_agent_session>,
) -> f64 {
    time(session, |session| session.started_at)
}

/// When something was last said of it, in seconds since the Unix epoch.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_updated_at(
    session: Option<&sessionreg_agent_session>,
) -> f64 {
    time(session, |session| session.updated_at)
}

/// The session that it came from.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_parent_session_id(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::ParentSessionId)
}

/// The terminal multiplexer in which it is shown, such as `tmux` or `zellij`.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_terminal_multiplexer(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::TerminalMultiplexer)
}

/// The multiplexer's session.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_terminal_session(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::TerminalSession)
}

/// The pane in it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_terminal_pane(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::TerminalPane)
}

/// Its log, as bytes of a path.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_transcript_path(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::TranscriptPath)
}

/// When its log was last written, in nanoseconds since the Unix epoch; -1 if it is not there.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_transcript_mtime_ns(
    session: Option<&sessionreg_agent_session>,
) -> i64 {
    number(session, |session| session.transcript.as_ref()?.mtime_ns)
}

/// Tokens of its context that are in use after the last answer, by its log.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_context_usage_current_tokens(
    session: Option<&sessionreg_agent_session>,
) -> i64 {
    number(session, |session| Some(session.context_usage?.current_tokens))
}

/// How many tokens its model takes, where its log says so.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_context_usage_window(
    session: Option<&sessionreg_agent_session>,
) -> i64 {
    number(session, |session| session.context_usage?.window)
}

/// Tokens that were in use when the present turn began.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_turn_start_tokens(
    session: Option<&sessionreg_agent_session>,
) -> i64 {
    number(session, |session| session.turn_start_tokens)
}

/// The session that took its place in its terminal.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_superseded_by(
    session: Option<&sessionreg_agent_session>,
) -> sessionreg_text {
    text(session, Text::SupersededBy)
}

/// How many sources speak of it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_sources_len(
    session: Option<&sessionreg_agent_session>,
) -> usize {
    guard::value(0, || session.map_or(0, |session| session.get().sources.len()))
}

/// The name of a source that speaks of it, such as `registry`; they are ordered. Absent beyond the
/// last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_sources_get(
    session: Option<&sessionreg_agent_session>,
    index: usize,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        session.map_or(sessionreg_text::ABSENT, |session| {
            session.texts().lend_source(session.get(), index)
        })
    })
}

/// How many files speak of it.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_files_len(
    session: Option<&sessionreg_agent_session>,
) -> usize {
    guard::value(0, || session.map_or(0, |session| session.get().files.len()))
}

/// A file that speaks of it, as bytes of a path; they are ordered. Absent beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_files_get(
    session: Option<&sessionreg_agent_session>,
    index: usize,
) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        session.map_or(sessionreg_text::ABSENT, |session| {
            session.texts().lend_file(session.get(), index)
        })
    })
}

/// How many other keys its record has.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_extra_count(
    session: Option<&sessionreg_agent_session>,
) -> usize {
    guard::value(0, || session.map_or(0, |session| session.get().extra.len()))
}

/// Gives the value of another key of its record as JSON text, for the caller to free, or NULL if it
/// does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_agent_session_extra_get(
    session: Option<&sessionreg_agent_session>,
    key: *const c_char,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        // SAFETY: the caller keeps the header's conventions.
        let key = unsafe { text_of(key, "key")? };
        let json = given(json, "json")?;
        json.write(match session.get().extra.get(key) {
            Some(value) => hand_out(value)?,
            None => ptr::null_mut(),
        });
        Ok(())
    })
}

/// Gives all other keys of its record with their values as one JSON object, for the caller to free.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_agent_session_extra_to_json(
    session: Option<&sessionreg_agent_session>,
    json: Option<&mut MaybeUninit<*mut c_char>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let session = given(session, "session")?;
        given(json, "json")?.write(hand_out(session.get().extra.to_json())?);
        Ok(())
    })
}

fn text(session: Option<&sessionreg_agent_session>, text: Text) -> sessionreg_text {
    guard::value(sessionreg_text::ABSENT, || {
        session.map_or(sessionreg_text::ABSENT, |session| session.texts().lend(session.get(), text))
    })
}

fn time(
    session: Option<&sessionreg_agent_session>,
    field: impl FnOnce(&AgentSession) -> Option<f64>,
) -> f64 {
    guard::value(f64::NAN, || session.and_then(|session| field(session.get())).unwrap_or(f64::NAN))
}

/// What a hostile file counts is no more than fits.
fn number<T: TryInto<i64>>(
    session: Option<&sessionreg_agent_session>,
    field: impl FnOnce(&AgentSession) -> Option<T>,
) -> i64 {
    guard::value(-1, || match session.and_then(|session| field(session.get())) {
        Some(number) => number.try_into().unwrap_or(i64::MAX),
        None => -1,
    })
}
