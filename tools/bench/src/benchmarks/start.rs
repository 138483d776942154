//! The start of the command, and of an instance.

use super::Benchmark;
use crate::measure::{in_turns, timed};
use crate::report::{Bound, Report, Row};
use crate::settings::Settings;
use queue_store_host_test::bindings::QueuePre;
use queue_store_host_test::instance::{self, COMPONENT, ENGINE, Instance, Preopen, QUEUE};
use rustix::fs::inotify;
use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wasmtime::component::Linker;

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "instantiation",
        method: "Creation of a store and an instance of the precompiled component, with the engine settings of the \
                 host library. A host pays for it only when the pool of the library grows. The first figure excludes \
                 the creation of the WASI context; the second includes it and the drops.",
        run: instantiation,
    },
    Benchmark {
        name: "start of the command",
        method: "The time from before the spawn of `queue-store put --durability none` until inotify reports that the \
                 queue's directory was opened, which includes the spawn and the report but no tracing. The second \
                 figure is the whole run, to the exit of the command.",
        run: command,
    },
];

fn instantiation(settings: &Settings, report: &mut Report) {
    let mut linker = Linker::new(&ENGINE);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("the linker has no other definition of WASI");
    let prepared = linker.instantiate_pre(&COMPONENT).expect("the component imports nothing but WASI");
    let prepared = QueuePre::new(prepared).expect("the component exports the contract");
    let directory = settings.on_disk();
    let state = || instance::state(&[Preopen { path: directory.path(), name: QUEUE, read_only: false }]);
    let [bare, with_context] = in_turns(
        settings.rounds,
        settings.scaled(1000),
        [
            &mut |operations| {
                let mut total = Duration::ZERO;
                for _ in 0..operations {
                    let state = state();
                    let begun = Instant::now();
                    let instance = Instance::prepared(&prepared, state);
                    total += begun.elapsed();
                    drop(instance);
                }
                total
            },
            &mut |operations| timed(operations, |_| drop(Instance::prepared(&prepared, state()))),
        ],
    );
    report.row(Row::alone("instantiation", "µs", bare.microseconds()).bound(Bound::AtMost(50.0)));
    report.row(Row::alone("instantiation with its WASI context, and dropping both", "µs", with_context.microseconds()));
}

/// Puts a mail with the command. Returns the time until the directory was opened, and until the exit.
fn start(command: &Path, queue: &Path, mail: &Path) -> (Duration, Duration) {
    let inotify = inotify::init(inotify::CreateFlags::CLOEXEC).expect("the system has inotify");
    inotify::add_watch(&inotify, queue, inotify::WatchFlags::OPEN).expect("the directory can be watched");
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&inotify, &mut buffer);
    let mut put = Command::new(command);
    put.args(["put", "--durability", "none", "--from", "a@example.com", "--to", "b@example.org", "--queue"]).arg(queue);
    put.stdin(File::open(mail).expect("the mail exists")).stdout(Stdio::null());
    let begun = Instant::now();
    let mut child = put.spawn().expect("the command starts");
    events.next().expect("the command opens the directory");
    let opened = begun.elapsed();
    assert!(child.wait().expect("the child can be waited for").success());
    (opened, begun.elapsed())
}

fn command(settings: &Settings, report: &mut Report) {
    let Some(command) = &settings.command else {
        report.note("The start of the command was not measured, since the command could not be built.");
        return;
    };
    let directory = settings.on_disk();
    let mut mail = tempfile::NamedTempFile::new().expect("a temporary file can be created");
    mail.write_all(&crate::mail::text(2 << 10)).expect("the temporary file is writable");
    let side = |part: fn((Duration, Duration)) -> Duration| {
        let (directory, mail) = (directory.path(), mail.path());
        move |operations: usize| (0..operations).map(|_| part(start(command, directory, mail))).sum()
    };
    let [opened, ended] = in_turns(
        settings.rounds,
        settings.scaled(10),
        [&mut side(|(opened, _)| opened), &mut side(|(_, ended)| ended)],
    );
    let what = "start of the command to its first system call on the queue";
    report.row(Row::alone(what, "ms", opened.milliseconds()).bound(Bound::AtMost(15.0)));
    report.row(Row::alone("put of the command, not synced, to its end", "ms", ended.milliseconds()));
}
