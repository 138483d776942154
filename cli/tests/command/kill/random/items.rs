//! The items that a queue has.

use queue_store_host::Queue;
use queue_store_host::types::{Detail, State};
use std::collections::BTreeMap;

/// The content of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) body: Vec<u8>,
    /// The status of its delivery.
    pub(super) status: i32,
}

pub(super) type Items = BTreeMap<String, Content>;

/// Returns the items of a queue, each of which must be intact.
pub(super) fn items(queue: &Queue) -> Items {
    let mut items = Items::new();
    for entry in queue.items(&[], Detail::Whole).expect("the queue can be listed") {
        let entry = entry.expect("the listing reaches its end");
        assert!(entry.problem.is_none(), "{} is damaged: {:?}", entry.id, entry.problem);
        assert_eq!(entry.state, State::Ready);
        let item = queue.get(&entry.id).expect("no command runs");
        items.insert(entry.id, Content { body: item.body, status: item.envelope.recipients[0].status });
    }
    items
}
