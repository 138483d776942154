//! The seam to the system, and the durable write on it.

pub mod durable_file;
pub mod errno;
pub mod file_name;
pub mod filesystem;
mod item_writer;
pub(crate) mod temporary_file;
#[cfg(target_family = "wasm")]
pub mod wasi;

pub(crate) use item_writer::ItemWriter;
