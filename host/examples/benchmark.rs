//! Measures the library in a directory, for `hosts/benchmark`: benchmark DIRECTORY
//!
//! Prints the milliseconds until the first put returned, the puts of 2 KB in a second, and the MB in a second of 25 MB that
//! are streamed in and out.

use queue_store_host::types::{Mail, WriteOptions};
use queue_store_host::{Host, Result};
use std::time::{Duration, Instant};

const CHUNK_BYTES: usize = 64 << 10;
const CHUNKS: usize = 400;

fn main() -> Result<()> {
    let began = Instant::now();
    let directory = std::env::args_os().nth(1).expect("usage: benchmark DIRECTORY");
    let queue = Host::new()?.create(directory)?;
    queue.recover(Duration::from_hours(36))?;
    let line = b"A line of text, which is about as long as lines of mail are.\r\n";
    let body: Vec<u8> = line.iter().copied().cycle().take(CHUNK_BYTES).collect();
    let mail = Mail::new("a@example.com", ["b@example.com"], &body[..2048]);
    queue.put(&mail)?;
    let first = began.elapsed().as_secs_f64() * 1e3;

    let (mut puts, began) = (0, Instant::now());
    while began.elapsed() < Duration::from_secs(1) {
        queue.put(&mail)?;
        puts += 1;
    }
    let puts = f64::from(puts) / began.elapsed().as_secs_f64();

    let megabytes = (CHUNK_BYTES * CHUNKS) as f64 / 1e6;
    let began = Instant::now();
    let mut draft = queue.draft(None, &mail.envelope, &WriteOptions::default())?;
    for _ in 0..CHUNKS {
        draft.append(&body)?;
    }
    let id = draft.commit()?;
    let streamed_in = megabytes / began.elapsed().as_secs_f64();

    let (mut length, began) = (0, Instant::now());
    let mut reader = queue.read(id, 0)?;
    while let Some(chunk) = reader.next_chunk()? {
        length += chunk.len();
    }
    let streamed_out = megabytes / began.elapsed().as_secs_f64();
    assert_eq!(length, CHUNK_BYTES * CHUNKS);
    println!("{first} {puts} {streamed_in} {streamed_out}");
    Ok(())
}
