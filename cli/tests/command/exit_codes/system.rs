//! File systems that are read-only, full or failing: 73, 74 and 75.

use crate::import::REST;
use crate::mounts::{mount_tmpfs, remount_read_only, with_mounts};
use crate::process::run;
use crate::queue::{Queue, UPDATE};
use crate::strace::with_fault;
use crate::trial::trials;

trials![
    read_only_file_system_exits_73 => Root,
    recover_reports_failed_operations_before_damage => Root,
    failing_device_exits_74 => Strace,
    failed_directory_fsync_exits_74_as_indeterminate => Strace,
    failed_fsync_before_change_exits_75 => Strace,
    failed_fsync_closes_the_queue_for_later_commands => Strace,
    directory_without_fsync_exits_69 => Strace,
    full_disk_exits_75 => Root,
];

fn read_only_file_system_exits_73() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=1m");
        queue.put(&["--id", "x"], b"body");
        remount_read_only(&queue.path());
        let cause = "the file system is read-only; mount it writable, then try again";
        for body in [&b"body"[..], &[b'x'; 2 << 20]] {
            let line = queue.refused(&mut queue.put_command(&[]), body, 73);
            assert_eq!(line, format!("DIR/queue/.m:*: {cause}"));
        }
        assert_eq!(queue.refused(&mut queue.command(&UPDATE), b"", 73), format!("DIR/queue/.m:*: {cause}"));
        for command in ["remove", "hold", "quarantine"] {
            let line = queue.refused(&mut queue.command(&[command, "x"]), b"", 73);
            assert_eq!(line, format!("DIR/queue/m:x: {cause}"));
        }
        let recovered = queue.run(&["recover"]);
        assert_eq!((recovered.code, recovered.stderr.lines().count()), (73, 1), "{}", recovered.stderr);
        let below = queue.path().join("below");
        let line = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 73);
        assert_eq!(line, "DIR/queue/below: Read-only file system; mount it writable, then try again");
        assert_eq!(queue.cat("x"), b"body", "reading needs no write permission");
        assert_eq!(queue.run(&["list", "--ids"]).done(), "x\n");
    });
}

fn recover_reports_failed_operations_before_damage() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=1m");
        queue.put(&["--id", "x"], b"body");
        queue.file_within("m:bad", "ID: 7");
        queue.file_within(".m:AAAAAAAAAAA", b"");
        remount_read_only(&queue.path());
        let recovered = queue.run(&["recover", "--grace", "0"]);
        assert_eq!(recovered.code, 73, "damage alone exits 65: {}", recovered.stderr);
        let lines: Vec<&str> = recovered.stderr.lines().collect();
        let (last, operations) = lines.split_last().expect("there are problems");
        assert!(last.contains("/m:bad: "), "{}", recovered.stderr);
        assert!(!operations.is_empty() && operations.iter().all(|line| line.contains("read-only")), "{operations:?}");
    });
}

fn failing_device_exits_74() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let cause = "the device failed (input/output error); look at the system's log";
    for (fault, body) in [
        // The first fsyncs are of the directory's entry, and of the directory as it was.
        ("fsync:error=EIO:when=3", &b"body"[..]),
        ("pwrite64:error=EIO:when=1", b"body"),
        ("pwrite64:error=EIO:when=3+", &[b'x'; 2 << 20]),
        ("renameat:error=EIO", b"body"),
    ] {
        let line = queue.refused(&mut with_fault(fault, &queue.put_command(&[])), body, 74);
        let name = if fault.starts_with("renameat") { "m:" } else { ".m:*" };
        assert!(line.starts_with(&format!("DIR/queue/{name}")) && line.ends_with(cause), "{fault}: {line}");
    }
    let line = queue.refused(&mut with_fault("fsync:error=EIO:when=2", &queue.command(&UPDATE)), b"", 74);
    assert_eq!(line, format!("DIR/queue/.m:*: {cause}"));
}

fn failed_directory_fsync_exits_74_as_indeterminate() {
    let queue = Queue::existing();
    // The first fsyncs are of the directory's entry, of the entries that are there before, and of the file.
    let line = run(&mut with_fault("fsync:error=EIO:when=4", &queue.put_command(&["--id", "x"])), b"body").failed(74);
    let cause = "the effect is visible, or may be, and may not survive power loss: recover the queue, then look";
    assert!(line.ends_with(cause), "{line}");
    assert_eq!(queue.names(), [".unsynced", "m:x"]);
    queue.run(&["recover"]).done();
    assert_eq!(queue.cat("x"), b"body");
    assert_eq!(queue.names(), ["m:x"]);
}

