//! # Making a record

use std::ffi::c_char;
use std::mem::MaybeUninit;

use sessionreg::{Record, Terminal};

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::{Failure, given, optional_text, sized, text};
use crate::record::sessionreg_record;
use crate::status::sessionreg_status;

/// What a record is made of, or changed to.
///
/// Absent members say: the default, or, for `sessionreg_record_set`, as it was. The text is copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sessionreg_fields {
    /// The size of this structure.
    pub struct_size: usize,
    /// The process that serves the session; 0: the calling one.
    pub pid: u32,
    /// The session's id. It must be given when a record is made. See
    /// `sessionreg_session_id_check` before making a path of it.
    pub session_id: *const c_char,
    /// The folder in which the session works, an absolute path. It must be given when a record is
    /// made.
    pub work_dir: *const c_char,
    /// The host's name, for people to read. Default: as the system gives it.
    pub hostname: *const c_char,
    /// When the session began, in seconds since the Unix epoch. Default: now.
    pub started_at: f64,
    /// The version of the program.
    pub agent_version: *const c_char,
    /// The key under which a file holds `agent_version`, such as `qwen_version`. Default: the one
    /// that the record was read with, else the agent's, else `agent_version`.
    pub version_key: *const c_char,
    /// The program: `[a-z][a-z0-9-]{0,31}`, such as `qwen-code`; not `schema`.
    pub agent: *const c_char,
    /// The kind of session: `[a-z][a-z0-9-]{0,15}`, such as `interactive` or `headless`.
    pub kind: *const c_char,
    /// A name for people.
    pub name: *const c_char,
    /// How the program was started, such as `cli` or `sdk-ts`.
    pub entrypoint: *const c_char,
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
    /// What the session is doing, such as `busy`, `idle` or `waiting`.
    pub status: *const c_char,
    /// What a `waiting` session waits for.
    pub waiting_for: *const c_char,
    /// When the record was last updated, in seconds since the Unix epoch.
    pub updated_at: f64,
    /// When the status last changed, in seconds since the Unix epoch.
    pub status_updated_at: f64,
}

/// Makes a record of the calling process, with all that tells it from others: the record of a new
/// registration.
///
/// If `fields->pid` is given, the record is of that process instead, which is not looked up: it
/// holds no identity, so that nobody can tell the process from a later one with its pid.
/// `sessionreg_record_of_process` looks it up.
///
/// What no reader would accept is refused when the record is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_new(
    fields: *const sessionreg_fields,
    record: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let fields = unsafe { Fields::of(fields)? };
        let (id, work_dir) = fields.required()?;
        let record = given(record, "record")?;
        let made = match fields.pid {
            0 => Record::new(id, work_dir),
            pid => Record::plain(pid, id, work_dir),
        };
        record.write(sessionreg_record::boxed(fields.applied_to(made)));
        Ok(())
    })
}

/// Makes a record of the process `fields->pid`, whose identity is read now: the record of a new
/// registration, made by another process than the one that serves it.
///
/// `SESSIONREG_STATUS_NOT_FOUND` if no process has that pid, `SESSIONREG_STATUS_INVALID_INPUT` if
/// none can.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_of_process(
    fields: *const sessionreg_fields,
    record: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        // SAFETY: the caller keeps the header's conventions.
        let fields = unsafe { Fields::of(fields)? };
        let (id, work_dir) = fields.required()?;
        let record = given(record, "record")?;
        let made = Record::of_process(fields.pid, id, work_dir)?;
        record.write(sessionreg_record::boxed(fields.applied_to(made)));
        Ok(())
    })
}

/// Changes the fields that are given; the others stay, and so do the identity of the process, the
/// instance and where the record was read from.
///
/// A record stays with its process: `fields->pid` must be 0. `sessionreg_record_unset` takes a field
/// away. Text that was borrowed from the record is no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_set(
    record: Option<&mut sessionreg_record>,
    fields: *const sessionreg_fields,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        // SAFETY: the caller keeps the header's conventions.
        let fields = unsafe { Fields::of(fields)? };
        if fields.pid != 0 {
            return Err(Failure::argument("pid", "a record stays with its process"));
        }
        record.change(|record| fields.apply(record));
        Ok(())
    })
}

