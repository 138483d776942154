//! Mails and changes that pass between the command and chasquid.

use super::site::Site;
use crate::process::{run, wait_until};
use crate::trial::trials;
use mail_address::Address;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;

trials![
    chasquid_delivers_mails_of_the_command => Chasquid,
    command_reads_and_changes_items_of_chasquid => Chasquid,
    chasquid_starts_with_every_address_that_a_plugin_may_use => Chasquid,
];

fn chasquid_delivers_mails_of_the_command() {
    let site = Site::new();
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let bodies = [&b"Subject: hello\r\n\r\nhello\r\n"[..], b"\"quotes\" and \\backslashes\\\n", &every_byte, b"x"];
    for (number, body) in bodies.iter().enumerate() {
        let id = number.to_string();
        let mut put = site.command(&["put", "--from", "<>", "--to", "b@example.test"]);
        put.args(["--to", "c@example.test"]);
        if number > 0 {
            put.args(["--id", &id]);
        }
        run(&mut put, body).done();
    }
    // It reads items that are text and ready, and leaves the others.
    run(site.command(&["put", "--format=binary", "--id=binary", "--from=<>", "--to=b@example.test"]).arg("-"), b"b")
        .done();
    run(&mut site.command(&["put", "--id=held", "--from=<>", "--to=b@example.test"]), b"held").done();
    run(&mut site.command(&["hold", "held"]), b"").done();
    let running = site.start();
    wait_until("the mails are delivered, and the items removed", || site.names() == ["h:held", "m=binary"]);
    assert_eq!(site.delivered(), bodies.iter().map(|body| (body.to_vec(), 2)).collect());
    drop(running);
}

fn command_reads_and_changes_items_of_chasquid() {
    let site = Site::new();
    site.close(true);
    let running = site.start();
    site.send(&["postbox@example.test"], "Subject: hi\r\n\r\na \"quote\", a caf\u{e9}\r\n.\r\n".as_bytes());
    let is_queued = || matches!(site.names().as_slice(), [name] if name.starts_with("m:"));
    wait_until("the mail is queued, and the agent has refused it", || {
        is_queued()
            && fs::read_to_string(site.path("data/queue").join(&site.names()[0])).is_ok_and(|text| text.contains("MDA"))
    });
    drop(running);

    let name = site.names().remove(0);
    let id = &name[2..];
    let shown = site.show(id);
    let delivery = &shown["rcpt"][0];
    assert_eq!(shown["id"], *id);
    assert_eq!(delivery["address"], "b@example.test");
    assert_eq!(delivery["original_address"], "postbox@example.test");
    assert_eq!(delivery["status"], "PENDING");
    assert!(
        delivery["last_failure_message"].as_str().is_some_and(|message| message.contains("exit status 75")),
        "{shown}"
    );
    let body = run(&mut site.command(&["cat", "--", id]), b"").done();
    assert!(body.starts_with("Received: from ") && body.ends_with("\na \"quote\", a caf\u{e9}\n.\n"), "{body}");
    run(&mut site.command(&["verify"]), b"").done();

    // A held item is not delivered. A released one is, also after an update.
    run(&mut site.command(&["hold", "--", id]), b"").done();
    site.close(false);
    site.send_and_deliver("Subject: other\r\n\r\nother\r\n");
    assert_eq!(site.delivered().len(), 1, "a held item is not delivered");
    run(&mut site.command(&["release", "--", id]), b"").done();
    let update = ["update", "--rcpt=b@example.test", "--status=pending", "--failure=tried by hand", "--", id];
    run(&mut site.command(&update), b"").done();
    assert_eq!(site.show(id)["rcpt"][0]["last_failure_message"], json!("tried by hand"));
    let running = site.start();
    wait_until("the mail is delivered, and the item removed", || site.names().is_empty());
    assert!(site.delivered().contains_key(body.as_bytes()));
    drop(running);
}

/// Returns addresses that a plugin may use: those of shapes in use, and generated ones of the same characters.
fn allowed_addresses(count: usize) -> Vec<String> {
    const USED: &str = include_str!("../../../../crates/mail-address/tests/used.txt");
    let mut random = fastrand::Rng::with_seed(3);
    let characters: Vec<char> = USED.chars().filter(|character| !matches!(character, '\n' | '@')).collect();
    let mut part = |longest: usize| -> String {
        (0..random.usize(1..=longest)).map(|_| characters[random.usize(..characters.len())]).collect()
    };
    let generated = std::iter::repeat_with(|| format!("{}@{}", part(12), part(20)));
    let allowed = generated.filter(|address| Address::parse(address).is_ok());
    USED.lines().map(str::to_string).chain(allowed).take(count).collect()
}

fn chasquid_starts_with_every_address_that_a_plugin_may_use() {
    const ADDRESSES_OF_A_MAIL: usize = 100;
    let site = Site::new();
    let queue = site.queue();
    let mut files = BTreeMap::new();
    for to in allowed_addresses(10_000).chunks(ADDRESSES_OF_A_MAIL) {
        let id = queue.submit(&to[0], to, b"Subject: hello\r\n\r\nhello\r\n").expect("the addresses are allowed");
        let path = site.path("data/queue").join(format!("m:{id}"));
        files.insert(path.clone(), fs::read(path).expect("the item was published"));
    }
    let mut running = site.start();
    // It writes an item back, or removes it, once it tried each delivery.
    wait_until("the server tried to deliver every mail", || {
        assert!(!running.has_ended(), "{}", site.log());
        files.retain(|path, written| fs::read(path).is_ok_and(|now| now == *written));
        files.is_empty()
    });
    drop(running);
    site.start();
}
