//! The linear memory of the component, over the size of a body.

use super::Benchmark;
use crate::mail::{size, text};
use crate::measure::Spread;
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::Settings;
use queue_store_host_test::bindings::{self, Durability, EnvelopeChange, no_change, options, recipient};
use queue_store_host_test::instance::Instance;
use std::fs;

pub(crate) const BENCHMARKS: &[Benchmark] = &[Benchmark {
    name: "memory",
    method: "The linear memory of an instance after one call, from a `ResourceLimiter` of its store. Linear memory \
             never shrinks, so this is its peak. Each call has a new instance: a put of a body in chunks of 64 KB, a \
             read in such chunks, an update, and a verification. Writes are not synced.",
    run,
}];

fn run(settings: &Settings, report: &mut Report) {
    let largest = settings.scaled(1024) << 20;
    let block = text(1 << 20);
    for bytes in [largest / 1024, largest / 64, largest] {
        let directory = settings.on_disk();
        let unsynced = bindings::WriteOptions { durability: Some(Durability::None), ..options() };
        let mut peaks = Vec::new();
        let mut measure = |call: &str, run: &dyn Fn(&mut Instance<queue_store_host_test::instance::State>)| {
            let mut instance = Instance::over(directory.path());
            run(&mut instance);
            peaks.push((call.to_string(), instance.memory_bytes()));
        };
        measure("streamed put", &|instance| {
            let draft = instance.begin(Some("x"), &bindings::envelope(), Some(unsynced)).expect("the draft begins");
            let chunks = block.chunks(64 << 10).cycle();
            let mut left = bytes;
            for chunk in chunks {
                let chunk = &chunk[..left.min(chunk.len())];
                instance.draft_write(draft, chunk).expect("the chunk is written");
                left -= chunk.len();
                if left == 0 {
                    break;
                }
            }
            instance.draft_commit(draft).expect("the draft is committed");
        });
        measure("body read", &|instance| {
            let body = instance.read("x", 0).expect("the item exists");
            let mut read = 0;
            while let Some(chunk) = instance.reader_read(body, 64 << 10).expect("the chunk can be read") {
                read += chunk.len();
            }
            assert_eq!(read, bytes);
            instance.drop_resource(body);
        });
        measure("update", &|instance| {
            let sent = bindings::Recipient { status: 1, ..recipient("b@example.com") };
            let change = EnvelopeChange { recipients: Some(vec![sent]), ..no_change() };
            instance.update("x", &change, Some(Durability::None)).expect("the update succeeds");
        });
        measure("verify", &|instance| {
            let outcomes = instance.verify(&["x".to_string()]).expect("verify returns the outcomes");
            assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
        });
        for (call, peak) in peaks {
            let peak = Spread::once(peak as f64 / f64::from(1 << 20));
            report.point(Plot::Memory, &call, bytes as f64, peak);
            if bytes == largest {
                let row = Row::alone(format!("memory of the component, {call} of {}", size(bytes)), "MiB", peak);
                report.row(row.bound(Bound::AtMost(2.0)));
            }
        }
        // Deleting a few large files, unlike many small ones, does not slow later benchmarks down.
        for entry in fs::read_dir(directory.path()).expect("the queue has its directory") {
            fs::remove_file(entry.expect("the entry can be read").path()).expect("the file can be removed");
        }
    }
    for bytes in [1 << 20, 4 << 20, 25 << 20].map(|bytes: usize| settings.scaled(bytes)) {
        let directory = settings.on_disk();
        let mut instance = Instance::over(directory.path());
        let unsynced = bindings::WriteOptions { durability: Some(Durability::None), ..options() };
        instance.put(None, &bindings::mail(&text(bytes)), Some(unsynced)).expect("a put succeeds");
        let peak = Spread::once(instance.memory_bytes() as f64 / f64::from(1 << 20));
        report.point(Plot::Memory, "put in one piece", bytes as f64, peak);
    }
}
