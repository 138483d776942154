//! Puts: the component in a warm instance, beside the same queue and the same system calls without it.

use crate::measure::{Comparison, compare, timed};
use crate::native::{Native, open_directory};
use crate::{Benchmark, Bound, Settings};
use queue_store_host::types::{Envelope, Mail, Recipient, WriteOptions};
use queue_store_host::{Host, Queue};
use queue_store_native as native;
use rustix::fs::{Mode, OFlags};
use std::path::Path;
use std::rc::Rc;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The benchmarks of puts.
pub(crate) const BENCHMARKS: &[&Benchmark] = &[
    &Benchmark {
        name: "durable put of 2 KB",
        against: "the same natively",
        bound: Some(Bound::Most(1.05)),
        run: |settings| against_native(settings, &settings.directory, 2 << 10, 100),
    },
    &Benchmark {
        name: "durable put of 64 KB",
        against: "the same natively",
        bound: Some(Bound::Most(1.05)),
        run: |settings| against_native(settings, &settings.directory, 64 << 10, 50),
    },
    &Benchmark {
        name: "durable put of 1 MB",
        against: "the same natively",
        bound: Some(Bound::Most(1.15)),
        run: |settings| against_native(settings, &settings.directory, 1 << 20, 20),
    },
    &Benchmark {
        name: "durable put of 25 MB",
        against: "the same natively",
        bound: Some(Bound::Most(1.15)),
        run: |settings| against_native(settings, &settings.directory, 25 << 20, 2),
    },
    &Benchmark {
        name: "put of 2 KB where syncs are free",
        against: "raw system calls with ready bytes",
        bound: Some(Bound::Most(2.0)),
        run: |settings| against_system_calls(settings, &settings.memory),
    },
    &Benchmark {
        name: "put-many of 100 mails of 2 KB, per mail",
        against: "single durable puts",
        bound: Some(Bound::Most(0.65)),
        run: put_many,
    },
    &Benchmark {
        name: "durable puts of 2 KB from 8 threads",
        against: "8 native threads",
        bound: Some(Bound::Most(1.10)),
        run: eight_threads,
    },
];

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));

/// Text as mails have it.
pub(crate) fn mail_text(bytes: usize) -> Vec<u8> {
    let line = b"The quick brown fox jumps over the lazy dog, and said \"so what\" to nobody in particular.\r\n";
    line.iter().copied().cycle().take(bytes).collect()
}

pub(crate) fn mail(body: Vec<u8>) -> Mail {
    let recipient = Recipient { address: "b@example.com".into(), ..Recipient::default() };
    let envelope = Envelope {
        reverse_path: "a@example.com".into(),
        to: vec!["b@example.com".into()],
        recipients: vec![recipient],
        created_at: None,
    };
    Mail { envelope, body }
}

/// A new directory: deleting many files slows later creations down, so none is used twice.
pub(crate) fn fresh(below: &Path) -> TempDir {
    tempfile::Builder::new().prefix(".bench-").tempdir_in(below).expect("a directory for the benchmark")
}

fn queue(directory: &TempDir) -> Queue {
    HOST.open(directory.path()).expect("the queue opens")
}

/// The native side: its queue, and a put.
struct NativeQueue(Rc<native::queue::Queue<Native>>);

impl NativeQueue {
    fn open(directory: &TempDir) -> NativeQueue {
        let counters: &'static _ = Box::leak(Box::new(native::counters::Counters::new()));
        let path = directory.path().to_str().expect("a path in UTF-8");
        let queue = native::queue::Queue::open(&Native, counters, path);
        NativeQueue(Rc::new(queue.expect("the queue opens")))
    }

    fn put(&self, body: &[u8]) {
        let recipient = native::message::Recipient { address: "b@example.com".into(), ..Default::default() };
        let envelope = native::message::Envelope {
            reverse_path: "a@example.com".into(),
            to: ["b@example.com".into()].into_iter().collect(),
            recipients: [recipient].into_iter().collect(),
            created_at: None.into(),
        };
        let mut given = native::queue::Given { id: None.into(), envelope, body: body.to_vec().into() };
        self.0.put(&mut given, &native::queue::WriteOptions::DEFAULT).expect("a put");
    }
}

fn against_native(settings: &Settings, below: &Path, bytes: usize, operations: usize) -> Comparison {
    let mail = mail(mail_text(bytes));
    let directories = (fresh(below), fresh(below));
    let queue = queue(&directories.0);
    let native = NativeQueue::open(&directories.1);
    compare(
        settings.rounds,
        operations,
        &mut |operations| {
            timed(operations, |_| {
                queue.put(None, &mail, &WriteOptions::default()).expect("a put");
            })
        },
        &mut |operations| timed(operations, |_| native.put(&mail.body)),
    )
}

/// The system calls of a put, with bytes that are ready.
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

fn against_system_calls(settings: &Settings, below: &Path) -> Comparison {
    let mail = mail(mail_text(2 << 10));
    let directories = (fresh(below), fresh(below));
    let queue = queue(&directories.0);
    let raw = open_directory(directories.1.path()).expect("the directory opens");
    let ready = mail_text(2300);
    let mut number = 0;
    compare(
        settings.rounds,
        500,
        &mut |operations| {
            timed(operations, |_| {
                queue.put(None, &mail, &WriteOptions::default()).expect("a put");
            })
        },
        &mut |operations| {
            timed(operations, |_| {
                number += 1;
                raw_put(&raw, number, &ready).expect("a put");
            })
        },
    )
}

fn put_many(settings: &Settings) -> Comparison {
    let mail = mail(mail_text(2 << 10));
    let directories = (fresh(&settings.directory), fresh(&settings.directory));
    let (many, single) = (queue(&directories.0), queue(&directories.1));
    let batch: Vec<(Option<String>, Mail)> = vec![(None, mail.clone()); 100];
    compare(
        settings.rounds,
        100,
        &mut |operations| {
            timed(operations / 100, |_| {
                let outcomes = many.put_many(&batch, &WriteOptions::default()).expect("a batch");
                assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
            })
        },
        &mut |operations| {
            timed(operations, |_| {
                single.put(None, &mail, &WriteOptions::default()).expect("a put");
            })
        },
    )
}

fn eight_threads(settings: &Settings) -> Comparison {
    const THREADS: usize = 8;
    let mail = &mail(mail_text(2 << 10));
    let directories = (fresh(&settings.directory), fresh(&settings.directory));
    let queue = &queue(&directories.0);
    let together = |operations: usize, put: &(dyn Fn(usize) + Sync)| -> Duration {
        timed(1, |_| thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(|| put(operations / THREADS))))))
    };
    let native_directory = &directories.1;
    compare(
        settings.rounds,
        400,
        &mut |operations| {
            together(operations, &|operations| {
                for _ in 0..operations {
                    queue.put(None, mail, &WriteOptions::default()).expect("a put");
                }
            })
        },
        &mut |operations| {
            together(operations, &|operations| {
                let native = NativeQueue::open(native_directory);
                (0..operations).for_each(|_| native.put(&mail.body));
            })
        },
    )
}
