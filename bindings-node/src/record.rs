//! Records as handles: made of fields, taken apart into fields, from JSON text and to it.

use std::sync::Arc;

use napi::bindgen_prelude::{BufferSlice, Unknown};
use napi::{Env, JsValue as _};
use napi_derive::napi;
use sessionreg::{ErrorCode, Extra, Record, Terminal};

use crate::external::{self, Kind, Tag};
use crate::failure::{Failure, answer};
use crate::value;

/// A record that JavaScript holds; its origin stays with it.
pub(crate) type Handle = Arc<Record>;

/// The record behind a handle.
pub(crate) fn handle(value: &Unknown<'_>) -> Result<Handle, Failure> {
    external::of_js(value)
}

impl Kind for Record {
    const TAG: Tag = Tag::of(1);
    const NAME: &'static str = "the record";
}

/// A new handle in JavaScript.
pub(crate) fn to_js(env: &Env, record: Handle) -> Result<Unknown<'_>, Failure> {
    external::to_js(env, record)
}

// `record.cjs` has the same fields in the same order.
const NUMBERS: usize = 8;
const TEXTS: usize = 23;

/// The texts of a record in the order of the list, from the session id on.
fn texts<'a>(
    record: &'a Record,
    version_key: &'a str,
    terminal_extra: Option<&'a str>,
    extra: Option<&'a str>,
) -> [Option<&'a str>; TEXTS] {
    let identity = &record.identity;
    let terminal = record.terminal.as_ref();
    [
        Some(&record.session_id),
        Some(&record.work_dir),
        record.hostname.as_deref(),
        record.agent_version.as_deref(),
        identity.proc_start.as_deref(),
        identity.pid_inode.as_deref(),
        identity.host_key.as_deref(),
        identity.platform.as_deref(),
        record.instance.as_deref(),
        record.agent.as_deref(),
        record.kind.as_deref(),
        record.name.as_deref(),
        record.entrypoint.as_deref(),
        record.transcript_path.as_deref(),
        record.parent_session_id.as_deref(),
        record.status.as_deref(),
        record.waiting_for.as_deref(),
        terminal.and_then(|terminal| terminal.multiplexer.as_deref()),
        terminal.and_then(|terminal| terminal.session.as_deref()),
        terminal.and_then(|terminal| terminal.pane.as_deref()),
        terminal_extra,
        Some(version_key),
        extra,
    ]
}

/// A field as JavaScript gave it: `undefined` leaves the default, `null` says that there is none.
enum Given<T> {
    Default,
    Nothing,
    Value(T),
}

impl<T> Given<T> {
    fn put(self, slot: &mut Option<T>) {
        match self {
            Self::Default => {}
            Self::Nothing => *slot = None,
            Self::Value(value) => *slot = Some(value),
        }
    }

    /// Of a field that every record has.
    fn needed(self, what: &str) -> Result<Option<T>, Failure> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Default => Ok(None),
            Self::Nothing => Err(Failure::mistyped(what, "a value: null is none")),
        }
    }
}

impl Given<f64> {
    /// Of a time in milliseconds.
    fn in_seconds(self) -> Self {
        match self {
            Self::Value(millis) => Self::Value(millis / 1000.0),
            other => other,
        }
    }
}

/// The fields of a record that is to be made, as [`take_apart`] gives those of one that is there:
/// texts joined into one, and a table of numbers and lengths.
struct Fields<'a> {
    numbers: std::vec::IntoIter<f64>,
    rest: &'a str,
}

impl<'a> Fields<'a> {
    fn new(text: &'a str, table: &[u8]) -> Self {
        let numbers: Vec<f64> = table
            .chunks_exact(size_of::<f64>())
            .map(|bytes| f64::from_ne_bytes(bytes.try_into().unwrap_or_default()))
            .collect();
        Self { numbers: numbers.into_iter(), rest: text }
    }

