//! Queues in PostgreSQL: the subcommands, and copies there and back.

use crate::copy::{content, mixed_queue};
use crate::process::{Output, queue_store, run};
use crate::queue::Queue;
use crate::trial::trials;
use queue_store_host_test::postgres_cluster::Cluster;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, PoisonError};

trials![
    mail_is_put_listed_changed_and_removed => Postgres,
    copy_there_and_back_keeps_every_fact => Postgres,
    what_needs_files_is_refused => Postgres,
    password_is_taken_from_file_and_never_shown => Postgres,
    missing_servers_and_databases_are_one_line => Postgres,
    queue_is_not_copied_into_itself_by_another_name => Postgres,
    password_of_the_caller_opens_the_database_for_a_copy => Postgres Root,
    check_finds_that_nothing_can_be_queued => Postgres,
    copy_needs_one_connection => Postgres,
];

static CLUSTER: Mutex<Option<Arc<Cluster>>> = Mutex::new(None);

/// Returns the cluster that the tests share.
fn cluster() -> Arc<Cluster> {
    let mut shared = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    shared.get_or_insert_with(|| Arc::new(Cluster::start(3))).clone()
}

/// Ends the cluster, once all tests are over.
pub(crate) fn end() {
    drop(CLUSTER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Returns the URL of a queue of the cluster.
pub(crate) fn url(queue: &str) -> String {
    format!("{}?queue={queue}", cluster().url())
}

fn on(url: &str, arguments: &[&str], input: &[u8]) -> Output {
    run(queue_store(arguments).env("QUEUE_STORE_DIR", url), input)
}

fn mail_is_put_listed_changed_and_removed() {
    let url = url("day");
    let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "x"];
    assert_eq!(on(&url, &put, b"Subject: hi\r\n\r\nhello\r\n").done(), "x\n");
    on(&url, &put, b"Subject: hi\r\n\r\nhello\r\n").failed(73);
    assert_eq!(on(&url, &["cat", "x"], b"").done(), "Subject: hi\r\n\r\nhello\r\n");
    assert!(on(&url, &["show", "x"], b"").done().contains("subject:   hi\n"));
    assert_eq!(on(&url, &["list", "--subject", "hi", "--ids"], b"").done(), "x\n");
    on(&url, &["update", "x", "--rcpt", "b@example.com", "--status", "failed"], b"").done();
    assert_eq!(on(&url, &["hold", "x"], b"").done(), "held 1 item\n");
    assert_eq!(on(&url, &["requeue", "x"], b"").code, 0);
    assert_eq!(on(&url, &["verify"], b"").done(), "1 item, 0 damaged, 0 without checksums\n");
    on(&url, &["recover"], b"").done();
    assert_eq!(on(&url, &["remove", "x"], b"").done(), "removed 1 item\n");
    assert_eq!(on(&url, &["cat", "x"], b"").code, 66);
}

fn copy_there_and_back_keeps_every_fact() {
    let (from, back, url) = (mixed_queue(), Queue::existing(), url("copy"));
    let (from_path, back_path) = (from.path(), back.path());
    let paths = [from_path.to_str().expect("UTF-8"), url.as_str(), back_path.to_str().expect("UTF-8")];
    let copy = |place: usize| run(&mut queue_store(&["copy", paths[place], paths[place + 1]]), b"").done();
    assert_eq!(copy(0), "4 items copied, 0 there already\n");
    assert_eq!(copy(0), "0 items copied, 4 there already\n");
    assert_eq!(content(&url), content(paths[0]));
    assert_eq!(copy(1), "4 items copied, 0 there already\n");
    assert_eq!((content(paths[2]), back.names()), (content(paths[0]), from.names()));
}

fn what_needs_files_is_refused() {
    let url = url("files");
    for arguments in [["resolve", "x"].as_slice(), &["show", "x", "--damaged"], &["cat", "x", "--damaged"]] {
        let line = on(&url, arguments, b"").failed(64);
        assert_eq!(line, "a queue in a database has no files: use this for a queue in a directory", "{arguments:?}");
    }
}

fn password_is_taken_from_file_and_never_shown() {
    let cluster = cluster();
    cluster.sql(0, "CREATE ROLE guarded LOGIN PASSWORD 'open sesame' IN ROLE queue");
    let rules = cluster.data(0).join("pg_hba.conf");
    let mut rules = fs::File::options().append(true).open(rules).expect("the rules can be changed");
    rules.write_all(b"local all guarded scram-sha-256\n").expect("the rules can be changed");
    cluster.sql(0, "SELECT pg_reload_conf()");
    let node = cluster.node_url(0);
    let (_, place) = node.split_once('@').expect("the URL has a user");
    let queue = Queue::existing();
    let file = queue.file("passwords", "*:*:*:guarded:open sesame\n");
    let list = |user: &str, mode: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("the file is ours");
        let mut list = queue_store(&["list", "--queue", &format!("postgres://{user}@{place}"), "--verbose"]);
        run(list.env("PGPASSFILE", &file), b"")
    };
    for (user, mode) in [("guarded", 0o600), ("guarded:wrong%20word", 0o600), ("guarded", 0o644)] {
        let output = list(user, mode);
        for secret in ["sesame", "word@", "wrong"] {
            assert!(!output.stderr.contains(secret), "{}", output.stderr);
        }
        let (code, word) = match (user, mode) {
            ("guarded", 0o600) => (0, "opens postgres://guarded@"),
            (_, 0o600) => (77, "password authentication failed"),
            (..) => (77, "change its mode to 0600"),
        };
        assert_eq!(output.code, code, "{}", output.stderr);
        assert!(output.stderr.contains(word), "{}", output.stderr);
    }
}

