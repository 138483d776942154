//! Puts into a warm instance of the component, compared with the native queue and with the bare system calls.

use super::Benchmark;
use crate::mail::{mail, size, text};
use crate::measure::{in_turns, timed};
use crate::native::open_directory;
use crate::native_queue::{NativeQueue, encoded};
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::{HOST, Settings};
use crate::stores::{Store, sqlite::Sqlite};
use queue_store::item::Format;
use queue_store_host::types::{IdentifiedMail, WriteOptions};
use rustix::fs::{Mode, OFlags};

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "durable put",
        method: "A put of mail text through the host library, in a warm instance, compared with the same source \
                 compiled natively, in two new directories of one file system. The native side makes the system calls \
                 that the host makes for the component. Durability is `full`: a put returns after fsync of the file \
                 and of its directory.",
        run: durable,
    },
    Benchmark {
        name: "put where syncs are free",
        method: "The same put on tmpfs, compared with the bare system calls of a put (create, write, fsync, rename, \
                 fsync of the directory) of an item that was encoded before: the cost of everything but the disk.",
        run: free,
    },
    Benchmark {
        name: "put-many",
        method: "100 mails in one call, compared with 100 single puts of the component, and with SQLite and one insert \
                 in each transaction (WAL, `synchronous=FULL`).",
        run: many,
    },
];

fn durable(settings: &Settings, report: &mut Report) {
    for (bytes, operations, most) in
        [(2 << 10, 100, 1.05), (64 << 10, 50, 1.05), (1 << 20, 20, 1.15), (25 << 20, 2, 1.15)]
    {
        let mail = mail(text(bytes));
        let directories = (settings.on_disk(), settings.on_disk());
        let queue = HOST.open(directories.0.path()).expect("the queue opens");
        let native = NativeQueue::open(directories.1.path());
        let [component, native] = in_turns(
            settings.rounds,
            settings.scaled(operations),
            [
                &mut |operations| {
                    timed(operations, |_| {
                        queue.put(&mail).expect("a put succeeds");
                    })
                },
                &mut |operations| timed(operations, |_| native.put(&mail.body)),
            ],
        );
        for (line, samples) in [("component", &component), ("native", &native)] {
            report.point(Plot::PutLatency, line, bytes as f64, samples.microseconds());
            let megabytes = crate::measure::Spread::of(samples.0.iter().map(|seconds| bytes as f64 / 1e6 / seconds));
            report.point(Plot::PutThroughput, line, bytes as f64, megabytes);
        }
        let row = Row::times(format!("durable put of {}", size(bytes)), &component, "native", &native);
        report.row(row.bound(Bound::RatioAtMost(most)));
        settings.sync_disk();
    }
}

/// Makes the system calls of a put of an encoded item.
fn raw_put(directory: &rustix::fd::OwnedFd, number: usize, bytes: &[u8]) -> rustix::io::Result<()> {
    let (temporary, name) = (format!(".m:{number:011}"), format!("m:{number:011}"));
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::io::pwrite(&file, bytes, 0)?;
    rustix::fs::fsync(&file)?;
    drop(file);
    rustix::fs::renameat(directory, &temporary, directory, &name)?;
    rustix::fs::fsync(directory)
}

fn free(settings: &Settings, report: &mut Report) {
    let mail = mail(text(2 << 10));
    let directories = (settings.in_memory(), settings.in_memory(), settings.in_memory());
    let queue = HOST.open(directories.0.path()).expect("the queue opens");
    let raw = open_directory(directories.1.path()).expect("the directory opens");
    let native = NativeQueue::open(directories.2.path());
    let ready = encoded(&mail.body, Format::Text);
    let mut number = 0;
    let [component, raw, native] = in_turns(
        settings.rounds,
        settings.scaled(500),
        [
            &mut |operations| {
                timed(operations, |_| {
                    queue.put(&mail).expect("a put succeeds");
                })
            },
            &mut |operations| {
                timed(operations, |_| {
                    number += 1;
                    raw_put(&raw, number, &ready).expect("a put succeeds");
                })
            },
            &mut |operations| timed(operations, |_| native.put(&mail.body)),
        ],
    );
    let row = Row::times("put of 2 KB on tmpfs", &component, "raw system calls", &raw);
    report.row(row.bound(Bound::RatioAtMost(2.0)));
    report.row(Row::times("put of 2 KB on tmpfs", &component, "native", &native));
}

fn many(settings: &Settings, report: &mut Report) {
    const BATCH: usize = 100;
    let mail = mail(text(2 << 10));
    let directories = (settings.on_disk(), settings.on_disk(), settings.on_disk());
    let many = HOST.open(directories.0.path()).expect("the queue opens");
    let single = HOST.open(directories.1.path()).expect("the queue opens");
    let sqlite = Sqlite::open(directories.2.path());
    let batch = vec![IdentifiedMail { id: None, mail: mail.clone() }; BATCH];
    let [many, single, sqlite] = in_turns(
        settings.rounds,
        BATCH,
        [
            &mut |operations| {
                timed(operations / BATCH, |_| {
                    let outcomes =
                        many.put_many(&batch, &WriteOptions::default()).expect("put-many returns the outcomes");
                    assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
                })
            },
            &mut |operations| {
                timed(operations, |_| {
                    single.put(&mail).expect("a put succeeds");
                })
            },
            &mut |operations| {
                timed(operations, |_| {
                    sqlite.put(&mail.body);
                })
            },
        ],
    );
    let what = "put-many of 100 mails of 2 KB, per mail";
    report.row(Row::times(what, &many, "single puts", &single).bound(Bound::RatioAtMost(0.65)));
    report.row(Row::times(what, &many, "SQLite, single inserts", &sqlite).bound(Bound::RatioAtMost(1.1)));
}
