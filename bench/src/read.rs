//! Listings and starts.

use crate::measure::{Comparison, compare, timed};
use crate::put::{fresh, mail, mail_text};
use crate::{Benchmark, Bound, Settings};
use queue_store_host::Host;
use queue_store_host::types::{Detail, Durability, WriteOptions};
use std::fs;
use std::io::Read;
use std::path::Path;

/// The benchmarks of reading.
pub(crate) const BENCHMARKS: &[&Benchmark] = &[
    &Benchmark {
        name: "list with envelopes, 20,000 items of 2 KB, warm, per item",
        against: "open, read, close natively",
        bound: Some(Bound::Most(3.0)),
        run: envelopes,
    },
    &Benchmark {
        name: "list of the ids of 100,000 items, per item",
        against: "readdir and stat natively",
        bound: Some(Bound::Most(3.0)),
        run: ids,
    },
];

/// Fills a queue with so many items, without waiting for the disk.
fn fill(directory: &Path, items: usize, bytes: usize) -> queue_store_host::Queue {
    let queue = Host::new().expect("a host").open(directory).expect("the queue opens");
    let options = WriteOptions { durability: Some(Durability::None), ..WriteOptions::default() };
    let mail = mail(mail_text(bytes));
    for _ in 0..items {
        queue.put(None, &mail, &options).expect("a put");
    }
    queue
}

fn list(queue: &queue_store_host::Queue, detail: Detail) -> usize {
    let listing = queue.listing(&[], detail).expect("a listing");
    listing.inspect(|entry| assert!(entry.is_ok())).count()
}

fn envelopes(settings: &Settings) -> Comparison {
    const ITEMS: usize = 20_000;
    let directory = fresh(&settings.directory);
    let queue = fill(directory.path(), ITEMS, 2 << 10);
    compare(
        settings.rounds.min(7),
        ITEMS,
        &mut |items| timed(1, |_| assert_eq!(list(&queue, Detail::Envelope), items)),
        &mut |_| {
            timed(1, |_| {
                let mut bytes = Vec::new();
                for entry in fs::read_dir(directory.path()).expect("a directory") {
                    let mut file = fs::File::open(entry.expect("an entry").path()).expect("a file");
                    bytes.clear();
                    file.read_to_end(&mut bytes).expect("it can be read");
                }
            })
        },
    )
}

fn ids(settings: &Settings) -> Comparison {
    const ITEMS: usize = 100_000;
    let directory = fresh(&settings.memory);
    let queue = fill(directory.path(), ITEMS, 10);
    compare(
        settings.rounds.min(7),
        ITEMS,
        &mut |items| timed(1, |_| assert_eq!(list(&queue, Detail::Name), items)),
        &mut |_| {
            timed(1, |_| {
                for entry in fs::read_dir(directory.path()).expect("a directory") {
                    entry.expect("an entry").metadata().expect("a stat");
                }
            })
        },
    )
}
