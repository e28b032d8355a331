//! The Python module `sessionreg._sessionreg`: it converts, the core decides.
//!
//! The face is the package beside it, `python/sessionreg`; the documentation that Python users
//! read is in `_sessionreg.pyi`, and a test holds the texts here to it.

mod agent_session;
mod batch;
mod claim;
mod clean_up;
mod convert;
mod error;
mod extra;
mod fields;
mod files;
mod holder;
mod lazy;
mod monitor;
mod new;
mod patch;
mod paths;
mod record;
mod registry;
mod restore;
mod scan;
mod session;
mod snapshot;
mod sources;
mod sweep;
mod terminal;
mod verdict;
mod watch;

use pyo3::prelude::*;

// One interpreter, any number of threads: what is shared is immutable.
#[pymodule(gil_used = false)]
mod _sessionreg {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::agent_session::{AgentSession, ContextUsage, Transcript};
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::claim::Claim;
    #[pymodule_export]
    use crate::clean_up::{CleanedUp, Tidied};
    #[pymodule_export]
    use crate::files::{clear, clear_if, load, read, write};
    #[pymodule_export]
    use crate::holder::Holder;
    #[pymodule_export]
    use crate::monitor::{Monitor, Polled};
    #[pymodule_export]
    use crate::paths::{check_session_id, sidecar_in_project, sidecar_of};
    #[pymodule_export]
    use crate::record::Record;
    #[pymodule_export]
    use crate::registry::Registry;
    #[pymodule_export]
    use crate::restore::{
        Channel, Lease, RestoreContext, RestoreStatus, RestoreTable, SessionEvent, Subscription,
    };
    #[pymodule_export]
    use crate::scan::{Entry, Scan, Skipped};
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::snapshot::{Snapshot, snapshot};
    #[pymodule_export]
    use crate::sources::Sources;
    #[pymodule_export]
    use crate::sweep::{Removed, Swept};
    #[pymodule_export]
    use crate::terminal::Terminal;
    #[pymodule_export]
    use crate::verdict::{Verdict, liveness, liveness_all};
    #[pymodule_export]
    use crate::watch::Watch;

    /// Adds what is not for users, and so not in `__all__`.
    #[pymodule_init]
    fn add_private(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.setattr("_unpickle", wrap_pyfunction!(crate::record::unpickle, module)?)?;
        module.setattr("_sources", wrap_pyfunction!(crate::sources::unpickle, module)?)?;
        module.setattr("_error_codes", wrap_pyfunction!(crate::error::error_codes, module)?)?;
        module.setattr("_dialects", wrap_pyfunction!(crate::registry::dialects, module)?)?;
        module.setattr("_reasons", wrap_pyfunction!(crate::verdict::reasons, module)?)?;
        #[cfg(debug_assertions)]
        module.setattr("_panic", wrap_pyfunction!(crate::error::panic, module)?)?;
        Ok(())
    }
}
