//! The file of an item into its envelope, and its body in pieces, with every check that can be made.

mod binary;
mod item_reader;
mod parts;
mod strictness;
mod text;

pub(crate) use item_reader::{ItemReader, revision};
pub use parts::PartsReader;
pub use strictness::{Integrity, Strictness};
