//! The parts of the format mbox that reading and writing share.

pub(crate) mod quoting;
pub(crate) mod separator;
