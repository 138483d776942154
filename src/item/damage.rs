//! The ways in which an item that can be read is not intact.

use thiserror::Error as ThisError;

/// A damage of an item, apart from faults in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Damage {
    /// The header line is there, the trailer line is not.
    #[error("the item is truncated: it has its first line and not its last one")]
    Truncated,
    /// The field that is written last is not there.
    #[error("the item is incomplete: it has no `created_at_ts`, which is written last (chasquid stops at such a file)")]
    Incomplete,
    /// The layout of a binary item is not followed.
    #[error("the item does not follow the layout of a binary item")]
    Layout,
    /// A checksum does not match.
    #[error(
        "the item parses and its checksum does not match: it was edited by hand, or damaged; look at it, then seal or \
         quarantine it"
    )]
    Mismatch,
    /// A later version of the format.
    #[error("another version of this component wrote the item")]
    Version,
    /// The file became shorter while it was read.
    #[error("the file changed while it was read")]
    Changed,
}
