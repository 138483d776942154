//! The format of an item: bytes to an envelope and a body, and back.

pub mod binary;
mod bounds;
pub mod codec;
pub mod damage;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub mod envelope;
pub mod id;
pub mod parts;
pub(crate) mod source;
pub mod text;
pub mod trailer;
pub mod validation;

pub use trailer::VERSION;

/// `types.format`: how an item is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Format {
    Text,
    Binary,
}
