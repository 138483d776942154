//! Ids and facts of items.

use crate::convert::failure;
use crate::sql_error::{error, record};
use queue_store::item::envelope::{Envelope, Timestamp};
use queue_store::item::id::{GeneratedFor, ItemId};
use queue_store::item::validation;
use queue_store::limits::MAX_BATCH;
use queue_store_host::types::ErrorCode;
use queue_store_host::{Error, Result};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a chunk of a body.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

/// Checks an id that an item may have.
pub(crate) fn check_id(id: &str) -> Result<()> {
    ItemId::parse(id).map(drop).map_err(|cause| failure(cause, ""))
}

/// Checks an id for a new item.
pub(crate) fn check_new_id(id: &str) -> Result<()> {
    ItemId::for_new_item(id).map(drop).map_err(|cause| failure(cause, ""))
}

/// Generates an id.
pub(crate) fn generate_id(generated_for: GeneratedFor) -> Result<String> {
    let random = getrandom::u64().map_err(|cause| error(ErrorCode::Other, format!("no randomness: {cause}")))?;
    Ok(ItemId::generate(random, generated_for).into_string())
}

/// Checks the envelope of a new item, and completes it.
pub(crate) fn accept(envelope: &mut Envelope) -> Result<()> {
    validation::accept(envelope).map_err(|cause| failure(cause, ""))?;
    envelope.created_at.get_or_insert_with(now);
    Ok(())
}

/// The time as the clock of this machine has it.
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: since_epoch.as_secs().cast_signed(), nanos: since_epoch.subsec_nanos().cast_signed() }
}

/// The error of an id that no item has.
pub(crate) fn no_item(id: &str) -> Error {
    failure(queue_store::error::Cause::NoItem, id)
}

/// The error of a put under an id that an item has.
pub(crate) fn exists(id: &str) -> Error {
    failure(queue_store::error::Cause::Exists, id)
}

/// The error of a put under an id that an item had, which is gone meanwhile.
pub(crate) fn contested(id: &str) -> Error {
    let detail = "an item of this id was removed meanwhile: put again";
    queue_store_host::types::Error { path: id.to_string(), ..record(ErrorCode::Busy, detail) }.into()
}

/// The error of a body that is too long.
pub(crate) fn body_too_large() -> Error {
    let detail = "the body is larger than `max-body-bytes`, or than `max-list-body-bytes` where it comes in one piece";
    failure(queue_store::error::Cause::TooLarge(detail), "")
}

/// Checks the number of items of a call.
pub(crate) fn check_batch(items: usize) -> Result<()> {
    if items <= MAX_BATCH {
        return Ok(());
    }
    Err(failure(queue_store::error::Cause::TooLarge("the call has more items than `max-batch`"), ""))
}
