//! The contract, on PostgreSQL.

use crate::faults::wait_for;
use crate::support::{self, Test, cluster, code, mail, open};
use queue_store_host::types::{Detail, Durability, Envelope, IdentifiedMail, State, WriteOptions};
use queue_store_host::{Error, Queue};
use queue_store_host_test::conformance::{Kind, run_table};
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("contract::every_row_of_the_table_has_its_results", every_row_of_the_table_has_its_results),
        ("contract::body_that_was_changed_is_a_checksum_mismatch", body_that_was_changed_is_a_checksum_mismatch),
        (
            "contract::envelope_that_was_changed_is_a_problem_of_its_item",
            envelope_that_was_changed_is_a_problem_of_its_item,
        ),
        ("contract::body_that_lacks_a_chunk_is_corrupt", body_that_lacks_a_chunk_is_corrupt),
        ("contract::item_with_no_body_or_two_is_corrupt", item_with_no_body_or_two_is_corrupt),
        ("contract::abandoned_draft_leaves_nothing", abandoned_draft_leaves_nothing),
        ("contract::swept_draft_cannot_be_committed", swept_draft_cannot_be_committed),
        ("contract::body_is_read_as_it_was_when_it_was_opened", body_is_read_as_it_was_when_it_was_opened),
        ("contract::queues_of_a_database_are_apart", queues_of_a_database_are_apart),
        ("contract::newer_tables_are_refused", newer_tables_are_refused),
        ("contract::queue_may_be_dropped_in_an_async_task", queue_may_be_dropped_in_an_async_task),
        ("contract::what_is_open_is_limited", what_is_open_is_limited),
        ("contract::body_of_one_chunk_is_read_from_any_offset", body_of_one_chunk_is_read_from_any_offset),
        ("contract::numbers_that_were_set_back_destroy_no_body", numbers_that_were_set_back_destroy_no_body),
        ("contract::malformed_id_is_the_problem_of_itself_alone", malformed_id_is_the_problem_of_itself_alone),
        ("contract::role_that_does_not_see_its_sessions_is_refused", role_that_does_not_see_its_sessions_is_refused),
        ("contract::many_taken_ids_cost_one_barrier", many_taken_ids_cost_one_barrier),
        ("contract::call_may_block_in_another_executor", call_may_block_in_another_executor),
        ("contract::open_bodies_leave_connections_to_other_calls", open_bodies_leave_connections_to_other_calls),
    ]
}

fn every_row_of_the_table_has_its_results() {
    let kind = Kind { name: "postgres", open: open_row, has_files: false };
    run_table(kind).unwrap_or_else(|failed| panic!("{:?}", failed.message()));
}

/// Opens the queue of a row: named for its directory.
fn open_row(directory: &Path, arguments: &Value) -> Result<Queue, Error> {
    if !arguments["path"].is_null() || !arguments["create"].is_null() {
        // A database has no paths.
        return queue_store_postgres::open("");
    }
    let name = directory.file_name().expect("a directory has a name").to_string_lossy();
    queue_store_postgres::open(&format!("{}?queue={name}", cluster().url()))
}

/// A body of several chunks.
fn long_body() -> Vec<u8> {
    (0..900_000_u32).map(|number| (number % 251) as u8).collect()
}

fn body_that_was_changed_is_a_checksum_mismatch() {
    let queue = open("changed-body");
    for body in [b"Subject: x\r\n\r\nx\r\n".to_vec(), long_body()] {
        let id = queue.put(&mail(body)).expect("it is put");
        let small = format!("UPDATE queue_store.item SET small_body = set_byte(small_body, 3, 0) WHERE id = '{id}'");
        let large = format!(
            "UPDATE queue_store.chunk SET bytes = set_byte(bytes, 3, 0) WHERE number = 0 AND body = \
             (SELECT body FROM queue_store.item WHERE id = '{id}')"
        );
        cluster().sql(0, &format!("{small}; {large}"));
        assert_eq!(code(queue.get(&id)), "checksum-mismatch");
        queue.info(&id).expect("the envelope is intact");
        let outcome = queue.verify(&[&id]).expect("it is tried").remove(0);
        assert_eq!(code(outcome.into_result()), "checksum-mismatch");
        let mut listing = queue.items(&[], Detail::Whole).expect("the listing begins");
        let entry = listing.find(|entry| entry.as_ref().is_ok_and(|entry| entry.id == id)).expect("it is listed");
        assert_eq!(entry.expect("it is an entry").problem.expect("it is damaged").code.name(), "checksum-mismatch");
        queue.seal(&[&id]).expect("it is tried").remove(0).into_result().expect("it is sealed");
        queue.get(&id).expect("it is intact again");
    }
}

