//! A plugin with an operator's rights, on a directory.

use queue_store_host::plugin::wasmtime_wasi::WasiCtx;
use queue_store_host::plugin::{OperatorPlugin, Plugin, PluginError, PluginLimits};
use queue_store_host::types::{Mail, WriteOptions};
use queue_store_host::{Host, Queue};
use queue_store_host_test::operator_plugin::{COMPONENT, output, tour};
use std::fs;
use tempfile::TempDir;

fn queue() -> (TempDir, Queue) {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let queue = Host::new().and_then(|host| host.open(directory.path())).expect("the directory exists");
    (directory, queue)
}

/// A queue with the item `x`.
fn queue_with_item(body: &[u8]) -> (TempDir, Queue) {
    let (directory, queue) = queue();
    let mail = Mail::new("a@example.com", ["b@example.com"], body);
    queue.put_with(Some("x"), &mail, &WriteOptions::default()).expect("the queue is empty");
    (directory, queue)
}

#[test]
fn operator_plugin_does_everything_on_a_directory() {
    let (_directory, queue) = queue();
    tour(&queue);
}

#[test]
fn plugin_without_the_right_is_refused_by_name() {
    let error = Plugin::new(&COMPONENT, PluginLimits::default()).expect_err("it is an operator's plugin");
    assert!(matches!(&error, PluginError::OperatorOnly(names) if names.len() == 4), "{error}");
    let words = error.to_string();
    for name in ["queue-store", "item-codec", "durable-file", "introspection"] {
        assert!(words.contains(&format!("mail:queue/{name}@0.1.0")), "{words}");
    }
    assert!(words.ends_with(", which no plugin gets without an operator's rights"), "{words}");
}

#[test]
fn only_the_queue_of_the_embedder_is_opened() {
    let (directory, queue) = queue();
    fs::create_dir(directory.path().join("other")).expect("the directory is new");
    let place = directory.path().to_str().expect("its name is ASCII");
    for path in ["", "other", "queue/other", "queue/", "./queue", place] {
        let words = "a plugin has the one queue that its embedder chose, by the path `queue`";
        let answer = format!("ErrorCode::NotFound of resolve {path:?}: {words}\n");
        assert_eq!(output(&queue, PluginLimits::default(), &["open", path]), answer);
    }
}

#[test]
fn open_resources_are_bounded() {
    let (_directory, queue) = queue_with_item(b"x");
    let once = "drafts: 64, then ErrorCode::Busy\nreaders: 64, then ErrorCode::Busy\n\
                listings: 16, then ErrorCode::Busy\nqueues: 63, then ErrorCode::Busy\n";
    assert_eq!(output(&queue, PluginLimits::default(), &["resources"]), once.repeat(2));
    assert_eq!(queue.count().expect("the queue can be counted").temporary, 0, "dropped drafts leave nothing");
}

#[test]
fn chunks_and_pages_have_the_limits_of_the_contract() {
    let (_directory, queue) = queue_with_item(&vec![b'x'; 300_000]);
    let mails = vec![Mail::new("", ["b@example.com"], "").into(); 1_100];
    queue.put_many(&mails, &WriteOptions::default()).expect("the batch is within its limit");
    let output = output(&queue, PluginLimits::default(), &["pieces"]);
    let (answers, longest) = output.split_once("longest chunk: ").expect("the plugin read the body");
    let (longest, answers_on_pages) = longest.split_once('\n').expect("a line");
    assert!(longest.parse::<usize>().expect("a number") <= 65_536, "{longest}");
    let expected = "chunk: ErrorCode::TooLarge\nthen: ErrorCode::Aborted ErrorCode::Aborted\n\
                    read of 0: ErrorCode::InvalidArgument\n";
    assert_eq!(answers, expected);
    assert_eq!(answers_on_pages, "limit of 0: ErrorCode::InvalidArgument\nlongest page: 1000\n");
}

#[test]
fn mails_and_bytes_that_are_put_are_bounded() {
    let (_directory, queue) = queue();
    let bounded = |mails, bytes| {
        let mut limits = PluginLimits::default();
        (limits.intake.mails, limits.intake.bytes) = (mails, bytes);
        output(&queue, limits, &["puts", "6"])
    };
    for ways in 0..3 {
        let refused = "ErrorCode::QueueFull: the limit of the plugin leaves 0 mails\n";
        assert_eq!(bounded(ways, u64::MAX), "put\n".repeat(ways as usize) + &refused.repeat(6 - ways as usize));
    }
    let refused = "ErrorCode::QueueFull: the limit of the plugin leaves 4 bytes\n";
    assert_eq!(bounded(u64::MAX, 14), "put\n".repeat(2) + &refused.repeat(4));
}

#[test]
fn damaged_item_ends_its_reader_and_names_no_path_of_the_host() {
    let (directory, queue) = queue_with_item(&vec![b'x'; 300_000]);
    let file = directory.path().join("m:x");
    let mut content = fs::read(&file).expect("the item has a file");
    let middle = content.len() / 2;
    content[middle] = b'y';
    fs::write(&file, content).expect("the file is writable");
    let answers = "ErrorCode::ChecksumMismatch of \"queue/m:x\", then ErrorCode::Aborted\n\
                   verify: Some(\"queue/m:x\")\nlisting: Some(\"queue/m:x\")\n";
    assert_eq!(output(&queue, PluginLimits::default(), &["read", "x"]), answers);
}

#[test]
fn every_call_has_the_queue_that_it_names() {
    let plugin = OperatorPlugin::new(&COMPONENT, PluginLimits::default()).expect("it is an operator's plugin");
    assert!(plugin.imports_queue());
    let ((_first, first), (_second, second)) = (queue(), queue_with_item(b"x"));
    for queue in [&first, &second] {
        let wasi = WasiCtx::builder().args(&["plugin", "count"]).build();
        assert_eq!(plugin.run(queue, wasi).expect("it ends"), 0);
    }
    assert_eq!(output(&first, PluginLimits::default(), &["count"]), "0 ready, 0 held\n");
    assert_eq!(output(&second, PluginLimits::default(), &["count"]), "1 ready, 0 held\n");
}
