//! Envelopes: every recipient of the header once, no address that the header does not have, and a reverse-path that is one.

use super::{FROM, bodies, input};
use crate::queue::Queue;
use crate::trial::trials;

trials![
    envelope_comes_from_header,
    arguments_replace_envelope_of_header,
    inputs_have_their_recipients,
    resent_mail_is_for_recipients_of_last_resending,
    blind_copies_are_delivered_and_not_shown,
    placeholder_is_no_reverse_path,
    address_that_is_none_is_refused_by_name,
    mail_without_recipient_is_left_out,
    broken_header_needs_recipients,
];

/// Imports a file with one mail, and returns its envelope.
#[track_caller]
fn envelope(arguments: &[&str], content: &str) -> (String, Vec<String>) {
    let queue = Queue::existing();
    let output = queue.try_import(arguments, &[&queue.file("mail", content)]);
    assert_eq!((output.code, output.stderr.as_str()), (0, "queue-store: 1 mail queued\n"), "{content}");
    queue.envelopes(output.text()).remove(0)
}

/// Imports a file whose mail is refused, and returns the reason.
#[track_caller]
fn refusal(content: impl AsRef<[u8]>) -> String {
    let queue = Queue::existing();
    let path = queue.file("mail", content);
    let (mut refusals, _) = queue.import_with_refusals(&[], &[&path], "0 mails queued, 1 refused");
    refusals.remove(0).replace("DIR/mail: ", "").replace("DIR/mail:1: ", "")
}

