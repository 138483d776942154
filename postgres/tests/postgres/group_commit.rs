//! Puts that share a commit.

use crate::faults::{WAITING, signal, wait_for};
use crate::support::{Test, code, mail, open_in};
use queue_store_host::types::Detail;
use queue_store_host::{Queue, Result};
use queue_store_host_test::postgres_cluster::Cluster;
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("group_commit::puts_that_wait_share_a_commit", puts_that_wait_share_a_commit),
        ("group_commit::mail_that_is_refused_fails_alone", mail_that_is_refused_fails_alone),
        ("group_commit::puts_of_a_lost_session_are_in_doubt", puts_of_a_lost_session_are_in_doubt),
        ("group_commit::silent_sessions_hold_up_no_others", silent_sessions_hold_up_no_others),
        ("group_commit::silence_keeps_no_put_beyond_its_time", silence_keeps_no_put_beyond_its_time),
    ]
}

const PUTS: usize = 24;

/// Less than the time after which a put that waits goes alone, which is 3.75 s by default.
const SHORT: Duration = Duration::from_millis(500);

/// Puts mails at the same time, whose bodies are their numbers, while no standby answers. Resumes the standbys after `meanwhile`,
/// and returns the results and the times of the puts.
fn put_together(cluster: &Cluster, queue: &Queue, meanwhile: impl FnOnce()) -> Vec<(Result<String>, Duration)> {
    queue.put(&mail("before")).expect("it is put");
    for node in [1, 2] {
        cluster.run("pause", Some(node));
    }
    thread::scope(|scope| {
        let put = |number: usize| {
            scope.spawn(move || {
                let began = Instant::now();
                (queue.put(&mail(number.to_string())), began.elapsed())
            })
        };
        let puts: Vec<_> = (0..PUTS).map(put).collect();
        meanwhile();
        for node in [1, 2] {
            cluster.run("resume", Some(node));
        }
        puts.into_iter().map(|put| put.join().expect("the thread ends")).collect()
    })
}

/// Returns how many items have each body.
fn bodies(queue: &Queue) -> HashMap<Vec<u8>, usize> {
    queue.recover(Duration::from_hours(36)).expect("it is recovered");
    let entries = queue.items(&[], Detail::Name).expect("they are listed");
    let ids = entries.map(|entry| entry.expect("it is listed").id);
    ids.fold(HashMap::new(), |mut bodies, id| {
        *bodies.entry(queue.get(&id).expect("it is there").body).or_default() += 1;
        bodies
    })
}

fn puts_that_wait_share_a_commit() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "shared", "");
    let results = put_together(&cluster, &queue, || thread::sleep(SHORT));
    for (number, (result, _)) in results.into_iter().enumerate() {
        let item = queue.get(result.expect("it is put")).expect("it is there");
        assert_eq!(item.body, number.to_string().as_bytes());
    }
    assert_eq!(bodies(&queue).into_values().collect::<Vec<_>>(), [1; PUTS + 1]);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM queue_store.item WHERE body_size < 3";
    // Two that found a turn free, and all others.
    assert_eq!(cluster.sql(0, transactions), "3");
}

fn mail_that_is_refused_fails_alone() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "refused", "");
    cluster.sql(0, "ALTER TABLE queue_store.item ADD CONSTRAINT refused CHECK (small_body NOT IN ('7', '17', '18'))");
    let results = put_together(&cluster, &queue, || thread::sleep(SHORT));
    for (number, (result, _)) in results.into_iter().enumerate() {
        match number {
            7 | 17 | 18 => assert_eq!(code(result), "other"),
            _ => drop(result.expect("it is put")),
        }
    }
    assert_eq!(bodies(&queue).len(), PUTS + 1 - 3);
}

fn puts_of_a_lost_session_are_in_doubt() {
    let cluster = Cluster::start(3);
    // The paused standbys would be asked for a new session too, and wait.
    let url = format!("{}?queue=lost", cluster.node_url(0));
    let queue = queue_store_postgres::open(&url).expect("the queue is opened");
    let end = format!("SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting");
    // First the puts that have the turns, then the group.
    let results = put_together(&cluster, &queue, || {
        for _ in 0..PUTS {
            cluster.sql(0, &end);
            thread::sleep(Duration::from_millis(50));
        }
    });
    let lost = results.into_iter().map(|(result, _)| result).filter(Result::is_err);
    let codes: Vec<&str> = lost.map(code).collect();
    assert!(codes.len() > 2 && codes.iter().all(|code| *code == "indeterminate"), "{codes:?}");
    assert_eq!(bodies(&queue).into_values().collect::<Vec<_>>(), [1; PUTS + 1], "they were committed once");
}

fn silent_sessions_hold_up_no_others() {
    let cluster = Cluster::start(3);
    // A put that waits goes alone after 2 s.
    let queue = open_in(&cluster, "silent", "&timeout=16");
    let results = put_together(&cluster, &queue, || {
        let two = format!("SELECT string_agg(pid::text, ' ') FROM ({WAITING}) AS waiting HAVING count(*) = 2");
        wait_for(&cluster, 0, &two).split(' ').for_each(|process| signal(process, "STOP"));
    });
    let (silent, others): (Vec<_>, Vec<_>) = results.into_iter().partition(|(result, _)| result.is_err());
    assert_eq!(silent.len(), 2, "{silent:?}");
    for (_, time) in others {
        assert!(time < Duration::from_secs(10), "a put took {time:?}");
    }
}

fn silence_keeps_no_put_beyond_its_time() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "silence", "&timeout=2");
    let results = put_together(&cluster, &queue, || thread::sleep(Duration::from_secs(4)));
    let bodies = bodies(&open_in(&cluster, "silence", ""));
    for (number, (result, time)) in results.into_iter().enumerate() {
        assert!(time < Duration::from_secs(4), "the put {number} took {time:?}, and may take 2 s");
        let found = bodies.get(number.to_string().as_bytes()).copied().unwrap_or_default();
        match code(result) {
            "indeterminate" => assert!(found <= 1, "the put {number} took effect {found} times"),
            "busy" | "io" => assert_eq!(found, 0, "the put {number} got no connection"),
            code => panic!("the put {number} fails with `{code}`"),
        }
    }
}
