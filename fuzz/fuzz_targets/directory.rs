//! A directory of damaged files: listing and recovery neither fail nor change what is in an item, and recovering twice is
//! recovering once.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::memory::Memory;
use queue_store_native::counters::Counters;
use queue_store_native::queue::{Detail, Listing, Queue};
use std::rc::Rc;

#[derive(Arbitrary, Debug)]
struct File {
    prefix: u8,
    id: u8,
    content: Vec<u8>,
}

const PREFIXES: [&str; 10] = ["m:", "m=", "h:", "h=", "q:", "q=", "d:AAAAAAAAAAA:", ".m:", "x", ""];
const IDS: [&str; 5] = ["a", "b", "m:a", "\u{1f4a9}", "dGVzdC1pZDE"];

fuzz_target!(|files: Vec<File>| {
    let named = files.into_iter().filter_map(|file| {
        let name = [PREFIXES[usize::from(file.prefix) % 10], IDS[usize::from(file.id) % 5]].concat();
        (!name.is_empty()).then_some((name, file.content))
    });
    let memory: &'static Memory = Box::leak(Box::new(Memory::with(named)));
    let counters: &'static Counters = Box::leak(Box::new(Counters::new()));
    let queue = Rc::new(Queue::open(memory, counters, "queue").expect("it opens"));
    let before = memory.contents();
    let mut listing = Listing::open(&queue, Default::default(), Detail::Whole).expect("a listing");
    while !listing.next(10).expect("entries").is_empty() {}
    assert_eq!(memory.contents(), before, "a listing changes nothing");
    queue.recover(0).expect("recovery");
    let after = memory.contents();
    for (name, content) in &after {
        assert_eq!(before.get(name), Some(content), "an item is what it was");
    }
    for (name, content) in &before {
        let gone = !after.contains_key(name);
        let has_other = after.values().any(|other| other == content);
        assert!(!gone || name.starts_with(".m:") || has_other, "`{name}` is gone");
    }
    let again = queue.recover(0).expect("recovery");
    assert_eq!((again.swept, again.settled), (0, 0));
    assert_eq!(memory.contents(), after);
});
