//! The queue for programs on tokio: a handle whose calls run on tokio's threads for blocking work.
//!
//! ```
//! use queue_store_host::Host;
//! use queue_store_host::tokio::AsyncQueue;
//! use queue_store_host::types::Mail;
//!
//! # async fn example(directory: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let queue = AsyncQueue::from(Host::new()?.create(directory)?);
//! let mail = Mail::new("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n");
//! let id = queue.put(mail).await?; // Survives power loss from here on.
//! assert!(queue.get(id).await?.body.ends_with(b"hello\r\n"));
//! # Ok(())
//! # }
//! # let directory = std::env::temp_dir().join(format!("queue-store-tokio-{}", std::process::id()));
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(example(&directory)).unwrap();
//! # std::fs::remove_dir_all(&directory).unwrap();
//! ```
//!
//! The functions panic outside of a tokio runtime. A call that has begun goes on to its end when its future is dropped.

mod blocking;
mod body_reader;
mod draft;
mod listing;
mod queue;

pub use body_reader::AsyncBodyReader;
pub use draft::{AsyncDraft, AsyncSubmission};
pub use listing::AsyncListing;
pub use queue::AsyncQueue;
