//! The queue without the component: its source compiled for this machine, on the same system calls.

use crate::native::Native;
use queue_store_native as native;
use std::path::Path;
use std::rc::Rc;

/// A queue in a directory.
pub(crate) struct NativeQueue(Rc<native::queue::Queue<Native>>);

fn envelope() -> native::message::Envelope {
    let recipient = native::message::Recipient { address: "b@example.org".into(), ..Default::default() };
    native::message::Envelope {
        reverse_path: "a@example.com".into(),
        to: ["b@example.org".into()].into_iter().collect(),
        recipients: [recipient].into_iter().collect(),
        created_at: None.into(),
    }
}

impl NativeQueue {
    pub(crate) fn open(directory: &Path) -> NativeQueue {
        let counters: &'static _ = Box::leak(Box::new(native::counters::Counters::new()));
        let path = directory.to_str().expect("a path in UTF-8");
        NativeQueue(Rc::new(native::queue::Queue::open(&Native, counters, path).expect("the queue opens")))
    }

    /// Puts a mail durably.
    pub(crate) fn put(&self, body: &[u8]) {
        // The component gets a copy of the body, too.
        let mut given = native::queue::Given { id: None.into(), envelope: envelope(), body: body.to_vec().into() };
        self.0.put(&mut given, &native::queue::WriteOptions::DEFAULT).expect("a put");
    }
}

/// An item with this body, as a file has it.
pub(crate) fn encoded(body: &[u8], format: native::name::Format) -> Vec<u8> {
    native::codec::encode(&mut header(), body, format).expect("an item")
}

/// The header of an item.
pub(crate) fn header() -> native::message::Header {
    let created_at = native::message::Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 };
    let envelope = native::message::Envelope { created_at: Some(created_at).into(), ..envelope() };
    native::message::Header { id: "x".into(), envelope }
}
