//! Listings of ids and of envelopes.

use super::Benchmark;
use crate::mail::size;
use crate::measure::{Samples, Spread, in_turns, timed};
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::{Extent, Settings};
use queue_store_host::Queue;
use queue_store_host::types::Detail;
use std::fs;
use std::io::Read;
use std::path::Path;

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "list with envelopes",
        method: "A listing with `envelope` detail, with a warm cache: the checksum of each envelope is verified, and \
                 the entries are decoded. Compared with a native loop that opens, reads and closes every file.",
        run: envelopes,
    },
    Benchmark {
        name: "list with envelopes of large items",
        method: "1,000 items of 1 MB (10,000 with `--full`), compared with as many of 2 KB. The bytes read are those \
                 that the system counts for this process (`rchar` in `/proc/self/io`).",
        run: large,
    },
    Benchmark {
        name: "list of ids",
        method: "A listing with `name` detail, with a warm cache, compared with a native loop of readdir and stat, \
                 since wasmtime stats every entry that it returns, and with readdir alone.",
        run: ids,
    },
];

/// Lists a queue to its end and returns the number of its items.
pub(crate) fn list(queue: &Queue, detail: Detail) -> usize {
    let listing = queue.items(&[], detail).expect("the listing starts");
    let intact = |entry: Result<queue_store_host::types::Entry, _>| {
        assert!(entry.expect("the entry can be read").problem.is_none())
    };
    listing.map(intact).count()
}

fn entries(directory: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(directory).expect("the directory exists").map(|entry| entry.expect("the entry can be read"))
}

/// Divides the times of a listing by the number of its items.
fn each(samples: Samples, items: usize) -> Samples {
    Samples(samples.0.into_iter().map(|seconds| seconds / items as f64).collect())
}

fn envelopes(settings: &Settings, report: &mut Report) {
    let all = [100, 1_000, 20_000, 100_000].map(|items| settings.scaled(items));
    for items in all {
        let filled = settings.filled(items, 2 << 10);
        let rounds = settings.rounds(if items > 50_000 { 3 } else { 9 });
        let [component, native] = in_turns(
            rounds,
            1,
            [
                &mut |times| timed(times, |_| assert_eq!(list(&filled.queue, Detail::Envelope), items)),
                &mut |times| {
                    timed(times, |_| {
                        let mut bytes = Vec::new();
                        for entry in entries(&filled.path) {
                            bytes.clear();
                            let mut file = fs::File::open(entry.path()).expect("the file exists");
                            file.read_to_end(&mut bytes).expect("the file can be read");
                        }
                    })
                },
            ],
        );
        let (component, native) = (each(component, items), each(native, items));
        report.point(Plot::ListItems, "with envelopes", items as f64, component.microseconds());
        report.point(Plot::ListItems, "open, read, close natively", items as f64, native.microseconds());
        if items == all[2] {
            let what = format!("list with envelopes of {items} items of 2 KB, an item");
            report.row(Row::alone(&what, "µs", component.microseconds()).bound(Bound::AtMost(12.0)));
            let row = Row::times(&what, &component, "open, read, close natively", &native);
            report.row(row.bound(Bound::RatioAtMost(3.0)));
        }
    }
}

/// Returns the number of bytes that this process has read, from files and everything else.
fn bytes_read() -> u64 {
    let counters = fs::read_to_string("/proc/self/io").expect("Linux has this file");
    let read = counters.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("the file has this counter");
    read.parse().expect("the counter is a number")
}

fn large(settings: &Settings, report: &mut Report) {
    let items = settings.scaled(if settings.extent == Extent::Full { 10_000 } else { 1_000 });
    let (large, small) = (settings.filled(items, 1 << 20), settings.filled(items, 2 << 10));
    let before = bytes_read();
    assert_eq!(list(&large.queue, Detail::Envelope), items);
    let share = 100.0 * (bytes_read() - before) as f64 / (items << 20) as f64;
    let what = format!("list with envelopes of {items} items of {}", size(1 << 20));
    let row = Row::alone(format!("{what}, share of the bytes that is read"), "%", Spread::once(share));
    report.row(row.bound(Bound::AtMost(1.0)));
    let [large, small] = in_turns(
        settings.rounds(9),
        1,
        [
            &mut |times| timed(times, |_| assert_eq!(list(&large.queue, Detail::Envelope), items)),
            &mut |times| timed(times, |_| assert_eq!(list(&small.queue, Detail::Envelope), items)),
        ],
    );
    let row = Row::times(format!("{what}, an item"), &each(large, items), "items of 2 KB", &each(small, items));
    report.row(row.bound(Bound::RatioAtMost(3.0)));
}

fn ids(settings: &Settings, report: &mut Report) {
    let all = [100, 1_000, 20_000, 100_000].map(|items| settings.scaled(items));
    for items in all {
        let filled = settings.filled(items, 2 << 10);
        let [component, stat, bare] = in_turns(
            settings.rounds(7),
            1,
            [
                &mut |times| timed(times, |_| assert_eq!(list(&filled.queue, Detail::Name), items)),
                &mut |times| {
                    timed(times, |_| {
                        entries(&filled.path)
                            .for_each(|entry| assert!(entry.metadata().is_ok(), "stat of a listed entry failed"))
                    })
                },
                &mut |times| timed(times, |_| assert_eq!(entries(&filled.path).count(), items)),
            ],
        );
        let (component, stat, bare) = (each(component, items), each(stat, items), each(bare, items));
        report.point(Plot::ListItems, "ids", items as f64, component.microseconds());
        report.point(Plot::ListItems, "readdir and stat natively", items as f64, stat.microseconds());
        if items == all[3] {
            let what = format!("list of the ids of {items} items, an item");
            let row = Row::times(&what, &component, "readdir and stat natively", &stat);
            report.row(row.bound(Bound::RatioAtMost(3.0)));
            report.row(Row::times(&what, &component, "readdir natively", &bare));
        }
    }
}
