//! The library with several threads.

use queue_store_host::types::{Detail, Envelope, Mail, WriteOptions};
use queue_store_host::{Host, Queue};
use std::collections::BTreeMap;
use std::thread;

const THREADS: usize = 8;
const PUTS: usize = 100;

fn put(queue: &Queue, body: &str) -> String {
    queue.put(&Mail::new("a@example.com", ["b@example.com"], body)).expect("a put succeeds")
}

#[test]
fn threads_share_a_queue() {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let queue = Host::new().expect("the component loads").open(directory.path()).expect("the queue opens");
    let work = |number: usize| {
        let put = |call: usize| {
            let body = format!("mail {call} of thread {number}");
            let id = put(&queue, &body);
            assert_eq!(queue.get(&id).expect("the item is readable").body, body.as_bytes());
            let envelope = Envelope { to: vec!["b@example.com".to_string()], ..Envelope::default() };
            let mut draft = queue.draft(None, &envelope, &WriteOptions::default()).expect("a draft begins");
            draft.append(body.as_bytes()).expect("a chunk is written");
            [(id, body.clone()), (draft.commit().expect("the draft is committed"), body)]
        };
        (0..PUTS / 2).flat_map(put).collect::<Vec<_>>()
    };
    let put: BTreeMap<String, String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    });
    assert_eq!(put.len(), THREADS * PUTS);
    let listed = queue.items(&[], Detail::Whole).expect("a listing begins");
    let listed = listed.map(|entry| entry.expect("the listing goes on"));
    assert_eq!(listed.filter(|entry| entry.problem.is_none() && put.contains_key(&entry.id)).count(), put.len());
    for (id, body) in &put {
        assert_eq!(queue.get(id).expect("the item is readable").body, body.as_bytes());
    }
}