fn envelope_that_was_changed_is_a_problem_of_its_item() {
    let queue = open("changed-envelope");
    let id = queue.put(&mail("x")).expect("it is put");
    queue.put(&mail("y")).expect("it is put");
    let change = "UPDATE queue_store.item SET head = set_byte(head, 40, 1) WHERE queue = 'changed-envelope' AND id = '";
    cluster().sql(0, &format!("{change}{id}'"));
    let entries: Vec<_> =
        queue.items(&[], Detail::Envelope).expect("it begins").map(|entry| entry.expect("a page")).collect();
    assert_eq!(entries.len(), 2);
    let damaged: Vec<_> = entries.iter().filter(|entry| entry.problem.is_some()).collect();
    assert!(damaged.len() == 1 && damaged[0].id == id, "{damaged:?}");
    let recovery = queue.recover(Duration::ZERO).expect("it is recovered");
    assert_eq!((recovery.durable_items, recovery.damaged_items), (1, 1));
    queue.set_state(&[&id], State::Quarantined).expect("it is tried").remove(0).into_result().expect("it is set aside");
    let restored = queue.set_state(&[&id], State::Ready).expect("it is tried").remove(0).into_result();
    assert!(matches!(code(restored), "checksum-mismatch" | "corrupt"));
}

fn body_that_lacks_a_chunk_is_corrupt() {
    let queue = open("missing-chunk");
    let id = queue.put(&mail(long_body())).expect("it is put");
    let remove =
        "DELETE FROM queue_store.chunk WHERE number = 2 AND body = (SELECT body FROM queue_store.item WHERE id = '";
    cluster().sql(0, &format!("{remove}{id}')"));
    assert_eq!(code(queue.get(&id)), "corrupt");
    let sealed = queue.seal(&[&id]).expect("it is tried").remove(0).into_result();
    assert_eq!(code(sealed), "corrupt", "no checksum makes it right");
}

fn item_with_no_body_or_two_is_corrupt() {
    let queue = open("bodies");
    for change in ["small_body = NULL", "body = 1"] {
        let id = queue.put(&mail("x")).expect("it is put");
        cluster().sql(0, &format!("UPDATE queue_store.item SET {change} WHERE id = '{id}'"));
        assert_eq!(code(queue.get(&id)), "corrupt");
        let sealed = queue.seal(&[&id]).expect("it is tried").remove(0).into_result();
        assert_eq!(code(sealed), "corrupt", "no checksum makes it right");
    }
}

fn abandoned_draft_leaves_nothing() {
    let queue = open("abandoned");
    for drops in [false, true] {
        let mut draft = queue.draft(None, &envelope(), &WriteOptions::default()).expect("it begins");
        draft.append(&long_body()).expect("it is written");
        assert_eq!(queue.count().expect("it is counted").temporary, 1);
        if drops {
            drop(draft)
        } else {
            draft.abandon().expect("it is abandoned")
        }
        let is_gone = || queue.count().expect("it is counted").temporary == 0;
        let waited = (0..100).any(|_| {
            is_gone() || {
                std::thread::sleep(Duration::from_millis(20));
                false
            }
        });
        assert!(waited, "the body is removed");
    }
    let chunks = "SELECT count(*) FROM queue_store.chunk WHERE NOT EXISTS (\
                  SELECT FROM queue_store.item WHERE item.body = chunk.body) AND NOT EXISTS (\
                  SELECT FROM queue_store.draft WHERE draft.body = chunk.body)";
    assert_eq!(cluster().sql(0, chunks), "0");
}

