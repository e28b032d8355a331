//! How much of its context a session uses, from the end of its transcript.

use std::path::Path;

use serde_json::Value;

use crate::error::Result;
use crate::fs;

/// How much of a transcript's end is read, and, where nothing is found in it, at most.
const TAILS: [u64; 2] = [64 * 1024, 1024 * 1024];

/// The tokens of a model's context that a session has filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextUsage {
    /// Tokens in use after the last answer.
    pub current_tokens: u64,
    /// How many the model takes, where the transcript says so.
    pub window: Option<u64>,
}

/// Whose transcript it is: what a line of it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Claude,
    Codex,
}

impl Format {
    /// That of a known agent.
    pub(crate) fn of_agent(agent: &str) -> Option<Self> {
        match agent {
            "claude-code" | "claude" => Some(Self::Claude),
            "codex" => Some(Self::Codex),
            _ => None,
        }
    }

    fn usage(self, line: &[u8]) -> Option<ContextUsage> {
        // Most lines say nothing of it: to look for a word is cheaper than to parse.
        let word: &[u8] = match self {
            Self::Claude => b"\"usage\"",
            Self::Codex => b"\"token_count\"",
        };
        line.windows(word.len()).any(|part| part == word).then_some(())?;
        let line: Value = serde_json::from_slice(line).ok()?;
        match self {
            Self::Claude => claude(&line),
            Self::Codex => codex(&line),
        }
    }
}

/// The usage that the last line of a transcript tells that tells any; `None` if the end of the
/// file, a mebibyte at most, has no such line.
pub(crate) fn read(path: &Path, format: Format) -> Result<Option<ContextUsage>> {
    for limit in TAILS {
        let tail = fs::read_tail(path, limit)?;
        // What precedes the first line break may be the rest of a line, what follows the last one
        // the beginning of one that is being written.
        let mut lines: Vec<&[u8]> = tail.bytes.split(|&byte| byte == b'\n').collect();
        if !tail.is_whole {
            lines.drain(..1.min(lines.len()));
        }
        if let Some(usage) = lines.iter().rev().find_map(|line| format.usage(line)) {
            return Ok(Some(usage));
        }
        if tail.is_whole {
            break;
        }
    }
    Ok(None)
}

/// `message.usage` of an answer: what went in, cached or not, and what came out.
fn claude(line: &Value) -> Option<ContextUsage> {
    let usage = line.get("message")?.get("usage")?;
    let tokens = |key| usage.get(key).map_or(Some(0), Value::as_u64);
    let current_tokens = usage
        .get("input_tokens")?
        .as_u64()?
        .checked_add(tokens("cache_creation_input_tokens")?)?
        .checked_add(tokens("cache_read_input_tokens")?)?
        .checked_add(tokens("output_tokens")?)?;
    Some(ContextUsage { current_tokens, window: None })
}

/// `info` of an event `token_count`.
fn codex(line: &Value) -> Option<ContextUsage> {
    let is = |value: &Value, kind: &str| value.get("type").is_some_and(|found| found == kind);
    let payload =
        line.get("payload").filter(|payload| is(line, "event_msg") && is(payload, "token_count"));
    let info = payload?.get("info")?;
    let usage = |key: &str| info.get(key)?.get("total_tokens")?.as_u64();
    let current_tokens = usage("last_token_usage").or_else(|| usage("total_token_usage"))?;
    Some(ContextUsage {
        current_tokens,
        window: info.get("model_context_window").and_then(Value::as_u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"message":{"usage":{"input_tokens":1,"cache_creation_input_tokens":20,"cache_read_input_tokens":300,"output_tokens":4000}}}"#;
    const COUNT: &str = r#"{"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"total_tokens":9},"last_token_usage":{"total_tokens":7},"model_context_window":100}}}"#;

    fn of(text: &str, format: Format) -> Option<ContextUsage> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.jsonl");
        std::fs::write(&path, text).expect("a transcript");
        read(&path, format).expect("read")
    }

    #[test]
    fn the_last_line_that_tells_counts() {
        let text =
            format!("{ANSWER}\n{{\"message\":{{\"usage\":{{\"input_tokens\":5}}}}}}\n{{}}\n");
        let usage = of(&text, Format::Claude).expect("usage");
        assert_eq!((usage.current_tokens, usage.window), (5, None));
        let usage = of(&format!("{COUNT}\nnull\n"), Format::Codex).expect("usage");
        assert_eq!((usage.current_tokens, usage.window), (7, Some(100)));
        let usage = of(ANSWER, Format::Claude).expect("usage");
        assert_eq!(usage.current_tokens, 4321);
    }

    /// A line of an answer may be longer than what is read first.
    #[test]
    fn a_line_that_begins_before_the_tail_is_found() {
        let padding = "x".repeat(200 * 1024);
        let line = ANSWER.replace("{\"message\"", &format!("{{\"pad\":\"{padding}\",\"message\""));
        assert_eq!(of(&line, Format::Claude).expect("usage").current_tokens, 4321);
    }

    #[test]
    fn what_is_no_usage_is_none() {
        for text in [
            "",
            "\n\n",
            "{\"message\":{\"usage\":null}}",
            "{\"message\":{\"usage\":{\"input_tokens\":-1}}}",
            "{\"message\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":\"2\"}}}",
            "{\"message\":{\"usage\":{\"input_tokens\":1",
            "\"usage\"",
        ] {
            assert_eq!(of(text, Format::Claude), None, "{text}");
        }
    }
}
