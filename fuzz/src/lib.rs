//! What the fuzzers share: a directory in memory, the protocol buffer definition of an item, the plain writing and reading of
//! literals and items that the fast ones are compared with, and the known differences from other readers.

pub mod differences;
pub mod memory;
pub mod naive;
pub mod piece;
pub mod python;
pub mod schema;
