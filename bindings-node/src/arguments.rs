//! The arguments of a call that has many, as a list in an order that JavaScript knows too.

use std::path::PathBuf;
use std::time::Duration;

use napi::JsValue as _;
use napi::bindgen_prelude::{Array, Unknown};

use crate::failure::Failure;
use crate::names;
use crate::value;

/// Takes them one after the other.
pub(crate) struct Arguments<'a> {
    list: &'a Array<'a>,
    next: u32,
}

impl<'a> Arguments<'a> {
    pub(crate) fn of(list: &'a Array<'a>) -> Self {
        Self { list, next: 0 }
    }

    /// `None` for what is `undefined`, or null, which says the same here.
    pub(crate) fn next(&mut self) -> Result<Option<Unknown<'a>>, Failure> {
        let value: Option<Unknown<'a>> = self.list.get(self.next).map_err(Failure::of_napi)?;
        self.next += 1;
        Ok(value.filter(|value| !value::is_undefined(value) && !value::is_null(value)))
    }

    pub(crate) fn text(&mut self, what: &str) -> Result<Option<String>, Failure> {
        self.next()?.map(|value| value::text(&value, what)).transpose()
    }

    pub(crate) fn required(&mut self, what: &str) -> Result<String, Failure> {
        let text = self.text(what)?;
        text.ok_or_else(|| Failure::mistyped(what, "a string: it is missing"))
    }

    pub(crate) fn flag(&mut self, what: &str) -> Result<Option<bool>, Failure> {
        match self.next()? {
            Some(value) => value::flag(&value, what),
            None => Ok(None),
        }
    }

    pub(crate) fn millis(&mut self, what: &str) -> Result<Option<Duration>, Failure> {
        self.next()?.map(|value| value::millis(&value, what)).transpose()
    }

    pub(crate) fn path(&mut self, what: &str) -> Result<Option<PathBuf>, Failure> {
        self.next()?.map(|value| names::path(&value, what)).transpose()
    }

    /// A list of paths.
    pub(crate) fn paths(&mut self, what: &str) -> Result<Option<Vec<PathBuf>>, Failure> {
        let Some(value) = self.next()? else { return Ok(None) };
        if !value.is_array().map_err(Failure::of_napi)? {
            return Err(Failure::mistyped(what, "a list"));
        }
        // SAFETY: the value is an array.
        let list = unsafe { value.cast::<Array<'_>>() }.map_err(Failure::of_napi)?;
        names::paths(&list, what).map(Some)
    }
}
