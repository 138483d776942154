//! Every failure has its code of sysexits.h, one line that says what, where and what to do, and leaves the queue as it was.

use crate::support::{self, Queue, mount_tmpfs, queue_store, remount_read_only, run, with_mounts};
use crate::trace;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{chown, geteuid};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

support::trials![
    a_command_line_that_makes_no_sense_is_64,
    an_argument_that_is_not_utf_8_is_64,
    an_id_that_leads_elsewhere_is_64,
    an_address_list_that_is_none_is_64,
    a_damaged_item_is_65,
    an_item_that_was_edited_is_65,
    a_body_that_is_too_large_is_65,
    a_body_that_exceeds_the_limit_of_file_sizes_is_65,
    a_delivery_that_the_item_has_not_is_65,
    a_quarantined_item_is_in_conflict_with_a_hold_and_65,
    an_unknown_id_is_66,
    a_missing_directory_is_66_and_put_creates_it,
    a_directory_that_is_a_file_is_66_and_cannot_be_created,
    a_file_that_cannot_be_read_is_66,
    a_file_that_may_not_be_read_is_77 => Root,
    an_item_that_is_no_file_is_69,
    a_system_without_a_thread_is_70,
    an_id_that_exists_is_73,
    a_read_only_file_system_is_73 => Root,
    a_component_that_cannot_be_written_is_73,
    a_device_that_fails_is_74 => Strace,
    a_directory_that_cannot_be_synced_is_74_and_says_that_the_mail_may_be_there => Strace,
    a_full_disk_is_75 => Root,
    a_full_queue_is_75,
    a_directory_that_may_not_be_written_is_77,
];

fn a_command_line_that_makes_no_sense_is_64() {
    let queue = Queue::existing();
    for (arguments, line) in [
        (
            &[][..],
            "'queue-store' requires a subcommand but one was not provided [subcommands: put, list, show, cat, update, \
             remove, hold, release, quarantine, restore, seal, recover, verify, import, component, help]",
        ),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["put"], "the following required arguments were not provided: --from <ADDR> --to <ADDR>"),
        (&["show"], "the following required arguments were not provided: <ID>"),
        (&["remove"], "the following required arguments were not provided: <ID>..."),
        (&["import"], "the following required arguments were not provided: <PATH>..."),
        (&["list", "--queue", ""], "a value is required for '--queue <DIR>' but none was supplied"),
        (&["list", "--jsn"], "unexpected argument '--jsn' found; a similar argument exists: '--json'"),
        (&["list", "x"], "unexpected argument 'x' found"),
        (&["show", "-x"], "unexpected argument '-x' found; to pass '-x' as a value, use '-- -x'"),
        (&["recover", "--grace", "-1"], "unexpected argument '-1' found"),
        (&["recover", "--grace=-1"], "invalid value '-1' for '--grace <SECONDS>': invalid digit found in string"),
        (
            &["recover", "--grace", "18446744073709551616"],
            "invalid value '18446744073709551616' for '--grace <SECONDS>': number too large to fit in target type",
        ),
        (
            &["put", "--from=a@x", "--to=b@x", "--max-items=many"],
            "invalid value 'many' for '--max-items <N>': invalid digit found in string",
        ),
        (
            &["put", "--from=a@x", "--to=b@x", "--durability=high"],
            "invalid value 'high' for '--durability <DURABILITY>' [possible values: full, file, none]",
        ),
        (
            &["update", "x", "--rcpt=b@x", "--status=done"],
            "invalid value 'done' for '--status <STATUS>' [possible values: pending, sent, failed]",
        ),
    ] {
        let said = queue.refused(&mut queue.command(arguments), b"", 64);
        let subcommand = arguments.first().filter(|name| **name != "frobnicate").map(|name| format!(" {name}"));
        assert_eq!(said, format!("{line} (see queue-store{} --help)", subcommand.unwrap_or_default()));
    }
    let said = queue.refused(&mut queue_store(&["list"]), b"", 64);
    assert_eq!(said, "the following required arguments were not provided: --queue <DIR> (see queue-store list --help)");
}

fn an_argument_that_is_not_utf_8_is_64() {
    let queue = Queue::existing();
    let invalid = OsStr::from_bytes(b"\xff@example.com");
    for arguments in [&["show"][..], &["put", "--to", "b@example.com", "--from"], &["put", "--from", "a@x", "--to"]] {
        let said = queue.refused(queue.command(arguments).arg(invalid), b"", 64);
        let help = format!("queue-store {} --help", arguments[0]);
        assert_eq!(said, format!("invalid UTF-8 was detected in one or more arguments (see {help})"));
    }
}

