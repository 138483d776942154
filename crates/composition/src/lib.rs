//! Composes a plugin with the queue store, so that any host can run the plugin safely.
//!
//! A plugin that was compiled with a standard library imports `wasi:filesystem`. Composed with the queue store alone, it
//! would share the queue's directory. [`compose()`] gives it a `wasi:filesystem/preopens` without directories instead, and
//! refuses imports that are not on an allow-list: see [`Treatment`].

#![forbid(unsafe_code)]

mod compose;
mod error;
mod import;

pub use compose::{NO_DIRECTORIES, compose};
pub use error::CompositionError;
pub use import::{Import, Treatment, check, check_allowed, check_form, imports, is_command};
