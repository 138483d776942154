//! Bodies and envelopes that are put, and read again.

use crate::process::run;
use crate::queue::{Queue, parse_json};
use crate::trial::trials;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

trials![
    cat_returns_every_byte_of_any_body,
    cat_returns_body_of_25_megabytes,
    put_reads_file_or_standard_input,
    put_reads_slow_pipe_to_its_end,
    put_stores_its_arguments,
    empty_mail_needs_option,
    same_address_twice_is_one_delivery,
    put_without_rcpt_delivers_to_every_to,
    update_changes_one_delivery,
    update_replaces_invalid_utf8_in_message,
];

const FORMATS: [&str; 2] = ["text", "binary"];

fn cat_returns_every_byte_of_any_body() {
    let queue = Queue::existing();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let mut bodies = vec![
        Vec::new(),
        b"x".to_vec(),
        vec![0],
        vec![0xff],
        b"\n".to_vec(),
        b"\r".to_vec(),
        all_bytes.clone(),
        all_bytes.repeat(5000),
        b"Subject: \xc3\xb1\r\n\r\n.\r\nFrom here\r\n\"\\x41\\\"\r\n".to_vec(),
        "# queue-store-end body=0 envelope=0 all=0\n".repeat(10).into_bytes(),
    ];
    // Around the sizes at which the command changes how it passes a body.
    for size in [64 << 10, 1 << 20, 2 << 20] {
        bodies.extend([size - 1, size, size + 1].map(|size| all_bytes.iter().copied().cycle().take(size).collect()));
    }
    for body in &bodies {
        for format in FORMATS {
            let id = queue.put(&["--format", format, "--allow-empty"], body);
            assert!(queue.cat(&id) == *body, "{} bytes as {format}", body.len());
        }
    }
    assert_eq!(queue.names().len(), 2 * bodies.len());
    let verified = queue.run(&["verify"]).done();
    assert_eq!(verified, format!("{} items, 0 damaged, 0 without checksums\n", 2 * bodies.len()));
}

fn cat_returns_body_of_25_megabytes() {
    let queue = Queue::existing();
    let mut mail = b"Subject: large\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    let mut random = fastrand::Rng::with_seed(25);
    while mail.len() < 25_000_000 {
        mail.extend((0..76).map(|_| random.alphanumeric() as u8));
        mail.extend(b"\r\n");
    }
    for format in FORMATS {
        let id = queue.put(&["--format", format], &mail);
        assert!(queue.cat(&id) == mail, "{format}");
    }
}

fn put_reads_file_or_standard_input() {
    let queue = Queue::existing();
    let file = queue.file("mail", b"from a file");
    let put = |arguments: &[&str]| queue.cat(&queue.put(arguments, b"from standard input"));
    assert_eq!(put(&[]), b"from standard input");
    assert_eq!(put(&["-"]), b"from standard input");
    assert_eq!(put(&[file.to_str().expect("temporary files have names in UTF-8")]), b"from a file");
}

fn empty_mail_needs_option() {
    let queue = Queue::existing();
    let line = queue.refused(&mut queue.put_command(&[]), b"", 65);
    assert_eq!(line, "standard input: the mail is empty: --allow-empty queues it");
    let file = queue.file("mail", b"");
    let line = queue.refused(queue.put_command(&[]).arg(file), b"", 65);
    assert_eq!(line, "DIR/mail: the mail is empty: --allow-empty queues it");
    assert_eq!(queue.cat(&queue.put(&["--allow-empty"], b"")), b"");
}

fn put_reads_slow_pipe_to_its_end() {
    let queue = Queue::existing();
    let script = "{ printf a; sleep 0.05; printf b; sleep 0.05; printf c; } | \
                  \"$0\" put --from a@example.com --to b@example.com";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_queue-store")]).env("QUEUE_STORE_DIR", queue.path());
    let id = run(&mut shell, b"").done();
    assert_eq!(queue.cat(id.trim_end()), b"abc");
}