fn an_id_that_leads_elsewhere_is_64() {
    let queue = Queue::existing();
    queue.file("m:x", b"not an item of this queue");
    let long = "x".repeat(254);
    for (id, what) in [
        ("../x", "../x: the id has a `/`, a `\\` or a NUL"),
        ("a\\b", "a\\b: the id has a `/`, a `\\` or a NUL"),
        ("..", "..: the id is `.` or `..`"),
        (".", ".: the id is `.` or `..`"),
        ("", "the id is empty"),
        (long.as_str(), "the id is longer than `max-id-bytes`"),
    ] {
        for command in ["show", "cat", "remove", "hold", "release", "quarantine", "restore", "seal"] {
            let said = queue.refused(&mut queue.command(&[command, id]), b"", 64);
            assert!(said.contains(what), "{command}: {said}");
            assert!(said.ends_with("; an id is 1 to 253 bytes that a file name may have"), "{command}: {said}");
        }
        let update = ["update", id, "--rcpt", "b@example.com", "--status", "sent"];
        assert!(queue.refused(&mut queue.command(&update), b"", 64).contains(what));
        assert!(queue.refused(&mut queue.put_command(&["--id", id]), b"", 64).contains(what));
    }
    let new = queue.beside("new/queue");
    queue.refused(queue.put_command(&["--id", "../x", "--queue"]).arg(new), b"", 64);
    assert!(!queue.beside("new").exists(), "a directory was created for nothing");
    let import = ["import", "--queue", queue.beside("new").to_str().expect("text"), "no such file"].map(String::from);
    queue.refused(queue.command(&[]).args(import), b"", 66);
    assert!(!queue.beside("new").exists(), "a directory was created for nothing");
}

