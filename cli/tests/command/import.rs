//! Imports: every mail of mbox files, maildirs and single files is queued once, with its own bytes.

use crate::mounts::{mount_tmpfs, with_mounts};
use crate::process::{Output, run};
use crate::queue::Queue;
use crate::strace::with_fault;
use crate::trial::trials;
use std::fs;
use std::path::{Path, PathBuf};

trials![
    mbox_is_split_into_its_mails,
    maildir_mails_are_queued_as_files,
    single_file_is_one_mail,
    large_file_is_queued_as_stream,
    envelope_comes_from_headers,
    arguments_replace_envelope_of_headers,
    empty_mbox_has_no_mails,
    mail_without_recipient_is_left_out,
    ambiguous_separator_ends_mbox,
    unusable_path_is_refused_before_any_put,
    full_queue_keeps_acknowledged_mails,
    full_disk_keeps_acknowledged_mails => Root,
    failed_fsync_is_told_from_refusal => Strace,
];

/// The note of an import that ends early.
pub(crate) const REST: &str = "the mails whose ids were printed are queued, this one and those after it are not";

impl Queue {
    fn import(&self, arguments: &[&str], paths: &[&Path]) -> Output {
        run(self.command(&["import"]).args(arguments).args(paths), b"")
    }

    /// Returns the sources that an import printed, and the bodies of their items. Asserts that there are no other
    /// items.
    fn imported(&self, printed: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.beside("").display().to_string();
        let mail = |line: &str| {
            let (id, source) = line.split_once("  ").expect("an import prints an id and a source");
            (source.replace(&root, ""), self.cat(id))
        };
        let mails: Vec<_> = printed.lines().map(mail).collect();
        assert_eq!(self.names().len(), mails.len());
        mails
    }
}

/// Returns an expected source and its body.
fn mail(source: &str, body: &str) -> (String, Vec<u8>) {
    (source.to_string(), body.as_bytes().to_vec())
}

fn mbox_is_split_into_its_mails() {
    let queue = Queue::existing();
    let mbox = queue.file(
        "mbox",
        "From a@example.com Mon Jan  1 00:00:00 2024\n\
         To: b@example.com\n\
         \n\
         one\n\
         >From the start\n\
         >>From further\n\
         >not From\n\
         From\n\
         \n\
         \n\
         From MAILER-DAEMON Mon Jan  1 00:00:00 2024\r\n\
         To: b@example.com\r\n\
         \r\n\
         two\u{f1}\r\n\
         \r\n\
         From a@example.com Mon Jan  1 00:00:00 2024\n\
         To: b@example.com\n\
         \n\
         no line feed at the end",
    );
    let printed = queue.import(&[], &[&mbox]).done();
    assert_eq!(
        queue.imported(&printed),
        [
            mail("mbox:1", "To: b@example.com\n\none\nFrom the start\n>From further\n>not From\nFrom\n\n"),
            mail("mbox:2", "To: b@example.com\r\n\r\ntwo\u{f1}\r\n"),
            mail("mbox:3", "To: b@example.com\n\nno line feed at the end"),
        ]
    );
    let listed = queue.json(&["list", "--json"]);
    let items = listed.as_array().expect("a listing is an array");
    let mut senders: Vec<&str> = items.iter().filter_map(|item| item["from"].as_str()).collect();
    senders.sort_unstable();
    assert_eq!(senders, ["<>", "a@example.com", "a@example.com"]);
}

fn maildir_mails_are_queued_as_files() {
    let queue = Queue::existing();
    let maildir = queue.beside("maildir");
    for directory in ["new", "cur", "tmp", "cur/directory"] {
        fs::create_dir_all(maildir.join(directory)).expect("the temporary directory is writable");
    }
    for (name, body) in [
        ("new/2.host", "To: b@example.com\n\nsecond\n"),
        ("new/1.host", "To: b@example.com\n\nfirst\n"),
        ("cur/3.host:2,S", "To: b@example.com\n\nFrom within\n"),
        ("cur/.hidden", "To: b@example.com\n\nno mail\n"),
        ("tmp/4.host", "To: b@example.com\n\nnot delivered yet\n"),
        ("dovecot-uidlist", "no mail"),
    ] {
        fs::write(maildir.join(name), body).expect("the temporary directory is writable");
    }
    let printed = queue.import(&["--from", "a@example.com"], &[&maildir]).done();
    assert_eq!(
        queue.imported(&printed),
        [
            mail("maildir/cur/3.host:2,S", "To: b@example.com\n\nFrom within\n"),
            mail("maildir/new/1.host", "To: b@example.com\n\nfirst\n"),
            mail("maildir/new/2.host", "To: b@example.com\n\nsecond\n"),
        ]
    );
}

