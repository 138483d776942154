//! Durable puts from several threads.

use super::Benchmark;
use crate::mail::{mail, text};
use crate::measure::{in_turns, timed};
use crate::native_queue::NativeQueue;
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::{HOST, Settings};
use std::thread;
use std::time::Duration;

pub(crate) const BENCHMARKS: &[Benchmark] = &[Benchmark {
    name: "threads",
    method: "Durable puts of 2 KB into one directory from 1, 2, 4 and 8 threads that share one handle of the host \
             library, compared with as many native threads. The time is that of all puts divided by their number.",
    run,
}];

/// Divides `operations` among threads and returns the time until all have finished.
pub(crate) fn together(threads: usize, operations: usize, operate: &(dyn Fn(usize) + Sync)) -> Duration {
    timed(1, |_| {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| operate(operations / threads));
            }
        });
    })
}

fn run(settings: &Settings, report: &mut Report) {
    let mail = &mail(text(2 << 10));
    for threads in [1, 2, 4, 8] {
        let directories = (settings.on_disk(), settings.on_disk());
        let queue = &HOST.open(directories.0.path()).expect("the queue opens");
        let native_directory = directories.1.path();
        let [component, native] = in_turns(
            settings.rounds,
            settings.scaled(50) * 8,
            [
                &mut |operations| {
                    together(threads, operations, &|operations| {
                        for _ in 0..operations {
                            queue.put(mail).expect("a put succeeds");
                        }
                    })
                },
                &mut |operations| {
                    together(threads, operations, &|operations| {
                        let native = NativeQueue::open(native_directory);
                        (0..operations).for_each(|_| native.put(&mail.body));
                    })
                },
            ],
        );
        report.point(Plot::Threads, "component", threads as f64, component.per_second());
        report.point(Plot::Threads, "native", threads as f64, native.per_second());
        let what = format!("durable puts of 2 KB, threads: {threads}");
        let row = Row::times(what, &component, "native threads", &native);
        report.row(if threads == 8 { row.bound(Bound::RatioAtMost(1.10)) } else { row });
        settings.sync_disk();
    }
}