fn an_address_list_that_is_none_is_64() {
    let queue = Queue::existing();
    let put = |arguments: &[&str]| queue.refused(queue.command(&["put"]).args(arguments), b"body", 64);
    for address in
        ["b@example.com, c@example.com", "b", "@example.com", "b@", "B <b@example.com>", "b@example.com\n", ""]
    {
        let is_none = "is not one address: give it as local-part@domain, once for each";
        assert_eq!(put(&["--from", "a@example.com", "--to", address]), format!("--to {address:?} {is_none}"));
        assert_eq!(
            put(&["--from", "a@example.com", "--to", "b@example.com", "--rcpt", address]),
            format!("--rcpt {address:?} {is_none}")
        );
        if !address.is_empty() {
            assert_eq!(put(&["--from", address, "--to", "b@example.com"]), format!("--from {address:?} {is_none}"));
        }
    }
    for (delivery, what) in [
        (r#"{"address":"x""#, "EOF while parsing an object at line 1 column 14"),
        (r#"{"address":"x","type":"SMTP"}"#, r#""SMTP" is no type"#),
        (r#"{"address":"x","status":3000000000}"#, "3000000000 is no status"),
        (
            r#"{"adress":"x"}"#,
            "unknown field `adress`, expected one of `address`, `type`, `status`, \
            `last_failure_message`, `original_address`, `via` at line 1 column 9",
        ),
    ] {
        let said = put(&["--from", "a@example.com", "--rcpt", delivery]);
        assert_eq!(said, format!("--rcpt {delivery}: {what}: write it as `show --json` prints it"));
    }
    let said = put(&["--from", "a@example.com", "--rcpt", r#"{"address":""}"#]);
    assert_eq!(said, "DIR/queue: a recipient has an empty address");
    let said = put(&["--from", "a@example.com", "--rcpt", "{\"address\":\"a\\nb\"}"]);
    assert_eq!(said, "DIR/queue: the address of a recipient has a CR, LF or NUL");
}

/// A queue with an item that is cut within its body.
fn cut() -> Queue {
    let queue = Queue::new();
    queue.put(&["--id", "cut"], b"a body that is not whole");
    let path = queue.path().join("m:cut");
    let whole = fs::read(&path).expect("the item");
    let at = whole.windows(5).position(|window| window == b"whole").expect("its body");
    fs::write(&path, &whole[..at]).expect("a file of the test");
    queue
}

fn a_damaged_item_is_65() {
    let queue = cut();
    let end = "quarantine it, or replace it from a backup";
    for arguments in [
        &["show", "cut"][..],
        &["show", "--json", "cut"],
        &["cat", "cut"],
        &["seal", "cut"],
        &["update", "cut", "--rcpt", "b@example.com", "--status", "sent"],
    ] {
        let said = queue.refused(&mut queue.command(arguments), b"", 65);
        assert!(said.starts_with("DIR/queue/m:cut: ") && said.ends_with(end), "{said}");
    }
    let before = queue.content();
    let verified = queue.run(&["verify"]);
    assert_eq!(verified.code, 65);
    assert_eq!(verified.stderr, "queue-store: 1 of 1 items are damaged: look at them, then seal or quarantine them\n");
    let listed = queue.run(&["list"]).done();
    assert!(listed.contains("damaged:"), "a damaged item is listed: {listed}");
    assert!(queue.content() == before);
}

fn an_item_that_was_edited_is_65() {
    let queue = Queue::new();
    queue.put(&["--id", "edited"], b"body");
    let path = queue.path().join("m:edited");
    let text = fs::read_to_string(&path).expect("the item").replace("body\"", "BODY\"");
    fs::write(&path, text).expect("a file of the test");
    let what = "the item parses and its checksum does not match: it was edited by hand, or damaged; look at it, then seal or \
                quarantine it";
    let cat = run(&mut queue.command(&["cat", "edited"]), b"");
    assert_eq!((cat.code, cat.stdout.as_slice()), (65, &b"BODY"[..]));
    let said = cat.stderr.replace(queue.path().to_str().expect("text"), "QUEUE");
    assert_eq!(said, format!("queue-store: QUEUE/m:edited: {what}; what was written of it is not to be trusted\n"));
    queue.run(&["seal", "edited"]).done();
    assert_eq!(queue.cat("edited"), b"BODY");
}

fn a_body_that_is_too_large_is_65() {
    let queue = Queue::existing();
    let what = |limit| format!("the mail has more than the {limit} bytes of --max-size; nothing was queued");
    for (size, limit) in [(11, "10"), (3 << 20, "10"), (3 << 20, "2000000"), (1, "0")] {
        let said = queue.refused(&mut queue.put_command(&["--max-size", limit]), &vec![b'x'; size], 65);
        assert_eq!(said, format!("standard input: {}", what(limit)));
    }
    let file = queue.file("mail", vec![b'x'; 11]);
    let command = &mut queue.put_command(&["--max-size", "10", file.to_str().expect("text")]);
    assert_eq!(queue.refused(command, b"", 65), format!("DIR/mail: {}", what("10")));
    queue.put(&["--max-size", "10"], &[b'x'; 10]);
    queue.put(&["--max-size", "18446744073709551615"], &[b'x'; 10]);
}

/// The command with a limit on what the system gives it.
fn limited(command: &mut Command, resource: Resource, limit: u64) -> &mut Command {
    // SAFETY: between fork and exec it makes a system call alone.
    unsafe { command.pre_exec(move || Ok(setrlimit(resource, limit, limit)?)) }
}

fn a_body_that_exceeds_the_limit_of_file_sizes_is_65() {
    let queue = Queue::existing();
    let what = "the file system takes no file of this size; look at the limit of file sizes (ulimit -f)";
    for size in [200_000, 3 << 20] {
        let put = &mut queue.put_command(&["--format", "binary"]);
        let said = queue.refused(limited(put, Resource::RLIMIT_FSIZE, 100_000), &vec![b'x'; size], 65);
        assert_eq!(said, format!("DIR/queue/.m:*: {what}"));
    }
}

fn a_system_without_a_thread_is_70() {
    let queue = Queue::existing();
    let list = &mut queue.command(&["list", "--queue", "/"]);
    if geteuid().is_root() {
        // Root has no such limit.
        list.uid(65534).gid(65534);
    }
    let said = queue.refused(limited(list, Resource::RLIMIT_NPROC, 0), b"", 70);
    assert!(said.starts_with("the queue component failed: "), "{said}");
}

fn a_delivery_that_the_item_has_not_is_65() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"");
    let update = ["update", "x", "--rcpt", "c@example.com", "--status", "sent"];
    let said = queue.refused(&mut queue.command(&update), b"", 65);
    assert_eq!(said, "x: the item has no delivery to c@example.com; show lists those it has");
}

fn a_quarantined_item_is_in_conflict_with_a_hold_and_65() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"");
    queue.run(&["quarantine", "x"]).done();
    for arguments in [&["hold", "x"][..], &["update", "x", "--rcpt", "b@example.com", "--status", "sent"]] {
        let said = queue.refused(&mut queue.command(arguments), b"", 65);
        assert_eq!(said, "DIR/queue/q:x: the item is quarantined: restore it first");
    }
}

fn an_unknown_id_is_66() {
    let queue = Queue::existing();
    for arguments in [
        &["show", "x"][..],
        &["show", "--json", "x"],
        &["cat", "x"],
        &["update", "x", "--rcpt", "b@example.com", "--status", "sent"],
        &["remove", "x"],
        &["remove", "--quarantined", "x"],
        &["hold", "x"],
        &["release", "x"],
        &["quarantine", "x"],
        &["restore", "x"],
        &["seal", "x"],
    ] {
        let said = queue.refused(&mut queue.command(arguments), b"", 66);
        assert_eq!(said, "DIR/queue/m:x: there is no item of this id; list shows what there is");
    }
    queue.put(&["--id", "y"], b"");
    let removed = queue.run(&["remove", "x", "y", "z"]);
    assert_eq!((removed.code, removed.stderr.lines().count()), (66, 2), "the others are removed");
    assert_eq!(queue.names(), [""; 0]);
}

fn a_missing_directory_is_66_and_put_creates_it() {
    let queue = Queue::new();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", "x"],
        &["cat", "x"],
        &["verify"],
        &["recover"],
        &["remove", "x"],
        &["hold", "x"],
        &["release", "x"],
        &["quarantine", "x"],
        &["restore", "x"],
        &["seal", "x"],
        &["update", "x", "--rcpt", "b@example.com", "--status", "sent"],
    ] {
        let said = queue.refused(&mut queue.command(arguments), b"", 66);
        assert_eq!(said, "DIR/queue: No such file or directory; check the path");
    }
    queue.put(&[], b"");
    let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
    assert_eq!(mode(queue.path()), 0o700);
    assert_eq!(mode(queue.path().join(&queue.names()[0])), 0o600);
}

