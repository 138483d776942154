//! The component, compared with the other stores that a host developer would use.

use super::Benchmark;
use super::threads::together;
use crate::mail::{random, size, text};
use crate::measure::{Samples, Spread, in_turns_of, timed};
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::Settings;
use crate::stores::child::Found;
use crate::stores::flip::{self, flips};
use crate::stores::syncs::syncs;
use crate::stores::{KINDS, Store};
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "stores: syncs",
        method: "10 puts of 2 KB in a process under strace: the fewest calls of fsync and fdatasync that succeeded \
                 between the returns of two puts. A store with none would return before the mail is durable.",
        run: count_syncs,
    },
    Benchmark {
        name: "stores: puts",
        method: "Durable puts into each store, in turns, in new directories of one file system. The databases keep the \
                 envelope as JSON in a table of its own, plain files have it in their first line, and a Maildir has \
                 only the headers Return-Path and Delivered-To.",
        run: puts,
    },
    Benchmark {
        name: "stores: status update",
        method: "Records a failed delivery durably, with another value each time. The databases rewrite the envelope, \
                 a Maildir, which has none, renames the file, and queue-store and plain files rewrite the whole \
                 file.",
        run: updates,
    },
    Benchmark {
        name: "stores: listing",
        method: "100,000 mails of 2 KB: the store is opened and all ids and envelopes are read, after the system's \
                 caches were dropped. The mails were stored without syncs.",
        run: listing,
    },
    Benchmark {
        name: "stores: space after draining",
        method: "2,000 mails of 2 KB and 20 of 1 MB are stored and removed again, and the store is closed. The figure \
                 is the space that its files still take on the disk. No store is compacted explicitly.",
        run: drained,
    },
    Benchmark {
        name: "stores: a flipped sector",
        method: "A store with 200 mails of 2 KB is closed, and one sector of 512 bytes of its files is inverted, at 40 \
                 places chosen by a seed, each in a new copy that a new process opens and reads. A mail is lost if it \
                 is not returned. A mail that is returned with other bytes is worse, and counted separately. All mails \
                 are lost if the process fails.",
        run: sector,
    },
];

/// Opens a store of each kind in a new directory.
fn open_all(settings: &Settings) -> Vec<(Rc<TempDir>, Box<dyn Store>)> {
    let open = |kind: &crate::stores::Kind| {
        let directory = settings.on_disk();
        let store = (kind.open)(directory.path());
        (directory, store)
    };
    KINDS.iter().map(open).collect()
}

/// Runs `run` on each store in turns, with the index of the store and the number of operations.
fn measure<'a>(
    rounds: usize,
    operations: usize,
    stores: &'a [(Rc<TempDir>, Box<dyn Store>)],
    run: &'a dyn Fn(usize, &dyn Store, usize) -> Duration,
) -> Vec<Samples> {
    let side = |(index, (_, store)): (usize, &'a (Rc<TempDir>, Box<dyn Store>))| {
        Box::new(move |operations| run(index, &**store, operations)) as Box<dyn FnMut(usize) -> Duration + 'a>
    };
    let mut sides: Vec<_> = stores.iter().enumerate().map(side).collect();
    let mut sides: Vec<&mut dyn FnMut(usize) -> Duration> = sides.iter_mut().map(|side| &mut **side as _).collect();
    in_turns_of(rounds, operations, &mut sides)
}

/// Adds a row for each other store, compared with the first one.
fn rows(report: &mut Report, what: &str, samples: &[Samples]) {
    for (kind, other) in KINDS.iter().zip(samples).skip(1) {
        report.row(Row::times(what, &samples[0], kind.name, other));
    }
}

fn count_syncs(settings: &Settings, report: &mut Report) {
    for kind in KINDS {
        let directory = settings.on_disk();
        match syncs(kind, directory.path(), 10) {
            Some(syncs) => {
                let fewest = syncs.iter().min().copied().unwrap_or(0) as f64;
                let row = Row::alone(format!("{}: syncs of a put", kind.name), "calls", Spread::once(fewest));
                report.row(row.bound(Bound::AtLeast(1.0)));
            }
            None => report.note(format!("The syncs of {} were not counted, since strace did not run.", kind.name)),
        }
    }
}

fn puts(settings: &Settings, report: &mut Report) {
    for (bytes, rounds, operations) in [(2 << 10, 9, 40), (64 << 10, 9, 24), (25 << 20, 3, 8)] {
        for writers in [1, 8] {
            let body = text(bytes);
            let stores = open_all(settings);
            let operations = if bytes > 1 << 20 && writers == 1 { 2 } else { settings.scaled(operations).max(writers) };
            let samples = measure(settings.rounds(rounds), operations, &stores, &|_, store, operations| {
                let took = together(writers, operations, &|operations| {
                    for _ in 0..operations {
                        store.put(&body);
                    }
                });
                if bytes > 1 << 20 {
                    settings.sync_disk();
                }
                took
            });
            let plural = if writers == 1 { "1 writer" } else { "8 writers" };
            rows(report, &format!("put of {}, {plural}", size(bytes)), &samples);
            if writers == 1 {
                for (kind, samples) in KINDS.iter().zip(&samples) {
                    report.point(Plot::Stores, kind.name, bytes as f64, samples.microseconds());
                }
            }
            if bytes > 1 << 20 {
                discard(stores);
            }
            settings.sync_disk();
        }
    }
}

