//! Protocol buffer text format: what chasquid reads and writes.

mod escape;
pub(crate) mod parse;
mod unescape;
pub(crate) mod utf8;
pub(crate) mod write;

pub(crate) use escape::{GROWTH, MARGIN, escape};
