//! One restore on a whole host: what other processes serve is left to them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::options::RestoreOptions;
use crate::error::{Error, ErrorCode, Result};
use crate::liveness::State;
use crate::record::is_agent;
use crate::registry::{Claim, Registry};

/// The path by which a folder is known to a table: without links, where it can be followed; else as
/// it was given. Callers pass it to [`RestoreOptions::workspace`] and
/// [`RestoreTable::begin`](super::RestoreTable::begin), which look at no files.
pub fn canonical(folder: &Path) -> PathBuf {
    if folder.is_absolute() {
        std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
    } else {
        folder.to_owned()
    }
}

impl RestoreOptions {
    /// Restores no session of this agent that another process serves, or that is claimed by another
    /// process or elsewhere in this one: [`ErrorCode::Held`] then, which names the process. Otherwise the session is claimed before its restore
    /// begins, until it ends or the restore has failed.
    ///
    /// [`ErrorCode::InvalidInput`] for what is no agent.
    pub fn across(mut self, registry: Arc<Registry>, agent: &str) -> Result<Self> {
        if !is_agent(agent) {
            let reason = "it is not of the form [a-z][a-z0-9-]{0,31}, or is `schema`";
            return Err(Error::value(ErrorCode::InvalidInput, "accept", "the agent", reason));
        }
        let claims = Arc::new(Claims::default());
        let agent = agent.to_owned();
        self.guard = Some(Arc::new(move |id| {
            // The claim first: no other process that claims what it serves can begin after this.
            let claim = Claims::take(&claims, &registry, &agent, id)?;
            refuse_if_served(&registry, &agent, id)?;
            Ok(Box::new(claim))
        }));
        Ok(self)
    }
}

fn refuse_if_served(registry: &Registry, agent: &str, id: &str) -> Result<()> {
    let serves = |entry: &crate::registry::Entry| {
        let record = &entry.record;
        entry.verdict.state == State::Alive
            && record.pid != std::process::id()
            && record.agent.as_deref().is_none_or(|other| other == agent)
    };
    match registry.find_by_session(id)?.into_iter().find(serves) {
        Some(entry) => Err(Error::held("restore", entry.record.holder(entry.path()))),
        None => Ok(()),
    }
}

/// The claims of a table's sessions, by id.
///
/// The next restore of an id may begin while the claim of the session before it is still on its way
/// out: it takes that one over, for this process may not claim twice.
#[derive(Default)]
struct Claims(Mutex<HashMap<String, Weak<Claim>>>);

/// A share of a claim; the last one lets it go.
struct Claimed {
    claims: Arc<Claims>,
    id: String,
    claim: Option<Arc<Claim>>,
}

impl Claims {
    fn take(claims: &Arc<Self>, registry: &Registry, agent: &str, id: &str) -> Result<Claimed> {
        let mut taken = claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = match taken.get(id).and_then(Weak::upgrade) {
            Some(claim) => claim,
            None => Arc::new(registry.claim(agent, id)?),
        };
        taken.insert(id.to_owned(), Arc::downgrade(&claim));
        Ok(Claimed { claims: Arc::clone(claims), id: id.to_owned(), claim: Some(claim) })
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // It is let go under the lock: nobody finds it neither there nor free.
        let mut taken = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.claim = None;
        if taken.get(&self.id).is_some_and(|claim| claim.strong_count() == 0) {
            taken.remove(&self.id);
        }
    }
}