    fn next(&mut self) -> Result<f64, Failure> {
        self.numbers.next().ok_or_else(|| Failure::defect("the table of fields is too short"))
    }

    /// A number: `table` has NaN for `undefined` and -Infinity for `null`.
    fn number(&mut self) -> Result<Given<f64>, Failure> {
        Ok(match self.next()? {
            number if number.is_nan() => Given::Default,
            f64::NEG_INFINITY => Given::Nothing,
            number => Given::Value(number),
        })
    }

    fn integer(&mut self, what: &str) -> Result<Given<u64>, Failure> {
        Ok(match self.number()? {
            Given::Default => Given::Default,
            Given::Nothing => Given::Nothing,
            Given::Value(number) => Given::Value(value::integer(number, what)?),
        })
    }

    /// A text: `table` has its length in UTF-16 units, -2 for `undefined` and -1 for `null`.
    fn text(&mut self, what: &str) -> Result<Given<&'a str>, Failure> {
        let length = self.next()?;
        if length < 0.0 {
            return Ok(if length < -1.0 { Given::Default } else { Given::Nothing });
        }
        let bytes = bytes_of_units(self.rest, value::integer(length, what)?)
            .ok_or_else(|| value::lone_surrogate(what))?;
        let (text, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        Ok(Given::Value(text))
    }

    fn put_text(&mut self, what: &str, slot: &mut Option<String>) -> Result<(), Failure> {
        match self.text(what)? {
            Given::Default => {}
            Given::Nothing => *slot = None,
            Given::Value(text) => *slot = Some(text.to_owned()),
        }
        Ok(())
    }

    fn required(&mut self, what: &str) -> Result<&'a str, Failure> {
        let text = self.text(what)?.needed(what)?;
        text.ok_or_else(|| Failure::mistyped(what, "a string: it is missing"))
    }

    /// Makes the record that `begin` begins, given the pid, session id and working folder.
    fn record(
        mut self,
        begin: impl FnOnce(Option<u32>, &str, &str) -> Result<Record, Failure>,
    ) -> Result<Record, Failure> {
        let pid = match self.number()?.needed("`pid`")? {
            Some(number) => Some(value::pid(number, "`pid`")?),
            None => None,
        };
        let started_at_millis = self.number()?.needed("`startedAt`")?;
        let started_at_seconds = self.number()?.needed("`startedAtSeconds`")?;
        let pid_ns = self.integer("`pidNs`")?;
        let time_ns = self.integer("`timeNs`")?;
        let revision = self.integer("`revision`")?;
        let updated_at = self.number()?;
        let status_updated_at = self.number()?;
        let session_id = self.required("`sessionId`")?;
        let work_dir = self.required("`workDir`")?;
        let mut record = begin(pid, session_id, work_dir)?;

        if let Some(seconds) = seconds_of(started_at_millis, started_at_seconds) {
            record.started_at = seconds;
        }
        let identity = &mut record.identity;
        pid_ns.put(&mut identity.pid_ns);
        time_ns.put(&mut identity.time_ns);
        revision.put(&mut record.revision);
        updated_at.in_seconds().put(&mut record.updated_at);
        status_updated_at.in_seconds().put(&mut record.status_updated_at);

        self.put_text("`hostname`", &mut record.hostname)?;
        self.put_text("`agentVersion`", &mut record.agent_version)?;
        self.put_text("`procStart`", &mut identity.proc_start)?;
        self.put_text("`pidInode`", &mut identity.pid_inode)?;
        self.put_text("`hostKey`", &mut identity.host_key)?;
        self.put_text("`platform`", &mut identity.platform)?;
        self.put_text("`instance`", &mut record.instance)?;
        self.put_text("`agent`", &mut record.agent)?;
        self.put_text("`kind`", &mut record.kind)?;
        self.put_text("`name`", &mut record.name)?;
        self.put_text("`entrypoint`", &mut record.entrypoint)?;
        self.put_text("`transcriptPath`", &mut record.transcript_path)?;
        self.put_text("`parentSessionId`", &mut record.parent_session_id)?;
        self.put_text("`status`", &mut record.status)?;
        self.put_text("`waitingFor`", &mut record.waiting_for)?;

        let mut terminal = Terminal::default();
        self.put_text("`terminal.multiplexer`", &mut terminal.multiplexer)?;
        self.put_text("`terminal.session`", &mut terminal.session)?;
        self.put_text("`terminal.pane`", &mut terminal.pane)?;
        if let Given::Value(text) = self.text("`terminal.extraJson`")? {
            terminal.extra = Extra::from_json(text)?;
        }
        record.terminal = Some(terminal).filter(|terminal| *terminal != Terminal::default());

        if let Given::Value(key) = self.text("`versionKey`")? {
            record.set_version_key(key);
        }
        if let Given::Value(text) = self.text("`extra`")? {
            record.extra = Extra::from_json(text)?;
        }
        Ok(record)
    }
}

