//! What happens to a disk.

/// One thing that happened to a disk, or beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes were written, which a power cut may lose or tear until the next flush.
    Write {
        /// Where, from the beginning of the disk.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Zeros were written, or the space was given back.
    Zero {
        /// Where, from the beginning of the disk.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Everything before is safe from here on.
    Flush,
    /// Something that the rig noted: see [`crate::history::Mark`].
    Mark(String),
}

/// What happened to a disk, in order. A position in it is an index.
pub type Log = Vec<Event>;