/// Takes an optional field away: it is absent then. One that is absent already stays so.
///
/// `field` is the name of a member of `sessionreg_fields`: `agent_version`, `agent`, `kind`, `name`,
/// `entrypoint`, `transcript_path`, `parent_session_id`, `terminal_multiplexer`,
/// `terminal_session`, `terminal_pane`, `status`, `waiting_for`, `updated_at` or
/// `status_updated_at`. Any other is `SESSIONREG_STATUS_INVALID_INPUT`. Text that was borrowed from
/// the record is no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sessionreg_record_unset(
    record: Option<&mut sessionreg_record>,
    field: *const c_char,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        // SAFETY: the caller keeps the header's conventions.
        let name = unsafe { text(field, "field")? };
        let Some((_, field)) = OPTIONAL.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = OPTIONAL.iter().map(|(name, _)| *name).collect();
            let reason = format!("it is none of {}", names.join(", "));
            return Err(Failure::argument("field", reason));
        };
        record.change(|record| field.unset(record));
        Ok(())
    })
}

/// Where a record keeps a field that may be absent.
enum Optional {
    OfRecord(fn(&mut Record) -> &mut Option<String>),
    OfTerminal(fn(&mut Terminal) -> &mut Option<String>),
    Time(fn(&mut Record) -> &mut Option<f64>),
}

/// The fields that may be taken away, by the names of their members.
const OPTIONAL: [(&str, Optional); 14] = [
    ("agent_version", Optional::OfRecord(|record| &mut record.agent_version)),
    ("agent", Optional::OfRecord(|record| &mut record.agent)),
    ("kind", Optional::OfRecord(|record| &mut record.kind)),
    ("name", Optional::OfRecord(|record| &mut record.name)),
    ("entrypoint", Optional::OfRecord(|record| &mut record.entrypoint)),
    ("transcript_path", Optional::OfRecord(|record| &mut record.transcript_path)),
    ("parent_session_id", Optional::OfRecord(|record| &mut record.parent_session_id)),
    ("terminal_multiplexer", Optional::OfTerminal(|terminal| &mut terminal.multiplexer)),
    ("terminal_session", Optional::OfTerminal(|terminal| &mut terminal.session)),
    ("terminal_pane", Optional::OfTerminal(|terminal| &mut terminal.pane)),
    ("status", Optional::OfRecord(|record| &mut record.status)),
    ("waiting_for", Optional::OfRecord(|record| &mut record.waiting_for)),
    ("updated_at", Optional::Time(|record| &mut record.updated_at)),
    ("status_updated_at", Optional::Time(|record| &mut record.status_updated_at)),
];

impl Optional {
    fn unset(&self, record: &mut Record) {
        match self {
            Self::OfRecord(field) => *field(record) = None,
            Self::Time(field) => *field(record) = None,
            Self::OfTerminal(field) => {
                if let Some(terminal) = &mut record.terminal {
                    *field(terminal) = None;
                }
                // A terminal of which nothing is known is none.
                record.terminal.take_if(|terminal| *terminal == Terminal::default());
            }
        }
    }
}

/// The given fields, checked to be text.
struct Fields<'a> {
    pid: u32,
    session_id: Option<&'a str>,
    work_dir: Option<&'a str>,
    hostname: Option<&'a str>,
    started_at: f64,
    agent_version: Option<&'a str>,
    version_key: Option<&'a str>,
    agent: Option<&'a str>,
    kind: Option<&'a str>,
    name: Option<&'a str>,
    entrypoint: Option<&'a str>,
    transcript_path: Option<&'a str>,
    parent_session_id: Option<&'a str>,
    terminal_multiplexer: Option<&'a str>,
    terminal_session: Option<&'a str>,
    terminal_pane: Option<&'a str>,
    status: Option<&'a str>,
    waiting_for: Option<&'a str>,
    updated_at: f64,
    status_updated_at: f64,
}

