//! Mbox files: each mail has all of its lines, or is refused.

use super::{FROM, bodies, input, mail};
use crate::queue::Queue;
use crate::trial::trials;

trials![
    mbox_is_split_into_its_mails,
    empty_mbox_has_no_mails,
    from_line_of_body_stays_in_mail,
    line_with_some_marks_of_separator_refuses_mail,
    content_length_leads_to_next_mail,
    wrong_content_length_is_ignored,
    byte_order_mark_and_blank_lines_precede_mails,
    mail_without_header_is_refused_by_name,
];

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
    assert_eq!(
        queue.import(&[], &[&mbox], "3 mails queued"),
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

fn empty_mbox_has_no_mails() {
    for content in ["", "\n\r\n", "\u{feff}"] {
        let queue = Queue::existing();
        let mbox = queue.file("mbox", content);
        assert_eq!(queue.import(&["--format", "mbox"], &[&mbox], "0 mails queued"), []);
    }
}

fn from_line_of_body_stays_in_mail() {
    for arguments in [&[][..], &["--to", "x@example.com"]] {
        let queue = Queue::existing();
        let mails = bodies(queue.import(arguments, &[&input("from-in-body.mbox")], "2 mails queued"));
        let first = "From: alice@example.com\nTo: bob@example.com\nSubject: one\n\nSome news of the week:\n\n\
                     From my side there are two questions;\nthey can wait.\n";
        assert_eq!(mails[0], first);
    }
    let queue = Queue::existing();
    let body = "To: b@example.com\n\n\nFrom Monday on, at 10:00:\nwe meet\n\nFrom alice@example.com\n\nFrom here\n";
    let mbox = queue.file("mbox", format!("{FROM}{body}\n"));
    assert_eq!(queue.import(&[], &[&mbox], "1 mail queued"), [mail("mbox:1", body)]);
}

fn line_with_some_marks_of_separator_refuses_mail() {
    for (line, before, after) in [
        // No blank line before it.
        (6, "x\n", format!("{FROM}To: c@example.com\n\nmaybe two\n")),
        // No header after it.
        (7, "x\n\n", format!("{FROM}No header.\n")),
        (7, "x\n\n", format!("{FROM}\nTo: c@example.com\n")),
        (7, "x\n\n", FROM.to_string()),
        // No date.
        (7, "x\n\n", "From a@example.com\nTo: c@example.com\n\nmaybe two\n".to_string()),
        (7, "x\n\n", "From - \nTo: c@example.com\n\nmaybe two\n".to_string()),
        // Text, or a separator with another date.
        (7, "x\n\n", "From Monday on, at 10:00:\nx: y\n".to_string()),
        (7, "x\n\n", "From a@example.com 3 Jan 2026\nTo: c@example.com\n\nmaybe two\n".to_string()),
        (
            7,
            "x\n\n",
            "From a@example.com Sat Jan  3 01:05:34 2026 Europe/Berlin\nTo: c@example.com\n\nmaybe two\n".to_string(),
        ),
    ] {
        let queue = Queue::existing();
        let third = "To: b@example.com\n\nthree\n";
        let mbox = queue.file("mbox", format!("{FROM}To: b@example.com\nX: y\n\n{before}{after}\n{FROM}{third}\n"));
        let (refusals, imported) = queue.import_with_refusals(&[], &[&mbox], "1 mail queued, 1 refused");
        let refusal =
            format!("DIR/mbox:1: line {line} may begin the next mail or be part of this one, which is not queued: ");
        assert!(refusals.len() == 1 && refusals[0].starts_with(&refusal), "{refusals:?}");
        assert_eq!(imported, [mail("mbox:2", third)]);
    }
}

fn content_length_leads_to_next_mail() {
    // No line is quoted, and one of the body looks as if it began a mail.
    let inner = format!("one\n\n{FROM}To: victim@example.com\n\n>From x\n");
    for (body, blank) in [(inner.as_str(), "\n"), ("one\n", ""), ("\n", "\n"), ("", "\n")] {
        for end_is_counted in [true, false] {
            let queue = Queue::existing();
            let length = if end_is_counted { body.len() } else { body.len().saturating_sub(1) };
            let first = format!("To: b@example.com\nContent-Length: {length}\n\n{body}");
            let second = "To: b@example.com\ncontent-length: 4\n\ntwo\n";
            let mbox = queue.file("mbox", format!("{FROM}{first}{blank}{FROM}{second}\n"));
            let expected = [mail("mbox:1", &first), mail("mbox:2", second)];
            assert_eq!(queue.import(&[], &[&mbox], "2 mails queued"), expected);
        }
    }
}

fn wrong_content_length_is_ignored() {
    for length in ["0", "1", "3", "5", "6", "50", "99999999999999999999", "18446744073709551615", "-1", "x"] {
        let queue = Queue::existing();
        let first = format!("To: b@example.com\nContent-Length: {length}\n\none\n\n");
        let second = "To: b@example.com\n\ntwo\n";
        let mbox = queue.file("mbox", format!("{FROM}{first}\n{FROM}{second}\n"));
        let expected = [mail("mbox:1", &first), mail("mbox:2", second)];
        assert_eq!(queue.import(&[], &[&mbox], "2 mails queued"), expected, "{length}");
    }
}

fn byte_order_mark_and_blank_lines_precede_mails() {
    let queue = Queue::existing();
    let mails = bodies(queue.import(&[], &[&input("byte-order-mark.mbox")], "2 mails queued"));
    assert_eq!(mails[0], "From: alice@example.com\nTo: bob@example.com\nSubject: one\n\nx\n");
    for start in ["\n", "\r\n\n", "\u{feff}\n"] {
        let queue = Queue::existing();
        let body = "To: b@example.com\n\none\n";
        let mbox = queue.file("mbox", format!("{start}{FROM}{body}\n{FROM}{body}"));
        let expected = [mail("mbox:1", body), mail("mbox:2", body)];
        assert_eq!(queue.import(&[], &[&mbox], "2 mails queued"), expected);
    }
}

fn mail_without_header_is_refused_by_name() {
    let queue = Queue::existing();
    let mail = "To: b@example.com\n\none\n";
    let mbox = queue.file("mbox", format!("{FROM}no header\n\n{FROM}{mail}"));
    let (refusals, imported) =
        queue.import_with_refusals(&["--to", "b@example.com"], &[&mbox], "1 mail queued, 1 refused");
    assert_eq!(refusals, ["DIR/mbox:1: it does not begin with a header; put queues a file as it is"]);
    assert_eq!(bodies(imported), [mail]);
}
