//! What belongs to the process that made it, and to no child that is forked from it.

use std::ffi::c_void;
use std::mem;

use sessionreg::Incarnation;

use crate::input::Failure;
use crate::status::sessionreg_status;

/// A part of a restore table. A thread of the parent may have had its locks when a child was forked:
/// the child takes none, and leaves what it would have to let go.
pub(crate) struct Owned<T> {
    value: Option<T>,
    process: Incarnation,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Some(value), process: Incarnation::now() }
    }

    /// The value, in the process that made it.
    pub(crate) fn get(&self) -> Result<&T, Failure> {
        self.value.as_ref().filter(|_| self.is_here()).ok_or(FORKED)
    }

    pub(crate) fn get_mut(&mut self) -> Result<&mut T, Failure> {
        let is_here = self.is_here();
        self.value.as_mut().filter(|_| is_here).ok_or(FORKED)
    }

    /// The value in any process, for what takes no lock.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.value.as_ref()
    }

    fn is_here(&self) -> bool {
        self.process.is_now()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.is_here() {
            mem::forget(self.value.take());
        }
    }
}

const FORKED: Failure = Failure::Refused(
    sessionreg_status::SESSIONREG_STATUS_CLOSED,
    "failed to use the restore table: it belongs to the process that this one was forked from",
);

/// A pointer of the caller's, with the function that takes it back.
pub(crate) struct Pointer {
    pointer: *mut c_void,
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the pointer is only handed back and to the function, and whoever gave both promised that
// this may be done on every thread.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

impl Pointer {
    /// # Safety
    /// The function may be called with the pointer, once, on any thread.
    pub(crate) unsafe fn new(
        pointer: *mut c_void,
        drop: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> Self {
        Self { pointer, drop }
    }

    pub(crate) fn get(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: the promise with which this was made; it is dropped once.
            unsafe { drop(self.pointer) };
        }
    }
}