fn put_stores_its_arguments() {
    let queue = Queue::existing();
    let recipient = r#"{"address":"|filter -x","type":"PIPE","status":"PENDING","last_failure_message":"later",
        "original_address":"b@example.com","via":["mx1.example.com","mx2.example.com"]}"#;
    let put = ["put", "--from", "a@example.com", "--to", "b@example.com", "--id", "-id", "--rcpt", recipient];
    assert_eq!(run(queue.command(&put).args(["--rcpt", "c@example.com"]), b"x").done(), "-id\n");
    let shown = queue.json(&["show", "--json", "--", "-id"]);
    assert_eq!(shown["from"], "a@example.com");
    assert_eq!(shown["to"], serde_json::json!(["b@example.com"]));
    assert_eq!(shown["rcpt"][0], parse_json(recipient));
    assert_eq!(shown["rcpt"][1]["address"], "c@example.com");
    assert_eq!(shown["rcpt"][1]["original_address"], "c@example.com");
    assert_eq!(shown["rcpt"].as_array().map(Vec::len), Some(2), "`--rcpt` replaces the deliveries of `--to`");

    let bounce = run(&mut queue.command(&["put", "--from", "<>", "--to", "b@example.com"]), b"x").done();
    assert!(queue.run(&["show", bounce.trim_end()]).done().contains("\nfrom:      <>\n"));
}

fn same_address_twice_is_one_delivery() {
    let queue = Queue::existing();
    let addresses = ["b@example.com", "B@example.com", "b@EXAMPLE.com", "b@example.com"];
    let to = addresses.map(|address| ["--to", address]).concat();
    let id = run(queue.command(&["put", "--from", "a@example.com"]).args(to), b"body").done();
    let shown = queue.json(&["show", "--json", id.trim_end()]);
    assert_eq!(shown["to"], serde_json::json!(["b@example.com", "B@example.com"]));
    assert_eq!(shown["rcpt"].as_array().map(Vec::len), Some(2));
    let pipe = r#"{"address":"b@example.com","type":"PIPE"}"#;
    let rcpt = ["b@example.com", pipe, r#"{"address":"b@Example.com","status":"SENT"}"#, pipe];
    let rcpt = rcpt.map(|delivery| ["--rcpt", delivery]).concat();
    let id = run(queue.command(&["put", "--from", "a@example.com"]).args(rcpt), b"body").done();
    let shown = queue.json(&["show", "--json", id.trim_end()]);
    let delivery = |number: usize| (shown["rcpt"][number]["type"].clone(), shown["rcpt"][number]["status"].clone());
    assert_eq!([delivery(0), delivery(1)], [("EMAIL".into(), "PENDING".into()), ("PIPE".into(), "PENDING".into())]);
    assert_eq!(shown["rcpt"].as_array().map(Vec::len), Some(2));
}

fn put_without_rcpt_delivers_to_every_to() {
    let queue = Queue::existing();
    queue.put(&["--id", "x", "--to", "c@example.com"], b"body");
    let delivery = |address: &str| {
        serde_json::json!({
            "address": address, "type": "EMAIL", "status": "PENDING", "last_failure_message": "",
            "original_address": address, "via": [],
        })
    };
    let shown = queue.json(&["show", "--json", "x"]);
    assert_eq!(shown["to"], serde_json::json!(["b@example.com", "c@example.com"]));
    assert_eq!(shown["rcpt"], serde_json::json!([delivery("b@example.com"), delivery("c@example.com")]));
}

fn update_changes_one_delivery() {
    let queue = Queue::existing();
    let body = b"body\xff";
    queue.put(&["--to", "c@example.com", "--id", "x"], body);
    let show = || queue.json(&["show", "--json", "x"]);
    let mut expected = show();
    queue.run(&["update", "x", "--rcpt", "c@example.com", "--status", "failed", "--failure", "-550 no"]).done();
    expected["rcpt"][1]["status"] = "FAILED".into();
    expected["rcpt"][1]["last_failure_message"] = "-550 no".into();
    assert_eq!(show(), expected);
    queue.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]).done();
    expected["rcpt"][0]["status"] = "SENT".into();
    assert_eq!(show(), expected);
    // Without `--failure` the message stays.
    queue.run(&["update", "x", "--rcpt", "c@example.com", "--status", "pending"]).done();
    expected["rcpt"][1]["status"] = "PENDING".into();
    assert_eq!(show(), expected);
    queue.run(&["update", "x", "--rcpt", "c@example.com", "--status", "pending", "--failure", ""]).done();
    expected["rcpt"][1]["last_failure_message"] = "".into();
    assert_eq!(show(), expected);
    assert_eq!(queue.cat("x"), body);
}

fn update_replaces_invalid_utf8_in_message() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let update = ["update", "x", "--rcpt", "b@example.com", "--status", "failed", "--failure"];
    run(queue.command(&update).arg(OsStr::from_bytes(b"-550 caf\xe9")), b"").done();
    let shown = queue.json(&["show", "--json", "x"]);
    assert_eq!(shown["rcpt"][0]["last_failure_message"], "-550 caf\u{fffd}");
}
