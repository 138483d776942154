//! The requirements on an item, and the extent of its verification.

/// `types.integrity`: the part of an item that was checked against a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Integrity {
    Unchecked,
    Envelope,
    Whole,
}

/// The requirements on an item that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// It is complete, and its checksums match if it has any: an item of a queue.
    Full,
    /// Its checksums match if it has any: the codec judges the format alone.
    FormatOnly,
    /// It is complete; checksums are ignored, since an operator vouches for the item.
    NoChecksums,
}

/// Bytes up to which an item is read at once.
pub(super) const SMALL_BYTES: u64 = 8 << 10;

/// Bytes of the head of a larger item that are read first.
const HEAD_BYTES: usize = 4 << 10;

/// Returns the number of bytes that are read first of an item of this size.
pub(super) fn head_bytes(size: u64) -> usize {
    if size <= SMALL_BYTES { size as usize } else { HEAD_BYTES }
}
