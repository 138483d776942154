//! What the fuzzers share: a directory in memory, the protocol buffer definition of an item, and the plain writing and
//! reading of literals and items that the fast ones are compared with.

pub mod differences;
pub mod memory;
pub mod naive;
pub mod schema;
