//! Protocol buffer text format, which chasquid reads and writes.

pub mod block;
pub mod escape;
mod escape_sequence;
mod fields;
pub(crate) mod parser;
mod scanner;
pub mod syntax;
pub mod unescape;
pub mod utf8;
pub(crate) mod writer;
