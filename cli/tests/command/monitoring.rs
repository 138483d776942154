//! `check` and `stats`: the numbers of a queue for monitoring.

use crate::process::{launched_by, run};
use crate::queue::{Queue, names};
use crate::trial::trials;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

trials![
    check_of_quiet_queue_is_ok,
    check_compares_with_thresholds,
    check_of_unreadable_queue_is_unknown,
    check_with_bad_options_is_unknown,
    check_that_cannot_be_printed_is_unknown,
    check_of_queue_that_needs_recovery_is_critical,
    stats_are_printed_for_people,
    stats_have_the_format_of_prometheus,
    stats_replace_a_file_atomically,
];

/// Returns an item that was accepted in 1970.
fn old_item(id: &str) -> String {
    format!(r#"ID: "{id}" from: "<>" rcpt: {{ address: "b@example.com" }} data: "x" created_at_ts: {{ seconds: 1 }}"#)
}

fn check(queue: &Queue, arguments: &[&str]) -> (i32, String) {
    let output = run(queue.command(&["check"]).args(arguments), b"");
    assert_eq!(output.stderr, "");
    assert_eq!(output.text().lines().count(), 1, "{}", output.text());
    (output.code, output.text().trim_end().to_string())
}

fn check_of_quiet_queue_is_ok() {
    let queue = Queue::existing();
    let line = "QUEUE OK - 0 ready, 0 damaged, 0 held, 0 quarantined | ready=0;;;0 oldest=0s;;;0 damaged=0;;0;0 held=0;;;0 \
                quarantined=0;;;0";
    assert_eq!(check(&queue, &[]), (0, line.to_string()));
    queue.put(&[], b"body");
    assert_eq!(check(&queue, &["--warn-count=1", "--crit-count=1", "--warn-age=1h", "--crit-age=1d"]).0, 0);
}

fn check_compares_with_thresholds() {
    let queue = Queue::existing();
    queue.put(&[], b"body");
    queue.put(&[], b"body");
    for (arguments, code) in [
        (&["--warn-count=2", "--crit-count=3"][..], 0),
        (&["--warn-count=1", "--crit-count=2"], 1),
        (&["--warn-count=0", "--crit-count=1"], 2),
        (&["--crit-count=1"], 2),
    ] {
        assert_eq!(check(&queue, arguments).0, code, "{arguments:?}");
    }
    queue.file_within("h:held", old_item("held"));
    assert_eq!(check(&queue, &["--crit-age=1d"]).0, 0, "a held item waits for an operator");
    queue.file_within("m:old", old_item("old"));
    for (arguments, code) in [(&["--warn-age=1h", "--crit-age=100000d"][..], 1), (&["--crit-age=36h"], 2)] {
        assert_eq!(check(&queue, arguments).0, code, "{arguments:?}");
    }
    queue.file_within("q:damaged", "");
    assert_eq!(check(&queue, &[]).0, 0, "a quarantined item is set aside");
    queue.file_within("m:damaged", "");
    let (code, line) = check(&queue, &[]);
    assert_eq!(code, 2);
    assert!(line.starts_with("QUEUE CRITICAL - 4 ready, the oldest for "), "{line}");
    assert!(line.contains(" damaged=1;;0;0 ") && line.ends_with(" held=1;;;0 quarantined=1;;;0"), "{line}");
    for (arguments, code) in [(&["--warn-damaged=0", "--crit-damaged=1"][..], 1), (&["--crit-damaged=1"], 0)] {
        assert_eq!(check(&queue, arguments).0, code, "{arguments:?}");
    }
}

fn check_of_unreadable_queue_is_unknown() {
    let queue = Queue::new();
    let (code, line) = check(&queue, &[]);
    assert_eq!(code, 3);
    let expected = format!("QUEUE UNKNOWN - {}: No such file or directory; check the path", queue.path().display());
    assert_eq!(line, expected);
    let mut without_queue = queue.command(&["check"]);
    let output = run(without_queue.env_remove("QUEUE_STORE_DIR"), b"");
    assert_eq!(output.code, 3);
    assert!(output.text().starts_with("QUEUE UNKNOWN - which queue: "), "{}", output.text());
}

fn check_with_bad_options_is_unknown() {
    let queue = Queue::existing();
    for arguments in [&["--warn-cuont=1"][..], &["--warn-count=x"], &["--warn-age"], &["x"], &["--log=x", "--bad"]] {
        let (code, line) = check(&queue, arguments);
        assert_eq!(code, 3, "{arguments:?}");
        assert!(line.starts_with("QUEUE UNKNOWN - ") && line.ends_with(" (see queue-store check --help)"), "{line}");
    }
    let before = run(&mut queue.command(&["--log", "x", "--queue", "y", "check", "--bad"]), b"");
    assert_eq!((before.code, before.stderr.as_str()), (3, ""));
    for (arguments, name) in [
        (["--warn-count=2", "--crit-count=1"], "count"),
        (["--warn-age=2h", "--crit-age=90m"], "age"),
        (["--warn-damaged=2", "--crit-damaged=1"], "damaged"),
        (["--warn-damaged=1", "--warn-count=1"], "damaged"),
    ] {
        let line = format!("QUEUE UNKNOWN - --warn-{name} is above --crit-{name}: it would never warn");
        assert_eq!(check(&queue, &arguments), (3, line));
    }
}

fn check_that_cannot_be_printed_is_unknown() {
    let queue = Queue::existing();
    for (redirection, problem) in [
        (">/dev/full", "standard output: No space left on device"),
        (">&-", "standard output is closed: redirect it to a file, or to /dev/null"),
    ] {
        let shell = format!("\"$0\" check {redirection}");
        let output = run(&mut launched_by(&["sh", "-c", &shell], &queue.command(&[])), b"");
        assert_eq!((output.code, output.stderr), (3, format!("queue-store: {problem}\n")));
    }
}

fn check_of_queue_that_needs_recovery_is_critical() {
    let queue = Queue::existing();
    fs::create_dir(queue.path().join(".unsynced")).expect("the queue is writable");
    queue.file_within(".unsynced/directory", "");
    let refused = queue.try_put(&[], b"body");
    assert_eq!(refused.code, 75, "the mark closes the queue: {}", refused.stderr);
    let (code, line) = check(&queue, &[]);
    assert_eq!(code, 2, "{line}");
    assert!(line.contains(", refuses changes until `queue-store recover` | "), "{line}");
}

fn stats_are_printed_for_people() {
    let queue = Queue::existing();
    queue.file_within("m:old", old_item("old"));
    queue.file_within("h:damaged", "");
    queue.file_within("unrelated", "");
    let size = old_item("old").len();
    let expected = format!(
        "ready: 1, 0 damaged, {size} bytes; deliveries: 1 pending, 0 failed, oldest 1970-01-01T00:00:01Z\n\
         held: 1, 1 damaged, 0 bytes; deliveries: 0 pending, 0 failed\n\
         quarantined: 0, 0 damaged, 0 bytes; deliveries: 0 pending, 0 failed\n\
         temporary files: 0; files that are not the queue's: 1\n"
    );
    assert_eq!(queue.run(&["stats"]).done(), expected);
}

/// Asserts that a text has the format of Prometheus, and returns its samples.
fn samples(text: &str) -> Vec<(String, i128)> {
    let (mut described, mut samples) = (BTreeSet::new(), Vec::new());
    let mut current = "";
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split_once(' ').expect("a metric is described").0;
            assert!(described.insert(current), "a metric is described once: {current}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{current} gauge"));
        } else {
            let (name, value) = line.rsplit_once(' ').expect("a sample has a value");
            assert!(name.starts_with(&format!("{current}{{queue=\"")) && name.ends_with('}'), "{line}");
            samples.push((name.to_string(), value.parse().expect("the value is a number")));
        }
    }
    assert!(described.iter().all(|name| name.starts_with("queue_store_")));
    samples
}

