//! Sessions that are lost, and primaries that are replaced, each at a chosen moment. `tools/cluster-faults` searches at random.

use crate::support::{Test, code, mail, open_in};
use queue_store_host::types::{Detail, Durability, IdentifiedMail, State, WriteOptions};
use queue_store_host::{Queue, Result};
use queue_store_host_test::postgres_cluster::Cluster;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        (
            "faults::transaction_of_a_lost_session_blocks_no_later_call",
            transaction_of_a_lost_session_blocks_no_later_call,
        ),
        ("faults::change_of_a_lost_session_precedes_later_calls", change_of_a_lost_session_precedes_later_calls),
        ("faults::silence_does_not_hide_why_a_call_waited", silence_does_not_hide_why_a_call_waited),
        (
            "faults::session_with_a_replaced_primary_is_not_used_again",
            session_with_a_replaced_primary_is_not_used_again,
        ),
        ("faults::reader_of_a_silent_primary_frees_its_connection", reader_of_a_silent_primary_frees_its_connection),
        ("faults::draft_is_not_committed_with_the_body_of_another", draft_is_not_committed_with_the_body_of_another),
        ("faults::removal_that_waits_twice_keeps_its_time_limit", removal_that_waits_twice_keeps_its_time_limit),
        ("faults::single_node_waits_for_no_standby", single_node_waits_for_no_standby),
        ("faults::open_waits_for_a_promotion", open_waits_for_a_promotion),
        ("faults::listing_that_failed_is_aborted_from_then_on", listing_that_failed_is_aborted_from_then_on),
        ("faults::doubt_of_a_handle_is_settled_by_another", doubt_of_a_handle_is_settled_by_another),
        ("faults::first_refusal_gives_the_code_of_several_puts", first_refusal_gives_the_code_of_several_puts),
    ]
}

/// The cluster of the tests that leave its nodes as they were, one at a time.
static SHARED: Mutex<Option<Cluster>> = Mutex::new(None);

/// Runs a test with the shared cluster, and resumes what a test before it left paused.
fn with_cluster<T>(test: impl FnOnce(&Cluster) -> T) -> T {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = shared.get_or_insert_with(|| Cluster::start(3));
    for node in 0..3 {
        cluster.run("resume", Some(node));
    }
    test(cluster)
}

/// Ends the shared cluster.
pub(crate) fn end() {
    drop(SHARED.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// A body of several chunks, the last of which are fetched when they are read.
fn long_body(byte: u8) -> Vec<u8> {
    vec![byte; 3_000_000]
}

fn put(queue: &Queue, id: &str) -> Result<String> {
    queue.put_with(Some(id), &mail("x"), &WriteOptions::default())
}

fn remove(queue: &Queue, id: &str) -> Result<()> {
    queue.remove(&[id], &[], Durability::Full)?.remove(0).into_result()
}

/// Begins a put that cannot end yet.
fn begin_put(queue: &Queue, id: &'static str) -> JoinHandle<Result<String>> {
    let queue = queue.clone();
    thread::spawn(move || put(&queue, id))
}

/// Polls SQL on a node until it prints a line.
pub(crate) fn wait_for(cluster: &Cluster, node: usize, sql: &str) -> String {
    for _ in 0..200 {
        let line = cluster.sql(node, sql);
        if !line.is_empty() {
            return line;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{sql}: prints a line");
}

/// The only session of a queue.
const SESSION: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lost'";

/// The sessions of puts that wait for standbys.
pub(crate) const WAITING: &str =
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'queue-store'";

/// Sends a signal to a process.
pub(crate) fn signal(process: &str, signal: &str) {
    let status = std::process::Command::new("kill").args(["-s", signal, process]).status();
    assert!(status.expect("there is kill").success(), "the process {process} gets {signal}");
}

fn change_of_a_lost_session_precedes_later_calls() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "order", "&timeout=2&application_name=lost");
        put(&queue, "before").expect("it is put");
        let process = cluster.sql(0, SESSION);
        signal(&process, "STOP");
        // The server gets the put, and does nothing yet.
        assert_eq!(code(put(&queue, "late")), "indeterminate");
        // None of these may overtake it.
        let put_again = put(&queue, "late");
        let removed = remove(&queue, "late");
        let refusal = put_again.as_ref().expect_err("the session is there").to_string();
        assert!(refusal.contains("does not end the session"), "{refusal}");
        signal(&process, "CONT");
        let is_over = format!("SELECT 'over' WHERE NOT EXISTS ({SESSION} AND pid = {process} AND state <> 'idle')");
        wait_for(cluster, 0, &is_over);
        let is_there = queue.get("late").is_ok();
        let must_be_absent = match (&put_again, &removed) {
            (_, Ok(())) => true,
            (Ok(_), Err(_)) => false,
            // Both were refused, and the first put decides.
            (Err(_), Err(_)) => !is_there,
        };
        assert_eq!(!is_there, must_be_absent, "put again: {put_again:?}, removed: {removed:?}");
        if is_there {
            remove(&queue, "late").expect("it is removed");
        }
        assert_eq!(code(remove(&queue, "late")), "not-found");
        put(&queue, "late").expect("it is put");
    });
}