fn swept_draft_cannot_be_committed() {
    let queue = open("swept");
    let mut draft = queue.draft(None, &envelope(), &WriteOptions::default()).expect("it begins");
    draft.append(&long_body()).expect("it is written");
    assert_eq!(queue.recover(Duration::from_hours(36)).expect("it is recovered").temporary_kept, 1);
    // A chunk that is on its way keeps its draft.
    let arrived = "SELECT 'arrived' FROM queue_store.chunk JOIN queue_store.draft USING (body) WHERE queue = 'swept' \
                   HAVING count(*) = 3";
    wait_for(&cluster(), 0, arrived);
    assert_eq!(queue.recover(Duration::ZERO).expect("it is recovered").temporary_removed, 1);
    assert_eq!(code(draft.commit()), "aborted");
    assert_eq!(queue.count().expect("it is counted").ready, 0);
}

fn body_is_read_as_it_was_when_it_was_opened() {
    let queue = open("snapshot");
    let id = queue.put(&mail(long_body())).expect("it is put");
    let mut reader = queue.read(&id, 0).expect("it is opened");
    queue.remove(&[&id], &[], Durability::Full).expect("it is tried").remove(0).into_result().expect("it is removed");
    let mut body = Vec::new();
    reader.read_to_end(&mut body).expect("it is read");
    assert_eq!(body, long_body());
    assert_eq!(code(queue.get(&id)), "not-found");
}

fn queues_of_a_database_are_apart() {
    let (one, other) = (open("one"), open("other"));
    for queue in [&one, &other] {
        queue.put_with(Some("x"), &mail("x"), &WriteOptions::default()).expect("it is put");
    }
    one.remove(&["x"], &[], Durability::Full).expect("it is tried").remove(0).into_result().expect("it is removed");
    assert_eq!((one.count().expect("counted").ready, other.count().expect("counted").ready), (0, 1));
}

fn newer_tables_are_refused() {
    let cluster = cluster();
    cluster.sql(0, "CREATE DATABASE newer OWNER queue");
    let url = format!("{}newer", cluster.url().strip_suffix("queue").expect("the URL ends with its database"));
    queue_store_postgres::open(&url).expect("the tables are made");
    let insert = "INSERT INTO queue_store.migration (number) VALUES (1000)";
    let output = std::process::Command::new("psql").args([&url, "--command", insert]).output().expect("there is psql");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(code(queue_store_postgres::open(&url)), "unsupported");
}

fn queue_may_be_dropped_in_an_async_task() {
    let queue = open("dropped");
    queue.put(&mail("x")).expect("it is put");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async move { drop(queue) });
}

fn what_is_open_is_limited() {
    let queue = open("limited");
    let id = queue.put(&mail("x")).expect("it is put");
    let draft = || queue.draft(None, &envelope(), &WriteOptions::default());
    assert_limit(&queue, "max-drafts", draft);
    assert_limit(&queue, "max-readers", || queue.read(&id, 0));
    assert_limit(&queue, "max-listings", || queue.items(&[], Detail::Name));
}

/// Opens as many as a limit allows, another one, and another one once one is closed.
fn assert_limit<T: std::fmt::Debug>(queue: &Queue, name: &str, open: impl Fn() -> Result<T, Error>) {
    let limits = queue.limits().expect("there are limits");
    let (_, most) = limits.into_iter().find(|(limit, _)| limit == name).expect("it is a limit");
    let mut opened: Vec<T> = (0..most).map(|_| open().expect("there may be so many")).collect();
    let refused = open().expect_err("there may be no more");
    assert!(refused.to_string().contains(name), "{refused}");
    assert_eq!(code::<T>(Err(refused)), "busy");
    opened.pop();
    open().expect("there is room again");
}

fn open_bodies_leave_connections_to_other_calls() {
    let queue = support::open_in(&cluster(), "open-bodies", "&connections=2&timeout=2");
    let body = vec![b'x'; 3_000_000];
    let id = queue.put(&mail(body.clone())).expect("it is put");
    let mut reader = queue.read(&id, 0).expect("it is opened");
    assert_eq!(code(queue.read(&id, 0)), "busy");
    queue.put(&mail("y")).expect("there is a connection for it");
    let mut read = Vec::new();
    reader.read_to_end(&mut read).expect("it is read");
    assert!(read == body, "the bytes are the same");
    queue.read(&id, 0).expect("a body that was read to its end holds no connection");
}

