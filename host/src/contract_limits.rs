//! The limits of the contract that the library keeps where the component would not meet them, since it gets a body in parts,
//! or would meet them after copies of what a plugin passed.

#[cfg(feature = "plugin")]
use crate::error::{Error, Result};
#[cfg(feature = "plugin")]
use crate::types::ErrorCode;

/// `max-list-body-bytes`.
pub(crate) const MAX_LIST_BODY_BYTES: u64 = 64 << 20;

/// `max-chunk-bytes`.
#[cfg(feature = "plugin")]
pub(crate) const MAX_CHUNK_BYTES: usize = 64 << 10;

/// `max-intake-recipients`.
#[cfg(feature = "plugin")]
const MAX_INTAKE_RECIPIENTS: usize = 1_000;

/// Refuses more recipients of a plugin's mail than `max-intake-recipients`.
#[cfg(feature = "plugin")]
pub(crate) fn check_recipients(to: &[String]) -> Result<()> {
    if to.len() > MAX_INTAKE_RECIPIENTS {
        let detail = "the mail has more recipients than `max-intake-recipients`";
        return Err(Error::of_library(ErrorCode::TooLarge, detail));
    }
    Ok(())
}

/// Refuses a chunk of a plugin that is larger than `max-chunk-bytes`.
#[cfg(feature = "plugin")]
pub(crate) fn check_chunk(chunk: &[u8]) -> Result<()> {
    if chunk.len() > MAX_CHUNK_BYTES {
        return Err(Error::of_library(ErrorCode::TooLarge, "the chunk is larger than `max-chunk-bytes`"));
    }
    Ok(())
}
