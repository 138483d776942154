//! An operator's changes of a queue, each compared with the deliveries of chasquid at its next start.

use super::site::Site;
use crate::aged::Aged;
use crate::process::{run, wait_until};
use crate::trial::trials;
use std::fs::{self, File};

trials![
    chasquid_delivers_only_ready_items => Chasquid,
    chasquid_delivers_what_is_pending_again => Chasquid,
    old_items_are_delivered_after_release_and_requeue => Chasquid,
    start_of_chasquid_that_empty_item_crashes_is_mended => Chasquid,
    backup_of_editor_is_found_before_chasquid_delivers_it => Chasquid,
];

fn chasquid_delivers_only_ready_items() {
    let site = Site::new();
    for id in ["ready", "held", "released", "removed", "quarantined", "restored"] {
        site.put(id, id);
    }
    site.run(&["hold", "held", "released"]);
    site.run(&["release", "released"]);
    site.run(&["remove", "removed"]);
    site.run(&["quarantine", "quarantined", "restored"]);
    site.run(&["restore", "restored"]);
    site.deliver_all();
    let delivered = ["ready", "released", "restored"].map(|body| (body.into(), 1));
    assert_eq!(site.delivered(), delivered.into());
    assert_eq!(site.names(), ["h:held", "q:quarantined"]);
}

fn chasquid_delivers_what_is_pending_again() {
    let site = Site::new();
    for (id, status) in [("sent", "sent"), ("requeued", "failed")] {
        site.put(id, id);
        site.run(&["update", id, "--rcpt", "b@example.test", "--status", status]);
    }
    site.run(&["update", "requeued", "--rcpt", "b@example.test", "--status", "pending"]);
    site.deliver_all();
    assert_eq!(site.delivered(), [(b"requeued".to_vec(), 1)].into());
}

fn old_items_are_delivered_after_release_and_requeue() {
    let site = Site::new();
    let item = |name: &str, status, subject| {
        let (from, to) = ("b@example.test", "b@example.test");
        let item = Aged { hours: 21, status, subject, from, to, ..Aged::default() };
        fs::write(site.path("data/queue").join(name), item.text(&name[2..])).expect("the queue is writable");
    };
    item("h:released", "PENDING", "released");
    item("q:restored", "PENDING", "restored");
    item("m:requeued", "FAILED", "requeued");
    item("h:kept", "PENDING", "kept");
    site.run(&["release", "released"]);
    site.run(&["restore", "restored"]);
    site.run(&["requeue", "requeued"]);
    site.run(&["release", "--keep-time", "kept"]);
    site.deliver_all();
    let mut delivered = site.delivered();
    for subject in ["released", "restored", "requeued"] {
        assert_eq!(delivered.remove(format!("Subject: {subject}\r\n\r\nbody\r\n").as_bytes()), Some(1), "{subject}");
    }
    let (bounce, deliveries) = delivered.pop_first().expect("the item that kept its time bounces");
    let bounce = String::from_utf8_lossy(&bounce);
    assert!(deliveries == 1 && delivered.is_empty(), "it is not tried: {delivered:?}");
    assert!(bounce.contains("multipart/report") && bounce.contains("Subject: kept"), "{bounce}");
}

fn start_of_chasquid_that_empty_item_crashes_is_mended() {
    let site = Site::new();
    site.put("intact", "intact");
    site.put("emptied", "emptied");
    File::create(site.path("data/queue/m:emptied")).expect("the queue is writable");
    let mut crashing = site.try_start();
    wait_until("chasquid crashes", || crashing.has_ended());
    let verified = run(&mut site.command(&["verify"]), b"");
    assert_eq!(verified.code, 65);
    assert!(verified.text().starts_with("emptied  ready  corrupt: "), "{}", verified.text());
    assert_eq!(run(&mut site.command(&["recover"]), b"").code, 65);
    site.run(&["quarantine", "emptied"]);
    // The gates are open again, and the item is still counted.
    assert!(site.run(&["recover"]).contains(", 1 damaged in quarantine"));
    assert!(site.run(&["verify"]).ends_with(", 1 damaged in quarantine\n"));
    site.deliver_all();
    assert_eq!(site.delivered(), [(b"intact".to_vec(), 1)].into());
    assert_eq!(site.names(), ["q:emptied"]);
}

fn backup_of_editor_is_found_before_chasquid_delivers_it() {
    let site = Site::new();
    site.put("x", "body");
    fs::copy(site.path("data/queue/m:x"), site.path("data/queue/m:x~")).expect("the queue is writable");
    for gate in ["verify", "recover"] {
        let output = run(&mut site.command(&[gate]), b"");
        assert_eq!(output.code, 65, "{gate}");
        assert!(format!("{}{}", output.text(), output.stderr).contains("x~"), "{gate} names it");
    }
    site.run(&["quarantine", "x~"]);
    site.run(&["verify"]);
    site.run(&["recover"]);
    site.deliver_all();
    assert_eq!(site.delivered(), [(b"body".to_vec(), 1)].into());
    assert_eq!(site.names(), ["q:x~"]);
}
