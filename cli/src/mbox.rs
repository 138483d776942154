//! The parts of the format mbox that reading and writing share.

pub(crate) mod quoting;
pub(crate) mod separator;

/// Bytes of a line that are looked at: more than a separator or the name of a field has.
pub(crate) const HEAD_BYTES: usize = 4096;
