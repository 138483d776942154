//! Protocol buffer text format: what chasquid reads and writes.

pub(crate) mod parse;
pub(crate) mod write;
