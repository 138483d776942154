//! Imports: every mail of mbox files, maildirs and single files is queued once, with its own bytes.

use crate::support::{self, Output, Queue, mount_tmpfs, run, with_mounts};
use crate::trace;
use std::fs;
use std::path::Path;

support::trials![
    an_mbox_file_is_taken_apart,
    a_maildir_is_read_as_one,
    a_single_file_is_one_mail,
    a_large_file_is_streamed,
    recipients_and_senders_are_those_of_the_mail_unless_told,
    an_mbox_without_mails_has_none,
    a_mail_for_nobody_is_left_out_and_reported,
    an_mbox_that_may_be_broken_is_left_at_that_point,
    a_path_that_is_no_mail_is_refused_before_anything_is_queued,
    a_queue_that_fills_midway_keeps_what_was_acknowledged,
    a_disk_that_fills_midway_keeps_what_was_acknowledged => Root,
    a_sync_that_fails_is_told_from_a_refusal => Strace,
];

const REST: &str = "the mails whose ids were printed are queued, this one and those after it are not";

impl Queue {
    fn import(&self, arguments: &[&str], paths: &[&Path]) -> Output {
        run(self.command(&["import"]).args(arguments).args(paths), b"")
    }

    /// The sources of an import and the bodies that were queued for them. Every item is one of those.
    fn imported(&self, printed: &str) -> Vec<(String, Vec<u8>)> {
        let root = format!("{}/", self.beside("").display()).replace("//", "/");
        let mail = |line: &str| {
            let (id, source) = line.split_once("  ").expect("an id and a source");
            (source.replace(&root, ""), self.cat(id))
        };
        let mails: Vec<_> = printed.lines().map(mail).collect();
        assert_eq!(self.names().len(), mails.len());
        mails
    }
}

/// What is expected of a source.
fn mail(source: &str, body: &str) -> (String, Vec<u8>) {
    (source.to_string(), body.as_bytes().to_vec())
}

fn an_mbox_file_is_taken_apart() {
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
    let listed: serde_json::Value = serde_json::from_str(&queue.run(&["list", "--json"]).done()).expect("JSON");
    let mut senders: Vec<&str> =
        listed.as_array().expect("an array").iter().filter_map(|item| item["from"].as_str()).collect();
    senders.sort_unstable();
    assert_eq!(senders, ["<>", "a@example.com", "a@example.com"]);
}

