//! Python values as the core takes them: exact or refused, never coerced.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};

use crate::error::invalid;
use crate::lazy::Lazy;

/// Text; a string with lone surrogates is none.
pub(crate) fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let string = value.cast::<PyString>().map_err(|_| wrong_type(name, "str", value))?;
    // UnicodeEncodeError holds the whole text; the name of the argument says more.
    string.to_str().map(str::to_owned).map_err(|_| {
        invalid(value.py(), &format!("failed to accept `{name}`: it is not Unicode text"))
    })
}

/// True or false, and nothing that counts as one.
pub(crate) fn boolean(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let boolean = value.cast::<PyBool>().map_err(|_| wrong_type(name, "bool", value))?;
    Ok(boolean.is_true())
}

/// An integer of 32 bits.
pub(crate) fn u32(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    integer(name, value)?
        .extract()
        .map_err(|_| invalid(value.py(), &format!("failed to accept `{name}`: it is out of range")))
}

/// An integer of 64 bits.
pub(crate) fn u64(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    integer(name, value)?
        .extract()
        .map_err(|_| invalid(value.py(), &format!("failed to accept `{name}`: it is out of range")))
}

/// An integer of 128 bits.
pub(crate) fn u128(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u128> {
    integer(name, value)?
        .extract()
        .map_err(|_| invalid(value.py(), &format!("failed to accept `{name}`: it is out of range")))
}

fn integer<'a, 'py>(name: &str, value: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyInt>> {
    match value.cast::<PyInt>() {
        Ok(integer) if !value.is_instance_of::<PyBool>() => Ok(integer),
        _ => Err(wrong_type(name, "int", value)),
    }
}

/// A finite time in seconds; an integer that a float cannot hold is refused.
pub(crate) fn seconds(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refuse = |reason: &str| {
        Err(invalid(value.py(), &format!("failed to accept `{name}`: it is {reason}")))
    };
    if value.is_instance_of::<PyBool>() {
        return Err(wrong_type(name, "float", value));
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        let number = float.value();
        return if number.is_finite() { Ok(number) } else { refuse("not a finite number") };
    }
    let integer = value.cast::<PyInt>().map_err(|_| wrong_type(name, "float", value))?;
    match integer.extract::<f64>() {
        Ok(number) if integer.as_any().eq(number)? => Ok(number),
        _ => refuse("out of range"),
    }
}

/// A length of time in seconds, zero or more.
pub(crate) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds(name, value)?).map_err(|_| {
        invalid(value.py(), &format!("failed to accept `{name}`: it is negative, or out of range"))
    })
}

/// `None`, or what `convert` makes of the value.
pub(crate) fn optional<T>(
    name: &str,
    value: &Bound<'_, PyAny>,
    convert: impl FnOnce(&str, &Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Option<T>> {
    if value.is_none() { Ok(None) } else { convert(name, value).map(Some) }
}

/// JSON text, as `str` or `bytes`; whether it is UTF-8 is for the core to say.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    let string = value.cast::<PyString>().map_err(|_| wrong_type("text", "str or bytes", value))?;
    match string.to_str() {
        Ok(text) => Ok(text.as_bytes().to_vec()),
        Err(_) => value.call_method1("encode", ("utf-8", "surrogatepass"))?.extract(),
    }
}

/// A path given as `str`, `bytes` or `os.PathLike`: the very bytes that Python itself would use.
pub(crate) struct FsPath(pub(crate) PathBuf);

impl<'py> FromPyObject<'_, 'py> for FsPath {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        static FSPATH: Lazy = Lazy::new("os", "fspath");
        if let Ok(string) = value.cast::<PyString>() {
            return of_string(&string);
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return of_bytes(&bytes);
        }
        let path = FSPATH.get(value.py())?.call1((value,))?;
        match path.cast::<PyString>() {
            Ok(string) => of_string(string),
            // `os.fspath` gives one or the other.
            Err(_) => of_bytes(path.cast()?),
        }
    }
}

/// The argument `name`, a path.
pub(crate) fn path(name: &str, value: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let is_path = value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.hasattr("__fspath__")?;
    if is_path {
        value.extract::<FsPath>().map(|path| path.0)
    } else {
        Err(wrong_type(name, "str, bytes or os.PathLike", value))
    }
}

/// The arguments `name`, paths in any iterable but one path alone.
pub(crate) fn paths(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<PathBuf>> {
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        return Err(wrong_type(name, "an iterable of paths", value));
    }
    value.try_iter()?.map(|item| path(name, &item?)).collect()
}

/// What `repr` shows of a value: its class and these attributes.
pub(crate) fn shown<T>(value: &Bound<'_, T>, names: &[&str]) -> PyResult<String> {
    let value = value.as_any();
    let shown = |name: &&str| {
        // Python's own representation escapes whatever could act on a terminal.
        let value = value.getattr(*name)?.repr()?;
        Ok(format!("{name}={}", value.extract::<String>()?))
    };
    let fields = names.iter().map(shown).collect::<PyResult<Vec<_>>>()?;
    Ok(format!("{}({})", value.get_type().name()?, fields.join(", ")))
}

fn of_string(string: &Bound<'_, PyString>) -> PyResult<FsPath> {
    // Every encoding of file names agrees on ASCII.
    if let Ok(text) = string.to_str()
        && text.is_ascii()
    {
        return Ok(FsPath(text.into()));
    }
    match string.extract::<OsString>() {
        Ok(path) => Ok(FsPath(path.into())),
        Err(_) => {
            Err(invalid(string.py(), "failed to accept the path: the file system cannot encode it"))
        }
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Elsewhere it can fail.
fn of_bytes(bytes: &Bound<'_, PyBytes>) -> PyResult<FsPath> {
    use std::os::unix::ffi::OsStrExt as _;

    Ok(FsPath(std::ffi::OsStr::from_bytes(bytes.as_bytes()).into()))
}

#[cfg(not(unix))]
fn of_bytes(bytes: &Bound<'_, PyBytes>) -> PyResult<FsPath> {
    static FSDECODE: Lazy = Lazy::new("os", "fsdecode");
    let string = FSDECODE.get(bytes.py())?.call1((bytes,));
    match string.and_then(|string| string.extract::<OsString>()) {
        Ok(path) => Ok(FsPath(path.into())),
        Err(_) => Err(invalid(
            bytes.py(),
            "failed to accept the path: it is not encoded as the file system's are",
        )),
    }
}

/// The `TypeError` for an argument or a field.
pub(crate) fn wrong_type(name: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let found = value.get_type();
    match found.name() {
        Ok(found) => PyTypeError::new_err(format!("`{name}` must be {wanted}, not {found}")),
        Err(failure) => failure,
    }
}
