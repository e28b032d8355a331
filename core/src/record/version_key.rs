//! Under which key a sidecar keeps the version of the program.

/// The key of a record that names no agent and was not read from a file.
pub(super) const WITHOUT_AGENT: &str = "agent_version";

const SUFFIX: &str = "_version";

/// The key of a known or unknown agent: `qwen-code` writes `qwen_version`, `codex` would write
/// `codex_version`.
pub(super) fn of_agent(agent: &str) -> String {
    let stem = match agent {
        "qwen-code" => "qwen",
        "kimi-cli" | "kimi-code" => "kimi",
        "claude-code" => "claude",
        other => other,
    };
    stem.replace('-', "_") + SUFFIX
}

/// Whether a key could hold a program's version.
pub(super) fn is_version_key(key: &str) -> bool {
    key.ends_with(SUFFIX) && key.len() > SUFFIX.len() && key != "schema_version"
}

/// Which of a file's version keys is the program's: the agent's own, else those of the programs
/// that write sidecars without naming themselves, else the one that this library writes for a
/// record without an agent, else the only one there is.
pub(super) fn choose<'a>(agent: Option<&str>, keys: &[&'a str]) -> Option<&'a str> {
    let own = agent.map(of_agent);
    let known = own.as_deref().into_iter().chain(["qwen_version", "kimi_version", WITHOUT_AGENT]);
    for candidate in known {
        if let Some(key) = keys.iter().find(|key| **key == candidate) {
            return Some(key);
        }
    }
    match keys {
        [only] => Some(only),
        _ => None,
    }
}
