//! A file system in memory on the host side of `wasi:filesystem`, under the unmodified component: for errors that no
//! real one gives on demand.

pub mod host;
pub mod types;
pub mod world;
