//! An operator's changes of a queue, each compared with the deliveries of chasquid at its next start.

use super::site::Site;
use crate::process::{run, wait_until};
use crate::trial::trials;
use queue_store_host::types::{EnvelopeChange, Timestamp};
use std::fs::{self, File};
use std::time::{SystemTime, UNIX_EPOCH};

trials![
    chasquid_delivers_only_ready_items => Chasquid,
    chasquid_delivers_what_is_pending_again => Chasquid,
    chasquid_gives_up_item_of_21_hours_until_its_time_is_renewed => Chasquid,
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

/// Sets the time at which an item was accepted, in hours before now.
fn set_age(site: &Site, id: &str, hours: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs();
    let seconds = i64::try_from(now - hours * 3600).expect("the clock is set to this era");
    let created_at = Some(Timestamp { seconds, nanos: 0 });
    let change = EnvelopeChange { created_at, ..EnvelopeChange::default() };
    site.queue().update(id, &change, queue_store_host::types::Durability::Full).expect("the item is intact");
}

fn chasquid_gives_up_item_of_21_hours_until_its_time_is_renewed() {
    let site = Site::new();
    for id in ["given up", "renewed"] {
        site.put(id, id);
        set_age(&site, id, 21);
    }
    set_age(&site, "renewed", 0);
    site.deliver_all();
    let mut delivered = site.delivered();
    assert_eq!(delivered.remove(&b"renewed"[..]), Some(1));
    let (bounce, deliveries) = delivered.pop_first().expect("the other one bounces");
    let bounce = String::from_utf8_lossy(&bounce);
    assert!(deliveries == 1 && delivered.is_empty(), "the other one is not tried: {delivered:?}");
    assert!(bounce.contains("multipart/report"), "{bounce}");
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
