//! The queue: items in a directory, one verb a file.
//!
//! - `handle`: the open queue, the fsync of its directory, and the mark that it refuses changes
//! - `lookup`: the files of an id
//! - `unsynced`, `mark`: the items whose fsync failed, in the memory of an instance and in the directory
//! - `directory_scan`: the entries of the directory
//! - `put`, `draft`: new items; `read`, `body_reader`, `listing`: reading; `update`, `seal`: new envelopes, on `rewrite`
//! - `set_state`, `remove`, on `batch`; `recover`

mod batch;
mod body_reader;
mod directory_scan;
mod draft;
mod handle;
mod listing;
mod lookup;
mod mark;
mod put;
mod read;
mod recover;
mod remove;
mod rewrite;
mod seal;
mod set_state;
mod unsynced;
mod update;
mod write_options;

pub use batch::Outcome;
pub use body_reader::BodyReader;
pub use draft::Draft;
pub use handle::Queue;
pub use listing::{Counts, Detail, Entry, Listing};
pub use put::NewMail;
pub use read::{Info, Item};
pub use recover::Recovery;
pub use update::{Attempt, EnvelopeChange};
pub use write_options::WriteOptions;

pub use crate::item::decoder::Integrity;
pub use crate::storage::file_name::State;
pub use crate::storage::temporary_file::Durability;
