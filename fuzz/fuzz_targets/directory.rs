//! Calls a queue in a directory of intact, damaged and foreign files. No call may accept a damaged item as intact,
//! listing and recovery must neither fail nor change an item, and a second recovery must change nothing.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use queue_store::item::Format;
use queue_store::item::codec::encode;
use queue_store::item::envelope::{Envelope, Recipient, Timestamp};
use queue_store::queue::{BodyReader, Detail, Durability, EnvelopeChange, Listing};
use queue_store_fuzz::memory::Memory;

#[derive(Arbitrary, Debug)]
struct File {
    prefix: u8,
    id: u8,
    content: Content,
    short_reads: u8,
}

#[derive(Arbitrary, Debug)]
enum Content {
    Any(Vec<u8>),
    /// An item with changed bytes that is truncated.
    Damaged {
        binary: bool,
        body: Vec<u8>,
        changes: [(u16, u8); 2],
        truncated: u8,
    },
}

const PREFIXES: [&str; 10] = ["m:", "m=", "h:", "h=", "q:", "q=", "d:AAAAAAAAAAA:", ".m:", "x", ""];
const IDS: [&str; 5] = ["a", "b", "m:a", "\u{1f4a9}", "dGVzdC1pZDE"];

fn envelope() -> Envelope {
    let recipient =
        Recipient { address: "b@c".to_string(), original_address: "b@c".to_string(), ..Recipient::default() };
    Envelope {
        id: "a".to_string(),
        reverse_path: "a@b".to_string(),
        to: Vec::new(),
        recipients: vec![recipient],
        created_at: Some(Timestamp { seconds: 1, nanos: 2 }),
    }
}

/// Returns the content of a file. A damaged item keeps its header line: without it, the item is one of another program.
fn content(content: &Content) -> Vec<u8> {
    match content {
        Content::Any(bytes) => bytes.clone(),
        Content::Damaged { binary, body, changes, truncated } => {
            let format = if *binary { Format::Binary } else { Format::Text };
            let mut bytes = encode(&envelope(), body, format).expect("an item can be encoded");
            for (at, change) in changes {
                let at = 16 + usize::from(*at) % (bytes.len() - 16);
                bytes[at] ^= change;
            }
            bytes.truncate(bytes.len() - usize::from(*truncated).min(bytes.len() - 16));
            bytes
        }
    }
}

fuzz_target!(|files: Vec<File>| {
    if files.len() > 8 {
        return;
    }
    // A queue with only the first item, under the file name of its format.
    if let Some(File { content: damaged @ Content::Damaged { binary, body, .. }, short_reads, .. }) = files.first() {
        let name = if *binary { "m=a" } else { "m:a" };
        let bytes = content(damaged);
        let (memory, queue) = Memory::queue([(name.to_string(), bytes.clone())]);
        memory.read_short((*short_reads).into());
        let envelope = envelope();
        let item = queue.get("a");
        if let Ok(item) = &item {
            assert!(item.envelope == envelope && item.body == *body, "get accepted a damaged item as intact");
        }
        if let Ok(info) = queue.info("a") {
            assert!(info.envelope == envelope, "info accepted a damaged envelope as intact");
        }
        let read = BodyReader::open(&queue, "a", 0).and_then(|mut reader| {
            let mut bytes = Vec::new();
            while let Some(more) = reader.read(100)? {
                bytes.extend_from_slice(&more);
            }
            Ok(bytes)
        });
        match (&read, &item) {
            (Ok(read), Ok(_)) => assert!(read == body),
            (Err(_), Err(_)) => {}
            _ => panic!("the body reader returned {read:?}, but get {item:?}, of {}", bytes.escape_ascii()),
        }
        let verified = queue.verify(&["a".to_string()]).expect("verify returns the outcomes");
        assert_eq!(verified[0].problem.is_none(), item.is_ok(), "verify and get disagree");
        let updated = queue.update("a", EnvelopeChange::default(), Durability::Full);
        assert_eq!(updated.is_ok(), item.is_ok(), "update and get disagree");
        if updated.is_err() {
            assert_eq!(memory.content(name), Some(bytes), "a failed update changed the item");
        }
    }

    let named = files.iter().filter_map(|file| {
        let name = [PREFIXES[usize::from(file.prefix) % 10], IDS[usize::from(file.id) % 5]].concat();
        (!name.is_empty()).then(|| (name, content(&file.content)))
    });
    let (memory, queue) = Memory::queue(named);
    let before = memory.contents();
    let mut listing = Listing::open(&queue, Vec::new(), Detail::Whole).expect("the listing starts");
    while listing.next(10).expect("the entries can be read").is_some() {}
    assert_eq!(memory.contents(), before, "a listing must change nothing");
    queue.recover(0).expect("recovery accepts any files");
    let after = memory.contents();
    for (name, content) in &after {
        assert_eq!(before.get(name), Some(content), "recovery changed `{name}`");
    }
    for (name, content) in &before {
        let removed = !after.contains_key(name);
        let has_other = after.values().any(|other| other == content);
        assert!(!removed || name.starts_with(".m:") || has_other, "recovery removed `{name}`");
    }
    let again = queue.recover(0).expect("recovery accepts any files");
    assert_eq!((again.temporary_removed, again.rewritten), (0, 0));
    assert_eq!(memory.contents(), after);
});
