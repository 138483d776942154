//! The source of the queue, compiled natively, on the same system calls as the component.

use crate::native::Native;
use queue_store::counters::Counters;
use queue_store::item::Format;
use queue_store::item::codec;
use queue_store::item::envelope::{Envelope, Recipient, Timestamp};
use queue_store::queue::{NewMail, Queue, WriteOptions};
use std::path::Path;
use std::rc::Rc;

/// A native queue in a directory.
pub(crate) struct NativeQueue(Rc<Queue<Native>>);

impl NativeQueue {
    pub(crate) fn open(directory: &Path) -> NativeQueue {
        let counters: &'static Counters = Box::leak(Box::default());
        let path = directory.to_str().expect("the path of a benchmark is UTF-8");
        NativeQueue(Rc::new(Queue::open(&Native, counters, path).expect("the directory of a benchmark exists")))
    }

    /// Puts a mail durably.
    pub(crate) fn put(&self, body: &[u8]) {
        // The body is copied, as it is into the memory of the component.
        let envelope = Envelope { id: String::new(), created_at: None, ..envelope() };
        let mail = NewMail { id: None, envelope, body: body.to_vec() };
        self.0.put(mail, &WriteOptions::default()).expect("a put succeeds");
    }
}

/// Encodes an item with this body.
pub(crate) fn encoded(body: &[u8], format: Format) -> Vec<u8> {
    codec::encode(&envelope(), body, format).expect("an item can be encoded")
}

/// Returns the envelope of all items.
pub(crate) fn envelope() -> Envelope {
    Envelope {
        id: "x".to_string(),
        reverse_path: "a@example.com".to_string(),
        to: vec!["b@example.org".to_string()],
        recipients: vec![Recipient { address: "b@example.org".to_string(), ..Recipient::default() }],
        created_at: Some(Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 }),
    }
}
