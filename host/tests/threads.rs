//! The library with several threads, and within the runtime of a program.

mod mail;

use mail::mail;
use queue_store_host::types::{Detail, WriteOptions};
use queue_store_host::{Host, Queue};
use std::collections::BTreeMap;
use std::thread;
use tempfile::TempDir;
use tokio::runtime::Builder;

const THREADS: usize = 8;
const PUTS: usize = 100;

fn put(queue: &Queue, body: &str) -> String {
    queue.put(None, &mail(body.as_bytes()), &WriteOptions::default()).expect("a put")
}

fn queue() -> (TempDir, Host, Queue) {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let host = Host::new().expect("the component");
    let queue = host.open(directory.path()).expect("the directory");
    (directory, host, queue)
}

#[test]
fn threads_share_a_queue() {
    let (_directory, _host, queue) = queue();
    let work = |number: usize| {
        let put = |call: usize| {
            let body = format!("mail {call} of thread {number}");
            let id = put(&queue, &body);
            assert_eq!(queue.get(&id).expect("the item").body, body.as_bytes());
            let mut draft = queue.draft(None, &mail(b"").envelope, &WriteOptions::default()).expect("a draft");
            draft.append(body.as_bytes()).expect("a part");
            [(id, body.clone()), (draft.commit().expect("a commit"), body)]
        };
        (0..PUTS / 2).flat_map(put).collect::<Vec<_>>()
    };
    let put: BTreeMap<String, String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread fails")).collect()
    });
    assert_eq!(put.len(), THREADS * PUTS);
    let listed = queue.listing(&[], Detail::Whole).expect("a listing").map(|entry| entry.expect("an entry"));
    assert_eq!(listed.filter(|entry| entry.problem.is_none() && put.contains_key(&entry.id)).count(), put.len());
    for (id, body) in &put {
        assert_eq!(queue.get(id).expect("the item").body, body.as_bytes());
    }
}

#[test]
fn a_program_with_a_runtime_calls_from_its_blocking_threads() {
    let (_directory, host, queue) = queue();
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let runtime = builder.build().expect("a runtime");
        let calls = async {
            let mut tasks = Vec::new();
            for number in 0..4 {
                let queue = queue.clone();
                tasks.push(tokio::task::spawn_blocking(move || (number, put(&queue, &number.to_string()))));
            }
            for task in tasks {
                let (number, id) = task.await.expect("no task fails");
                let queue = queue.clone();
                let item = tokio::task::spawn_blocking(move || queue.get(&id)).await.expect("no task fails");
                assert_eq!(item.expect("the item").body, number.to_string().as_bytes());
            }
        };
        runtime.block_on(calls);
        // A thread that has entered a runtime and is not in a task of it may call as it is.
        let _entered = runtime.enter();
        put(&queue, "entered");
    }
    // The last handle may go in a task, where nothing may block.
    Builder::new_current_thread().build().expect("a runtime").block_on(async { drop((host, queue)) });
}
