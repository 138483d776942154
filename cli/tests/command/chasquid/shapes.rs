//! Mails of many shapes pass both ways, byte for byte.

use super::site::{RECIPIENTS, Site};
use crate::process::{run, wait_until};
use crate::queue::parse_json;
use crate::trial::trials;
use queue_store_host::types;
use std::collections::BTreeMap;

trials![
    chasquid_delivers_every_shape_of_the_command => Chasquid,
    command_reads_every_shape_of_chasquid => Chasquid,
];

const MAILS: usize = 200;

/// A mail whose lines end with CR LF.
struct Mail {
    to: Vec<String>,
    body: Vec<u8>,
}

/// Returns mails of many shapes, each with a subject of its own.
fn mails() -> Vec<Mail> {
    let mut random = fastrand::Rng::with_seed(14);
    (0..MAILS)
        .map(|number| {
            let text: Vec<u8> = match number % 10 {
                0 => Vec::new(),
                1 => "Grüße, 用户 😀\r\n".into(),
                2 => b"caf\xe9, not UTF-8: \xff\xfe\xc0\x80\r\n".to_vec(),
                3 => b"a NUL \0, a bare CR \r, an escape \x1b[2J\r\n".to_vec(),
                4 => b".\r\n..\r\n.dot\r\nFrom here\r\n>From there\r\n".to_vec(),
                5 => ["x".repeat(990).as_bytes(), b"\r\n"].concat(),
                6 => b"\r\n\r\n\r\n".to_vec(),
                7 => b"\"quotes\", \\backslashes\\, 'data: \"x\"'\r\n".to_vec(),
                8 => b"=00=1B quoted-printable=\r\n soft break\r\n".to_vec(),
                _ => {
                    let lines = std::iter::repeat_with(|| random.u8(b' '..=b'~')).take(random_length(number));
                    lines.collect::<Vec<_>>().chunks(70).flat_map(|line| [line, b"\r\n"].concat()).collect()
                }
            };
            let to = match number {
                0 | 1 => (0..RECIPIENTS).map(|recipient| format!("r{recipient}@example.test")).collect(),
                _ if number % 10 == 1 => vec!["ñandú@example.test".to_string(), "postbox@example.test".to_string()],
                _ => vec![format!("r{}@example.test", number % RECIPIENTS)],
            };
            let header = format!("Subject: {number}\r\nFrom: a@example.com\r\n\r\n");
            Mail { to, body: [header.as_bytes(), &text].concat() }
        })
        .collect()
}

/// Returns the number of characters of the mail `number`; 5 MB of the last one.
fn random_length(number: usize) -> usize {
    if number == MAILS - 1 { 5_000_000 } else { 100 * number }
}

fn chasquid_delivers_every_shape_of_the_command() {
    let site = Site::new();
    let mut expected = BTreeMap::from([(Vec::new(), 1)]);
    let empty = types::Mail::new("a@example.com", ["b@example.test"], "");
    site.queue().put(&empty).expect("the queue is writable");
    for mail in mails() {
        let mut put = site.command(&["put", "--from", "a@example.com"]);
        for to in &mail.to {
            put.args(["--to", to]);
        }
        run(&mut put, &mail.body).done();
        expected.insert(mail.body, mail.to.len());
    }
    site.deliver_all();
    let delivered = site.delivered();
    assert_eq!(delivered.len(), expected.len());
    assert!(delivered == expected, "every mail is delivered byte for byte to each recipient");
}

fn command_reads_every_shape_of_chasquid() {
    let site = Site::new();
    site.close(true);
    let running = site.start();
    let mails = mails();
    mails.iter().for_each(|mail| site.send(&mail.to, &mail.body));
    wait_until("every mail is queued", || site.names().iter().filter(|name| name.starts_with("m:")).count() == MAILS);
    drop(running);

    let mut read = BTreeMap::new();
    let items = parse_json(&site.run(&["list", "--json"]));
    for item in items.as_array().expect("a list is an array") {
        let body = run(&mut site.command(&["cat", "--", item["id"].as_str().expect("an id is text")]), b"");
        assert_eq!((body.code, body.stderr.as_str()), (0, ""));
        read.insert(body.stdout, item["to"].as_array().expect("an item has recipients").len());
    }
    for mail in &mails {
        // chasquid puts its own header before the mail, and stores lines that end with LF.
        let body = String::from_utf8_lossy(&mail.body).replace("\r\n", "\n");
        let stored =
            |(read, to): (&Vec<u8>, &usize)| String::from_utf8_lossy(read).ends_with(&body) && *to == mail.to.len();
        assert_eq!(read.iter().filter(|item| stored(*item)).count(), 1, "{}", body.lines().next().unwrap_or_default());
    }
    assert!(site.run(&["verify"]).ends_with(&format!("{MAILS} items, 0 damaged, {MAILS} without checksums\n")));
    site.close(false);
    site.deliver_all();
    assert!(site.delivered() == read, "every mail is delivered as the command read it");
}
