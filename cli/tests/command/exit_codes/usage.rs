//! Arguments that make no sense: 64.

use crate::process::{queue_store, run};
use crate::queue::Queue;
use crate::trial::trials;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

trials![
    unparsable_arguments_exit_64,
    queue_is_named_before_or_after_the_subcommand,
    argument_that_is_not_utf8_exits_64,
    malformed_id_exits_64,
    id_too_long_to_write_exits_64,
    malformed_arguments_create_no_directory,
    malformed_address_exits_64,
    malformed_delivery_exits_64,
];

fn unparsable_arguments_exit_64() {
    let queue = Queue::existing();
    for (arguments, line) in [
        (
            &[][..],
            "'queue-store' requires a subcommand but one was not provided [subcommands: put, list, summary, show, headers, \
             cat, update, edit, remove, hold, release, requeue, quarantine, restore, resolve, seal, recover, verify, check, \
             stats, import, export, copy, plugin, component, wit, man, completions, help]",
        ),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["put"], "the following required arguments were not provided: --from <ADDR> --to <ADDR>"),
        (&["show"], "the following required arguments were not provided: <ID>"),
        (&["seal"], "the following required arguments were not provided: <ID>..."),
        (&["import"], "the following required arguments were not provided: <PATH>..."),
        (&["list", "--queue", ""], "which queue: give its directory or URL with --queue DIR, or in QUEUE_STORE_DIR"),
        (&["list", "--jsn"], "unexpected argument '--jsn' found; a similar argument exists: '--json'"),
        (&["verify", "x"], "unexpected argument 'x' found"),
        (&["show", "-x"], "unexpected argument '-x' found; to pass '-x' as a value, use '-- -x'"),
        (
            &["recover", "--grace", "-1"],
            "invalid value '-1' for '--grace <DURATION>': a time such as 90s, 36h or 3d is expected",
        ),
        (
            &["recover", "--grace=-1"],
            "invalid value '-1' for '--grace <DURATION>': a time such as 90s, 36h or 3d is expected",
        ),
        (
            &["recover", "--grace", "18446744073709551616"],
            "invalid value '18446744073709551616' for '--grace <DURATION>': a time such as 90s, 36h or 3d is expected",
        ),
        (
            &["list", "--older-than", "-5s"],
            "invalid value '-5s' for '--older-than <DURATION>': a time such as 90s, 36h or 3d is expected",
        ),
        (
            &["list", "--larger-than", "-5"],
            "invalid value '-5' for '--larger-than <SIZE>': a size such as 100kB, 10MB or 1GiB is expected",
        ),
        (
            &["put", "--from=a@x", "--to=b@x", "--max-size", "10xb"],
            "invalid value '10xb' for '--max-size <SIZE>': a size such as 100kB, 10MB or 1GiB is expected",
        ),
        (
            &["put", "--from=a@x", "--to=b@x", "--max-items=many"],
            "invalid value 'many' for '--max-items <N>': invalid digit found in string",
        ),
        (
            &["put", "--from=a@x", "--to=b@x", "--durability=high"],
            "invalid value 'high' for '--durability <DURABILITY>' [possible values: full, content-only, none]",
        ),
        (
            &["update", "x", "--rcpt=b@x", "--status=done"],
            "invalid value 'done' for '--status <STATUS>' [possible values: pending, sent, failed]",
        ),
    ] {
        let refused = queue.refused(&mut queue.command(arguments), b"", 64);
        let subcommand = arguments.first().filter(|name| **name != "frobnicate").map(|name| format!(" {name}"));
        assert_eq!(refused, format!("{line} (see queue-store{} --help)", subcommand.unwrap_or_default()));
    }
    let line = queue.refused(&mut queue_store(&["list"]), b"", 64);
    assert_eq!(
        line,
        "which queue: give its directory or URL with --queue DIR, or in QUEUE_STORE_DIR (see queue-store list --help)"
    );
}

fn queue_is_named_before_or_after_the_subcommand() {
    let queue = Queue::existing();
    let id = queue.put(&[], b"mail");
    let mut before = queue_store(&["--queue"]);
    before.arg(queue.path()).args(["cat", &id]);
    assert_eq!(run(&mut before, b"").done(), "mail");
    let mut before = queue_store(&["--queue", "list", "show", "--jsn"]);
    let line = queue.refused(&mut before, b"", 64);
    assert!(line.ends_with("(see queue-store show --help)"), "{line}");
}

fn argument_that_is_not_utf8_exits_64() {
    let queue = Queue::existing();
    let invalid = OsStr::from_bytes(b"\xff@example.com");
    for arguments in [&["show"][..], &["put", "--to", "b@example.com", "--from"], &["put", "--from", "a@x", "--to"]] {
        let line = queue.refused(queue.command(arguments).arg(invalid), b"", 64);
        let help = format!("queue-store {} --help", arguments[0]);
        assert_eq!(line, format!("invalid UTF-8 was detected in one or more arguments (see {help})"));
    }
}

/// The note on a malformed id.
const ID_NOTE: &str = "; an id is 1 to 241 bytes that a file name may have";

