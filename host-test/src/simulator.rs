//! A file system in memory on the host side of `wasi:filesystem`, under the unmodified component: for errors that no
//! real one gives on demand, and for power cuts.

pub mod disk;
pub mod gate;
pub mod host;
pub mod power;
pub mod types;
pub mod world;