fn stats_have_the_format_of_prometheus() {
    let queue = Queue::existing();
    let odd = queue.beside("a \"queue\\");
    fs::rename(queue.path(), &odd).expect("the test owns the directory");
    fs::write(odd.join("m:old"), old_item("old")).expect("the queue is writable");
    fs::write(odd.join("m:damaged"), "").expect("the queue is writable");
    let printed = run(queue.command(&["stats", "--prometheus", "--queue"]).arg(&odd), b"").done();
    let samples = samples(&printed);
    let label = odd.display().to_string().replace('\\', r"\\").replace('"', "\\\"");
    for (name, state, value) in [
        ("items", Some("ready"), 2),
        ("items", Some("held"), 0),
        ("damaged_items", Some("ready"), 1),
        ("size_bytes", Some("ready"), old_item("old").len() as i128),
        ("pending_deliveries", Some("ready"), 1),
        ("failed_deliveries", Some("quarantined"), 0),
        ("oldest_item_timestamp_seconds", Some("ready"), 1),
        ("temporary_files", None, 0),
        ("needs_recovery", None, 0),
    ] {
        let state = state.map(|state| format!(",state=\"{state}\"")).unwrap_or_default();
        let sample = (format!("queue_store_{name}{{queue=\"{label}\"{state}}}"), value);
        assert!(samples.contains(&sample), "{sample:?} in {printed}");
    }
    assert!(!samples.iter().any(|(name, _)| name.contains("oldest") && name.contains("held")), "no item, no time");
}

fn stats_replace_a_file_atomically() {
    let queue = Queue::existing();
    let directory = queue.beside("textfile");
    fs::create_dir(&directory).expect("the temporary directory is writable");
    let metrics = directory.join("queue.prom");
    fs::write(&metrics, "old").expect("the temporary directory is writable");
    let mut old = fs::File::open(&metrics).expect("the file was just written");
    let mut shell = queue.command(&[]);
    shell =
        crate::process::launched_by(&["sh", "-c", "umask 022; exec \"$0\" stats --prometheus --output \"$1\""], &shell);
    run(shell.arg(&metrics), b"").done();
    assert_eq!(samples(&fs::read_to_string(&metrics).expect("the file was replaced")).len(), 18);
    assert_eq!(std::io::read_to_string(&mut old).expect("the old file is open"), "old", "a reader never sees a part");
    let mode = fs::metadata(&metrics).expect("the file exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the collector may read it");
    assert_eq!(names(&directory), ["queue.prom"]);
}
