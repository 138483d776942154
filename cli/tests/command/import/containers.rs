//! The format of a path: told by its container, its first line or an option.

use super::{FROM, bodies, input, mail};
use crate::process::{run, spawn, wait};
use crate::queue::Queue;
use crate::trial::trials;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

trials![
    single_file_is_one_mail,
    file_of_one_mail_may_begin_with_from_line,
    file_with_a_broken_from_line_is_no_mail,
    format_option_overrides_first_line,
    directory_of_files_needs_format,
    other_entries_of_directory_of_files_are_counted,
    slow_pipe_is_read_as_file_is,
    file_that_is_no_mail_is_refused,
    carriage_returns_alone_are_refused,
    large_mail_is_queued_as_stream,
    unusable_path_is_refused_before_any_put,
];

fn single_file_is_one_mail() {
    let queue = Queue::existing();
    let bytes = [b"Subject: x\r\n\r\n".to_vec(), (0..=255).collect()].concat();
    let path = queue.file("one", &bytes);
    for format in ["text", "binary"] {
        let queue = Queue::existing();
        let import = ["--to", "b@example.com", "--item-format", format];
        let imported = queue.import(&import, &[&path], "1 mail queued");
        assert_eq!(imported[0].1, bytes);
        let sign = if format == "text" { "m:" } else { "m=" };
        assert!(queue.names()[0].starts_with(sign));
    }
}

fn file_of_one_mail_may_begin_with_from_line() {
    let body = format!("To: b@example.com\n\none\n\n{FROM}To: victim@example.com\n\n>From x\n");
    for (name, options) in [("mail.eml", &[][..]), ("cur", &[]), ("mail", &["--format", "eml"])] {
        let queue = Queue::existing();
        let mut path = queue.beside(name);
        if name == "cur" {
            fs::create_dir(&path).expect("the temporary directory is writable");
            path.push("mail");
        }
        fs::write(&path, format!("{FROM}{body}")).expect("the temporary directory is writable");
        assert_eq!(bodies(queue.import(options, &[&path], "1 mail queued")), [body.as_str()]);
        let output = queue.try_import(options, &[&path]);
        assert_eq!(queue.envelopes(output.text()), [("a@example.com".to_string(), vec!["b@example.com".to_string()])]);
    }
}

fn format_option_overrides_first_line() {
    let queue = Queue::existing();
    let body = "To: b@example.com\n\none\n";
    let path = queue.file("mails.eml", format!("{FROM}{body}\n{FROM}{body}"));
    let expected = [mail("mails.eml:1", body), mail("mails.eml:2", body)];
    assert_eq!(queue.import(&["--format", "mbox"], &[&path], "2 mails queued"), expected);
    let queue = Queue::existing();
    let path = queue.file("mail", body);
    let (refusals, _) = queue.import_with_refusals(&["--format", "mbox"], &[&path], "0 mails queued, 1 refused");
    assert_eq!(refusals, ["DIR/mail: not an mbox file, whose first line has `From `, a sender and a date"]);
}

fn directory_of_files_needs_format() {
    let queue = Queue::existing();
    let directory = queue.beside("mails");
    fs::create_dir(&directory).expect("the temporary directory is writable");
    for name in ["b.eml", "a.eml", "notes.txt"] {
        fs::write(directory.join(name), format!("To: b@example.com\nX: {name}\n\n")).expect("it is writable");
    }
    let expected = ["a.eml", "b.eml"];
    let expected = expected.map(|name| mail(&format!("mails/{name}"), &format!("To: b@example.com\nX: {name}\n\n")));
    let total = "2 mails queued, 1 left out without `.eml` in the name";
    assert_eq!(queue.import(&["--format", "eml"], &[&directory], total), expected);
    for (options, problem) in [
        (&[][..], "not a maildir, which has directories `new` and `cur`"),
        (&["--format", "mbox"], "not an mbox file, whose first line has `From `, a sender and a date"),
    ] {
        let line = queue.refused(queue.command(&["import"]).args(options).arg(&directory), b"", 65);
        assert_eq!(line, format!("DIR/mails: {problem}"));
    }
}

fn other_entries_of_directory_of_files_are_counted() {
    let queue = Queue::existing();
    let directory = queue.beside("mails");
    fs::create_dir_all(directory.join("below.eml")).expect("the temporary directory is writable");
    for name in ["A.EML", "b.Eml", "1", ".hidden"] {
        fs::write(directory.join(name), format!("To: b@example.com\nX: {name}\n\n")).expect("it is writable");
    }
    symlink("/nonexistent", directory.join("aa.eml")).expect("it is writable");
    let output = queue.try_import(&["--format", "eml"], &[&directory]);
    assert_eq!(output.code, 66);
    assert_eq!(
        output.stderr.lines().collect::<Vec<_>>(),
        [
            format!("queue-store: {}/aa.eml: No such file or directory; check the path", directory.display()),
            format!("queue-store: {}/below.eml: a folder: import it by its own path", directory.display()),
            "queue-store: 2 mails queued, 1 refused, 2 left out without `.eml` in the name".to_string(),
        ]
    );
    assert_eq!(queue.imported(output.text()).len(), 2);
    // The name tells the format also where a file is named.
    let (line, body) = (FROM, "To: b@example.com\n\none\n");
    let queue = Queue::existing();
    let path = queue.file("ONE.EML", format!("{line}{body}\n{line}{body}"));
    assert_eq!(queue.import(&[], &[&path], "1 mail queued").len(), 1);
}

