//! What the fuzzers share: a directory in memory, and the protocol buffer definition of an item.

pub mod memory;
pub mod schema;
