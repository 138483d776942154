//! `introspection`: the version, limits and counters of a component.

use crate::support::{done, one};
use queue_store_host_test::bindings::{mail, no_change};
use queue_store_host_test::test_queue::TestQueue;

#[test]
fn about_names_component_version_and_contract() {
    let mut queue = TestQueue::new();
    let about = queue.about();
    for (name, value) in [
        ("name", "queue-store"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("contract", "mail:queue@0.1.0"),
        ("format-version", "1"),
    ] {
        assert!(about.contains(&(name.to_string(), value.to_string())), "{name} of {about:?}");
    }
}

#[test]
fn limits_have_their_documented_values() {
    let documented = include_str!("../../../docs/format.md");
    let mut queue = TestQueue::new();
    let expected = [
        ("max-id-bytes", 241),
        ("max-list-body-bytes", 64 << 20),
        ("max-body-bytes", (2 << 30) - 1 - (4 << 20)),
        ("max-envelope-bytes", 4 << 20),
        ("max-envelope-entries", 65_536),
        ("max-chunk-bytes", 64 << 10),
        ("max-batch", 10_000),
        ("max-page", 100_000),
        ("max-item-page", 1_000),
        ("max-page-bytes", 4 << 20),
        ("max-drafts", 64),
        ("max-readers", 64),
        ("max-listings", 16),
        ("max-problems", 1_000),
        ("max-unsynced", 4_096),
        ("max-intake-recipients", 1_000),
        ("max-intake-address-bytes", 320),
    ];
    for (name, value) in expected {
        assert_eq!(queue.limit(name), value, "{name}");
    }
    for (name, _) in queue.limits() {
        assert!(documented.contains(&format!("`{name}`")), "docs/format.md does not explain {name}");
    }
}

#[test]
fn counters_count_calls_and_fsyncs() {
    let mut queue = TestQueue::new();
    let names: Vec<String> = queue.counters().into_iter().map(|(name, _)| name).collect();
    for name in ["puts", "updates", "removals", "moves", "file-syncs", "directory-syncs", "bytes-written", "bytes-read"]
    {
        assert!(names.iter().any(|known| known == name), "{name}");
        assert_eq!(queue.counter(name), 0, "{name} of an instance that has done nothing");
    }
    let id = queue.put(None, &mail(b"body"), None).expect("a valid mail is accepted");
    queue.update(&id, &no_change(), None).expect("an intact item is updated");
    done(queue.hold(&one(&id)));
    done(queue.remove(&one(&id), &[], None));
    for (name, expected) in
        [("puts", 1), ("updates", 1), ("moves", 1), ("removals", 1), ("file-syncs", 2), ("directory-syncs", 5)]
    {
        assert_eq!(queue.counter(name), expected, "{name}");
    }
    assert!(queue.counter("bytes-written") > 0 && queue.counter("bytes-read") > 0);
}