fn slow_pipe_is_read_as_file_is() {
    let mails = fs::read(input("byte-order-mark.mbox")).expect("the input is in the project");
    for (path, skipped) in [("/dev/stdin", 3), ("-", 3), ("-", 0)] {
        let queue = Queue::existing();
        let mut import = spawn(queue.command(&["import", path]).stdin(Stdio::piped()));
        let mut stdin = import.stdin.take().expect("it is a pipe");
        let (first, rest) = mails[skipped..].split_at(3);
        stdin.write_all(first).expect("the command reads its input");
        thread::sleep(Duration::from_millis(200));
        stdin.write_all(rest).expect("the command reads its input");
        drop(stdin);
        let output = wait(import);
        assert_eq!((output.code, output.stderr.as_str()), (0, "queue-store: 2 mails queued\n"));
        assert_eq!(queue.imported(output.text()).len(), 2);
    }
}

fn file_that_is_no_mail_is_refused() {
    let queue = Queue::existing();
    let no_header = "it does not begin with a header; put queues a file as it is";
    let no_mbox = "not an mbox file, whose first line has `From `, a sender and a date";
    let contents: [&[u8]; 6] = [
        b"\nbody alone\n",
        b"\x1f\x8b\x08\x00",
        b"hello\n",
        b" x: y\n",
        b"\xff\xfeF\0r\0o\0m\0 \0",
        b"From a@example.com\n",
    ];
    for content in contents {
        let path = queue.file("file", content);
        let import = &["--from", "a@example.com", "--to", "b@example.com"];
        let (refusals, imported) = queue.import_with_refusals(import, &[&path], "0 mails queued, 1 refused");
        let reason = if content.starts_with(b"From ") { no_mbox } else { no_header };
        assert_eq!((refusals, imported), (vec![format!("DIR/file: {reason}")], vec![]));
    }
    let path = queue.file("empty.eml", "");
    let (refusals, _) = queue.import_with_refusals(&[], &[&path], "0 mails queued, 1 refused");
    assert_eq!(refusals, [format!("DIR/empty.eml: {no_header}")]);
}

fn carriage_returns_alone_are_refused() {
    let queue = Queue::existing();
    for content in ["To: b@example.com\rSubject: x\r\rbody\r", "To: b@example.com\nX: y\rz\n\nbody\n"] {
        let path = queue.file("file", content);
        let (refusals, _) =
            queue.import_with_refusals(&["--to", "b@example.com"], &[&path], "0 mails queued, 1 refused");
        assert_eq!(refusals, ["DIR/file: its header has lines that end with CR alone: convert them to LF"]);
    }
    // SMTP forbids those of a body as well, and its server decides on them.
    let body = "To: b@example.com\n\na\rb\n";
    assert_eq!(bodies(queue.import(&[], &[&queue.file("file", body)], "1 mail queued")), [body]);
}

fn large_mail_is_queued_as_stream() {
    let mut body = b"To: b@example.com\nBcc: c@example.com\n\n".to_vec();
    body.resize(20 << 20, b'x');
    let without_bcc = [&body[..18], &body[37..]].concat();
    let queue = Queue::existing();
    let mbox =
        queue.file("mbox", [FROM.as_bytes(), &body, b"\n\n", FROM.as_bytes(), b"To: b@example.com\n\n"].concat());
    let (large, small) = (queue.file("large", &body), queue.file("small", "To: b@example.com\n\nsmall\n"));
    let imported = queue.import(&[], &[&small, &large, &small, &mbox], "5 mails queued");
    let sources: Vec<&str> = imported.iter().map(|(source, _)| source.as_str()).collect();
    assert_eq!(sources, ["small", "large", "small", "mbox:1", "mbox:2"]);
    assert!(imported[1].1 == without_bcc);
    assert!(imported[3].1 == [&without_bcc[..], b"\n"].concat());
    let queue = Queue::existing();
    let path = queue.file("header", ["X: y\n".repeat(2 << 20), "To: b@example.com\n\n".to_string()].concat());
    let (refusals, _) = queue.import_with_refusals(&[], &[&path], "0 mails queued, 1 refused");
    assert_eq!(refusals, ["DIR/header: its header has more than 8388608 bytes; put queues a file as it is"]);
}

fn unusable_path_is_refused_before_any_put() {
    let queue = Queue::existing();
    let good = queue.file("good", "To: b@example.com\n\ngood\n");
    let missing = queue.beside("missing");
    let line = queue.refused(queue.command(&["import"]).args([&good, &missing]), b"", 66);
    assert_eq!(line, "DIR/missing: No such file or directory; check the path");
    let output = run(queue.command(&["import"]).arg("/dev/null"), b"");
    assert_eq!((output.code, output.stderr.as_str()), (0, "queue-store: 0 mails queued\n"));
}

fn file_with_a_broken_from_line_is_no_mail() {
    for line in ["From a@example.com Sat Jan  3 01:05:34 2026 Europe/Berlin", "From a@example.com 2026-01-03T01:05:34Z"]
    {
        let queue = Queue::existing();
        let mail = format!("{line}\nTo: b@example.com\n\none\n\n");
        let path = queue.file("box", format!("\n{mail}{mail}"));
        let output = queue.try_import(&["--to", "victim@example.com"], &[&path]);
        assert_eq!(output.code, 65, "{}", output.stderr);
        assert!(output.stderr.contains("not an mbox file, whose first line has"), "{}", output.stderr);
        assert_eq!(queue.names(), [""; 0]);
    }
}
