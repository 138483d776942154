//! Mails that others wrote, those of the tests of Python's package email, and generated ones: imported byte for byte, for the
//! recipients that Python sees, or refused for a reason that the test knows.

use super::ids;
use crate::process::run;
use crate::queue::{Queue, parse_json};
use crate::trial::trials;
use fastrand::Rng;
use queue_store_host_test::requirement::python_email_tests;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

trials![
    mails_of_python_tests_are_imported_or_refused_by_reason => PythonEmailTests,
    generated_mails_have_recipients_that_python_sees => PythonEmailTests,
];

/// The mails that are refused, and a part of the reason.
const REFUSED: [(&str, &str); 16] = [
    ("msg_05.eml", "the address \"baz\" of To is refused: it needs one `@` "),
    ("msg_11.eml", NO_RECIPIENT),
    ("msg_15.eml", "the address \"XX\" of To is refused: it needs one `@` "),
    ("msg_18.eml", NO_RECIPIENT),
    ("msg_19.eml", NO_HEADER),
    ("msg_23.eml", NO_RECIPIENT),
    ("msg_28.eml", NO_RECIPIENT),
    ("msg_30.eml", NO_RECIPIENT),
    ("msg_31.eml", NO_RECIPIENT),
    // Its body follows the header without a blank line.
    ("msg_35.eml", "line 4 of its header is neither a field nor the continuation of one"),
    ("msg_36.eml", NO_RECIPIENT),
    ("msg_37.eml", NO_RECIPIENT),
    ("msg_38.eml", NO_RECIPIENT),
    ("msg_39.eml", NO_RECIPIENT),
    ("msg_40.eml", NO_RECIPIENT),
    // Delivery agents give a `/` another meaning.
    ("msg_43.eml", "of the line before it is refused: its local part has the character U+002F"),
];

const NO_RECIPIENT: &str = "it has no address in `To`, `Cc` and `Bcc`";

const NO_HEADER: &str = "it does not begin with a header";

fn mails_of_python_tests_are_imported_or_refused_by_reason() {
    let queue = Queue::existing();
    let directory = queue.beside("mails");
    fs::create_dir(&directory).expect("the temporary directory is writable");
    for entry in
        fs::read_dir(python_email_tests().expect("the requirement is met")).expect("it is a directory").flatten()
    {
        if entry.path().extension().is_some_and(|extension| extension == "txt") {
            let path = directory.join(entry.file_name()).with_extension("eml");
            fs::copy(entry.path(), path).expect("the temporary directory is writable");
        }
    }
    let refused: BTreeMap<&str, &str> = REFUSED.into_iter().collect();
    let refusals = compare(&queue, &directory);
    for (name, refusal) in &refusals {
        let reason = refused.get(name.as_str()).unwrap_or_else(|| panic!("{name}: {refusal}"));
        assert!(refusal.contains(reason), "{name}: {refusal}");
    }
    assert_eq!(refusals.len(), REFUSED.len());

    // With an envelope from the arguments, only the one without a header is refused.
    let queue = Queue::existing();
    let import = ["--format", "eml", "--from", "<>", "--to", "b@example.com"];
    let imported = queue.try_import(&import, &[&directory]);
    assert_eq!(imported.stderr.lines().filter(|line| line.contains(NO_HEADER)).count(), 1);
    assert!(imported.stderr.ends_with("queue-store: 46 mails queued, 1 refused\n"), "{}", imported.stderr);
    let exported = queue.beside("exported");
    run(queue.command(&["export", "--all", "--format", "eml", "--output"]).arg(&exported), b"").done();
    for (id, source) in ids(imported.text()) {
        let file = fs::read(exported.join(format!("{id}.eml"))).expect("each item is exported");
        assert!(file == without_from_line(fs::read(source).expect("the file exists")), "{source}");
    }
}