/// How many bytes of UTF-8 the first units of UTF-16 are; `None` if they end inside a character,
/// which a lone surrogate at the end of a text and one at the beginning of the next make.
fn bytes_of_units(text: &str, units: u64) -> Option<usize> {
    let units = usize::try_from(units).ok()?;
    if text.as_bytes().get(..units).is_some_and(<[u8]>::is_ascii) {
        return Some(units);
    }
    let mut rest = units;
    for (position, character) in text.char_indices() {
        if rest == 0 {
            return Some(position);
        }
        rest = rest.checked_sub(character.len_utf16())?;
    }
    (rest == 0).then_some(text.len())
}

/// A record of the calling process, or of a pid that is not looked up; what is given wins.
#[napi(catch_unwind)]
pub(crate) fn make<'env>(
    env: &'env Env,
    text: Unknown<'_>,
    table: BufferSlice<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let text = value::text(&text, "a text of the record")?;
        let record = Fields::new(&text, &table).record(|pid, session_id, work_dir| {
            Ok(match pid {
                None => Record::new(session_id, work_dir),
                Some(pid) => Record::plain(pid, session_id, work_dir),
            })
        })?;
        to_js(env, record.into())
    })
}

/// A record of another process, which is looked up; what is given wins.
#[napi(catch_unwind)]
pub(crate) fn make_of_process<'env>(
    env: &'env Env,
    text: Unknown<'_>,
    table: BufferSlice<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let text = value::text(&text, "a text of the record")?;
        let record = Fields::new(&text, &table).record(|pid, session_id, work_dir| {
            let pid = pid.ok_or_else(|| Failure::mistyped("`pid`", "a number: it is missing"))?;
            Ok(Record::of_process(pid, session_id, work_dir)?)
        })?;
        to_js(env, record.into())
    })
}

/// See `Record::from_json`; the text is a string or its bytes.
#[napi(catch_unwind)]
pub(crate) fn from_json<'env>(env: &'env Env, json: Unknown<'_>) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let bytes = if value::is_text(&json) {
            value::text(&json, "the JSON text")
                .map_err(|failure| failure.with_code(ErrorCode::Corrupt))?
                .into_bytes()
        } else {
            value::bytes(&json)?
                .ok_or_else(|| Failure::mistyped("the JSON text", "a string or a Buffer"))?
        };
        to_js(env, Record::from_json(bytes)?.into())
    })
}

/// See `Record::to_json`.
#[napi(catch_unwind)]
pub(crate) fn to_json(env: &Env, record: Unknown<'_>) -> napi::Result<String> {
    answer(env, || Ok(handle(&record)?.to_json()?))
}

/// Whether two records say the same.
#[napi(catch_unwind)]
pub(crate) fn equals(env: &Env, one: Unknown<'_>, other: Unknown<'_>) -> napi::Result<bool> {
    answer(env, || Ok(handle(&one)? == handle(&other)?))
}

