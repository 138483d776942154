//! `types.write-options`.

use crate::durable_write::Durability;
use crate::error::{Code, Error, Result};
use crate::integrity::decimal;
use crate::list::{List, Maybe, Text};
use crate::name::Format;
use crate::queue::{Attribute, WriteOptions};

/// `types.write-options`.
#[repr(C)]
pub(super) struct Options {
    pub(super) durability: Maybe<Durability>,
    pub(super) format: Maybe<Format>,
    pub(super) max_items: Maybe<u64>,
    pub(super) settings: List<Attribute>,
}

/// How to write, by default or as given.
pub(super) fn options(given: &Maybe<Options>) -> Result<WriteOptions> {
    let mut options = WriteOptions::DEFAULT;
    let Maybe::Some(given) = given else {
        return Ok(options);
    };
    options.durability = given.durability.as_ref().copied().unwrap_or_default();
    options.format = given.format.as_ref().copied();
    options.max_items = given.max_items.as_ref().copied();
    for Attribute { name, value } in &given.settings {
        if **name != *"max-body-bytes" {
            let detail = Text::of(&["there is no setting `", name, "`"]);
            return Err(Error::refused(Code::Unsupported, &detail));
        }
        let bytes = decimal(value.as_bytes())
            .ok_or_else(|| Error::invalid("the setting `max-body-bytes` is a number of bytes"))?;
        options.max_body_bytes = options.max_body_bytes.min(bytes);
    }
    Ok(options)
}
