//! The directory of a queue that changes under a program.

use queue_store_host::types::{Detail, Mail};
use queue_store_host::{Error, Host};
use std::fs;

fn mail(body: &str) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

#[test]
fn directory_that_was_made_anew_is_opened_again() {
    let parent = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let path = parent.path().join("queue");
    let queue = Host::new().expect("the component loads").create(&path).expect("the directory can be created");
    let first = queue.put(&mail("first")).expect("an empty queue takes a put");
    let draft = queue.draft(None, &mail("").envelope, &Default::default()).expect("a draft begins");
    fs::remove_dir_all(&path).expect("the directory exists");
    for error in [queue.put(&mail("lost")).err(), queue.get(&first).err(), queue.count().err()] {
        assert!(matches!(&error, Some(Error::Directory { path: named, .. }) if *named == path), "{error:?}");
    }
    fs::create_dir(&path).expect("the name is free");
    assert!(draft.commit().is_err(), "the draft is of the directory that was removed");
    assert!(matches!(queue.get(&first), Err(Error::NotFound(_))));
    let second = queue.put(&mail("second")).expect("an empty queue takes a put");
    submit(&queue);
    let listed = queue.items(&[], Detail::Name).expect("the directory is readable").count();
    assert_eq!((listed, queue.get(&second).expect("the item was put").body), (2, b"second".to_vec()));
    assert_eq!(fs::read_dir(&path).expect("the directory exists").count(), 2);
}

#[test]
fn path_without_room_for_its_parent_is_opened() {
    const MOST_BYTES: usize = 4094;
    let parent = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let mut path = parent.path().to_path_buf();
    while path.as_os_str().len() < MOST_BYTES {
        path.push("x".repeat((MOST_BYTES - 1 - path.as_os_str().len()).min(200)));
    }
    fs::create_dir_all(&path).expect("a path has at most 4,095 bytes");
    let queue = Host::new().expect("the component loads").create(&path).expect("it exists");
    queue.put(&mail("body")).expect("an empty queue takes a put");
}

#[test]
fn empty_path_is_refused() {
    let host = Host::new().expect("the component loads");
    for refused in [host.create("").err(), host.open("").err()] {
        assert!(matches!(refused, Some(Error::Directory { .. })), "{refused:?}");
    }
}

#[test]
fn parent_that_takes_no_fsync_does_not_keep_queue_from_opening() {
    let parent = fs::File::open("/proc/self").expect("there is a process");
    parent.sync_all().expect_err("Linux has no fsync of the directories of proc");
    let host = Host::new().expect("the component loads");
    host.create("/proc/self/fdinfo").expect("it exists").count().expect("it can be read");
}

fn submit(queue: &queue_store_host::Queue) {
    queue.submit("a@example.com", &["b@example.com"], b"third").expect("a plugin may submit the mail");
}
