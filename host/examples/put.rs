//! Puts a mail into a queue and reads it back.

use queue_store_host::types::Mail;
use queue_store_host::{Host, Result};

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).expect("the argument is a directory, which is created");
    let queue = Host::new()?.create(directory)?;
    let id = queue.put(&Mail::new("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n"))?;
    println!("{id} has {} bytes", queue.get(&id)?.body.len());
    Ok(())
}
