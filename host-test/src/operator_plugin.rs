//! The operator's plugin in `guests/operator`, and what it has to see on a queue of any store.

use crate::guest;
use queue_store_host::Queue;
use queue_store_host::plugin::wasmtime_wasi::{WasiCtx, p2::pipe::MemoryOutputPipe};
use queue_store_host::plugin::{OperatorPlugin, PluginLimits};
use queue_store_host::types::{Mail, WriteOptions};
use std::sync::LazyLock;

/// The plugin.
pub static COMPONENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| guest::build("queue-store-guest-operator", &[], "queue-store-guest-operator.wasm", "component"));

/// The output of the plugin's tour.
const TOUR: &str = "\
contract: mail:queue@0.1.0
limit and counter: true true
ids differ: true
count: 2 ready, 0 held
listed: long to b@example.com, Some(300000) bytes
listed: short to b@example.com, Some(5) bytes
read: 300000 bytes, at most 1000 at a time
equal: true, of long
rest: Some([52, 53, 54])
missing: ErrorCode::NotFound
hold: short missing=ErrorCode::NotFound
state: State::Held
recorded: 2 \"mailbox full\", true
stale: ErrorCode::Conflict
updated: other@example.com
draft: draft
size: 131075
taken: ErrorCode::Exists
put: one
several: one=ErrorCode::Exists two
given up: ErrorCode::NotFound ErrorCode::NotFound
verified: long missing=ErrorCode::NotFound
sealed: two
removed: short two missing=ErrorCode::NotFound
gone: ErrorCode::NotFound
Format::Text: true
Format::Binary: true
garbage: ErrorCode::Corrupt
closed: true ErrorCode::NeedsRecovery
draft of a closed queue: ErrorCode::NeedsRecovery
another resource: false
recovered: 3 durable, 0 damaged
open: true
durable-file: a plugin has no files of its own
";

/// Runs the plugin's tour on an empty queue, and compares what it saw, and what it left.
///
/// # Panics
///
/// If something differs.
pub fn tour(queue: &Queue) {
    let long: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    for (id, body) in [("long", &long[..]), ("short", b"short")] {
        let mail = Mail::new("a@example.com", ["b@example.com"], body);
        queue.put_with(Some(id), &mail, &WriteOptions::default()).expect("the queue is empty");
    }
    assert_eq!(output(queue, PluginLimits::default(), &["tour"]), TOUR);
    let left = queue.get("long").expect("the plugin left it");
    assert_eq!((left.envelope.reverse_path.as_str(), left.body), ("other@example.com", long));
    assert_eq!(left.envelope.recipients[0].last_failure_message, "mailbox full");
    assert_eq!(queue.get("draft").expect("the plugin put it").body.len(), 131_075);
    assert_eq!(queue.count().expect("the queue can be counted").ready, 4, "long, draft, one and last");
}

/// Runs the plugin with arguments, and returns its output.
///
/// # Panics
///
/// If it fails.
pub fn output(queue: &Queue, limits: PluginLimits, arguments: &[&str]) -> String {
    let plugin = OperatorPlugin::new(&COMPONENT, limits).expect("it is an operator's plugin");
    let output = MemoryOutputPipe::new(1 << 16);
    let mut wasi = WasiCtx::builder();
    wasi.arg("plugin").args(arguments).stdout(output.clone()).inherit_stderr();
    assert_eq!(plugin.run(queue, wasi.build()).expect("it ends"), 0);
    String::from_utf8(output.contents().to_vec()).expect("it prints text")
}
