//! The crates that a Rust program would use for the format, each with the message of an item.

mod definition;
pub(crate) mod item;
pub(crate) mod protobuf;
pub(crate) mod reflect;