fn generated_mails_have_recipients_that_python_sees() {
    let queue = Queue::existing();
    let directory = queue.beside("mails");
    fs::create_dir(&directory).expect("the temporary directory is writable");
    let mut random = Rng::with_seed(14);
    for number in 0..400 {
        let path = directory.join(format!("{number}.eml"));
        fs::write(path, generate(&mut random)).expect("the temporary directory is writable");
    }
    // Each refusal has a cause in the mail: no recipient.
    for (name, refusal) in compare(&queue, &directory) {
        assert!(refusal.contains(NO_RECIPIENT), "{name}: {refusal}");
    }
}

/// Imports the mails of a directory, and compares each item with its file, and its recipients with those that Python sees.
/// Returns the refusals by file name.
fn compare(queue: &Queue, directory: &Path) -> Vec<(String, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/import/recipients.py");
    let expected = parse_json(&run(Command::new("python3").arg(script).arg(directory), b"").done());
    let output = queue.try_import(&["--format", "eml"], &[directory]);
    let name = |path: &str| Path::new(path).file_name().expect("it is a file").to_string_lossy().into_owned();
    for (id, source) in ids(output.text()) {
        let item = queue.json(&["show", "--json", id]);
        let mut seen = HashSet::new();
        let recipients = expected[name(source)].as_array().expect("Python lists the recipients of each file");
        let recipients: Vec<_> = recipients.iter().filter(|address| seen.insert(address.to_string())).collect();
        assert_eq!(item["to"], serde_json::json!(recipients), "{source}");
        let mail = without_from_line(fs::read(source).expect("the file exists"));
        assert!(queue.cat(id) == mail, "{source}");
    }
    let refusals = output.stderr.lines().filter_map(|line| line.strip_prefix("queue-store: ")?.split_once(".eml: "));
    let refusals: Vec<_> = refusals.map(|(path, reason)| (name(path) + ".eml", reason.to_string())).collect();
    let files = fs::read_dir(directory).expect("the directory exists").count();
    assert_eq!(ids(output.text()).count() + refusals.len(), files, "{}", output.stderr);
    refusals
}

/// Returns a mail without the line that was before it in an mbox file.
fn without_from_line(mut mail: Vec<u8>) -> Vec<u8> {
    if mail.starts_with(b"From ") {
        let line_feed = mail.iter().position(|byte| *byte == b'\n').expect("a header follows");
        mail.drain(..=line_feed);
    }
    mail
}

/// Returns a mail with up to four address fields, which have what mail programs write.
fn generate(random: &mut Rng) -> Vec<u8> {
    const ADDRESSES: [&str; 12] = [
        "b@example.com",
        "Bob <b@example.com>",
        "\"Builder, Bob\" <bob.builder+x@example.com>",
        "=?utf-8?q?J=C3=B6rg?= <joerg@example.com>",
        "c@example.org (Carol (the \"second\"))",
        "\"a \\\" b\" <d@sub.example.net>",
        "group: e@example.com, F <f@example.com>;",
        "empty:;",
        "<g@[192.0.2.1]>",
        "J. R. Hacker <h@example.com>",
        "\"<x@example.com>\" <i@example.com>",
        "",
    ];
    let line_end = *random.choice(&["\n", "\r\n"]).expect("there are two");
    let mut mail = format!("From: a@example.com{line_end}");
    for _ in 0..random.usize(..5) {
        let name = random.choice(&["To", "Cc", "CC", "to"]).expect("there are four");
        let addresses: Vec<&str> =
            (0..random.usize(1..4)).map(|_| *random.choice(&ADDRESSES).expect("there are some")).collect();
        let separator =
            random.choice(&[", ".to_string(), ",".to_string(), format!(",{line_end}\t")]).expect("some").clone();
        mail += &format!("{name}: {}{line_end}", addresses.join(&separator));
    }
    mail += line_end;
    let mut mail = mail.into_bytes();
    mail.extend((0..random.usize(..200)).map(|_| random.u8(..)));
    mail
}
