//! Defines the events in the log of a disk.

/// An event in the log of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A write, which a power cut may lose or tear until the next flush.
    Write {
        /// The offset on the disk.
        offset: u64,
        /// The bytes written.
        bytes: Vec<u8>,
    },
    /// A write of zeros, or a discard.
    Zero {
        /// The offset on the disk.
        offset: u64,
        /// The number of zeros.
        bytes: u64,
    },
    /// A flush, after which every earlier write is durable.
    Flush,
    /// A note of the rig, a serialized [`crate::history::Mark`].
    Mark(String),
}

/// The events of a disk, in order. A position in the log is an index.
pub type Log = Vec<Event>;
