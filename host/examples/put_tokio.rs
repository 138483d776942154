//! Puts a mail into a queue and reads it back, on tokio.

use queue_store_host::tokio::AsyncQueue;
use queue_store_host::types::Mail;
use queue_store_host::{Host, Result};

async fn put(directory: std::ffi::OsString) -> Result<()> {
    let queue = AsyncQueue::from(Host::new()?.create(directory)?);
    let id = queue.put(Mail::new("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n")).await?;
    println!("{id} has {} bytes", queue.get(&id).await?.body.len());
    Ok(())
}

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).expect("the argument is a directory, which is created");
    tokio::runtime::Runtime::new().expect("the system has threads").block_on(put(directory))
}
