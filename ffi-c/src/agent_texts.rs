//! The texts of an agent session, each with a NUL behind it once somebody has asked for it.

use std::borrow::Cow;
use std::sync::OnceLock;

use sessionreg::{AgentSession, Terminal};

use crate::text::{Lent, Terminated, bytes_of, sessionreg_text};

/// A text of an agent session.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    Key,
    Agent,
    SessionId,
    Tty,
    WorkDir,
    Kind,
    Status,
    WaitingFor,
    Name,
    ParentSessionId,
    TerminalMultiplexer,
    TerminalSession,
    TerminalPane,
    TranscriptPath,
    SupersededBy,
}

const COUNT: usize = Text::SupersededBy as usize + 1;

impl Text {
    fn of(self, session: &AgentSession) -> Option<Cow<'_, [u8]>> {
        let terminal = |field: fn(&Terminal) -> &Option<String>| {
            session.terminal.as_ref().and_then(|terminal| field(terminal).as_deref())
        };
        let text = match self {
            Self::Key => Some(session.key.as_str()),
            Self::Agent => session.agent.as_deref(),
            Self::SessionId => session.session_id.as_deref(),
            Self::Tty => session.tty.as_deref(),
            Self::WorkDir => session.work_dir.as_deref(),
            Self::Kind => session.kind.as_deref(),
            Self::Status => session.status.as_deref(),
            Self::WaitingFor => session.waiting_for.as_deref(),
            Self::Name => session.name.as_deref(),
            Self::ParentSessionId => session.parent_session_id.as_deref(),
            Self::TerminalMultiplexer => terminal(|terminal| &terminal.multiplexer),
            Self::TerminalSession => terminal(|terminal| &terminal.session),
            Self::TerminalPane => terminal(|terminal| &terminal.pane),
            Self::TranscriptPath => {
                return Some(Cow::Owned(bytes_of(&session.transcript.as_ref()?.path)));
            }
            Self::SupersededBy => session.superseded_by.as_deref(),
        };
        text.map(|text| Cow::Borrowed(text.as_bytes()))
    }
}

/// What was lent of an agent session so far. Threads may ask at the same time.
#[derive(Default)]
pub(crate) struct Texts {
    texts: Lent<COUNT>,
    sources: OnceLock<Vec<Terminated>>,
    files: OnceLock<Vec<Terminated>>,
}

impl Texts {
    pub(crate) fn lend(&self, session: &AgentSession, text: Text) -> sessionreg_text {
        let Some(content) = text.of(session) else {
            return sessionreg_text::ABSENT;
        };
        self.texts.lend(text as usize, &content)
    }

    pub(crate) fn lend_source(&self, session: &AgentSession, index: usize) -> sessionreg_text {
        let made = || session.sources.iter().map(|name| Terminated::new(name.as_bytes())).collect();
        lend_one(self.sources.get_or_init(made), index)
    }

    pub(crate) fn lend_file(&self, session: &AgentSession, index: usize) -> sessionreg_text {
        let made = || session.files.iter().map(|path| Terminated::new(&bytes_of(path))).collect();
        lend_one(self.files.get_or_init(made), index)
    }
}

fn lend_one(texts: &[Terminated], index: usize) -> sessionreg_text {
    texts.get(index).map_or(sessionreg_text::ABSENT, Terminated::lend)
}
