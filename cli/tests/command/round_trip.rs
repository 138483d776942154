//! What `put` was given, `cat` gives back, byte for byte.

use crate::support::{self, Queue, run};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

support::trials![
    any_body_comes_back_as_it_was,
    a_mail_of_25_megabytes_comes_back_as_it_was,
    a_body_comes_from_a_file_or_from_standard_input,
    a_body_that_trickles_in_is_one_body,
    put_stores_what_it_was_told,
    update_changes_one_delivery_and_makes_its_text_valid,
    the_component_prints_itself,
];

const FORMATS: [&str; 2] = ["text", "binary"];

fn any_body_comes_back_as_it_was() {
    let queue = Queue::new();
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
    // Around the sizes at which a body is passed in another way.
    for size in [64 << 10, 1 << 20, 2 << 20] {
        bodies.extend([size - 1, size, size + 1].map(|size| all_bytes.iter().copied().cycle().take(size).collect()));
    }
    for body in &bodies {
        for format in FORMATS {
            let id = queue.put(&["--format", format], body);
            assert!(queue.cat(&id) == *body, "{} bytes as {format}", body.len());
        }
    }
    assert_eq!(queue.names().len(), 2 * bodies.len());
    assert!(
        queue
            .run(&["verify"])
            .done()
            .ends_with(&format!("{} items, 0 damaged, 0 without checksums\n", 2 * bodies.len()))
    );
}

fn a_mail_of_25_megabytes_comes_back_as_it_was() {
    let queue = Queue::new();
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

fn a_body_comes_from_a_file_or_from_standard_input() {
    let queue = Queue::new();
    let file = queue.file("mail", b"from a file");
    let put = |arguments: &[&str]| queue.cat(&queue.put(arguments, b"from standard input"));
    assert_eq!(put(&[]), b"from standard input");
    assert_eq!(put(&["-"]), b"from standard input");
    assert_eq!(put(&[file.to_str().expect("text")]), b"from a file");
    assert_eq!(queue.cat(&queue.put(&[], b"")), b"", "nothing to read is an empty mail");
}

fn a_body_that_trickles_in_is_one_body() {
    let queue = Queue::new();
    let script = "{ printf a; sleep 0.05; printf b; sleep 0.05; printf c; } | \
                  \"$0\" put --from a@example.com --to b@example.com";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_queue-store")]).env("QUEUE_STORE_DIR", queue.path());
    let id = run(&mut shell, b"").done();
    assert_eq!(queue.cat(id.trim_end()), b"abc");
}

fn put_stores_what_it_was_told() {
    let queue = Queue::new();
    let recipient = r#"{"address":"|filter -x","type":"PIPE","status":"PENDING","last_failure_message":"later",
        "original_address":"b@example.com","via":["mx1.example.com","mx2.example.com"]}"#;
    let put = ["put", "--from", "-a@example.com", "--to", "-b@example.com", "--id", "-id", "--rcpt", recipient];
    assert_eq!(run(queue.command(&put).args(["--rcpt", "c@example.com"]), b"").done(), "-id\n");
    let shown: serde_json::Value =
        serde_json::from_str(&queue.run(&["show", "--json", "--", "-id"]).done()).expect("JSON");
    assert_eq!(shown["from"], "-a@example.com");
    assert_eq!(shown["to"], serde_json::json!(["-b@example.com"]));
    let given: serde_json::Value = serde_json::from_str(recipient).expect("JSON");
    assert_eq!(shown["rcpt"][0], given);
    assert_eq!(shown["rcpt"][1]["address"], "c@example.com");
    assert_eq!(shown["rcpt"][1]["original_address"], "c@example.com");

    let bounce = run(&mut queue.command(&["put", "--from", "<>", "--to", "b@example.com"]), b"").done();
    assert!(queue.run(&["show", bounce.trim_end()]).done().contains("\nfrom:      <>\n"));
}

fn update_changes_one_delivery_and_makes_its_text_valid() {
    let queue = Queue::new();
    let body = b"body\xff";
    queue.put(&["--to", "c@example.com", "--id", "x"], body);
    let show =
        || -> serde_json::Value { serde_json::from_str(&queue.run(&["show", "--json", "x"]).done()).expect("JSON") };
    let mut expected = show();
    let update = ["update", "x", "--rcpt", "c@example.com", "--status", "failed", "--failure"];
    run(queue.command(&update).arg(OsStr::from_bytes(b"-550 caf\xe9")), b"").done();
    expected["rcpt"][1]["status"] = "FAILED".into();
    expected["rcpt"][1]["last_failure_message"] = "-550 caf\u{fffd}".into();
    assert_eq!(show(), expected);
    queue.run(&["update", "x", "--rcpt", "b@example.com", "--status", "sent"]).done();
    expected["rcpt"][0]["status"] = "SENT".into();
    assert_eq!(show(), expected);
    queue.run(&["update", "x", "--rcpt", "c@example.com", "--status", "pending", "--failure", ""]).done();
    expected["rcpt"][1]["status"] = "PENDING".into();
    expected["rcpt"][1]["last_failure_message"] = "".into();
    assert_eq!(show(), expected);
    assert_eq!(queue.cat("x"), body);
}

fn the_component_prints_itself() {
    let queue = Queue::new();
    assert_eq!(queue.run(&["component"]).stdout, queue_store_host::COMPONENT);
}
