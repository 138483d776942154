//! Reads and writes that the system cuts short are continued.

use crate::support::{body, code, done, formats, one, put_as};
use queue_store_host_test::bindings::{Durability, ErrorCode, Publish, mail, no_change};
use queue_store_host_test::simulator::host::Simulated;

#[test]
fn short_writes_are_continued() {
    for options in formats() {
        for most in [1, 7, 100] {
            let mut system = Simulated::new();
            system.world().write_at_most = Some(most);
            put_as(&mut system, "x", b"body of some length", Some(options));
            assert_eq!(body(&mut system, "x"), b"body of some length");
            system.update("x", &no_change(), None).expect("an intact item is updated");
            done(system.verify(&one("x")));
            system
                .write_file("queue/file", b"data", &[], Publish::Replace, Durability::Full)
                .expect("the directory exists");
            assert_eq!(system.world().content("file"), Some(&b"data"[..]));
        }
    }
}

#[test]
fn write_that_takes_nothing_is_io() {
    let mut system = Simulated::new();
    system.world().write_at_most = Some(0);
    assert_eq!(code(system.put(None, &mail(b"x"), None)), ErrorCode::Io);
    assert_eq!(system.world().entries.len(), 0);
}

#[test]
fn short_reads_are_continued() {
    for options in formats() {
        for most in [1, 7, 100] {
            let mut system = Simulated::new();
            let stored = b"body of some length".repeat(100);
            put_as(&mut system, "x", &stored, Some(options));
            system.world().read_at_most = Some(most);
            done(system.verify(&one("x")));
            assert_eq!(body(&mut system, "x"), stored);
            system.update("x", &no_change(), None).expect("an intact item is updated");
            let info = system.info("x").expect("the item is intact");
            assert_eq!(info.body_size, Some(stored.len() as u64));
        }
    }
}
