//! Channels of a restore table.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use sessionreg::restore::Channel;

use crate::external::{Kind, Tag};
use crate::failure::{Failure, answer};
use crate::news::What;
use crate::table::table;
use crate::{external, value};

impl Kind for Channel {
    const TAG: Tag = Tag::of(25);
    const NAME: &'static str = "the channel";
}

pub(crate) fn channel(value: &Unknown<'_>) -> Result<Arc<Channel>, Failure> {
    external::of_js(value)
}

/// See `sessionreg::RestoreTable::channel`: what has the key is called when it is torn down.
#[napi(catch_unwind)]
pub(crate) fn channel_open<'env>(
    env: &'env Env,
    of: Unknown<'_>,
    key: Unknown<'_>,
) -> napi::Result<Unknown<'env>> {
    answer(env, || {
        let table = table(&of)?;
        let token = table.token(&key)?;
        let channel = table.core.channel(move || token.tell(What::Called));
        external::to_js(env, Arc::new(channel))
    })
}

/// See `sessionreg::restore::Channel::is_open`.
#[napi(catch_unwind)]
pub(crate) fn channel_is_open(env: &Env, of: Unknown<'_>) -> napi::Result<bool> {
    answer(env, || Ok(channel(&of)?.is_open()))
}

/// See `sessionreg::restore::Channel::exited`.
#[napi(catch_unwind)]
pub(crate) fn channel_exited(env: &Env, of: Unknown<'_>, info: Unknown<'_>) -> napi::Result<()> {
    answer(env, || {
        channel(&of)?.exited(&value::text(&info, "the information")?);
        Ok(())
    })
}