/// Takes a record apart: its texts come back one after the other in one string, `table` receives
/// the numbers (NaN for none) and then the length of each text in UTF-16 units (-1 for none).
///
/// One string and one table cost a tenth of twenty values handed over one by one.
#[napi(catch_unwind)]
pub(crate) fn take_apart<'env>(
    env: &'env Env,
    record: Unknown<'_>,
    mut table: BufferSlice<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let record = handle(&record)?;
        let version_key = record.version_key();
        let json = |extra: &Extra| (!extra.is_empty()).then(|| extra.to_json());
        let extra = json(&record.extra);
        let terminal_extra = record.terminal.as_ref().and_then(|terminal| json(&terminal.extra));
        let texts = texts(&record, &version_key, terminal_extra.as_deref(), extra.as_deref());
        let numbers: [Option<f64>; NUMBERS] = [
            Some(f64::from(record.pid)),
            Some(millis_of(record.started_at)),
            Some(record.started_at),
            record.identity.pid_ns.map(float),
            record.identity.time_ns.map(float),
            record.revision.map(float),
            record.updated_at.map(millis_of),
            record.status_updated_at.map(millis_of),
        ];
        let lengths = texts.iter().map(|text| text.map_or(-1.0, length_in_utf16));
        let entries = numbers.iter().map(|number| number.unwrap_or(f64::NAN)).chain(lengths);
        for (slot, entry) in table.chunks_exact_mut(size_of::<f64>()).zip(entries) {
            slot.copy_from_slice(&entry.to_ne_bytes());
        }
        let texts = texts.into_iter().flatten();
        let mut joined = String::with_capacity(texts.clone().map(str::len).sum());
        joined.extend(texts);
        Ok(env.create_string(&joined).map_err(Failure::of_napi)?.to_unknown())
    })
}

fn length_in_utf16(text: &str) -> f64 {
    let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
    float(units as u64)
}

#[allow(clippy::cast_precision_loss)] // Lengths of strings; integers that the core keeps below 2^53.
fn float(number: u64) -> f64 {
    number as f64
}

/// Milliseconds that give the same seconds again when they are divided by 1000, wherever there are
/// such; whole ones before others.
fn millis_of(seconds: f64) -> f64 {
    let exact = seconds * 1000.0;
    [exact.round(), exact, exact.next_up(), exact.next_down()]
        .into_iter()
        .find(|millis| (millis / 1000.0).to_bits() == seconds.to_bits())
        .unwrap_or(exact)
}

/// The time that a caller gave. The seconds count only while they are those of the milliseconds, so
/// that whoever changes `startedAt` in a copy of a record need not know of the other.
///
/// Both are needed: around today a second has room for 2^22 times as seconds, and for 1000 * 2^12,
/// which is fewer, as milliseconds. So some milliseconds are those of two times.
fn seconds_of(millis: Option<f64>, seconds: Option<f64>) -> Option<f64> {
    let Some(millis) = millis else { return seconds };
    let exact = seconds.filter(|seconds| millis_of(*seconds).to_bits() == millis.to_bits());
    Some(exact.unwrap_or(millis / 1000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_exactly() {
        for seconds in [0.0, 1.0, 1_763_690_000.125, 1_763_690_000.001, 1_763_690_000.123_457] {
            let millis = millis_of(seconds);
            assert!((millis / 1000.0).to_bits() == seconds.to_bits(), "{seconds} gave {millis}");
        }
        // No milliseconds are those of this one alone.
        let seconds = 1_763_690_000.500_005;
        let millis = millis_of(seconds);
        assert!((millis / 1000.0).to_bits() != seconds.to_bits());
        assert_eq!(
            seconds_of(Some(millis), Some(seconds)).map(f64::to_bits),
            Some(seconds.to_bits())
        );
        assert_eq!(seconds_of(Some(5000.0), Some(seconds)), Some(5.0));
        assert!((millis_of(1_763_690_000.001) - 1_763_690_000_001.0).abs() < f64::EPSILON);
    }
}
