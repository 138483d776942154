//! The async handle.

use queue_store_host::tokio::AsyncQueue;
use queue_store_host::types::{Attempt, Detail, Durability, EnvelopeChange, Item, Mail, Outcome, State, WriteOptions};
use queue_store_host::{Error, Host};
use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

fn mail(body: &str) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

fn queue() -> (TempDir, AsyncQueue) {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let queue = Host::new().expect("the component loads").open(directory.path()).expect("the queue opens");
    (directory, queue.into())
}

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()].map(|mut builder| builder.build().expect("a runtime"))
}

fn assert_done(outcomes: &[Outcome]) {
    assert!(!outcomes.is_empty());
    assert!(outcomes.iter().all(|outcome| outcome.problem.is_none()), "{outcomes:?}");
}

/// Calls every function of the handle.
async fn calls(queue: &AsyncQueue) -> Result<(), Error> {
    let id = queue.new_id().await?;
    assert_eq!(queue.put_with(Some(id.clone()), mail("first"), WriteOptions::default()).await?, id);
    let again = queue.put_with(Some(id.clone()), mail("again"), WriteOptions::default()).await;
    assert!(matches!(again, Err(Error::Exists(_))), "{again:?}");
    let second = queue.put(mail("second")).await?;
    assert_done(&queue.put_many(vec![mail("third").into()], WriteOptions::default()).await?);
    queue.submit("a@example.com", vec!["b@example.com".to_string()], "fourth").await?;
    assert_eq!(queue.get(&id).await?.body, b"first");
    assert_eq!(queue.count().await?.ready, 4);
    let change = EnvelopeChange { reverse_path: Some("c@example.com".to_string()), ..EnvelopeChange::default() };
    let revision = queue.update(&id, change, Durability::Full).await?;
    let sent = Attempt { recipient: 0, status: 1, message: String::new() };
    queue.record_attempts(&id, vec![sent], Some(revision), Durability::Full).await?;
    let envelope = queue.info(&id).await?.envelope;
    assert_eq!((envelope.reverse_path.as_str(), envelope.recipients[0].status), ("c@example.com", 1));
    let ids = vec![id.clone(), second];
    assert_done(&queue.set_state(ids.clone(), State::Held).await?);
    assert_done(&queue.seal(ids.clone()).await?);
    assert_done(&queue.verify(ids.clone()).await?);
    let mut held = queue.items(vec![State::Held], Detail::Name).await?;
    let mut listed = Vec::new();
    while let Some(entry) = held.next().await {
        listed.push(entry?.id);
    }
    // A listing holds its instance, and with it the instance's counters.
    drop(held);
    listed.sort();
    assert_eq!(listed, {
        let mut ids = ids.clone();
        ids.sort();
        ids
    });
    assert_done(&queue.remove(ids, vec![], Durability::Full).await?);
    assert_eq!(queue.recover(Duration::from_hours(36)).await?.durable_items, 2);
    assert!(!queue.needs_recovery());
    assert!(queue.limits().await?.iter().any(|(name, _)| name == "max-drafts"));
    let counters = queue.counters().await?;
    assert!(counters.contains(&("puts".to_string(), 4)), "{counters:?}");
    assert!(queue.about().await?.contains(&("contract".to_string(), "mail:queue@0.1.0".to_string())));
    Ok(())
}

#[test]
fn every_call_succeeds_in_tasks() {
    for runtime in runtimes() {
        let (_directory, queue) = queue();
        runtime.block_on(calls(&queue)).expect("the calls succeed");
        let (_directory, queue) = self::queue();
        let task = runtime.spawn(async move { calls(&queue).await });
        runtime.block_on(task).expect("the task does not panic").expect("the calls succeed");
    }
}

async fn put_in_chunks(queue: &AsyncQueue, chunks: &[&str]) -> Result<Item, Error> {
    let mut draft = queue.draft(None, mail("").envelope, WriteOptions::default()).await?;
    for chunk in chunks {
        draft.append(*chunk).await?;
    }
    queue.get(draft.commit().await?).await
}

#[test]
fn streams_pass_chunks() {
    for runtime in runtimes() {
        let (_directory, queue) = queue();
        let streams = async {
            let item = put_in_chunks(&queue, &["one", "two"]).await?;
            assert_eq!(item.body, b"onetwo");
            let mut submission = queue.submission("a@example.com", vec!["b@example.com".to_string()]).await?;
            submission.append("three").await?;
            let id = submission.commit().await?;
            let mut reader = queue.read(&id, 2).await?;
            assert_eq!(reader.info().id, id);
            assert_eq!(reader.next_chunk().await?.as_deref(), Some(b"ree".as_slice()));
            assert_eq!(reader.next_chunk().await?, None);
            Ok::<(), Error>(())
        };
        runtime.block_on(streams).expect("the calls succeed");
    }
}

/// Polls a future once, and drops it.
async fn poll_once<T>(future: impl Future<Output = T>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

#[test]
fn call_goes_on_when_its_future_is_dropped() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        runtime.block_on(poll_once(queue.put(mail("first"))));
        // Waits for the threads for blocking work.
        drop(runtime);
        assert_eq!(fs::read_dir(directory.path()).expect("the directory is readable").count(), 1);
    }
}

#[test]
fn draft_is_given_up_when_the_future_of_a_call_is_dropped() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        let interrupted = async {
            let mut draft =
                queue.draft(None, mail("").envelope, WriteOptions::default()).await.expect("a draft begins");
            // It takes longer than the first poll.
            poll_once(draft.append(vec![b'1'; 32 << 20])).await;
            assert!(matches!(draft.append("two").await, Err(Error::Interrupted)));
            assert!(matches!(draft.commit().await, Err(Error::Interrupted)));
        };
        runtime.block_on(interrupted);
        drop(runtime);
        assert_eq!(fs::read_dir(directory.path()).expect("the directory is readable").count(), 0);
    }
}

#[test]
fn dropped_draft_leaves_nothing() {
    for runtime in runtimes() {
        let (directory, queue) = queue();
        let dropped = async {
            let draft = queue.draft(None, mail("").envelope, WriteOptions::default()).await.expect("a draft begins");
            assert_eq!(fs::read_dir(directory.path()).expect("the directory is readable").count(), 1);
            drop(draft);
        };
        runtime.block_on(dropped);
        drop(runtime);
        assert_eq!(fs::read_dir(directory.path()).expect("the directory is readable").count(), 0);
    }
}

#[test]
fn call_after_shut_down_fails() {
    for runtime in runtimes() {
        let (_directory, queue) = queue();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let mut put = pin!(queue.put(mail("first")));
        let polled = put.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(Error::RuntimeShutDown))), "{polled:?}");
    }
}