fn silence_does_not_hide_why_a_call_waited() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "reason", "&timeout=3&application_name=reason");
        put(&queue, "before").expect("it is put");
        signal(&cluster.sql(0, "SELECT pid FROM pg_stat_activity WHERE application_name = 'reason'"), "STOP");
        assert_eq!(code(put(&queue, "x")), "indeterminate");
        let waiting = begin_put(&queue, "y");
        wait_for(cluster, 0, HAS_LOOKED);
        cluster.run("pause", Some(0));
        let refusal = waiting.join().expect("the thread ends").expect_err("the server is silent").to_string();
        cluster.run("resume", Some(0));
        assert!(refusal.contains("does not end the session"), "{refusal}");
        put(&queue, "y").expect("the session has ended");
    });
}

/// Whether a call has looked once at the process of a lost session.
const HAS_LOOKED: &str = "SELECT 'x' FROM pg_stat_activity WHERE application_name = 'reason' AND state = 'idle' \
     AND query LIKE '%pg_terminate_backend%'";

fn transaction_of_a_lost_session_blocks_no_later_call() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "blocked", "&timeout=5");
        put(&queue, "before").expect("it is put");
        let block = "BEGIN; INSERT INTO queue_store.item SELECT copy.* FROM queue_store.item, \
                     json_populate_record(item, '{\"id\": \"b\"}') AS copy WHERE item.queue = 'blocked'; SELECT pg_sleep(60)";
        let blocking = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        let mails = ["a", "b"].map(|id| IdentifiedMail { id: Some(id.to_string()), mail: mail("x") });
        thread::scope(|scope| {
            scope.spawn(|| cluster.try_sql(0, block));
            let process = wait_for(cluster, 0, blocking);
            let put_many = scope.spawn(|| queue.put_many(&mails, &WriteOptions::default()));
            wait_for(cluster, 0, "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
            cluster.break_connections(0);
            // It is tried again, and blocked by the other program.
            let outcomes = put_many.join().expect("the thread ends").expect("it is tried");
            assert_eq!(code(outcomes[0].clone().into_result()), "indeterminate");
            let put = put(&queue, "a");
            cluster.sql(0, &format!("SELECT pg_terminate_backend({process})"));
            put.expect("the transactions of the lost sessions are over");
        });
    });
}

fn session_with_a_replaced_primary_is_not_used_again() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "replaced", "&timeout=20");
    let id = queue.put(&mail(long_body(b'x'))).expect("it is put");
    let mut reader = queue.read(&id, 0).expect("it is opened");
    reader.read_exact(&mut [0; 1000]).expect("it is read");
    // A put that no standby has, but that the primary shows.
    for node in [1, 2] {
        cluster.run("stop", Some(node));
    }
    let visible = begin_put(&queue, "visible");
    let process = wait_for(&cluster, 0, WAITING);
    cluster.sql(0, &format!("SELECT pg_terminate_backend({process})"));
    assert_eq!(code(visible.join().expect("the thread ends")), "indeterminate");
    // The primary is replaced, and goes on.
    cluster.run("pause", Some(0));
    for node in [1, 2] {
        cluster.run("restart", Some(node));
    }
    cluster.run("promote", Some(1));
    queue.recover(Duration::from_hours(36)).expect("it is recovered");
    put(&queue, "after").expect("it is put");
    cluster.run("resume", Some(0));
    // Its session is free again.
    drop(reader);
    thread::sleep(Duration::from_millis(500));
    // Each call takes the session that was not used for longest.
    for _ in 0..4 {
        queue.get("after").expect("the replaced primary lacks it");
    }
    put(&queue, "visible").expect("the replaced primary shows it, and the other one lacks it");
    cluster.run("rejoin", Some(0));
    queue.get("visible").expect("it survived");
}

fn reader_of_a_silent_primary_frees_its_connection() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "silent", "&timeout=4&connections=1");
    let id = queue.put(&mail(long_body(b'x'))).expect("it is put");
    let mut reader = queue.read(&id, 0).expect("it is opened");
    reader.read_exact(&mut [0; 1000]).expect("it is read");
    cluster.run("pause", Some(0));
    reader.read_to_end(&mut Vec::new()).expect_err("the server is silent");
    drop(reader);
    cluster.run("promote", Some(1));
    put(&queue, "x").expect("the only connection is free");
}

fn draft_is_not_committed_with_the_body_of_another() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "numbers", "");
        let mut draft = queue.draft(None, &mail("").envelope, &WriteOptions::default()).expect("it begins");
        draft.append(&long_body(b'x')).expect("it is written");
        let number = wait_for(cluster, 0, "SELECT body FROM queue_store.draft");
        // A failover loses the draft and its number, which another draft gets.
        let replace = format!(
            "BEGIN; DELETE FROM queue_store.draft; INSERT INTO queue_store.draft (body, queue) VALUES ({number}, 'other'); \
         UPDATE queue_store.chunk SET bytes = decode(repeat('79', octet_length(bytes)), 'hex'); COMMIT"
        );
        cluster.sql(0, &replace);
        assert_eq!(code(draft.commit()), "aborted");
        assert_eq!(queue.count().expect("it is counted").ready, 0);
        assert_eq!(cluster.sql(0, "SELECT count(*) FROM queue_store.draft"), "1", "the other draft is intact");
    });
}

