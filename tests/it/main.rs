//! Tests of the whole, by the processes and vectors that all languages share.

mod helper;
mod promises;
mod properties;
mod restore;
mod vectors;
mod zoo;

/// How many rounds: enough for every build, or the full count of a long run.
fn rounds(ordinary: u64, stress: u64) -> u64 {
    if std::env::var_os("SESSIONREG_STRESS").is_some_and(|value| value == "1") {
        stress
    } else {
        ordinary
    }
}