fn a_directory_that_is_a_file_is_66_and_cannot_be_created() {
    let queue = Queue::new();
    queue.file("queue", b"not a directory");
    assert_eq!(queue.refused(&mut queue.command(&["list"]), b"", 66), "DIR/queue: not a directory; check the path");
    assert_eq!(queue.refused(&mut queue.put_command(&[]), b"", 73), "DIR/queue: not a directory; check the path");
    let below = queue.beside("queue/below");
    let said = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 73);
    assert_eq!(said, "DIR/queue/below: Not a directory; check the path");
}

fn a_file_that_cannot_be_read_is_66() {
    let queue = Queue::existing();
    let directory = File::open(queue.path()).expect("the directory");
    let put = queue.put_command(&[]).stdin(directory).output().expect("it runs");
    let what = "standard input: Is a directory; check the path; nothing was queued";
    assert_eq!(
        (put.status.code(), String::from_utf8_lossy(&put.stderr).trim_end()),
        (Some(74), &*format!("queue-store: {what}"))
    );
    for (file, what) in [("missing", "No such file or directory"), ("queue", "is a directory")] {
        let path = queue.beside(file);
        let said = queue.refused(queue.put_command(&[]).arg(&path), b"", 66);
        assert_eq!(said, format!("DIR/{file}: {what}; check the path"));
    }
    let said = queue.refused(queue.command(&["import", "--to=b@x"]).arg(queue.beside("missing")), b"", 66);
    assert_eq!(said, "DIR/missing: No such file or directory; check the path");
}

/// The command, run by a user who is not root and may enter the directory of the test.
fn as_nobody<'a>(queue: &Queue, command: &'a mut Command) -> &'a mut Command {
    fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the directory is the test's");
    command.uid(65534).gid(65534)
}

fn a_file_that_may_not_be_read_is_77() {
    let queue = Queue::existing();
    fs::set_permissions(queue.path(), Permissions::from_mode(0o777)).expect("the directory is the test's");
    let secret = queue.file("secret", b"");
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).expect("the file is the test's");
    let what = "DIR/secret: Permission denied; run this as a user who may";
    assert_eq!(queue.refused(as_nobody(&queue, queue.put_command(&[]).arg(&secret)), b"", 77), what);
    let import = &mut queue.command(&["import", "--to", "b@example.com"]);
    let rest = "the mails whose ids were printed are queued, this one and those after it are not";
    assert_eq!(queue.refused(as_nobody(&queue, import.arg(&secret)), b"", 77), format!("{what}; {rest}"));
}

