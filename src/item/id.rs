//! Ids of items: the strings that can be one, and their generation.

use crate::limits::{MAX_FOUND_ID_BYTES, MAX_ID_BYTES};
use alloc::string::String;
use core::fmt::{self, Display};
use core::ops::Deref;
use thiserror::Error as ThisError;

/// Characters of a generated id: 8 bytes in base64url without padding (RFC 4648 section 5), as chasquid's are.
pub const GENERATED_ID_BYTES: usize = 11;

/// The reason why a string is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum InvalidId {
    /// It has no characters.
    #[error("the id is empty")]
    Empty,
    /// The names of its files do not fit the file system.
    #[error("the id is longer than `max-id-bytes`")]
    TooLong,
    /// It names the directory itself or its parent.
    #[error("the id is `.` or `..`")]
    Dots,
    /// It would leave the directory, or end the file name.
    #[error("the id has a `/`, a `\\` or a NUL")]
    Separator,
}

/// The id of an item: a string that, after a prefix of two bytes, is one file name on every host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemId(String);

impl ItemId {
    /// Checks an id that an item may have: at most [`MAX_FOUND_ID_BYTES`].
    pub fn parse(id: &str) -> Result<ItemId, InvalidId> {
        ItemId::checked(id, MAX_FOUND_ID_BYTES)
    }

    /// Checks an id for a new item: at most [`MAX_ID_BYTES`].
    pub fn for_new_item(id: &str) -> Result<ItemId, InvalidId> {
        ItemId::checked(id, MAX_ID_BYTES)
    }

    fn checked(id: &str, max_bytes: usize) -> Result<ItemId, InvalidId> {
        if id.is_empty() {
            Err(InvalidId::Empty)
        } else if id.len() > max_bytes {
            Err(InvalidId::TooLong)
        } else if matches!(id, "." | "..") {
            Err(InvalidId::Dots)
        } else if !is_file_name(id) {
            Err(InvalidId::Separator)
        } else {
            Ok(ItemId(id.into()))
        }
    }

    /// Makes an id of 64 random bits: the highest bit tells who it is for, the other 63 are random.
    pub fn generate(random: u64, generated_for: GeneratedFor) -> ItemId {
        ItemId(base64url(match generated_for {
            GeneratedFor::Put => random & !(1 << 63),
            GeneratedFor::Caller => random | 1 << 63,
        }))
    }

    /// Returns the id as a string.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for ItemId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Display for ItemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Whether a string is one file name, on every host.
pub fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.bytes().any(|byte| matches!(byte, b'/' | b'\\' | 0))
}

/// The user of a generated id. The two never get the same: an id that the caller of `new-id` will choose for a put must
/// not be one that another instance, whose randomness repeats this one's, generates and publishes by rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedFor {
    /// A put without an id.
    Put,
    /// The caller of `new-id`.
    Caller,
}

/// Encodes the eight bytes of `value`, most significant first, in base64url without padding.
pub fn base64url(value: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // Ten digits of six bits, and one of the last four and two zeros.
    let bits = u128::from(value) << 2;
    (0..GENERATED_ID_BYTES).rev().map(|digit| char::from(ALPHABET[(bits >> (6 * digit)) as usize & 63])).collect()
}
