//! The texts of a record, each with a NUL behind it once somebody has asked for it.

use std::borrow::Cow;

use sessionreg::{Record, Terminal};

use crate::text::{Lent, sessionreg_text};

/// A text of a record.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    SessionId,
    WorkDir,
    Hostname,
    AgentVersion,
    VersionKey,
    ProcStart,
    PidInode,
    HostKey,
    Platform,
    Instance,
    Agent,
    Kind,
    Name,
    Entrypoint,
    TranscriptPath,
    ParentSessionId,
    TerminalMultiplexer,
    TerminalSession,
    TerminalPane,
    Status,
    WaitingFor,
}

const COUNT: usize = Text::WaitingFor as usize + 1;

impl Text {
    fn of(self, record: &Record) -> Option<Cow<'_, str>> {
        let terminal = |field: fn(&Terminal) -> &Option<String>| {
            record.terminal.as_ref().and_then(|terminal| field(terminal).as_deref())
        };
        let text = match self {
            Self::SessionId => Some(record.session_id.as_str()),
            Self::WorkDir => Some(record.work_dir.as_str()),
            Self::Hostname => record.hostname.as_deref(),
            Self::AgentVersion => record.agent_version.as_deref(),
            Self::VersionKey => return Some(record.version_key()),
            Self::ProcStart => record.identity.proc_start.as_deref(),
            Self::PidInode => record.identity.pid_inode.as_deref(),
            Self::HostKey => record.identity.host_key.as_deref(),
            Self::Platform => record.identity.platform.as_deref(),
            Self::Instance => record.instance.as_deref(),
            Self::Agent => record.agent.as_deref(),
            Self::Kind => record.kind.as_deref(),
            Self::Name => record.name.as_deref(),
            Self::Entrypoint => record.entrypoint.as_deref(),
            Self::TranscriptPath => record.transcript_path.as_deref(),
            Self::ParentSessionId => record.parent_session_id.as_deref(),
            Self::TerminalMultiplexer => terminal(|terminal| &terminal.multiplexer),
            Self::TerminalSession => terminal(|terminal| &terminal.session),
            Self::TerminalPane => terminal(|terminal| &terminal.pane),
            Self::Status => record.status.as_deref(),
            Self::WaitingFor => record.waiting_for.as_deref(),
        };
        text.map(Cow::Borrowed)
    }
}

/// What was lent of a record so far.
#[derive(Default)]
pub(crate) struct Texts(Lent<COUNT>);

impl Texts {
    pub(crate) fn lend(&self, record: &Record, text: Text) -> sessionreg_text {
        let Some(content) = text.of(record) else {
            return sessionreg_text::ABSENT;
        };
        self.0.lend(text as usize, content.as_bytes())
    }
}
