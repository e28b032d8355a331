//! The place of a session in a terminal multiplexer: the same object in every format.

use super::json::{Field, Writer};
use super::{Extra, Refusal};

/// The place of a session in a terminal multiplexer.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Terminal {
    /// The program, such as `tmux` or `zellij`.
    pub multiplexer: Option<String>,
    /// The multiplexer's session.
    pub session: Option<String>,
    /// The pane in it.
    pub pane: Option<String>,
    /// Every other key of the object.
    pub extra: Extra,
}

impl Terminal {
    /// A place in a multiplexer.
    pub fn new(multiplexer: Option<String>, session: Option<String>, pane: Option<String>) -> Self {
        Self { multiplexer, session, pane, extra: Extra::default() }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn decode(field: &Field<'_>) -> Result<Option<Terminal>, Refusal> {
    let mut terminal = Terminal::default();
    let mut others = Vec::new();
    for member in field.members()? {
        let slot = match member.key.as_deref() {
            Some("multiplexer") => &mut terminal.multiplexer,
            Some("session") => &mut terminal.session,
            Some("pane") => &mut terminal.pane,
            _ => {
                others.push(member);
                continue;
            }
        };
        let value = Field::new("terminal", member.value);
        *slot = if value.is_null() { None } else { Some(value.text()?) };
    }
    terminal.extra = Extra::from_members(&others);
    Ok(Some(terminal).filter(|terminal| !terminal.is_empty()))
}

pub(super) fn encode(json: &mut Writer, terminal: Option<&Terminal>) {
    let Some(terminal) = terminal.filter(|terminal| !terminal.is_empty()) else { return };
    json.object("terminal", |json| {
        json.optional("multiplexer", terminal.multiplexer.as_deref());
        json.optional("session", terminal.session.as_deref());
        json.optional("pane", terminal.pane.as_deref());
        for (key, value) in terminal.extra.iter() {
            json.raw(key, value);
        }
    });
}

/// The object's text, for a patch to be merged into.
pub(super) fn to_json(terminal: &Terminal) -> String {
    let known = [
        ("\"multiplexer\"", &terminal.multiplexer),
        ("\"session\"", &terminal.session),
        ("\"pane\"", &terminal.pane),
    ];
    let known = known.into_iter().filter_map(|(key, value)| {
        Some((key.to_owned(), serde_json::to_string(value.as_ref()?).ok()?))
    });
    let others = terminal.extra.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    let members: Vec<_> =
        known.chain(others).map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}
