//! Texts with placeholders, and content made of them.

use serde_json::{Map, Value};

use super::{Outcome, fail, skip};

/// Facts that are numbers in a record.
const NUMBERS: [&str; 6] = ["pid", "own_pid", "pid_ns", "time_ns", "started_at", "revision"];

/// What stands for the placeholders of a case.
pub(super) struct Texts {
    fragments: Value,
    facts: Value,
    /// What a case found out while it ran.
    kept: Map<String, Value>,
}

impl Texts {
    pub(super) fn new(fragments: &Value, facts: Value) -> Self {
        Self { fragments: fragments.clone(), facts, kept: Map::new() }
    }

    /// Adds a fact that is known only when the case runs.
    pub(super) fn set(&mut self, name: &str, fact: String) {
        self.facts[name] = fact.into();
    }

    /// Keeps a value of a file as a fact, of the type that it has there.
    pub(super) fn keep(&mut self, name: &str, value: Value) {
        self.kept.insert(name.to_owned(), value);
    }

    /// A fact as text.
    pub(super) fn fact(&self, name: &str) -> Outcome<String> {
        match self.kept.get(name).or_else(|| self.facts.get(name)) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Null) => skip(format!("{name} is not known here")),
            _ => fail(format!("no such fact: {name}")),
        }
    }

    /// The text with all placeholders replaced.
    pub(super) fn text(&self, text: &str) -> Outcome<String> {
        let mut result = text.to_owned();
        while let Some(start) = result.find("${") {
            let Some(end) = result[start..].find('}').map(|length| start + length) else {
                return fail(format!("a placeholder has no end: {text}"));
            };
            let value = self.placeholder(&result[start + 2..end])?;
            result.replace_range(start..=end, &value);
        }
        Ok(result)
    }

    fn placeholder(&self, name: &str) -> Outcome<String> {
        if let Some(Value::String(fragment)) = self.fragments.get(name) {
            return Ok(fragment.clone());
        }
        let Some(sign) = name.find(['+', '-']) else { return self.fact(name) };
        let fact = self.fact(&name[..sign])?;
        match (fact.parse::<i128>(), name[sign..].parse::<i128>()) {
            (Ok(fact), Ok(offset)) => Ok((fact + offset).to_string()),
            _ => fail(format!("{name} is no sum")),
        }
    }

    /// A value of a record or of the arguments that make one.
    pub(super) fn value(&self, value: &Value) -> Outcome<Value> {
        match value {
            Value::String(text) => {
                let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                if let Some(kept) = inside.and_then(|name| self.kept.get(name)) {
                    return Ok(kept.clone());
                }
                let number = inside.is_some_and(|name| NUMBERS.contains(&name));
                let text = self.text(text)?;
                Ok(if number {
                    serde_json::from_str(&text).unwrap_or_default()
                } else {
                    text.into()
                })
            }
            content if is_content(content) => {
                Ok(String::from_utf8_lossy(&self.content(value)?).into_owned().into())
            }
            Value::Object(members) => {
                let pairs =
                    members.iter().map(|(key, value)| Ok((key.clone(), self.value(value)?)));
                Ok(Value::Object(pairs.collect::<Outcome<_>>()?))
            }
            other => Ok(other.clone()),
        }
    }

    /// The bytes of a content.
    pub(super) fn content(&self, content: &Value) -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        self.append(content, &mut bytes)?;
        Ok(bytes)
    }

    fn append(&self, content: &Value, bytes: &mut Vec<u8>) -> Outcome {
        let number =
            |key: &str| content[key].as_u64().and_then(|number| usize::try_from(number).ok());
        if let Some(text) = content["text"].as_str() {
            bytes.extend(self.text(text)?.bytes());
        } else if let Some(lines) = content["lines"].as_array() {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            bytes.extend(self.text(&lines.join("\n"))?.bytes());
        } else if let Some(hex) = content["hex"].as_str() {
            bytes.extend(from_hex(hex)?);
        } else if let (Some(text), Some(times)) = (content["repeat"].as_str(), number("times")) {
            bytes.extend(text.repeat(times).bytes());
        } else if let (Some(&[fill]), Some(until)) =
            (content["fill"].as_str().map(str::as_bytes), number("until"))
        {
            bytes.resize(until.max(bytes.len()), fill);
        } else if let Some(parts) = content["parts"].as_array() {
            for part in parts {
                self.append(part, bytes)?;
            }
        } else {
            return fail(format!("no such content: {content}"));
        }
        Ok(())
    }
}

/// Whether a value is content, or generates it.
pub(super) fn is_content(value: &Value) -> bool {
    ["text", "lines", "hex", "parts", "repeat", "fill"].iter().any(|key| value.get(key).is_some())
}

fn from_hex(hex: &str) -> Outcome<Vec<u8>> {
    let byte = |index| hex.get(index..index + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes.map_or_else(|| fail(format!("no hex: {hex}")), Ok)
}