fn body_of_one_chunk_is_read_from_any_offset() {
    let queue = open("offsets");
    for length in [5, 262_143, 262_144, 262_145] {
        let body: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
        let id = queue.put(&mail(body.clone())).expect("it is put");
        for offset in [0, 1, length - 1, length] {
            let mut read = Vec::new();
            queue.read(&id, offset as u64).expect("it is opened").read_to_end(&mut read).expect("it is read");
            assert!(read == body[offset..], "{length} bytes from {offset}: {} were read", read.len());
        }
    }
}

fn numbers_that_were_set_back_destroy_no_body() {
    let cluster = cluster();
    cluster.sql(0, "CREATE DATABASE set_back OWNER queue");
    let url = format!("{}set_back", cluster.url().strip_suffix("queue").expect("the URL ends with its database"));
    let before = queue_store_postgres::open(&url).expect("the tables are made");
    let id = before.put(&mail(long_body())).expect("it is put");
    drop(before);
    let set_back = "ALTER SEQUENCE queue_store.body_number RESTART";
    let output =
        std::process::Command::new("psql").args([&url, "--command", set_back]).output().expect("there is psql");
    assert!(output.status.success(), "{output:?}");
    let queue = queue_store_postgres::open(&url).expect("it is opened");
    let refused = queue.put(&mail(long_body())).expect_err("the number is taken");
    assert!(refused.to_string().contains("queue_store.body_number"), "{refused}");
    queue.recover(Duration::ZERO).expect("it is recovered");
    assert_eq!(queue.get(&id).expect("it is there").body, long_body());
}

fn malformed_id_is_the_problem_of_itself_alone() {
    let queue = open("malformed");
    let outcomes = queue.remove(&["gone", "a\0b"], &[], Durability::Full).expect("it is tried");
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| code(outcome.into_result())).collect();
    assert_eq!(codes, ["not-found", "invalid-argument"]);
}

fn role_that_does_not_see_its_sessions_is_refused() {
    cluster().sql(0, "CREATE ROLE other; GRANT other TO queue");
    let url = format!("{}?options=-c%20role%3Dother", cluster().url());
    let refused = queue_store_postgres::open(&url).expect_err("its sessions cannot be ended");
    assert!(refused.to_string().contains("pg_stat_activity"), "{refused}");
    assert_eq!(refused.code().map(|code| code.name()), Some("unsupported"), "no failover to a standby is awaited");
}

fn many_taken_ids_cost_one_barrier() {
    cluster().sql(0, "CREATE DATABASE taken OWNER queue");
    let url = format!("{}taken", cluster().url().strip_suffix("queue").expect("the URL ends with its database"));
    let queue = queue_store_postgres::open(&url).expect("the tables are made");
    let mails: Vec<IdentifiedMail> =
        (0..200).map(|number| IdentifiedMail { id: Some(format!("id-{number}")), mail: mail("x") }).collect();
    let put = || queue.put_many(&mails, &WriteOptions::default()).expect("it is tried");
    assert!(put().into_iter().all(|outcome| outcome.problem.is_none()));
    let commits = "SELECT pg_stat_clear_snapshot(); SELECT xact_commit FROM pg_stat_database WHERE datname = 'taken'";
    let count = || cluster().sql(0, commits).trim().parse::<i64>().expect("a number");
    let before = count();
    assert!(put().into_iter().all(|outcome| code(outcome.into_result()) == "exists"));
    std::thread::sleep(Duration::from_secs(1));
    assert!(count() - before < 150, "each taken id cost a commit");
}

fn call_may_block_in_another_executor() {
    let queue = open("nested");
    futures_executor::block_on(async { queue.put(&mail("x")) }).expect("it is put");
}

fn envelope() -> Envelope {
    support::mail("").envelope
}
