//! A file system in memory on the host side of `wasi:filesystem`, under the unmodified component: for errors that a real
//! file system does not return on demand, for power cuts, and for lies.

pub mod disk;
pub mod fault;
pub mod gate;
pub mod host;
pub mod lie;
pub mod operation;
pub mod power;
pub mod types;
mod wasi;
pub mod world;
