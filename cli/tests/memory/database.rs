//! Queues in PostgreSQL.

use crate::measured::{check_body, command, count_lines, hostile_item, run, text, write_body};
use crate::trial::trials;
use queue_store_host_test::postgres_cluster::Cluster;
use std::process::Stdio;

trials![bodies_and_envelopes_in_a_database_are_never_held => Postgres];

fn bodies_and_envelopes_in_a_database_are_never_held() {
    const BLOCKS: usize = 150;
    const ITEMS: usize = 60;
    let cluster = Cluster::start(1);
    let url = |queue: &str| format!("{}?durability=single-node&queue={queue}", cluster.url());

    let large = url("large");
    let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "x"];
    let write = |stdin: &mut dyn std::io::Write| write_body(stdin, BLOCKS);
    run(command(&large, &put).stdin(Stdio::piped()), write, |stdout| assert_eq!(text(stdout), "x\n"));
    let update = ["update", "x", "--rcpt", "b@example.com", "--status", "sent"];
    run(&mut command(&large, &update), |_| {}, |stdout| assert_eq!(text(stdout), ""));
    run(&mut command(&large, &["cat", "x"]), |_| {}, |stdout| check_body(stdout, BLOCKS));

    let hostile = url("hostile");
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    // Other hostile items are refused.
    for number in (0..ITEMS).map(|number| 3 * number) {
        std::fs::write(directory.path().join(format!("m:{number}")), hostile_item(number)).expect("it is writable");
    }
    let path = directory.path().to_str().expect("temporary directories have names in UTF-8");
    let copied = "60 items copied, 0 there already\n";
    run(&mut command("", &["copy", path, &hostile]), |_| {}, |stdout| assert_eq!(text(stdout), copied));
    for (arguments, words, expected) in [
        (&["list"][..], "  ready  ", ITEMS),
        (&["verify", "--json"], "\"id\": ", ITEMS),
        (&["recover"], "items: 60 durable", 1),
    ] {
        run(&mut command(&hostile, arguments), |_| {}, |stdout| assert_eq!(count_lines(stdout, words), expected));
    }
}