/// Removes stores of a few large files to free the disk. Unlike the removal of many small files, this delays nothing
/// later.
fn discard(stores: Vec<(Rc<TempDir>, Box<dyn Store>)>) {
    for (directory, store) in stores {
        drop(store);
        for file in flip::files(directory.path()) {
            // A background thread of the store may have removed the file.
            let _ = fs::remove_file(file);
        }
    }
}

fn updates(settings: &Settings, report: &mut Report) {
    for (bytes, rounds, operations) in [(2 << 10, 9, 20), (25 << 20, 3, 3)] {
        let stores = open_all(settings);
        let body = text(bytes);
        let ids: Vec<String> = stores.iter().map(|(_, store)| store.put(&body)).collect();
        let operations = settings.scaled(operations);
        let attempts = Cell::new(0);
        let samples = measure(settings.rounds(rounds), operations, &stores, &|index, store, operations| {
            timed(operations, |_| {
                attempts.set(attempts.get() + 1);
                store.update(&ids[index], attempts.get());
            })
        });
        rows(report, &format!("status update of {}", size(bytes)), &samples);
        settings.sync_disk();
    }
}

fn listing(settings: &Settings, report: &mut Report) {
    let items = settings.scaled(100_000);
    let body = text(2 << 10);
    let directories: Vec<_> = KINDS.iter().map(|_| settings.on_disk()).collect();
    for (kind, directory) in KINDS.iter().zip(&directories) {
        let mut bodies = std::iter::repeat_n(body.clone(), items);
        assert_eq!((kind.open)(directory.path()).load(&mut bodies).len(), items);
        settings.sync_disk();
    }
    let mut samples = vec![Samples(Vec::new()); KINDS.len()];
    let mut cold = true;
    for _ in 0..settings.rounds(3) {
        for ((kind, directory), samples) in KINDS.iter().zip(&directories).zip(&mut samples) {
            cold &= settings.drop_caches();
            let begun = Instant::now();
            assert_eq!((kind.open)(directory.path()).list(), items, "{}", kind.name);
            samples.0.push(begun.elapsed().as_secs_f64());
        }
    }
    let words = if cold { "cold" } else { "warm" };
    if !cold {
        report.note("The stores were listed with warm caches, since only root can drop them.");
    }
    for (kind, other) in KINDS.iter().zip(&samples).skip(1) {
        let row = Row::alone(format!("listing of {items} mails, {words}"), "ms", samples[0].milliseconds());
        report.row(row.compared_with(kind.name, other.milliseconds(), samples[0].over(other)));
    }
}

fn drained(settings: &Settings, report: &mut Report) {
    let (small, large) = (settings.scaled(2000), settings.scaled(20));
    for kind in KINDS {
        let directory = settings.on_disk();
        let before = on_disk(directory.path());
        let store = (kind.open)(directory.path());
        let bodies = (0..small).map(|_| 2 << 10).chain((0..large).map(|_| 1 << 20));
        let ids = store.load(&mut bodies.zip(0..).map(|(bytes, seed)| random(bytes, seed)));
        ids.iter().for_each(|id| store.remove(id));
        drop(store);
        settings.sync_disk();
        let used = on_disk(directory.path()).saturating_sub(before);
        report.row(Row::alone(format!("{}: space after draining", kind.name), "MB", Spread::once(used as f64 / 1e6)));
    }
}

/// Returns the bytes that a directory and its content take on the disk.
fn on_disk(directory: &Path) -> u64 {
    let blocks = |path: &Path| fs::metadata(path).map_or(0, |found| found.blocks() * 512);
    let inside = fs::read_dir(directory).expect("the directory exists").map(|entry| {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() { on_disk(&path) } else { blocks(&path) }
    });
    blocks(directory) + inside.sum::<u64>()
}

fn sector(settings: &Settings, report: &mut Report) {
    for kind in KINDS {
        let flips = flips(settings, kind, settings.scaled(20_000).min(200), settings.scaled(4000).min(40));
        let name = kind.name;
        let missing = |found: &Found| found.missing as f64;
        let wrong: usize = flips.found.iter().map(|found| found.wrong).sum();
        let most = flips.found.iter().map(missing).fold(0.0, f64::max);
        let total: f64 = flips.found.iter().map(missing).sum();
        let mean = total / flips.found.len() as f64;
        let mails = flips.mails;
        report.row(Row::alone(
            format!("{name}: mails of {mails} that a flip loses, on average"),
            "mails",
            Spread::once(mean),
        ));
        report.row(Row::alone(
            format!("{name}: mails of {mails} that one flip loses at most"),
            "mails",
            Spread::once(most),
        ));
        let row = format!("{name}: mails that are returned wrong, of all {} flips", flips.found.len());
        report.row(Row::alone(row, "mails", Spread::once(wrong as f64)));
    }
}
