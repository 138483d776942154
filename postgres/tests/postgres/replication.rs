//! Durability on several machines: what is acknowledged, and what is in doubt.

use crate::support::{Test, code, mail, open_in};
use queue_store_host::types::{IdentifiedMail, WriteOptions};
use queue_store_host_test::postgres_cluster::Cluster;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("replication::cancelled_wait_is_indeterminate", cancelled_wait_is_indeterminate),
        ("replication::wait_that_an_operator_ends_is_indeterminate", wait_that_an_operator_ends_is_indeterminate),
        ("replication::full_durability_needs_a_standby", full_durability_needs_a_standby),
        ("replication::server_that_is_silent_is_an_io_error", server_that_is_silent_is_an_io_error),
    ]
}

/// The process that waits for standbys, once there is one.
fn waiting_process(cluster: &Cluster) -> String {
    let find = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name <> 'psql'";
    for _ in 0..200 {
        let process = cluster.sql(0, find);
        if !process.is_empty() {
            return process;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("a commit waits for standbys");
}

fn cancelled_wait_is_indeterminate() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "hole", "&timeout=60");
    queue.put(&mail("first")).expect("it is put");
    for end in ["pg_cancel_backend", "pg_terminate_backend"] {
        for node in [1, 2] {
            cluster.run("pause", Some(node));
        }
        let id = end.to_string();
        let put = thread::spawn({
            let (queue, id) = (queue.clone(), id.clone());
            move || queue.put_with(Some(&id), &mail("second"), &WriteOptions::default())
        });
        cluster.sql(0, &format!("SELECT {end}({})", waiting_process(&cluster)));
        assert_eq!(code(put.join().expect("the thread ends")), "indeterminate", "{end}");
        // A barrier waits for the standbys, and what is visible meanwhile is not called durable.
        let again = thread::spawn({
            let (queue, id) = (queue.clone(), id.clone());
            move || (Instant::now(), queue.put_with(Some(&id), &mail("second"), &WriteOptions::default()))
        });
        thread::sleep(Duration::from_secs(1));
        assert!(!again.is_finished(), "{end}: `exists` waits for the standbys");
        for node in [1, 2] {
            cluster.run("resume", Some(node));
        }
        assert_eq!(code(again.join().expect("the thread ends").1), "exists", "{end}");
        assert_eq!(queue.get(&id).expect("it is there").body, b"second");
    }
}

fn wait_that_an_operator_ends_is_indeterminate() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "released", "&timeout=60");
    queue.put(&mail("first")).expect("it is put");
    for node in [1, 2] {
        cluster.run("pause", Some(node));
    }
    let mails = ["a", "b"].map(|id| IdentifiedMail { id: Some(id.to_string()), mail: mail("second") });
    let (put, put_many) = thread::scope(|scope| {
        let put = scope.spawn(|| queue.put_with(Some("x"), &mail("second"), &WriteOptions::default()));
        let put_many = scope.spawn(|| queue.put_many(&mails, &WriteOptions::default()));
        thread::sleep(Duration::from_secs(1));
        waiting_process(&cluster);
        // As Patroni does, when it finds no standby.
        cluster.sql(0, "ALTER SYSTEM SET synchronous_standby_names = ''");
        cluster.sql(0, "SELECT pg_reload_conf()");
        (put.join().expect("the thread ends"), put_many.join().expect("the thread ends"))
    });
    assert_eq!(code(put), "indeterminate");
    for outcome in put_many.expect("it is tried") {
        assert_eq!(code(outcome.into_result()), "indeterminate");
    }
}

fn full_durability_needs_a_standby() {
    let cluster = Cluster::start(1);
    let queue = open_in(&cluster, "alone", "");
    assert_eq!(code(queue.put(&mail("x"))), "unsupported");
    assert_eq!(queue.count().expect("it is counted").ready, 0);
    let queue = open_in(&cluster, "alone", "&durability=single-node");
    queue.put(&mail("x")).expect("it is put");
}

fn server_that_is_silent_is_an_io_error() {
    let cluster = Cluster::start(1);
    let queue = open_in(&cluster, "silent", "&durability=single-node&timeout=1");
    cluster.run("cut", Some(0));
    // The first call has a session, and the others wait for one.
    for _ in 0..3 {
        assert_eq!(code(queue.count()), "io");
    }
    cluster.run("mend", Some(0));
    assert_eq!(queue.count().expect("it is counted").ready, 0);
}
