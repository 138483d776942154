//! A durable mail queue for Rust programs: the component `queue_store.wasm` behind a typed, thread-safe interface.
//!
//! ```
//! use queue_store_host::types::{Envelope, Mail, Recipient, WriteOptions};
//! use queue_store_host::Host;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("queue-store-doc-{}", std::process::id()));
//! let host = Host::new()?; // One for the process: it holds the compiled component.
//! let queue = host.create(&directory)?; // A handle that threads share; creates the directory if need be.
//! queue.recover(36 * 3600)?; // Once when the program starts.
//!
//! let recipient = Recipient { address: "b@example.com".into(), ..Recipient::default() };
//! let envelope = Envelope {
//!     reverse_path: "a@example.com".into(),
//!     to: vec!["b@example.com".into()],
//!     recipients: vec![recipient],
//!     created_at: None,
//! };
//! let mail = Mail { envelope, body: b"Subject: hello\r\n\r\nhello\r\n".to_vec() };
//! let id = queue.put(None, &mail, &WriteOptions::default())?; // Survives power loss from here on.
//! assert_eq!(queue.get(&id)?.body, mail.body);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(())
//! # }
//! ```
//!
//! What the functions promise, and what not, is said in the contract (`wit/`), whose types are [`types`]. What this crate
//! adds:
//!
//! - instances: callers on several threads are served by as many, kept in a pool; one that traps is replaced;
//! - [`Limits`] on the memory and the time that the component may take;
//! - a queue that needs recovery is closed in every instance, until [`Queue::recover`].
//!
//! Calls block, on the thread that makes them. In a task of an async runtime they panic: they belong on a thread that may
//! block, such as those of tokio's `spawn_blocking`.

mod bindings;
mod directory;
mod directory_sync;
mod error;
mod host;
mod instance;
mod pool;
mod queue;
mod stream;

pub use error::Error;
pub use host::{Host, Limits};
pub use queue::Queue;
pub use queue_store_artifact::COMPONENT;
pub use stream::{Body, Draft, Listing};

/// The types of the contract: `mail:queue/types`.
pub mod types {
    pub use crate::bindings::exports::mail::queue::types::{
        Counts, Detail, Durability, Entry, Envelope, EnvelopeChange, Error, ErrorCode, Format, IdPage, Integrity, Item,
        ItemInfo, Mail, Operation, Outcome, Page, Position, Recipient, Recovery, State, Timestamp, WriteOptions,
    };

    impl Default for WriteOptions {
        /// Full durability, text, any number of items.
        fn default() -> WriteOptions {
            WriteOptions { durability: None, format: None, max_items: None, settings: Vec::new() }
        }
    }

    impl Default for Recipient {
        /// Kind EMAIL, status PENDING, and no address yet.
        fn default() -> Recipient {
            Recipient {
                address: String::new(),
                kind: 0,
                status: 0,
                last_failure_message: String::new(),
                original_address: String::new(),
                via: Vec::new(),
            }
        }
    }

    impl Default for EnvelopeChange {
        /// No change.
        fn default() -> EnvelopeChange {
            EnvelopeChange { reverse_path: None, to: None, recipients: None, if_revision: None }
        }
    }
}
