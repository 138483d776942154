//! The limits of the contract that the library keeps where the component would not meet them, since it gets a body in parts.

/// `max-list-body-bytes`.
pub(crate) const MAX_LIST_BODY_BYTES: u64 = 64 << 20;

/// `max-chunk-bytes`.
pub(crate) const MAX_CHUNK_BYTES: usize = 64 << 10;
