//! A durable mail queue for Rust programs: the component `queue_store.wasm` behind a typed, thread-safe interface.
//!
//! ```
//! use queue_store_host::Host;
//! use queue_store_host::types::Mail;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("queue-store-doc-{}", std::process::id()));
//! let host = Host::new()?; // One for the process: it holds the compiled component.
//! let queue = host.create(&directory)?; // A handle that threads share; creates the directory if need be.
//! queue.recover(Duration::from_hours(36))?; // Once when the program starts.
//!
//! let mail = Mail::new("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n");
//! let id = queue.put(&mail)?; // Survives power loss from here on.
//! assert_eq!(queue.get(&id)?.body, mail.body);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(())
//! # }
//! ```
//!
//! The contract (`wit/`), whose types are [`types`], documents the guarantees of the functions. This crate adds:
//!
//! - instances: callers on several threads are served by as many, kept in a pool; one that traps is replaced;
//! - [`Limits`] on the memory and the computing time of the component;
//! - [`Error`], with one variant for each code of the contract;
//! - one state for all instances: after a failed fsync the queue refuses changes in each, until [`Queue::recover`].
//!
//! A process that is forked has to make a `Host` and open its queues anew: what it inherits fails with [`Error::Forked`],
//! and dropping that touches nothing of the parent's.
//!
//! The feature `plugin` runs plugins, which submit mail and reach nothing else of the host.
//!
//! Calls block the thread that makes them. In a task of a tokio runtime they fail with [`Error::InAsyncRuntime`],
//! because the other tasks would wait with it: call from `spawn_blocking` or `block_in_place`, or use `AsyncQueue` of
//! the feature `tokio`.

#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod bindings;
mod body_reader;
mod contract_limits;
mod counters;
mod directory;
mod directory_store;
mod draft;
mod engine;
mod error;
mod exhaustion;
mod filesystem;
mod host;
mod instance;
mod intake;
mod limits;
mod listing;
mod names;
mod one_line;
#[cfg(feature = "plugin")]
pub mod plugin;
mod pool;
mod process;
mod queue;
mod read_only;
mod resource;
mod runtime;
mod state;
mod store;
mod submission;
mod ticker;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod types;

pub use body_reader::BodyReader;
pub use draft::Draft;
pub use error::{Details, Error, Result};
pub use host::Host;
pub use intake::{BoundedSubmission, Intake, IntakeLimits};
pub use limits::Limits;
pub use listing::Listing;
pub use names::UnknownName;
pub use queue::Queue;
pub use queue_store_artifact::{COMPONENT, COMPONENT_SHA256};
pub use runtime::refuse_in_task;
pub use store::{OpenBody, OpenDraft, OpenListing, Store};
pub use submission::Submission;

/// The example of the package's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
