//! Support for the fuzzers: a directory in memory, the protocol buffer definition of an item, a naive codec that the
//! fast one is compared with, and the known differences from other parsers.

pub mod differences;
pub mod memory;
pub mod naive;
pub mod piece;
pub mod python;
pub mod schema;
