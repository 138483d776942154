//! Calls for one item, over the number of items in the directory.

use super::Benchmark;
use crate::mail::{mail, text};
use crate::measure::{in_turns_of, timed};
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::Settings;
use queue_store_host::types::{Durability, WriteOptions};
use std::collections::VecDeque;
use std::time::Duration;

pub(crate) const BENCHMARKS: &[Benchmark] = &[Benchmark {
    name: "many items",
    method: "A put of 2 KB, a get and a removal in directories with 100, 1,000, 20,000 and 100,000 items, in turns, \
             with durability `full` and `none`. The items that are read and removed are those of the measured puts.",
    run,
}];

fn run(settings: &Settings, report: &mut Report) {
    for (durability, words) in [(Durability::Full, "durable"), (Durability::None, "not synced")] {
        of(settings, report, durability, words);
    }
}

fn of(settings: &Settings, report: &mut Report, durability: Durability, words: &str) {
    let sizes = [100, 1_000, 20_000, 100_000].map(|items| settings.scaled(items));
    let queues = sizes.map(|items| settings.filled(items, 2 << 10));
    let mail = mail(text(2 << 10));
    let options = WriteOptions { durability: Some(durability), ..WriteOptions::default() };
    let operations = settings.scaled(100);
    let mut put: Vec<VecDeque<String>> = vec![VecDeque::new(); sizes.len()];

    let mut measure = |call: &dyn Fn(usize, &mut VecDeque<String>)| {
        let mut sides: Vec<Box<dyn FnMut(usize) -> Duration + '_>> = Vec::new();
        for (index, put) in put.iter_mut().enumerate() {
            sides.push(Box::new(move |operations| timed(operations, |_| call(index, put))));
        }
        let mut sides: Vec<&mut dyn FnMut(usize) -> Duration> = sides.iter_mut().map(|side| &mut **side as _).collect();
        in_turns_of(settings.rounds(9), operations, &mut sides)
    };
    let puts = measure(&|index, put| {
        put.push_back(queues[index].queue.put_with(None, &mail, &options).expect("a put succeeds"));
    });
    let gets = measure(&|index, put| {
        put.rotate_left(1);
        queues[index].queue.get(&put[0]).expect("the item was put and not removed");
    });
    let removals = measure(&|index, put| {
        let id = put.pop_front().expect("there are as many puts as removals");
        let outcomes = queues[index].queue.remove(&[id], &[], durability).expect("remove returns the outcomes");
        assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()));
    });
    for (call, samples) in [("put", &puts), ("get", &gets), ("remove", &removals)] {
        if call == "get" && durability == Durability::None {
            continue;
        }
        let line = if call == "get" { call.to_string() } else { format!("{call}, {words}") };
        for (items, samples) in sizes.iter().zip(samples) {
            report.point(Plot::CallItems, &line, *items as f64, samples.microseconds());
        }
        let what = format!("{line}, with {} items there", sizes[3]);
        let row = Row::times(what, &samples[3], &format!("with {}", sizes[0]), &samples[0]);
        report.row(row.bound(Bound::RatioAtMost(1.2)));
    }
    settings.sync_disk();
}