fn missing_servers_and_databases_are_one_line() {
    let line = on("postgres://queue@127.0.0.1:1/queue", &["list"], b"").failed(74);
    assert!(line.contains("127.0.0.1:1") && line.contains("refused"), "{line}");
    let node = cluster().node_url(0);
    let line =
        on(&format!("{}none", node.strip_suffix("queue").expect("the URL ends with its database")), &["list"], b"")
            .failed(66);
    assert!(line.contains("\"none\" does not exist"), "{line}");
    let line = on(&format!("{}?timeout=1", cluster().node_url(1)), &["list"], b"").failed(74);
    assert!(line.contains("a standby") && line.contains("promote a standby"), "{line}");
    let line = on(&format!("{node}?queue="), &["list"], b"").failed(64);
    assert!(line.contains("`queue`"), "{line}");
}

fn queue_is_not_copied_into_itself_by_another_name() {
    let url = url("itself");
    on(&url, &["put", "--from", "a@example.com", "--to", "b@example.com"], b"x").done();
    let node = format!("{}?queue=itself", cluster().node_url(0));
    for other in [format!("{url}&timeout=20"), node.replace("127.0.0.1", "localhost"), node] {
        let line = run(&mut queue_store(&["copy", "--remove", &url, &other]), b"").failed(64);
        assert!(line.ends_with(": both are the same queue"), "{line}");
    }
    let other = format!("{url}-other");
    let copied = run(&mut queue_store(&["copy", "--remove", &url, &other]), b"").done();
    assert_eq!(copied, "1 item copied, 0 there already, and removed from the first queue\n");
}

fn password_of_the_caller_opens_the_database_for_a_copy() {
    let cluster = cluster();
    cluster.sql(0, "CREATE ROLE caller LOGIN PASSWORD 'secret' IN ROLE queue");
    let mut rules = fs::File::options().append(true).open(cluster.data(0).join("pg_hba.conf")).expect("it is there");
    rules.write_all(b"local all caller scram-sha-256\n").expect("the rules can be changed");
    cluster.sql(0, "SELECT pg_reload_conf()");
    let queue = Queue::existing();
    queue.put(&[], b"x");
    fs::create_dir(queue.beside("home")).expect("the temporary directory is writable");
    let (nobody, home) = (65534, queue.file("home/.pgpass", "*:*:*:caller:secret\n"));
    fs::set_permissions(&home, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let home = home.parent().expect("it is in a directory");
    fs::set_permissions(home, fs::Permissions::from_mode(0o700)).expect("the directory is ours");
    for entry in fs::read_dir(queue.path()).expect("it is readable") {
        std::os::unix::fs::chown(entry.expect("it is readable").path(), Some(nobody), Some(nobody)).expect("as root");
    }
    std::os::unix::fs::chown(queue.path(), Some(nobody), Some(nobody)).expect("as root");
    let url = cluster.node_url(0).replace("queue@", "caller@");
    let from = queue.path();
    let mut copy = queue_store(&["copy", from.to_str().expect("UTF-8"), &format!("{url}?queue=caller")]);
    assert_eq!(run(copy.env("HOME", home), b"").done(), "1 item copied, 0 there already\n");
}

fn check_finds_that_nothing_can_be_queued() {
    assert_eq!(on(&url("checked"), &["check"], b"").code, 0);
    let alone = Cluster::start(1);
    let checked = on(alone.url(), &["check"], b"");
    assert_eq!(checked.code, 2, "{}", checked.text());
    assert!(checked.text().starts_with("QUEUE CRITICAL - nothing can be queued: "), "{}", checked.text());
    assert!(checked.text().contains("no synchronous standby"), "{}", checked.text());
}

fn copy_needs_one_connection() {
    let (url, to) = (format!("{}&connections=1&timeout=5", url("narrow")), Queue::existing());
    on(&url, &["put", "--from", "a@example.com", "--to", "b@example.com"], &b"0123456789abcde\n".repeat(600_000))
        .done();
    let path = to.path();
    let copy = || run(&mut queue_store(&["copy", &url, path.to_str().expect("UTF-8")]), b"").done();
    assert_eq!(copy(), "1 item copied, 0 there already\n");
    assert_eq!(copy(), "0 items copied, 1 there already\n");
}
