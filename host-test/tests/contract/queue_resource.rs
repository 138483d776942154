//! The resources: opening queues, and drafts, readers and listings that outlive them.

use crate::support::{body, code, done, one, put};
use queue_store_host_test::bindings::{Detail, ErrorCode, envelope};
use queue_store_host_test::instance::{Instance, Preopen, QUEUE};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_host_test::simulator::world::Operation;
use queue_store_host_test::test_queue::TestQueue;
use std::fs;

#[test]
fn queues_of_one_directory_share_its_items() {
    let mut queue = TestQueue::new();
    let first = queue.queue().expect("the directory exists");
    let second = queue.open(QUEUE).expect("a directory can be opened more than once");
    put(&mut queue, "x", b"first");
    queue.exchange(Some(second));
    assert_eq!(body(&mut queue, "x"), b"first");
    put(&mut queue, "y", b"second");
    done(queue.remove(&one("x"), &[], None));
    queue.drop_resource(first);
    assert_eq!(body(&mut queue, "y"), b"second", "the queues are independent resources");
    assert_eq!(queue.names(), ["m:y"]);
}

#[test]
fn queues_of_several_directories_stay_apart() {
    let directories = [(); 2].map(|()| tempfile::tempdir().expect("a test can create a temporary directory"));
    fs::create_dir(directories[0].path().join("below")).expect("the directory can be created");
    let preopen = |number: usize, name| Preopen { path: directories[number].path(), name, read_only: false };
    let mut instance = Instance::with(&[preopen(0, "one"), preopen(1, "two")]);
    let queues = ["one", "two", "one/below"].map(|path| instance.open(path).expect("the directory exists"));
    for (queue, stored) in queues.iter().zip([b"1", b"2", b"3"]) {
        instance.exchange(Some(*queue));
        put(&mut instance, "x", stored);
    }
    for (queue, stored) in queues.iter().zip([b"1", b"2", b"3"]) {
        instance.exchange(Some(*queue));
        assert_eq!(body(&mut instance, "x"), stored);
        assert_eq!(instance.count().expect("the directory can be read").ready, 1);
    }
}

#[test]
fn draft_outlives_its_queue() {
    let mut queue = TestQueue::new();
    let draft = queue.begin(Some("x"), &envelope(), None).expect("the id is free");
    let given_up = queue.begin(None, &envelope(), None).expect("a valid envelope is accepted");
    queue.close();
    queue.draft_write(draft, b"body").expect("the draft is open");
    assert_eq!(queue.draft_commit(draft).expect("the draft is open"), "x");
    queue.draft_abandon(given_up).expect("the draft is open");
    assert_eq!(queue.names(), ["m:x"]);
    assert_eq!(body(&mut queue, "x"), b"body");
}

#[test]
fn draft_of_a_dropped_queue_can_fail() {
    let mut system = Simulated::new();
    let draft = system.begin(Some("x"), &envelope(), None).expect("the id is free");
    system.close();
    system.world().fail(Operation::SyncDirectory, "io");
    assert_eq!(code(system.draft_commit(draft)), ErrorCode::Indeterminate);
    let recovery = system.recover(0).expect("the directory works again");
    assert_eq!(recovery.problems, []);
}

#[test]
fn reader_and_listing_outlive_their_queue() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", &b"body".repeat(50_000));
    let reader = queue.read("x", 0).expect("the item is intact");
    let listing = queue.items(&[], Detail::Whole).expect("the directory can be read");
    queue.close();
    assert_eq!(queue.reader_info(reader).id, "x");
    let mut length = 0;
    while let Some(chunk) = queue.reader_read(reader, 65536).expect("the reader is open") {
        length += chunk.len();
    }
    assert_eq!(length, 200_000);
    let page = queue.listing_next(listing, 10).expect("the listing is open").expect("the queue has an item");
    assert_eq!((page[0].id.as_str(), &page[0].problem), ("x", &None));
    assert_eq!(queue.listing_next(listing, 10).expect("the listing is open"), None);
    queue.drop_resource(reader);
    queue.drop_resource(listing);
}

#[test]
fn mark_follows_the_drafts_of_a_queue() {
    let mut queue = TestQueue::new();
    let first = queue.queue().expect("the directory exists");
    let draft = queue.begin(Some("x"), &envelope(), None).expect("the id is free");
    let second = queue.open(QUEUE).expect("a directory can be opened more than once");
    queue.exchange(Some(second));
    queue.require_recovery().expect("the queue is open");
    queue.draft_commit(draft).expect("the draft is of the other resource");
    let draft = {
        queue.exchange(Some(first));
        queue.begin(Some("y"), &envelope(), None).expect("the id is free")
    };
    queue.require_recovery().expect("the queue is open");
    assert_eq!(code(queue.draft_commit(draft)), ErrorCode::NeedsRecovery);
    assert_eq!(queue.names(), ["m:x"]);
}

#[test]
fn open_drafts_are_bounded() {
    let mut queue = TestQueue::new();
    let limit = queue.limit("max-drafts");
    let open: Vec<_> =
        (0..limit).map(|_| queue.begin(None, &envelope(), None).expect("fewer are open than may be")).collect();
    assert_eq!(code(queue.begin(None, &envelope(), None)), ErrorCode::Busy);
    queue.drop_resource(open[0]);
    let committed = queue.begin(None, &envelope(), None).expect("a drop makes room");
    queue.draft_commit(committed).expect("an intact draft is committed");
    let abandoned = queue.begin(None, &envelope(), None).expect("a commit makes room");
    queue.draft_abandon(abandoned).expect("the temporary file can be removed");
    queue.begin(None, &envelope(), None).expect("an abandoned draft makes room");
    assert_eq!(code(queue.begin(None, &envelope(), None)), ErrorCode::Busy);
}

#[test]
fn open_readers_and_listings_are_bounded() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let (readers, listings) = (queue.limit("max-readers"), queue.limit("max-listings"));
    let open: Vec<_> = (0..readers).map(|_| queue.read("x", 0).expect("fewer are open than may be")).collect();
    assert_eq!(code(queue.read("x", 0)), ErrorCode::Busy);
    queue.drop_resource(open[0]);
    queue.read("x", 0).expect("a drop makes room");

    let open: Vec<_> =
        (0..listings).map(|_| queue.items(&[], Detail::Name).expect("fewer are open than may be")).collect();
    assert_eq!(code(queue.items(&[], Detail::Name)), ErrorCode::Busy);
    queue.drop_resource(open[0]);
    queue.items(&[], Detail::Name).expect("a drop makes room");
}

#[test]
fn calls_that_fail_keep_no_permit() {
    let mut queue = TestQueue::new();
    for _ in 0..=queue.limit("max-drafts").max(queue.limit("max-readers")) {
        assert_eq!(code(queue.begin(Some(".."), &envelope(), None)), ErrorCode::InvalidArgument);
        assert_eq!(code(queue.read("missing", 0)), ErrorCode::NotFound);
    }
    queue.begin(None, &envelope(), None).expect("no draft is open");
}
