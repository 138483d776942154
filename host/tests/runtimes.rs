//! Blocking calls of the library within the runtime of a program.

use queue_store_host::types::{Detail, Envelope, Mail, WriteOptions};
use queue_store_host::{Draft, Error, Host, Queue};
use std::fs;
use std::path::Path;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::coop::{self, unconstrained};
use tokio::task::{block_in_place, spawn_blocking};

fn mail(body: &str) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

fn queue() -> (TempDir, Queue) {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let queue = Host::new().expect("the component loads").open(directory.path()).expect("the queue opens");
    (directory, queue)
}

fn draft(queue: &Queue) -> Draft {
    let envelope = Envelope { to: vec!["b@example.com".to_string()], ..Envelope::default() };
    queue.draft(None, &envelope, &WriteOptions::default()).expect("a draft begins")
}

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut builder| builder.build().expect("a runtime"))
}

/// Runs a task of its own in a runtime.
fn spawn<T: Send + 'static>(runtime: &Runtime, task: impl Future<Output = T> + Send + 'static) -> T {
    runtime.block_on(async { tokio::spawn(task).await.expect("the task does not panic") })
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).expect("the directory is readable").count()
}

fn assert_refused<T>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::InAsyncRuntime)), "{:?}", result.err());
}

/// Makes calls of every kind, which the task must not make.
async fn calls_are_refused(queue: Queue, id: String) {
    assert_refused(queue.put(&mail("second")));
    assert_refused(queue.get(&id));
    assert_refused(queue.count());
    assert_refused(queue.submit("a@example.com", &["b@example.com"], b"third"));
    assert_refused(queue.recover(Duration::ZERO));
    assert_refused(queue.draft(None, &mail("").envelope, &WriteOptions::default()));
}

#[test]
fn calls_in_tasks_are_refused() {
    let (directory, queue) = queue();
    let id = queue.put(&mail("first")).expect("a put succeeds");
    for runtime in runtimes() {
        runtime.block_on(calls_are_refused(queue.clone(), id.clone()));
        spawn(&runtime, calls_are_refused(queue.clone(), id.clone()));
    }
    assert_eq!(files(directory.path()), 1);
}

#[test]
fn streams_in_tasks_are_refused_and_stay_usable() {
    let (directory, queue) = queue();
    for runtime in runtimes() {
        let mut draft = draft(&queue);
        draft.append(b"one").expect("a chunk is written");
        let mut draft = runtime.block_on(async move {
            assert_refused(draft.append(b"two"));
            draft
        });
        draft.append(b"three").expect("a chunk is written");
        let id = draft.commit().expect("the draft is committed");
        let mut reader = queue.read(&id, 0).expect("the body opens");
        let mut reader = runtime.block_on(async move {
            assert_refused(reader.next_chunk());
            reader
        });
        assert_eq!(reader.next_chunk().expect("the body is intact").expect("it has bytes"), b"onethree");
    }
    assert_eq!(files(directory.path()), 2);
}

#[test]
fn commit_in_task_gives_the_draft_up() {
    let (directory, queue) = queue();
    for runtime in runtimes() {
        let draft = draft(&queue);
        assert_eq!(files(directory.path()), 1);
        runtime.block_on(async move { assert_refused(draft.commit()) });
        assert_eq!(files(directory.path()), 0);
    }
    queue.put(&mail("after")).expect("the queue works");
}

#[test]
fn streams_and_handles_are_dropped_in_tasks() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        let id = queue.put(&mail("first")).expect("a put succeeds");
        let (draft, reader) = (draft(&queue), queue.read(&id, 0).expect("the body opens"));
        let listing = queue.items(&[], Detail::Name).expect("a listing begins");
        assert_eq!(files(directory.path()), 2);
        spawn(&runtime, async move { drop((draft, reader, listing, queue)) });
        assert_eq!(files(directory.path()), 1);
    }
}

#[test]
fn task_that_panics_drops_a_draft() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        let draft = draft(&queue);
        let task = runtime.spawn(async move {
            let _draft = draft;
            panic!("the task fails while it has a draft");
        });
        let failed = runtime.block_on(task).expect_err("the task panics");
        assert!(failed.is_panic(), "{failed}");
        assert_eq!(files(directory.path()), 0);
        queue.put(&mail("after")).expect("the queue works");
    }
}

#[test]
fn runtime_that_shuts_down_drops_a_draft() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        let draft = draft(&queue);
        runtime.spawn(async move {
            std::future::pending::<()>().await;
            drop(draft);
        });
        runtime.block_on(tokio::task::yield_now());
        assert_eq!(files(directory.path()), 1);
        drop(runtime);
        assert_eq!(files(directory.path()), 0);
    }
}

#[test]
fn calls_on_blocking_threads_succeed() {
    let (_directory, queue) = queue();
    for runtime in runtimes() {
        let calls = async {
            let mut tasks = Vec::new();
            for number in 0..4 {
                let queue = queue.clone();
                tasks.push(spawn_blocking(move || (number, queue.put(&mail(&number.to_string())))));
            }
            for task in tasks {
                let (number, id) = task.await.expect("no task panics");
                let (queue, id) = (queue.clone(), id.expect("a put succeeds"));
                let item = spawn_blocking(move || queue.get(&id)).await.expect("no task panics");
                assert_eq!(item.expect("the item is readable").body, number.to_string().as_bytes());
            }
        };
        runtime.block_on(calls);
    }
}

#[test]
fn calls_in_block_in_place_succeed() {
    let (_directory, queue) = queue();
    let [_, runtime] = runtimes();
    let in_place = async |queue: &Queue| {
        assert_refused(queue.put(&mail("before")));
        block_in_place(|| queue.put(&mail("within"))).expect("a put succeeds")
    };
    let id = runtime.block_on(in_place(&queue));
    assert_eq!(queue.get(&id).expect("the item is readable").body, b"within");
    let in_worker = async move {
        let id = in_place(&queue).await;
        assert_refused(queue.put(&mail("after")));
        (queue, id)
    };
    let (queue, id) = spawn(&runtime, in_worker);
    assert_eq!(queue.get(&id).expect("the item is readable").body, b"within");
}

#[test]
fn calls_on_threads_that_entered_a_runtime_succeed() {
    let (_directory, queue) = queue();
    for runtime in runtimes() {
        let _entered = runtime.enter();
        queue.put(&mail("entered")).expect("a put succeeds");
    }
    queue.put(&mail("plain")).expect("a put succeeds");
}

#[test]
fn calls_in_tasks_without_budget_block_and_succeed() {
    let (_directory, queue) = queue();
    for runtime in runtimes() {
        let id = runtime.block_on(unconstrained(async { queue.put(&mail("unconstrained")) })).expect("a put succeeds");
        queue.get(&id).expect("the item is readable");
    }
}

#[test]
fn refused_call_leaves_the_task_its_budget() {
    let (_directory, queue) = queue();
    let budget = async |queue: &Queue| {
        assert_refused(queue.count());
        let mut context = Context::from_waker(Waker::noop());
        let mut units = 0;
        while let Poll::Ready(unit) = coop::poll_proceed(&mut context) {
            unit.made_progress();
            units += 1;
        }
        units
    };
    let [runtime, _] = runtimes();
    assert_eq!(runtime.block_on(budget(&queue)), 128);
}

#[test]
fn host_loads_and_opens_in_tasks() {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    for (number, runtime) in runtimes().into_iter().enumerate() {
        let path = directory.path().join(number.to_string());
        let queue = runtime.block_on(async { Host::new()?.create(path) }).expect("the queue opens");
        queue.put(&mail("first")).expect("a put succeeds");
    }
}
