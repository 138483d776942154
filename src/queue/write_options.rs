//! The options of a put.

use crate::item::Format;
use crate::limits::MAX_BODY_BYTES;
use crate::storage::temporary_file::Durability;

/// `types.write-options`, with the defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// When to acknowledge.
    pub durability: Durability,
    /// The format of the file.
    pub format: Format,
    /// The number of items that the queue may hold; none: any number.
    pub max_items: Option<u64>,
    /// The number of bytes of the body, at most.
    pub max_body_bytes: u64,
}

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        WriteOptions {
            durability: Durability::Full,
            format: Format::Text,
            max_items: None,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }
}