fn an_item_that_is_no_file_is_69() {
    let queue = Queue::existing();
    nix::unistd::mkfifo(&queue.path().join("m:x"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let what = "the name of an item is taken by something that is not a regular file: move it away by hand";
    for command in ["show", "cat", "remove", "hold", "quarantine"] {
        let said = queue.refused(&mut queue.command(&[command, "x"]), b"", 69);
        assert_eq!(said, format!("DIR/queue/m:x: {what}"), "{command}");
    }
}

fn an_id_that_exists_is_73() {
    let queue = Queue::new();
    for (id, arguments, moved) in
        [("ready", &[][..], None), ("held", &[], Some("hold")), ("set-aside", &[], Some("quarantine"))]
            .into_iter()
            .chain([("binary", &["--format", "binary"][..], None)])
    {
        queue.put(&[&["--id", id], arguments].concat(), b"first");
        if let Some(moved) = moved {
            queue.run(&[moved, id]).done();
        }
        for body in [&b"second"[..], &[b'x'; 2 << 20]] {
            for format in ["text", "binary"] {
                let put = &mut queue.put_command(&["--id", id, "--format", format]);
                let said = queue.refused(put, body, 73);
                let what = "an item of this id exists, and is safe; give another id, or none";
                assert!(said.ends_with(what), "{said}");
            }
        }
        assert_eq!(queue.cat(id), b"first");
    }
    queue.put(&["--id", "twice"], b"");
    queue.run(&["quarantine", "twice"]).done();
    fs::copy(queue.path().join("q:twice"), queue.path().join("m:twice")).expect("a copy");
    let said = queue.refused(&mut queue.command(&["restore", "twice"]), b"", 73);
    assert_eq!(said, "DIR/queue/m:twice: an item of this id is ready or held; remove or quarantine that one first");
}

fn a_read_only_file_system_is_73() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=1m");
        queue.put(&["--id", "x"], b"body");
        remount_read_only(&queue.path());
        let what = "the file system is read-only; mount it writable, then try again";
        for body in [&b"body"[..], &[b'x'; 2 << 20]] {
            let said = queue.refused(&mut queue.put_command(&[]), body, 73);
            assert_eq!(said, format!("DIR/queue/.m:*: {what}"));
        }
        let update = ["update", "x", "--rcpt", "b@example.com", "--status", "sent"];
        assert_eq!(queue.refused(&mut queue.command(&update), b"", 73), format!("DIR/queue/.m:*: {what}"));
        for command in ["remove", "hold", "quarantine"] {
            let said = queue.refused(&mut queue.command(&[command, "x"]), b"", 73);
            assert_eq!(said, format!("DIR/queue/m:x: {what}"));
        }
        let recovered = queue.run(&["recover"]);
        assert_eq!((recovered.code, recovered.stderr.lines().count()), (73, 1), "it reports, and does not loop");
        let below = queue.path().join("below");
        let said = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 73);
        assert_eq!(said, "DIR/queue/below: Read-only file system; mount it writable, then try again");
        assert_eq!(queue.cat("x"), b"body", "it can be read");
        assert_eq!(queue.run(&["list"]).done().lines().count(), 2);
    });
}

fn a_component_that_cannot_be_written_is_73() {
    let queue = Queue::existing();
    let said = queue.refused(queue.command(&["component", "--output"]).arg(queue.path()), b"", 73);
    assert_eq!(said, "DIR/queue: Is a directory; check the path");
    let path = queue.beside("component.wasm");
    run(queue.command(&["component", "--output"]).arg(&path), b"").done();
    let printed = queue.run(&["component"]).stdout;
    assert_eq!(printed, fs::read(&path).expect("the component"));
    assert_eq!(printed, queue_store_host::COMPONENT);
}

/// The command under strace, which has a system call fail.
fn with_failing(fault: &str, command: &Command) -> Command {
    trace::strace(command, &["-e", &format!("inject={fault}"), "-o"], Path::new("/dev/null"))
}

fn a_device_that_fails_is_74() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    let what = "the device failed (input/output error); look at the system's log";
    for (fault, body) in [
        ("fsync:error=EIO:when=1", &b"body"[..]),
        ("pwrite64:error=EIO:when=1", b"body"),
        ("pwrite64:error=EIO:when=3+", &[b'x'; 2 << 20]),
        ("renameat:error=EIO", b"body"),
    ] {
        let said = queue.refused(&mut with_failing(fault, &queue.put_command(&[])), body, 74);
        let name = if fault.starts_with("renameat") { "m:" } else { ".m:*" };
        assert!(said.starts_with(&format!("DIR/queue/{name}")) && said.ends_with(what), "{fault}: {said}");
    }
    let update = queue.command(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]);
    let said = queue.refused(&mut with_failing("fsync:error=EIO:when=1", &update), b"", 74);
    assert_eq!(said, format!("DIR/queue/.m:*: {what}"));
}

