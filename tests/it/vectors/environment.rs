//! Environment variables for the length of a case.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;

use super::Outcome;
use super::text::Texts;

/// What a session that is registered, or a registry that is opened, would take into account.
const UNSET: [&str; 3] = ["SESSIONREG_KIND", "QWEN_HOME", "CLAUDE_CONFIG_DIR"];

/// Puts back what was there when it is dropped.
pub(super) struct Environment {
    before: Vec<(String, Option<OsString>)>,
}

impl Environment {
    pub(super) fn of(case: &Value, texts: &Texts, folder: &Path) -> Outcome<Self> {
        let mut environment = Self { before: vec![] };
        for name in UNSET {
            environment.put(name, None);
        }
        environment.put("SESSIONREG_HOME", Some(folder.join("home").into()));
        for (name, value) in case["env"].as_object().into_iter().flatten() {
            environment.put(name, Some(texts.text(value.as_str().unwrap_or_default())?.into()));
        }
        Ok(environment)
    }

    fn put(&mut self, name: &str, value: Option<OsString>) {
        self.before.push((name.to_owned(), env::var_os(name)));
        set(name, value);
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        for (name, value) in self.before.drain(..).rev() {
            set(&name, value);
        }
    }
}

fn set(name: &str, value: Option<OsString>) {
    // SAFETY: every thread of these tests uses the environment through the standard library, which
    // locks it.
    unsafe {
        match value {
            Some(value) => env::set_var(name, value),
            None => env::remove_var(name),
        }
    }
}