fn removal_that_waits_twice_keeps_its_time_limit() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "limit", "&timeout=4");
        put(&queue, "x").expect("it is put");
        // First the call waits for another removal, then for standbys that prove this one.
        let other = "SET synchronous_commit = local; BEGIN; DELETE FROM queue_store.item WHERE queue = 'limit'; SELECT pg_sleep(3); COMMIT";
        let began = Instant::now();
        let result = thread::scope(|scope| {
            scope.spawn(|| cluster.sql(0, other));
            wait_for(cluster, 0, "SELECT 'x' FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
            for node in [1, 2] {
                cluster.run("pause", Some(node));
            }
            let began = Instant::now();
            (remove(&queue, "x"), began.elapsed())
        });
        assert!(began.elapsed() > Duration::from_secs(3), "the call waited for the other removal");
        assert_eq!(code(result.0), "io");
        assert!(result.1 < Duration::from_secs(5), "the call took {:?}, and may take 4 s", result.1);
    });
}

fn single_node_waits_for_no_standby() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "single", "&timeout=10&durability=single-node");
        for node in [1, 2] {
            cluster.run("pause", Some(node));
        }
        put(&queue, "x").expect("it is put");
        queue.set_state(&["x"], State::Held).expect("it is tried").remove(0).into_result().expect("it is held");
        remove(&queue, "x").expect("it is removed");
    });
}

fn open_waits_for_a_promotion() {
    let cluster = Cluster::start(3);
    let queue = open_in(&cluster, "opened", "");
    put(&queue, "before").expect("it is put");
    cluster.run("kill", Some(0));
    thread::scope(|scope| {
        let opened = scope.spawn(|| put(&open_in(&cluster, "opened", ""), "after"));
        thread::sleep(Duration::from_secs(1));
        assert!(!opened.is_finished(), "no server takes changes yet");
        cluster.run("promote", Some(1));
        opened.join().expect("the thread ends").expect("it is put");
    });
    queue.get("before").expect("it is there");
}

fn doubt_of_a_handle_is_settled_by_another() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "handles", "&timeout=2");
        put(&queue, "before").expect("it is put");
        for node in [1, 2] {
            cluster.run("pause", Some(node));
        }
        assert_eq!(code(put(&queue, "x")), "indeterminate");
        drop(queue);
        let another = open_in(cluster, "handles", "&timeout=2");
        assert_eq!(code(another.info("x")), "io", "what survives is not known yet");
        for node in [1, 2] {
            cluster.run("resume", Some(node));
        }
        another.info("x").expect("the commit was ended, not undone");
        assert_eq!(code(put(&another, "x")), "exists");
    });
}

fn listing_that_failed_is_aborted_from_then_on() {
    let cluster = Cluster::start(1);
    let queue = open_in(&cluster, "listed", "&durability=single-node");
    let mails: Vec<IdentifiedMail> = (0..1000).map(|_| mail("x").into()).collect();
    for _ in 0..2 {
        queue.put_many(&mails, &WriteOptions::default()).expect("they are put");
    }
    let queue = open_in(&cluster, "listed", "&durability=single-node&timeout=1");
    let mut listing = queue.items(&[], Detail::Name).expect("it begins");
    listing.next_entry().expect("there is a first page").expect("the queue has items");
    cluster.run("cut", Some(0));
    let failure = loop {
        match listing.next_entry() {
            Ok(entry) => drop(entry.expect("the rest is not listed")),
            Err(failure) => break failure,
        }
    };
    assert_eq!(code::<()>(Err(failure)), "io");
    assert_eq!(code(listing.next_entry()), "aborted", "a part is not taken for the whole");
}

/// Refuses bodies of one byte as a full disk does.
const FULL_DISK: &str = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$; \
     CREATE TRIGGER full_disk BEFORE INSERT ON queue_store.item FOR EACH ROW \
     WHEN (new.queue = 'full' AND new.body_size = 1) EXECUTE FUNCTION full_disk()";

fn first_refusal_gives_the_code_of_several_puts() {
    with_cluster(|cluster| {
        let queue = open_in(cluster, "full", "");
        cluster.sql(0, FULL_DISK);
        // The chunks of the others are sent once their items were answered, and therefore after the refusal.
        let mut bodies = vec![vec![b'x'; 300_000]; 40];
        bodies[20] = b"x".to_vec();
        let mails: Vec<_> = bodies.into_iter().map(|body| IdentifiedMail { id: None, mail: mail(body) }).collect();
        for _ in 0..5 {
            assert_eq!(code(queue.put_many(&mails, &WriteOptions::default())), "no-space");
        }
        assert_eq!(queue.items(&[], Detail::Name).expect("they are listed").count(), 0);
    });
}