fn a_maildir_is_read_as_one() {
    let queue = Queue::existing();
    let maildir = queue.beside("maildir");
    for directory in ["new", "cur", "tmp", "cur/directory"] {
        fs::create_dir_all(maildir.join(directory)).expect("a directory");
    }
    for (name, body) in [
        ("new/2.host", "To: b@example.com\n\nsecond\n"),
        ("new/1.host", "To: b@example.com\n\nfirst\n"),
        ("cur/3.host:2,S", "To: b@example.com\n\nFrom within\n"),
        ("cur/.hidden", "To: b@example.com\n\nno mail\n"),
        ("tmp/4.host", "To: b@example.com\n\nnot delivered yet\n"),
        ("dovecot-uidlist", "no mail"),
    ] {
        fs::write(maildir.join(name), body).expect("a file of the test");
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

fn a_single_file_is_one_mail() {
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

fn a_large_file_is_streamed() {
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

fn recipients_and_senders_are_those_of_the_mail_unless_told() {
    let mails = [
        (
            "Return-Path: <r@example.com>\nTo: B <b@example.com>, \"C, D\" <c@example.com>\nCc: d@example.com\nBcc: e@example.com\n\n",
            "r@example.com",
            &["b@example.com", "c@example.com", "d@example.com"][..],
        ),
        ("Return-Path: <>\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
        ("To: group: b@example.com, c@example.com;\n\n", "<>", &["b@example.com", "c@example.com"]),
        ("From: author@example.com\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
    ];
    for (text, from, to) in mails {
        let queue = Queue::existing();
        let file = queue.file("mail", text);
        let show = |printed: &str| -> serde_json::Value {
            let shown = queue.run(&["show", "--json", "--", &printed[..11]]).done();
            serde_json::from_str(&shown).expect("JSON")
        };
        let shown = show(&queue.import(&[], &[&file]).done());
        assert_eq!(shown["from"], from, "{text}");
        assert_eq!(shown["to"], serde_json::json!(to));
        let addresses: Vec<&str> = shown["rcpt"]
            .as_array()
            .expect("an array")
            .iter()
            .filter_map(|recipient| recipient["address"].as_str())
            .collect();
        assert_eq!(addresses, to);
        let told = ["--from", "-x@example.com", "--to", "-y@example.com", "--to", "z@example.com"];
        let shown = show(&queue.import(&told, &[&file]).done());
        assert_eq!(shown["from"], "-x@example.com");
        assert_eq!(shown["to"], serde_json::json!(["-y@example.com", "z@example.com"]));
    }
}

fn an_mbox_without_mails_has_none() {
    let queue = Queue::existing();
    let empty = queue.file("mbox", "");
    assert_eq!(queue.import(&["--to", "b@example.com"], &[&empty]).done(), "");
    assert_eq!(queue.names(), [""; 0]);
}

fn a_mail_for_nobody_is_left_out_and_reported() {
    let queue = Queue::existing();
    let mbox = queue.file(
        "mbox",
        "From a@example.com\nTo: b@example.com\n\none\n\nFrom a@example.com\nSubject: two\n\ntwo\n\n\
         From a@example.com\nTo: b@example.com\n\nthree\n",
    );
    let output = queue.import(&[], &[&mbox]);
    let what = "it has no address in `To` and `Cc`: say with --to whom it is for";
    assert_eq!((output.code, output.stderr), (65, format!("queue-store: {}:2: {what}\n", mbox.display())));
    let imported = queue.imported(&String::from_utf8(output.stdout).expect("text"));
    assert_eq!(
        imported,
        [mail("mbox:1", "To: b@example.com\n\none\n"), mail("mbox:3", "To: b@example.com\n\nthree\n")]
    );
}

fn an_mbox_that_may_be_broken_is_left_at_that_point() {
    let queue = Queue::existing();
    let broken = queue.file(
        "broken",
        "From a@example.com\nTo: b@example.com\n\none\n\nFrom a@example.com\nTo: b@example.com\n\nI come\nFrom far\n\n\
         From a@example.com\nTo: b@example.com\n\nthree\n",
    );
    let other = queue.file("other", "To: b@example.com\n\nother\n");
    let output = queue.import(&[], &[&broken, &other]);
    let what = "a line in it begins with `From ` and may be the next mail: write it as `>From `, or put a blank line before \
                it; this mail and those after it in the file were not queued";
    assert_eq!((output.code, output.stderr), (65, format!("queue-store: {}:2: {what}\n", broken.display())));
    let imported = queue.imported(&String::from_utf8(output.stdout).expect("text"));
    assert_eq!(
        imported,
        [mail("broken:1", "To: b@example.com\n\none\n"), mail("other", "To: b@example.com\n\nother\n")]
    );
}

fn a_path_that_is_no_mail_is_refused_before_anything_is_queued() {
    let queue = Queue::existing();
    let good = queue.file("good", "To: b@example.com\n\ngood\n");
    let missing = queue.beside("missing");
    let said = queue.refused(queue.command(&["import"]).args([&good, &missing]), b"", 66);
    assert_eq!(said, "DIR/missing: No such file or directory; check the path");
    let directory = queue.beside("directory");
    fs::create_dir(&directory).expect("a directory");
    let said = queue.refused(queue.command(&["import"]).args([&good, &directory]), b"", 65);
    assert_eq!(said, "DIR/directory: not a maildir, which has directories `new` and `cur`");
}

/// An mbox file with so many mails, and what each is.
fn many(queue: &Queue, number: usize, size: usize) -> (std::path::PathBuf, Vec<(String, Vec<u8>)>) {
    let body = |number: usize| format!("To: b@example.com\n\n{}\n", format!("mail {number} ").repeat(size / 8));
    let mbox: String = (1..=number).map(|number| format!("From a@example.com\n{}\n", body(number))).collect();
    let mails = (1..=number).map(|number| mail(&format!("mbox:{number}"), &body(number))).collect();
    (queue.file("mbox", mbox), mails)
}

fn a_queue_that_fills_midway_keeps_what_was_acknowledged() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 250, 10);
    let output = queue.import(&["--max-items", "130"], &[&mbox]);
    let what = format!("{}: the queue holds as many items as it may: try again later", queue.path().display());
    assert_eq!((output.code, output.stderr), (75, format!("queue-store: {}:131: {what}; {REST}\n", mbox.display())));
    assert_eq!(queue.imported(&String::from_utf8(output.stdout).expect("text")), mails[..130]);
}

fn a_disk_that_fills_midway_keeps_what_was_acknowledged() {
    with_mounts(|| {
        let queue = Queue::new();
        let (mbox, mails) = many(&queue, 250, 4000);
        mount_tmpfs(&queue.path(), "size=640k");
        let output = queue.import(&[], &[&mbox]);
        assert_eq!(output.code, 75);
        let imported = queue.imported(&String::from_utf8(output.stdout).expect("text"));
        assert_eq!(imported, mails[..imported.len()]);
        assert!((50..250).contains(&imported.len()), "{}", imported.len());
        let place = format!("queue-store: {}:{}: ", mbox.display(), imported.len() + 1);
        let what = format!(": no space is left on the device; make room, then try again; {REST}\n");
        assert!(output.stderr.starts_with(&place) && output.stderr.ends_with(&what), "{}", output.stderr);
    });
}

fn a_sync_that_fails_is_told_from_a_refusal() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 3, 10);
    let import = ["-e", "inject=fsync:error=EIO:when=4", "-o"];
    let mut import = trace::strace(queue.command(&["import"]).arg(mbox), &import, Path::new("/dev/null"));
    let said = run(&mut import, b"").failed(74);
    let what = "recover the queue, then look; the mails whose ids were printed are queued, up to 99 after this one may be, \
                the rest are not";
    assert!(said.ends_with(what), "{said}");
    assert_eq!(queue.names().len(), mails.len());
}
