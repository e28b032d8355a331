//! Keys of PID files that give access to a session: kept when a record is rewritten, never shown.

use std::fmt;

use super::Extra;

const KEYS: [&str; 4] = ["ipcPath", "ipcToken", "peerToken", "authToken"];

/// The secret keys of a record. Nothing returns, prints or compares them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Extra);

impl Secrets {
    /// Takes the secret keys out of what a file, or a caller, gave.
    pub(super) fn taken_from(extra: &mut Extra) -> Self {
        let mut secrets = Extra::default();
        for key in KEYS {
            extra.move_to(&mut secrets, key);
        }
        Self(secrets)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter()
    }

    pub(super) fn is_secret(key: &str) -> bool {
        KEYS.contains(&key)
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        &mut self.0
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secret keys", self.0.len())
    }
}