fn envelope_comes_from_header() {
    for (text, from, to) in [
        (
            "Return-Path: <r@example.com>\nTo: B <b@example.com>, \"C, D\" <c@example.com>\nCc: d@example.com\n\n",
            "r@example.com",
            &["b@example.com", "c@example.com", "d@example.com"][..],
        ),
        ("Return-Path: <>\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
        (
            "Return-Path: <r@example.com>\nReturn-Path: <s@example.com>\nTo: b@example.com\n\n",
            "r@example.com",
            &["b@example.com"],
        ),
        ("To: group: b@example.com, c@example.com;\n\n", "<>", &["b@example.com", "c@example.com"]),
        ("From: author@example.com\nTo: b@example.com\n\n", "<>", &["b@example.com"]),
        ("TO:\n B\n\t<b@example.com>\r\ncc : c@example.com\n\n", "<>", &["b@example.com", "c@example.com"]),
        (
            "To: b@example.com\nCc: =?utf-8?q?B=2C?= <B@EXAMPLE.com>, b@Example.COM\n\n",
            "<>",
            &["b@example.com", "B@EXAMPLE.com"],
        ),
        ("To: j\u{f6}rg@ex\u{e4}mple.com", "<>", &["j\u{f6}rg@ex\u{e4}mple.com"]),
    ] {
        let to: Vec<String> = to.iter().map(|address| (*address).to_string()).collect();
        assert_eq!(envelope(&[], text), (from.to_string(), to), "{text}");
    }
}

fn arguments_replace_envelope_of_header() {
    let mail = "Return-Path: <r@example.com>\nTo: not an address\n\n";
    let arguments =
        ["--from", "x@example.com", "--to", "y@example.com", "--to", "z@example.com", "--to", "y@EXAMPLE.com"];
    let to = vec!["y@example.com".to_string(), "z@example.com".to_string()];
    assert_eq!(envelope(&arguments, mail), ("x@example.com".to_string(), to));
    assert_eq!(envelope(&["--from", "<>", "--to", "y@example.com"], mail).0, "<>");
    let queue = Queue::existing();
    for option in ["--from", "--to"] {
        let line =
            queue.refused(queue.command(&["import", option, "a b@example.com", "mail"]).current_dir("/"), b"", 64);
        assert!(line.starts_with(&format!("{option} \"a b@example.com\" is refused: ")), "{line}");
    }
}

fn inputs_have_their_recipients() {
    for (name, recipients) in [
        ("two-to-headers.eml", &["one@example.com", "two@example.com", "three@example.com", "four@example.com"][..]),
        ("same-address-to-and-cc.eml", &["bob@example.com", "carol@example.com"]),
    ] {
        let queue = Queue::existing();
        let output = queue.try_import(&[], &[&input(name)]);
        assert_eq!(queue.envelopes(output.text())[0].1, recipients);
    }
    for (name, problem) in [
        (
            "missing-comma.eml",
            "its To is not a list of addresses: an address in it has other text after its `>`, as where a comma is missing; give the addresses with --to",
        ),
        (
            "quoted-local-part.eml",
            "the address \"\\\"bob builder\\\"@example.com\" of To is refused: its local part begins with the character U+0022, and not with a letter, a digit or `_`; give another with --to",
        ),
    ] {
        let queue = Queue::existing();
        let path = input(name);
        let (refusals, _) = queue.import_with_refusals(&[], &[&path], "0 mails queued, 1 refused");
        assert_eq!(refusals, [format!("{}: {problem}", path.display())]);
    }
}

fn resent_mail_is_for_recipients_of_last_resending() {
    let mail = "Resent-From: r@example.com\nResent-To: c@example.com\nResent-Cc: d@example.com\n\
                Resent-From: q@example.com\nResent-To: old@example.com\nTo: b@example.com\n\n";
    assert_eq!(envelope(&[], mail).1, ["c@example.com", "d@example.com"]);
    // A field without recipients does not make it a mail for nobody.
    assert_eq!(envelope(&[], "Resent-From: r@example.com\nTo: b@example.com\n\n").1, ["b@example.com"]);
}

fn blind_copies_are_delivered_and_not_shown() {
    let content = "Bcc: c@example.com,\n d@example.com\nTo: b@example.com\nbcc:\nResent-Bcc: x\n\nBcc: body\n";
    assert_eq!(
        envelope(&[], &content.replace("Resent-Bcc: x\n", "")).1,
        ["b@example.com", "c@example.com", "d@example.com"]
    );
    for arguments in [&["--to", "b@example.com"][..], &["--from", "<>", "--to", "b@example.com"]] {
        let queue = Queue::existing();
        let imported = queue.import(arguments, &[&queue.file("mail", content)], "1 mail queued");
        assert_eq!(bodies(imported), ["To: b@example.com\n\nBcc: body\n"]);
    }
    // Also after a line that is no field.
    let queue = Queue::existing();
    let broken = queue.file("broken", "To: b@example.com\nno field\n more\nBcc: c@example.com\n\nbody\n");
    let imported = queue.import(&["--to", "x@example.com"], &[&broken], "1 mail queued");
    assert_eq!(bodies(imported), ["To: b@example.com\nno field\n more\n\nbody\n"]);
}

fn placeholder_is_no_reverse_path() {
    for name in ["google-takeout.mbox", "thunderbird.mbox"] {
        let queue = Queue::existing();
        let output = queue.try_import(&[], &[&input(name)]);
        assert_eq!(queue.envelopes(output.text())[0].0, "alice@example.com");
    }
    for placeholder in ["1@xxx", "mboxrd@z", "???@???", "-", "MAILER-DAEMON", "bob at example.com"] {
        let from = format!("From {placeholder} Mon Jan  1 00:00:00 2024\n");
        for (field, expected) in
            [("Return-Path: <r@example.com>\n", "r@example.com"), ("Return-Path: <MAILER-DAEMON>\n", "<>"), ("", "<>")]
        {
            assert_eq!(envelope(&[], &format!("{from}{field}To: b@example.com\n\n")).0, expected, "{placeholder}");
        }
    }
    let mail = format!("{FROM}Return-Path: <r@example.com>\nTo: b@example.com\n\n");
    assert_eq!(envelope(&[], &mail).0, "a@example.com");
}

fn address_that_is_none_is_refused_by_name() {
    for (content, problem) in [
        (&b"To: bob\n\n"[..], "the address \"bob\" of To is refused: it needs one `@` "),
        (b"To: Bob Builder <bob>, c@example.com\n\n", "the address \"bob\" of To is refused: it needs one `@` "),
        (b"Cc: Bob Builder\n\n", "the address \"Bob Builder\" of Cc is refused: it needs one `@` "),
        (b"To: b@example.com c@example.com\n\n", "the address \"b@example.com c@example.com\" of To is refused: "),
        (b"To: b\x07@example.com\n\n", "the address \"b\\u{7}@example.com\" of To is refused: "),
        (b"To: b\0@example.com\n\n", "the address \"b\\0@example.com\" of To is refused: "),
        (b"To: b\xff@example.com\n\n", "the address \"b\u{fffd}@example.com\" of To is refused: "),
        (b"To: <>\n\n", "the address \"\" of To is refused: it needs one `@` "),
        (b"Bcc: -x@example.com\n\n", "the address \"-x@example.com\" of Bcc is refused: "),
        (b"To: b@example.com <c@example.com>\n\n", "its To is not a list of addresses: the name before `<` "),
        (
            b"Return-Path: <a b@example.com>\nTo: b@example.com\n\n",
            "the address \"a b@example.com\" of Return-Path is refused: ",
        ),
        (
            b"Return-Path: a@example.com, b@example.com\nTo: b@example.com\n\n",
            "its Return-Path has several addresses; give one with --from",
        ),
        (
            b"From \"a b\"@example.com Mon Jan  1 00:00:00 2024\nTo: b@example.com\n\n",
            "the address \"\\\"a b\\\"@example.com\" of the line before it is refused: ",
        ),
    ] {
        let refusal = refusal(content);
        assert!(refusal.starts_with(problem), "{refusal}");
    }
    // A name is not an address, encoded or not.
    let queue = Queue::existing();
    let path = queue.file("mail", b"To: J\xf6rg <b@example.com>\n\n");
    assert_eq!(queue.import(&[], &[&path], "1 mail queued").len(), 1);
}

fn mail_without_recipient_is_left_out() {
    let queue = Queue::existing();
    let (one, three) = ("To: b@example.com\n\none\n", "To: b@example.com\n\nthree\n");
    let two = "Subject: two\nTo: undisclosed-recipients:;\n\ntwo\n";
    let mbox = queue.file("mbox", format!("{FROM}{one}\n{FROM}{two}\n{FROM}{three}"));
    let (refusals, imported) = queue.import_with_refusals(&[], &[&mbox], "2 mails queued, 1 refused");
    assert_eq!(refusals, ["DIR/mbox:2: it has no address in `To`, `Cc` and `Bcc`: say with --to whom it is for"]);
    assert_eq!(bodies(imported), [one, three]);
}

fn broken_header_needs_recipients() {
    let content = "To: b@example.com\nno field\nCc: c@example.com\n\nbody\n";
    let problem = "line 2 of its header is neither a field nor the continuation of one: say with --to whom it is for";
    assert_eq!(refusal(content), problem);
    assert_eq!(envelope(&["--to", "d@example.com"], content).1, ["d@example.com"]);
}