fn failed_fsync_before_change_exits_75() {
    let queue = Queue::existing();
    // The fsync of the entries that are there before, after that of the directory's entry.
    let put = queue.put_command(&["--id", "x"]);
    let line = run(&mut with_fault("fsync:error=EIO:when=2", &put), b"body").failed(75);
    assert!(line.ends_with("queue-store recover does that"), "{line}");
    assert_eq!(queue.names(), [".unsynced"]);
}

fn failed_fsync_closes_the_queue_for_later_commands() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    queue.put(&["--id", "y"], b"body");
    // The fsync of the existing item, after those of the directory's entry and of the directory as it was.
    let put = queue.put_command(&["--id", "x"]);
    let line = run(&mut with_fault("fsync:error=EIO:when=3", &put), b"body").failed(75);
    assert!(line.contains("/m:x: the device failed"), "{line}");
    let advice = "recover the queue first; queue-store recover does that";
    for arguments in [&["put", "--id", "x", "--from=<>", "--to=b@example.com"][..], &["hold", "x"], &["remove", "y"]] {
        let line = queue.refused(&mut queue.command(arguments), b"body", 75);
        assert!(line.ends_with(advice), "{line}");
    }
    assert_eq!(queue.cat("x"), b"body", "a closed queue can be read");
    let printed = queue.run(&["recover"]).done();
    assert!(printed.starts_with("items: 2 durable, 0 damaged, 1 rewritten; "), "{printed}");
    assert_eq!(queue.names(), ["m:x", "m:y"]);
    queue.run(&["remove", "y"]).done();
}

fn directory_without_fsync_exits_69() {
    let queue = Queue::existing();
    // EINVAL is the answer for a file that has no fsync. The first fsync is of the directory's entry, in another directory.
    for arguments in [&[][..], &["--id", "x"]] {
        let put = queue.put_command(arguments);
        let line = queue.refused(&mut with_fault("fsync:error=EINVAL:when=1+1", &put), b"body", 69);
        assert!(line.contains("a directory cannot be fsynced") && line.contains("content-only"), "{line}");
    }
    queue.put(&["--id", "x", "--durability", "content-only"], b"body");
    for arguments in [&["hold", "x"][..], &["remove", "x"]] {
        queue.refused(&mut with_fault("fsync:error=EINVAL:when=1", &queue.command(arguments)), b"", 69);
    }
    // The fsync of the item succeeds, and the one of the directory does not.
    let again = queue.put_command(&["--id", "x", "--durability", "content-only"]);
    queue.refused(&mut with_fault("fsync:error=EINVAL:when=3", &again), b"body", 69);
    // A recovery fsyncs the directory, the item, and the directory.
    let recovered = run(&mut with_fault("fsync:error=EINVAL:when=1+2", &queue.command(&["recover"])), b"");
    assert!(recovered.text().starts_with("items: 1 durable"), "{}", recovered.text());
    assert_eq!(recovered.code, 69, "{}", recovered.stderr);
    assert!(recovered.stderr.contains("a directory cannot be fsynced"), "{}", recovered.stderr);
    assert_eq!(queue.names(), ["m:x"]);
    queue.run(&["remove", "x", "--durability", "content-only"]).done();
}

fn full_disk_exits_75() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=256k");
        queue.put(&["--id", "x"], &[b'x'; 60_000]);
        let full = "DIR/queue/.m:*: no space is left on the device; make room, then try again";
        for body in [&vec![b'x'; 300_000], &vec![b'x'; 3 << 20]] {
            for format in ["text", "binary"] {
                for arguments in [&[][..], &["--id", "y"]] {
                    let put = &mut queue.put_command(&[&["--format", format], arguments].concat());
                    assert_eq!(queue.refused(put, body, 75), full);
                }
            }
        }
        let mail = queue.file("mail", [b"X: y\n\n".to_vec(), vec![b'x'; 300_000]].concat());
        let line = queue.refused(queue.command(&["import", "--to=b@example.com"]).arg(mail), b"", 75);
        assert_eq!(line, format!("DIR/mail: {full}; {REST}"));
        queue.file_within("filler", [b'x'; 140_000]);
        assert_eq!(queue.refused(&mut queue.command(&UPDATE), b"", 75), full);
        queue.run(&["hold", "x"]).done();
        queue.run(&["recover"]).done();
        queue.run(&["remove", "x"]).done();
        assert_eq!(queue.names(), ["filler"]);
    });
}