fn malformed_id_exits_64() {
    let queue = Queue::existing();
    queue.file("m:x", b"not an item of this queue");
    let long = "x".repeat(254);
    for (id, cause) in [
        ("../x", "../x: the id has a `/`, a `\\` or a NUL"),
        ("a\\b", "a\\b: the id has a `/`, a `\\` or a NUL"),
        ("..", "..: the id is `.` or `..`"),
        (".", ".: the id is `.` or `..`"),
        ("", "the id is empty"),
        (long.as_str(), "the id is longer than `max-id-bytes`"),
    ] {
        for command in ["show", "cat", "remove", "hold", "release", "quarantine", "restore", "seal"] {
            let line = queue.refused(&mut queue.command(&[command, id]), b"", 64);
            assert!(line.contains(cause), "{command}: {line}");
            assert!(line.ends_with(ID_NOTE), "{command}: {line}");
        }
        let update = ["update", id, "--rcpt", "b@example.com", "--status", "sent"];
        let line = queue.refused(&mut queue.command(&update), b"", 64);
        assert!(line.contains(cause) && line.ends_with(ID_NOTE), "{line}");
        let line = queue.refused(&mut queue.put_command(&["--id", id]), b"x", 64);
        assert!(line.contains(cause), "{line}");
    }
}

fn id_too_long_to_write_exits_64() {
    let queue = Queue::existing();
    let (longest, longer) = ("x".repeat(241), "x".repeat(242));
    let line = queue.refused(&mut queue.put_command(&["--id", &longer]), b"x", 64);
    assert!(line.contains("the id is longer than `max-id-bytes`"), "{line}");
    // An item of another program may have that id.
    queue.refused(&mut queue.command(&["show", &longer]), b"", 66);
    assert_eq!(queue.put(&["--id", &longest], b"body"), longest);
    assert_eq!(queue.cat(&longest), b"body");
}

fn malformed_arguments_create_no_directory() {
    let queue = Queue::existing();
    let new = queue.beside("new/queue");
    queue.refused(queue.put_command(&["--id", "../x", "--queue"]).arg(new), b"x", 64);
    assert!(!queue.beside("new").exists(), "a put that is refused removes the directories that it created");
    let new = queue.beside("new");
    queue.refused(queue.command(&["import", "no such file", "--queue"]).arg(&new), b"", 66);
    assert!(!new.exists(), "an import that is refused removes the directory that it created");
}

fn malformed_address_exits_64() {
    let queue = Queue::existing();
    let put = |arguments: &[&str]| queue.refused(queue.command(&["put"]).args(arguments), b"body", 64);
    for (address, reason) in [
        ("b@example.com, c@example.com", "it needs one `@` between a local part and a domain"),
        ("b", "it needs one `@` between a local part and a domain"),
        ("@example.com", "its local part is empty, or has a `.` without a character before and after it"),
        ("b@", "its domain has a label that is empty, or begins or ends with `-`"),
        ("-b@example.com", "its local part begins with the character U+002D, and not with a letter, a digit or `_`"),
        (
            "B <b@example.com>",
            "its local part has the character U+0020, which is none of letters, digits and !#'+-=?^_~",
        ),
        ("b@example.com\n", "its domain has the character U+000A, which is none of letters, digits, `-` and `.`"),
        ("", "it needs one `@` between a local part and a domain"),
    ] {
        let cause = format!("is refused: {reason}; give one address as local-part@domain, and the option for each");
        assert_eq!(put(&["--from", "a@example.com", "--to", address]), format!("--to {address:?} {cause}"));
        assert_eq!(
            put(&["--from", "a@example.com", "--to", "b@example.com", "--rcpt", address]),
            format!("--rcpt {address:?} {cause}")
        );
        let json = serde_json::json!({ "address": address, "type": "FORWARD" }).to_string();
        assert_eq!(put(&["--from", "a@example.com", "--rcpt", &json]), format!("--rcpt {address:?} {cause}"));
        if !address.is_empty() {
            assert_eq!(put(&["--from", address, "--to", "b@example.com"]), format!("--from {address:?} {cause}"));
        }
    }
}

fn malformed_delivery_exits_64() {
    let queue = Queue::existing();
    let put = |delivery: &str| {
        let arguments = ["put", "--from", "a@example.com", "--rcpt", delivery];
        queue.refused(&mut queue.command(&arguments), b"body", 64)
    };
    for (delivery, cause) in [
        (r#"{"address":"x""#, "EOF while parsing an object at line 1 column 14"),
        (r#"{"address":"x","type":"SMTP"}"#, r#""SMTP" is no type"#),
        (r#"{"address":"x","status":3000000000}"#, "3000000000 is no status"),
        (
            r#"{"adress":"x"}"#,
            "unknown field `adress`, expected one of `address`, `type`, `status`, \
            `last_failure_message`, `original_address`, `via` at line 1 column 9",
        ),
    ] {
        assert_eq!(put(delivery), format!("--rcpt {delivery}: {cause}: write it as `show --json` prints it"));
    }
    // The address of a PIPE delivery is a command.
    let pipe = |command: &str| put(&serde_json::json!({ "address": command, "type": "PIPE" }).to_string());
    assert_eq!(pipe(""), "DIR/queue: a recipient has an empty address");
    assert_eq!(pipe("a\nb"), "DIR/queue: the address of a recipient has a CR, LF or NUL");
}
