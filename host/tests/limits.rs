//! What an instance may take, and what does not need it.

mod mail;

use mail::mail;
use queue_store_host::types::WriteOptions;
use queue_store_host::{Host, Limits};
use std::io::Read;

/// Bytes of a body that is larger than the memory of an instance.
const BODY_BYTES: usize = 16 << 20;

#[test]
fn a_body_that_is_larger_than_the_memory_of_an_instance_is_put_and_read_in_parts() {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let mut limits = Limits::default();
    limits.memory_bytes = 2 << 20;
    let queue = Host::with_limits(limits).expect("the component").open(directory.path()).expect("the directory");
    let body: Vec<u8> = b"A line of mail text.\r\n".iter().copied().cycle().take(BODY_BYTES).collect();
    let id = queue.put(None, &mail(&body), &WriteOptions::default()).expect("a put");
    let mut read = Vec::new();
    queue.body(&id, 0).expect("the body").read_to_end(&mut read).expect("it is whole");
    assert!(read == body);
    assert!(queue.get(&id).is_err(), "the limit is none: an item in one piece fits it");
}