fn single_file_is_one_mail() {
    let queue = Queue::existing();
    let bytes = [b"Subject: x\r\n\r\n".to_vec(), (0..=255).collect()].concat();
    let paths = [queue.file("one.eml", &bytes), queue.file("two.eml", "\nbody alone\n")];
    for format in ["text", "binary"] {
        let queue = Queue::existing();
        let import = ["--to", "b@example.com", "--format", format];
        let printed = queue.import(&import, &[&paths[0], &paths[1]]).done();
        let bodies: Vec<Vec<u8>> = queue.imported(&printed).into_iter().map(|(_, body)| body).collect();
        assert_eq!(bodies, [bytes.clone(), b"\nbody alone\n".to_vec()]);
        let sign = if format == "text" { "m:" } else { "m=" };
        assert!(queue.names().iter().all(|name| name.starts_with(sign)));
    }
}

fn large_file_is_queued_as_stream() {
    let queue = Queue::existing();
    let mut body = b"To: b@example.com\n\n".to_vec();
    body.resize(20 << 20, b'x');
    let (large, small) = (queue.file("large", &body), queue.file("small", "To: b@example.com\n\nsmall\n"));
    let printed = queue.import(&[], &[&small, &large, &small]).done();
    let imported = queue.imported(&printed);
    let sources: Vec<&str> = imported.iter().map(|(source, _)| source.as_str()).collect();
    assert_eq!(sources, ["small", "large", "small"]);
    assert!(imported[1].1 == body);
}

/// Imports a mail, and returns the item as JSON.
fn import_and_show(queue: &Queue, arguments: &[&str], text: &str) -> serde_json::Value {
    let printed = queue.import(arguments, &[&queue.file("mail", text)]).done();
    let (id, _) = printed.split_once("  ").expect("an import prints an id and a source");
    queue.json(&["show", "--json", "--", id])
}

