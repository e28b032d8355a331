//! One record in one file: write, read, load, clear, clear if it is still ours.

use pyo3::prelude::*;
use sessionreg::WriteOptions;

use crate::convert::FsPath;
use crate::error::{detached, guard};
use crate::record::Record;

/// Write a record to `path`, replacing what is there.
///
/// For every reader the file is complete at every instant, whatever happens to the writer. Its
/// mode is 0600 whatever the umask; missing parent folders are made with 0700. A link at `path`
/// is replaced, never followed. Until the new record is in place any failure leaves the old one
/// and no other file.
///
/// `durable` forces record and folder to the disk before returning; without `create_folders` a
/// missing folder is `NotFoundError`. What no reader would accept is `InvalidInputError` or
/// `TooLargeError`; `BusyError` if the folder's lock cannot be had within 250 ms.
#[pyfunction]
#[pyo3(signature = (path, record, *, durable=false, create_folders=true))]
#[allow(clippy::needless_pass_by_value)] // An argument of Python's.
pub(crate) fn write(
    py: Python<'_>,
    path: FsPath,
    record: &Bound<'_, Record>,
    durable: bool,
    create_folders: bool,
) -> PyResult<()> {
    let record = record.get().core();
    let options = WriteOptions::default().durable(durable).create_folders(create_folders);
    guard(py, || detached(py, || sessionreg::write_with(&path.0, record, options)))
}

/// Read the record at `path`, or None if there is none, whatever the file holds.
///
/// Only a path that can never name a file is an error, `InvalidInputError`; `load` tells the
/// other failures apart.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn read(py: Python<'_>, path: FsPath) -> PyResult<Option<Record>> {
    guard(py, || Ok(detached(py, || sessionreg::read(&path.0))?.map(Record::of_core)))
}

/// Read the record at `path`; the exception tells why there is none.
///
/// Only a regular file is read, of at most 64 KiB, that belongs to the reader or to root (root
/// reads everybody's); links are not followed and nothing ever blocks. Reading is strict: a value
/// of another type than the format's is never coerced.
///
/// `NotFoundError`, `NotAFileError`, `TooLargeError`, `PermissionDeniedError`, `CorruptError`,
/// `UnsupportedVersionError` or `IoError`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn load(py: Python<'_>, path: FsPath) -> PyResult<Record> {
    guard(py, || detached(py, || sessionreg::load(&path.0)).map(Record::of_core))
}

/// Remove the record at `path`, whatever it is; tells whether there was one.
///
/// A link is removed, not what it points to; a directory is `NotAFileError`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn clear(py: Python<'_>, path: FsPath) -> PyResult<bool> {
    guard(py, || detached(py, || sessionreg::clear(&path.0)))
}

/// Remove the record at `path` if it is still this registration; tells whether it was removed.
///
/// The same registration is the same `instance`; of records without one the same `pid`,
/// `proc_start` and `started_at`. A successor that another process writes at the same moment
/// survives, if it writes through this library.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn clear_if(py: Python<'_>, path: FsPath, record: &Bound<'_, Record>) -> PyResult<bool> {
    let record = record.get().core();
    guard(py, || detached(py, || sessionreg::clear_if(&path.0, record)))
}
