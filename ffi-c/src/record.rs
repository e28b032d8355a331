//! # Records
//!
//! One session, served by one process.

use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use sessionreg::Record;

use crate::error::sessionreg_error;
use crate::guard;
use crate::input::given;
use crate::status::sessionreg_status;
use crate::text::sessionreg_text;
use crate::texts::{Text, Texts};

/// A record. Threads may look at one at the same time; who changes or frees it must be alone
/// with it.
pub struct sessionreg_record {
    record: Arc<Record>,
    /// Of thousands in a list few are asked for.
    texts: OnceLock<Box<Texts>>,
}

impl sessionreg_record {
    pub(crate) fn new(record: impl Into<Arc<Record>>) -> Self {
        Self { record: record.into(), texts: OnceLock::new() }
    }

    pub(crate) fn boxed(record: impl Into<Arc<Record>>) -> Box<Self> {
        Box::new(Self::new(record))
    }

    pub(crate) fn get(&self) -> &Record {
        &self.record
    }

    pub(crate) fn lend(&self, text: Text) -> sessionreg_text {
        self.texts.get_or_init(Box::default).lend(&self.record, text)
    }

    /// What was lent is no longer what the record says.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Record) -> T) -> T {
        self.texts = OnceLock::new();
        change(Arc::make_mut(&mut self.record))
    }
}

/// Threads share records.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<sessionreg_record>();
    is_shared::<sessionreg_error>();
};

/// Makes a copy, which remembers as well where the record was read from.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_clone(
    record: Option<&sessionreg_record>,
    copy: Option<&mut MaybeUninit<Box<sessionreg_record>>>,
    error: Option<&mut MaybeUninit<Box<sessionreg_error>>>,
) -> sessionreg_status {
    guard::status(error, || {
        let record = given(record, "record")?;
        given(copy, "copy")?.write(sessionreg_record::boxed(Arc::clone(&record.record)));
        Ok(())
    })
}

/// Whether two records say the same; where they were read from is no part of it. NULL is equal to
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_equal(
    record: Option<&sessionreg_record>,
    other: Option<&sessionreg_record>,
) -> bool {
    guard::value(false, || {
        record.zip(other).is_some_and(|(record, other)| record.get() == other.get())
    })
}

/// Frees a record; its file stays. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn sessionreg_record_free(record: Option<Box<sessionreg_record>>) {
    guard::value((), || drop(record));
}