fn a_directory_that_cannot_be_synced_is_74_and_says_that_the_mail_may_be_there() {
    let queue = Queue::existing();
    // The first one is of the names that were there before, the second one of the file.
    let put = with_failing("fsync:error=EIO:when=3", &queue.put_command(&["--id", "x"]));
    let line = run(&mut { put }, b"body").failed(74);
    let what = "the effect is visible, or may be, and may not survive power loss: recover the queue, then look";
    assert!(line.ends_with(what), "{line}");
    queue.run(&["recover"]).done();
    assert_eq!(queue.cat("x"), b"body");
}

fn a_full_disk_is_75() {
    with_mounts(|| {
        let queue = Queue::new();
        mount_tmpfs(&queue.path(), "size=256k");
        queue.put(&["--id", "x"], &[b'x'; 60_000]);
        let what = "DIR/queue/.m:*: no space is left on the device; make room, then try again";
        for body in [&vec![b'x'; 300_000], &vec![b'x'; 3 << 20]] {
            for format in ["text", "binary"] {
                for arguments in [&[][..], &["--id", "y"]] {
                    let put = &mut queue.put_command(&[&["--format", format], arguments].concat());
                    assert_eq!(queue.refused(put, body, 75), what);
                }
            }
        }
        let mail = queue.file("mail", vec![b'x'; 300_000]);
        let said = queue.refused(queue.command(&["import", "--to=b@example.com"]).arg(mail), b"", 75);
        let rest = "the mails whose ids were printed are queued, this one and those after it are not";
        assert_eq!(said, format!("DIR/mail: {what}; {rest}"));
        fs::write(queue.path().join("filler"), [b'x'; 140_000]).expect("there is room for this");
        let update = ["update", "x", "--rcpt", "b@example.com", "--status", "sent"];
        assert_eq!(queue.refused(&mut queue.command(&update), b"", 75), what);
        queue.run(&["hold", "x"]).done();
        queue.run(&["recover"]).done();
        queue.run(&["remove", "x"]).done();
        assert_eq!(queue.names(), ["filler"]);
    });
}

fn a_full_queue_is_75() {
    let queue = Queue::existing();
    let what = "DIR/queue: the queue holds as many items as it may: try again later";
    for body in [&b"body"[..], &[b'x'; 2 << 20]] {
        assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "0"]), body, 75), what);
    }
    queue.put(&["--max-items", "2", "--id", "one"], b"");
    queue.run(&["hold", "one"]).done();
    queue.put(&["--max-items", "2", "--format", "binary"], b"");
    assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "2"]), b"", 75), what);
    queue.run(&["quarantine", "one"]).done();
    queue.put(&["--max-items", "2"], b"");
    queue.put(&["--max-items", "18446744073709551615"], b"");
}

fn a_directory_that_may_not_be_written_is_77() {
    let queue = Queue::new();
    queue.put(&["--id", "x"], b"body");
    let path = queue.path();
    if geteuid().is_root() {
        // Root may write anywhere, and so becomes the owner of the directory first.
        chown(&path, Some(65534.into()), Some(65534.into())).expect("root may");
        chown(&path.join("m:x"), Some(65534.into()), Some(65534.into())).expect("root may");
        fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the directory is the test's");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o500)).expect("the directory is the test's");
    let what = "permission was denied; run this as the owner of the queue";
    assert_eq!(queue.refused(&mut queue.put_command(&[]), b"", 77), format!("DIR/queue/.m:*: {what}"));
    for command in ["remove", "hold", "quarantine"] {
        let said = queue.refused(&mut queue.command(&[command, "x"]), b"", 77);
        assert_eq!(said, format!("DIR/queue/m:x: {what}"));
    }
    let below = path.join("below");
    let said = queue.refused(queue.put_command(&["--queue"]).arg(below), b"", 77);
    assert_eq!(said, "DIR/queue/below: Permission denied; run this as a user who may");
    assert_eq!(queue.cat("x"), b"body");
    // So that the test can clean up where it is not root.
    fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("the directory is the test's");
}