impl<'a> Fields<'a> {
    /// # Safety
    /// The pointer is NULL or points to as many bytes as its first member says; the members are
    /// NULL or text that stays for as long as the result is used.
    unsafe fn of(fields: *const sessionreg_fields) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let fields = unsafe { sized(fields, "fields")? };
        // SAFETY: the caller filled it in, and numbers and pointers may be any bytes.
        let fields = unsafe { fields.assume_init() };
        let given = |pointer, name| {
            // SAFETY: the caller's promise.
            unsafe { optional_text(pointer, name) }
        };
        Ok(Self {
            pid: fields.pid,
            session_id: given(fields.session_id, "session_id")?,
            work_dir: given(fields.work_dir, "work_dir")?,
            hostname: given(fields.hostname, "hostname")?,
            started_at: fields.started_at,
            agent_version: given(fields.agent_version, "agent_version")?,
            version_key: given(fields.version_key, "version_key")?,
            agent: given(fields.agent, "agent")?,
            kind: given(fields.kind, "kind")?,
            name: given(fields.name, "name")?,
            entrypoint: given(fields.entrypoint, "entrypoint")?,
            transcript_path: given(fields.transcript_path, "transcript_path")?,
            parent_session_id: given(fields.parent_session_id, "parent_session_id")?,
            terminal_multiplexer: given(fields.terminal_multiplexer, "terminal_multiplexer")?,
            terminal_session: given(fields.terminal_session, "terminal_session")?,
            terminal_pane: given(fields.terminal_pane, "terminal_pane")?,
            status: given(fields.status, "status")?,
            waiting_for: given(fields.waiting_for, "waiting_for")?,
            updated_at: fields.updated_at,
            status_updated_at: fields.status_updated_at,
        })
    }

    fn required(&self) -> Result<(&'a str, &'a str), Failure> {
        Ok((given(self.session_id, "session_id")?, given(self.work_dir, "work_dir")?))
    }

    fn applied_to(&self, mut record: Record) -> Record {
        self.apply(&mut record);
        record
    }

    fn apply(&self, record: &mut Record) {
        fn put(field: &mut Option<String>, text: Option<&str>) {
            if let Some(text) = text {
                *field = Some(text.to_owned());
            }
        }
        if let Some(id) = self.session_id {
            id.clone_into(&mut record.session_id);
        }
        if let Some(work_dir) = self.work_dir {
            work_dir.clone_into(&mut record.work_dir);
        }
        if !self.started_at.is_nan() {
            record.started_at = self.started_at;
        }
        if let Some(key) = self.version_key {
            record.set_version_key(key);
        }
        put(&mut record.hostname, self.hostname);
        put(&mut record.agent_version, self.agent_version);
        put(&mut record.agent, self.agent);
        put(&mut record.kind, self.kind);
        put(&mut record.name, self.name);
        put(&mut record.entrypoint, self.entrypoint);
        put(&mut record.transcript_path, self.transcript_path);
        put(&mut record.parent_session_id, self.parent_session_id);
        put(&mut record.status, self.status);
        put(&mut record.waiting_for, self.waiting_for);
        if !self.updated_at.is_nan() {
            record.updated_at = Some(self.updated_at);
        }
        if !self.status_updated_at.is_nan() {
            record.status_updated_at = Some(self.status_updated_at);
        }
        let place = [self.terminal_multiplexer, self.terminal_session, self.terminal_pane];
        if place.iter().any(Option::is_some) {
            let terminal = record.terminal.get_or_insert_with(Terminal::default);
            put(&mut terminal.multiplexer, self.terminal_multiplexer);
            put(&mut terminal.session, self.terminal_session);
            put(&mut terminal.pane, self.terminal_pane);
        }
    }
}
