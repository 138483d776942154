//! `plugin run --operator`: plugins with an operator's rights.

use crate::process::run;
use crate::queue::Queue;
use crate::trial::trials;
use queue_store_host_test::operator_plugin::COMPONENT;
use serde_json::json;

trials![
    run_gives_operators_rights_when_asked,
    run_refuses_operator_plugin_by_name,
    run_as_operator_needs_a_queue,
    run_as_operator_refuses_plugin_without_queue,
    check_names_operators_rights,
];

fn run_gives_operators_rights_when_asked() {
    let queue = Queue::existing();
    let path = queue.file("plugin.wasm", &*COMPONENT);
    let place = path.to_str().expect("it is ASCII");
    queue.put(&["--id", "x"], b"hello");
    let count = ["plugin", "run", "--operator", place, "count"];
    assert_eq!(queue.run(&count).done(), "1 ready, 0 held\n");
    queue.run(&["hold", "x"]).done();
    assert_eq!(queue.run(&count).done(), "0 ready, 1 held\n");
    // Its own words are before the line of the failure.
    let output = queue.run(&["plugin", "run", "--operator", "--max-mails=1", place, "puts", "2"]);
    assert_eq!(output.done(), "put\nErrorCode::QueueFull: the limit of the plugin leaves 0 mails\n");
}

fn run_refuses_operator_plugin_by_name() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"hello");
    let path = queue.file("plugin.wasm", &*COMPONENT);
    let line = queue.refused(queue.command(&["plugin", "run"]).arg(&path).arg("count"), b"", 65);
    let names = ["queue-store", "item-codec", "durable-file", "introspection"];
    assert!(names.iter().all(|name| line.contains(&format!("mail:queue/{name}@0.1.0"))), "{line}");
    assert!(line.starts_with("DIR/plugin.wasm: it imports mail:queue/"), "{line}");
    let words = ", which no plugin gets without an operator's rights; --operator gives it those";
    assert!(line.ends_with(words), "{line}");
    let output = queue.run(&["plugin", "run", "--while-running", path.to_str().expect("it is ASCII")]);
    assert_eq!(output.code, 64, "{}", output.stderr);
}

fn run_as_operator_needs_a_queue() {
    let queue = Queue::new();
    let path = queue.file("plugin.wasm", &*COMPONENT);
    run(queue.command(&["plugin", "run", "--operator"]).arg(&path).arg("count"), b"").failed(66);
    assert!(!queue.path().exists(), "no directory is created for it");
}

fn run_as_operator_refuses_plugin_without_queue() {
    let queue = Queue::existing();
    let path = queue.file("plugin.wasm", wat::parse_str("(component)").expect("it is well-formed"));
    let line = run(queue.command(&["plugin", "run", "--operator"]).arg(&path), b"").failed(65);
    let cause = "it does not import mail:queue/intake: was it composed? run the plugin itself";
    assert_eq!(line, format!("{}: {cause}", path.display()));
}

fn check_names_operators_rights() {
    let queue = Queue::existing();
    let path = queue.file("plugin.wasm", &*COMPONENT);
    let place = path.to_str().expect("it is ASCII");
    let output = queue.run(&["plugin", "check", place]);
    assert_eq!(output.code, 65, "it cannot be composed");
    let table = output.text();
    let line = |name: &str| table.lines().find(|line| line.starts_with(&format!("mail:queue/{name}@")));
    let gets = |name: &str| line(name).and_then(|line| line.split("  ").last()).map(str::trim);
    for name in ["queue-store", "item-codec", "introspection"] {
        assert_eq!(gets(name), Some("an operator's rights, with --operator"), "{table}");
    }
    assert_eq!(gets("durable-file"), Some("no files, with --operator"));
    let last = "It is an operator's command: `plugin run --operator` runs it if it gets every import, and it may then read, \
                change and remove every mail.\n";
    assert!(table.ends_with(last), "{table}");
    assert!(output.stderr.contains("`plugin compose` refuses it: it imports mail:queue/"), "{}", output.stderr);
    let output = queue.run(&["plugin", "check", "--json", place]);
    let json: serde_json::Value = serde_json::from_str(output.text()).expect("it is JSON");
    let imports = json["imports"].as_array().expect("a list");
    let expected = json!({ "name": "mail:queue/queue-store@0.1.0", "treatment": "forbidden", "run": "operator" });
    assert!(imports.contains(&expected), "{json}");
}
