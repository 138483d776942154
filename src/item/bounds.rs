//! The bounds of an envelope while it is decoded.

use crate::error::{Cause, Error, Result};
use crate::limits::{MAX_ENVELOPE_BYTES, MAX_ENVELOPE_ENTRIES};

/// The number of addresses, recipients and servers so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntryCount(usize);

impl EntryCount {
    /// Counts one more.
    pub(super) fn add(&mut self) -> Result<()> {
        self.0 += 1;
        if self.0 > MAX_ENVELOPE_ENTRIES {
            let detail = "the envelope of the item is larger than `max-envelope-entries`";
            return Err(Error::decode(Cause::TooLarge(detail)));
        }
        Ok(())
    }
}

/// Checks the number of bytes of an envelope so far.
pub(super) fn check_envelope_bytes(bytes: u64) -> Result<()> {
    if bytes > MAX_ENVELOPE_BYTES as u64 {
        let detail = "the envelope of the item is larger than `max-envelope-bytes`";
        return Err(Error::decode(Cause::TooLarge(detail)));
    }
    Ok(())
}
