//! The cluster that tests share, and queues in it.

use queue_store_host::Queue;
use queue_store_host::types::Mail;
use queue_store_host_test::postgres_cluster::Cluster;
use std::sync::{Arc, Mutex, PoisonError};

/// A test: its name and what it does.
pub(crate) type Test = (&'static str, fn());

static SHARED: Mutex<Option<Arc<Cluster>>> = Mutex::new(None);

/// Returns the cluster of the tests that do not harm it.
pub(crate) fn cluster() -> Arc<Cluster> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.get_or_insert_with(|| Arc::new(Cluster::start(3))).clone()
}

/// Ends the cluster that tests share.
pub(crate) fn end() {
    drop(SHARED.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Opens a queue of the shared cluster.
pub(crate) fn open(name: &str) -> Queue {
    open_in(&cluster(), name, "")
}

/// Opens a queue with further options of the URL, each after a `&`.
pub(crate) fn open_in(cluster: &Cluster, name: &str, options: &str) -> Queue {
    let url = format!("{}?queue={name}{options}", cluster.url());
    queue_store_postgres::open(&url).expect("the queue is opened")
}

pub(crate) fn mail(body: impl Into<Vec<u8>>) -> Mail {
    Mail::new("a@example.com", ["b@example.com"], body)
}

/// The code of a call that has to fail.
pub(crate) fn code<T: std::fmt::Debug>(result: queue_store_host::Result<T>) -> &'static str {
    result.expect_err("the call fails").code().expect("the error has a code").name()
}