fn envelope_comes_from_headers() {
    let queue = Queue::existing();
    for (text, from, to) in [
        (
            "Return-Path: <r@example.com>\nTo: B <b@example.com>, \"C, D\" <c@example.com>\n\
             Cc: d@example.com\nBcc: e@example.com\n\n",
            "r@example.com",
            &["b@example.com", "c@example.com", "d@example.com"][..],
        ),
        ("Return-Path: <>\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
        ("To: group: b@example.com, c@example.com;\n\n", "<>", &["b@example.com", "c@example.com"]),
        ("From: author@example.com\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
    ] {
        let shown = import_and_show(&queue, &[], text);
        assert_eq!(shown["from"], from, "{text}");
        assert_eq!(shown["to"], serde_json::json!(to), "{text}");
        let deliveries = shown["rcpt"].as_array().expect("the deliveries are an array");
        let addresses: Vec<&str> = deliveries.iter().filter_map(|delivery| delivery["address"].as_str()).collect();
        assert_eq!(addresses, to, "{text}");
    }
}

fn arguments_replace_envelope_of_headers() {
    let queue = Queue::existing();
    let arguments = ["--from", "-x@example.com", "--to", "-y@example.com", "--to", "z@example.com"];
    let shown = import_and_show(&queue, &arguments, "Return-Path: <r@example.com>\nTo: b@example.com\n\n");
    assert_eq!(shown["from"], "-x@example.com");
    assert_eq!(shown["to"], serde_json::json!(["-y@example.com", "z@example.com"]));
    let bounce = import_and_show(&queue, &["--from", "<>"], "Return-Path: <r@example.com>\nTo: b@example.com\n\n");
    assert_eq!(bounce["from"], "<>");
}

fn empty_mbox_has_no_mails() {
    let queue = Queue::existing();
    let empty = queue.file("mbox", "");
    assert_eq!(queue.import(&["--to", "b@example.com"], &[&empty]).done(), "");
    assert_eq!(queue.names(), [""; 0]);
}

fn mail_without_recipient_is_left_out() {
    let queue = Queue::existing();
    let mbox = queue.file(
        "mbox",
        "From a@example.com\nTo: b@example.com\n\none\n\nFrom a@example.com\nSubject: two\n\ntwo\n\n\
         From a@example.com\nTo: b@example.com\n\nthree\n",
    );
    let output = queue.import(&[], &[&mbox]);
    let cause = "it has no address in `To` and `Cc`: say with --to whom it is for";
    assert_eq!((output.code, &output.stderr), (65, &format!("queue-store: {}:2: {cause}\n", mbox.display())));
    let imported = queue.imported(output.text());
    assert_eq!(
        imported,
        [mail("mbox:1", "To: b@example.com\n\none\n"), mail("mbox:3", "To: b@example.com\n\nthree\n")]
    );
}

fn ambiguous_separator_ends_mbox() {
    let queue = Queue::existing();
    let broken = queue.file(
        "broken",
        "From a@example.com\nTo: b@example.com\n\none\n\nFrom a@example.com\nTo: b@example.com\n\nI come\nFrom far\n\n\
         From a@example.com\nTo: b@example.com\n\nthree\n",
    );
    let other = queue.file("other", "To: b@example.com\n\nother\n");
    let output = queue.import(&[], &[&broken, &other]);
    let cause = "a line in it begins with `From ` and may be the next mail: write it as `>From `, or put a blank line \
                before it; this mail and those after it in the file were not queued";
    assert_eq!((output.code, &output.stderr), (65, &format!("queue-store: {}:2: {cause}\n", broken.display())));
    let imported = queue.imported(output.text());
    assert_eq!(
        imported,
        [mail("broken:1", "To: b@example.com\n\none\n"), mail("other", "To: b@example.com\n\nother\n")]
    );
}

fn unusable_path_is_refused_before_any_put() {
    let queue = Queue::existing();
    let good = queue.file("good", "To: b@example.com\n\ngood\n");
    let missing = queue.beside("missing");
    let line = queue.refused(queue.command(&["import"]).args([&good, &missing]), b"", 66);
    assert_eq!(line, "DIR/missing: No such file or directory; check the path");
    let directory = queue.beside("directory");
    fs::create_dir(&directory).expect("the temporary directory is writable");
    let line = queue.refused(queue.command(&["import"]).args([&good, &directory]), b"", 65);
    assert_eq!(line, "DIR/directory: not a maildir, which has directories `new` and `cur`");
}

/// Writes an mbox file, and returns it with its mails.
fn many(queue: &Queue, number: usize, size: usize) -> (PathBuf, Vec<(String, Vec<u8>)>) {
    let body = |number: usize| format!("To: b@example.com\n\n{}\n", format!("mail {number} ").repeat(size / 8));
    let mbox: String = (1..=number).map(|number| format!("From a@example.com\n{}\n", body(number))).collect();
    let mails = (1..=number).map(|number| mail(&format!("mbox:{number}"), &body(number))).collect();
    (queue.file("mbox", mbox), mails)
}

fn full_queue_keeps_acknowledged_mails() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 250, 10);
    let output = queue.import(&["--max-items", "130"], &[&mbox]);
    let cause = format!("{}: the queue holds as many items as it may: try again later", queue.path().display());
    assert_eq!((output.code, &output.stderr), (75, &format!("queue-store: {}:131: {cause}; {REST}\n", mbox.display())));
    assert_eq!(queue.imported(output.text()), mails[..130]);
}

fn full_disk_keeps_acknowledged_mails() {
    with_mounts(|| {
        let queue = Queue::new();
        let (mbox, mails) = many(&queue, 250, 4000);
        mount_tmpfs(&queue.path(), "size=640k");
        let output = queue.import(&[], &[&mbox]);
        assert_eq!(output.code, 75);
        let imported = queue.imported(output.text());
        assert_eq!(imported, mails[..imported.len()]);
        assert!((50..250).contains(&imported.len()), "{}", imported.len());
        let place = format!("queue-store: {}:{}: ", mbox.display(), imported.len() + 1);
        let cause = format!(": no space is left on the device; make room, then try again; {REST}\n");
        assert!(output.stderr.starts_with(&place) && output.stderr.ends_with(&cause), "{}", output.stderr);
    });
}

fn failed_fsync_is_told_from_refusal() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 3, 10);
    // The first fsyncs are of the directory as it was, and of the three files.
    let line = run(&mut with_fault("fsync:error=EIO:when=5", queue.command(&["import"]).arg(mbox)), b"").failed(74);
    let cause = "recover the queue, then look; the mails whose ids were printed are queued, up to 99 after this one \
                may be, the rest are not";
    assert!(line.ends_with(cause), "{line}");
    assert_eq!(queue.names().iter().filter(|name| name.starts_with("m:")).count(), mails.len());
}
