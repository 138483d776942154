//! Exports: the pair of imports, byte for byte.

use crate::aged::Aged;
use crate::process::{Output, launched_by, run};
use crate::queue::{Queue, names};
use crate::trial::trials;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

trials![
    import_of_export_has_same_mails,
    mail_never_swallows_the_next_one_of_mbox_file,
    random_mails_are_the_same_after_export_and_import,
    mail_without_header_is_not_written_to_mbox_file,
    mbox_file_is_readable_by_others,
    maildir_has_mail_for_each_item,
    existing_file_is_kept_without_force,
    damaged_item_is_left_out,
    item_that_cannot_be_read_is_left_out => Root,
    export_of_missing_item_exits_66,
    quarantined_item_is_exported_by_its_state_alone,
    failed_export_keeps_the_file_of_an_earlier_one,
    item_that_shares_its_id_is_named_or_refused,
    output_that_makes_no_sense_is_refused,
    force_replaces_files_alone,
];

impl Queue {
    fn try_export(&self, format: &str, output: &Path, arguments: &[&str]) -> Output {
        run(self.command(&["export", "--format", format, "--output"]).arg(output).args(arguments), b"")
    }

    /// Returns the body of each item.
    fn bodies(&self) -> BTreeMap<Vec<u8>, String> {
        self.names().iter().map(|name| (self.cat(&name[2..]), self.info(&name[2..]))).collect()
    }

    /// Returns the sender of an item.
    fn info(&self, id: &str) -> String {
        self.json(&["show", "--json", "--", id])["from"].to_string()
    }
}

/// Bodies that a format could change.
fn difficult_bodies() -> Vec<Vec<u8>> {
    let header = "To: b@example.com\nSubject: s\n";
    let separator = "From a@example.com Mon Jan  1 00:00:00 2024\nTo: victim@example.com\n\n";
    let mut bodies: Vec<Vec<u8>> = [
        "\n",
        "",
        "\nbody",
        "\nbody\n",
        "\nbody\n\n",
        "\nbody\n\n\n",
        "\r\nbody\r\n",
        "\r\nbody\r\n\r\n",
        "\nbody\r",
        "\nFrom here\n>From there\n>>From everywhere\n>From",
        "\n\0\n\nFrom \0",
        "\nFrom ",
        "\n>",
        "Content-Length: 3\n\nbody\n\n\n",
        "Content-Length: 4\n\nbody\n",
        "Content-Length: 5\n\nbody\n",
        "Content-Length: 6\n\nbody\n",
        "Content-Length: 7\n\nbody\n\n",
        "Content-Length: 5\n\nbody\n\n",
        "Content-Length: 4\n\nbody",
        "Content-Length: 5\n\nbody",
    ]
    .into_iter()
    .map(|rest| format!("{header}{rest}").into_bytes())
    .collect();
    bodies.push(format!("{header}\n{separator}").into_bytes());
    bodies.push(format!("{header}\n\n{separator}\n\n{separator}x").into_bytes());
    bodies.push(format!("{header}Content-Length: 2\n\nx\n\n{separator}").into_bytes());
    bodies.push([header.as_bytes(), b"\n", &(0..=255).collect::<Vec<u8>>()].concat());
    bodies.push([header.as_bytes(), b"\n", "From x\n>From y\n".repeat(700_000).as_bytes()].concat());
    bodies
}

fn import_of_export_has_same_mails() {
    let queue = Queue::existing();
    for (number, body) in difficult_bodies().into_iter().enumerate() {
        let from = if number % 2 == 0 { "a@example.com" } else { "<>" };
        run(&mut queue.command(&["put", "--from", from, "--to", "b@example.com"]), &body).done();
    }
    let before = queue.bodies();
    assert_eq!(before.len(), difficult_bodies().len());
    for format in ["mbox", "maildir", "eml"] {
        let output = queue.beside(format);
        let printed = queue.try_export(format, &output, &["--all"]).done();
        assert_eq!(printed, format!("exported {} mails\n", before.len()));
        let other = Queue::existing();
        let imported = run(other.command(&["import", "--format", format]).arg(&output), b"");
        assert_eq!(imported.stderr, format!("queue-store: {} mails queued\n", before.len()), "{format}");
        let after = other.bodies();
        assert!(after.keys().eq(before.keys()), "{format}");
        // The other formats have no place for the sender.
        assert!(format != "mbox" || after == before);
    }
}

fn mail_never_swallows_the_next_one_of_mbox_file() {
    let second = "To: b@example.com\n\nsecond\n";
    let lengths = ["Content-Length", "content-length ", "CONTENT-LENGTH:\n Content-Length", ">Content-Length"];
    // Some of these lead to the end of the next mail.
    let ends = (80..120).map(|length| format!(": {length}\n\nfirst\n"));
    let fields = lengths.iter().flat_map(|name| ends.clone().map(move |end| format!("{name}{end}")));
    let from_lines = ["", ">"].map(|caret| format!("{caret}From a@example.com Mon Jan  1 00:00:00 2024\nX: y\n\n"));
    let queue = Queue::existing();
    let mut ids = Vec::new();
    for (number, field) in fields.chain(from_lines).enumerate() {
        for (place, mail) in
            [("first", format!("To: b@example.com\n{field}")), ("second", format!("X: {number}\n{second}"))]
        {
            let id = format!("{number}-{place}");
            let text = serde_json::Value::from(mail).to_string();
            queue.file_within(
                &format!("m:{id}"),
                format!("ID: \"{id}\" from: \"<>\" data: {text} created_at_ts: {{ seconds: 1 }}"),
            );
            ids.push(id);
        }
    }
    let mbox = queue.beside("mbox");
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    queue.try_export("mbox", &mbox, &ids).done();
    let other = Queue::existing();
    let imported = run(other.command(&["import", "--to", "b@example.com"]).arg(&mbox), b"");
    assert_eq!((imported.code, imported.text().lines().count()), (0, ids.len()), "{}", imported.stderr);
    assert!(other.bodies().into_keys().eq(queue.bodies().into_keys()));
}

fn random_mails_are_the_same_after_export_and_import() {
    let random = &mut fastrand::Rng::with_seed(14);
    let from = "From a@example.com Mon Jan  1 00:00:00 2024";
    let lines =
        ["", "", from, "From ", ">From ", "To: c@example.com", "x", ">", "Content-Length: 9", ">Content-Length: 9"];
    let queue = Queue::existing();
    let eml = queue.beside("eml");
    fs::create_dir(&eml).expect("the temporary directory is writable");
    for number in 0..400 {
        let mut mail = "To: b@example.com\n".to_string();
        for _ in 0..random.usize(..8) {
            mail.push_str(random.choice(lines).expect("there are lines"));
            if random.u8(..4) == 0 {
                mail.push_str(&format!("Content-Length: {}", random.usize(..400)));
            }
            mail.push_str(random.choice(["\n", "\n", "\r\n", ""]).expect("there are ends"));
        }
        fs::write(eml.join(format!("{number}.eml")), mail).expect("the temporary directory is writable");
    }
    let import = |queue: &Queue, path: &Path| {
        let import = ["import", "--format", path.file_name().and_then(|name| name.to_str()).expect("it is a format")];
        let imported = run(queue.command(&import).args(["--from=<>", "--to=b@example.com"]).arg(path), b"");
        assert_eq!(imported.stderr, "queue-store: 400 mails queued\n");
    };
    import(&queue, &eml);
    let mbox = queue.beside("mbox");
    queue.try_export("mbox", &mbox, &["--all"]).done();
    let other = Queue::existing();
    import(&other, &mbox);
    // An id is a digest of the mail.
    assert_eq!(other.names(), queue.names());
}

fn mail_without_header_is_not_written_to_mbox_file() {
    let queue = Queue::existing();
    queue.put(&["--id", "a"], b"To: b@example.com\n\none\n");
    for (id, mail) in [
        ("b", "hello\n"),
        ("c", "\nTo: b@example.com\n"),
        ("d", "From a@example.com Mon Jan  1 00:00:00 2024\nTo: b\n"),
    ] {
        queue.put(&["--id", id], mail.as_bytes());
    }
    let long = [vec![b'x'; 5000], b": y\n\n".to_vec()].concat();
    queue.put(&["--id", "e"], &long);
    let mbox = queue.beside("mbox");
    let exported = queue.try_export("mbox", &mbox, &["a", "b", "c", "d", "e"]);
    assert_eq!((exported.code, exported.text()), (65, "exported 1 mail\n"));
    let problem = "it does not begin with a header, as each mail of an mbox file does: --format eml writes it";
    assert_eq!(exported.stderr, ["b", "c", "d", "e"].map(|id| format!("queue-store: {id}: {problem}\n")).concat());
    assert_eq!(fs::read_to_string(&mbox).expect("it was exported").matches("\nFrom ").count(), 0);
}

fn mbox_file_is_readable_by_others() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"To: b@example.com\n\nFrom here\nno end");
    let output = queue.beside("mbox");
    assert_eq!(queue.try_export("mbox", &output, &["x"]).done(), "exported 1 mail\n");
    let content = fs::read_to_string(output).expect("the export wrote text");
    let (separator, mail) = content.split_once('\n').expect("it has lines");
    assert_eq!(mail, "To: b@example.com\n\n>From here\nno end\n\n");
    assert!(separator.starts_with("From a@example.com ") && separator.ends_with(" (no newline at end)"), "{separator}");
}

fn maildir_has_mail_for_each_item() {
    let queue = Queue::existing();
    queue.put(&["--id", "a:2,T"], b"To: b@example.com\n\none\n");
    queue.put(&["--id", "b"], b"To: b@example.com\n\ntwo\n");
    let output = queue.beside("deep/maildir");
    queue.try_export("maildir", &output, &["--all"]).done();
    assert_eq!(names(&output), ["cur", "new", "tmp"]);
    assert_eq!(names(&output.join("tmp")), [""; 0]);
    let mails = names(&output.join("new"));
    assert!(mails.len() == 2 && mails[0].ends_with(".a\\0722,T") && mails[1].ends_with(".b"), "{mails:?}");
}

fn existing_file_is_kept_without_force() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"To: b@example.com\n\none\n");
    let mbox = queue.file("mbox", "another");
    let eml = queue.beside("eml");
    fs::create_dir(&eml).expect("the temporary directory is writable");
    fs::write(eml.join("x.eml"), "another").expect("the temporary directory is writable");
    for (format, output, file) in [("mbox", &mbox, mbox.clone()), ("eml", &eml, eml.join("x.eml"))] {
        let line = queue.try_export(format, output, &["x"]);
        assert_eq!(line.code, 73);
        let problem = "it exists already: name another with --output, or replace it with --force";
        assert_eq!(line.stderr, format!("queue-store: {}: {problem}\n", file.display()));
        assert_eq!(fs::read_to_string(&file).expect("it is text"), "another");
        queue.try_export(format, output, &["--force", "x"]).done();
        assert!(fs::read_to_string(&file).expect("it is text").contains("\n\none\n"));
    }
}

fn damaged_item_is_left_out() {
    let queue = Queue::existing();
    for id in ["a", "b", "c"] {
        queue.put(&["--id", id], format!("To: b@example.com\n\n{id}\n").as_bytes());
    }
    let path = queue.path().join("m:b");
    let damaged = fs::read_to_string(&path).expect("the item is text").replace("\\nb\\n", "\\nB\\n");
    fs::write(&path, damaged).expect("the queue is writable");
    for format in ["mbox", "eml"] {
        let output = queue.beside(format);
        let exported = queue.try_export(format, &output, &["--all"]);
        assert_eq!((exported.code, exported.text()), (65, "exported 2 mails\n"));
        assert!(exported.stderr.contains("m:b: "), "{}", exported.stderr);
        let other = Queue::existing();
        let imported = run(other.command(&["import", "--format", format]).arg(&output), b"");
        assert_eq!(imported.stderr, "queue-store: 2 mails queued\n");
    }
}

fn item_that_cannot_be_read_is_left_out() {
    const USER: u32 = 4733;
    let queue = Queue::existing();
    ["x", "y", "z"].iter().for_each(|id| drop(queue.put(&["--id", id], b"To: b@example.com\n\nbody\n")));
    for path in ["", "queue", "queue/m:x", "queue/m:z"] {
        chown(queue.beside(path), Some(USER), None).expect("root may give files away");
    }
    let export = queue.command(&["export", "--all", "--format", "mbox", "--output"]);
    let reuid = format!("--reuid={USER}");
    let mut by_user = launched_by(&["setpriv", &reuid, "--clear-groups"], &export);
    let exported = run(by_user.arg(queue.beside("mbox")), b"");
    assert_eq!((exported.code, exported.text()), (77, "exported 2 mails\n"), "{}", exported.stderr);
    assert!(exported.stderr.contains("m:y: "), "{}", exported.stderr);
}

fn export_of_missing_item_exits_66() {
    let queue = Queue::existing();
    let output = queue.try_export("mbox", &queue.beside("mbox"), &["x"]);
    assert_eq!(output.code, 66);
    let line = run(&mut queue.command(&["export", "--format", "mbox", "--output", "x"]), b"").failed(64);
    assert!(line.starts_with("which items: "), "{line}");
}

fn quarantined_item_is_exported_by_its_state_alone() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"Subject: evidence\n\n");
    queue.run(&["quarantine", "x"]).done();
    queue.put(&["--id", "live"], b"Subject: live\n\n");
    let exported = |name: &str, options: &[&str]| {
        queue.try_export("mbox", &queue.beside(name), options).done();
        let mbox = fs::read_to_string(queue.beside(name)).expect("it was exported");
        mbox.lines().filter(|line| line.starts_with("Subject")).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(exported("all", &["--all"]), ["Subject: live"]);
    assert_eq!(exported("quarantined", &["--state", "quarantined"]), ["Subject: evidence"]);
    // The id of another item is not exported in its place, and its subject is not that of the item in quarantine.
    fs::copy(queue.path().join("m:live"), queue.path().join("m:x")).expect("the queue is writable");
    let line = queue.try_export("mbox", &queue.beside("shared"), &["--state", "quarantined"]).failed(65);
    assert!(line.contains("another item of this id is ready"), "{line}");
    let removed = queue.run(&["remove", "--state", "quarantined", "--subject", "live", "--yes"]).done();
    assert_eq!(removed, "removed 0 items\n");
}

fn failed_export_keeps_the_file_of_an_earlier_one() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"Subject: x\n\n");
    let mbox = queue.beside("mbox");
    queue.try_export("mbox", &mbox, &["--all"]).done();
    let before = fs::read(&mbox).expect("it was exported");
    queue.file_within("m:x", "");
    queue.try_export("mbox", &mbox, &["--force", "x"]).failed(65);
    assert_eq!(fs::read(&mbox).expect("it is kept"), before);
    queue.put(&["--id", "y"], b"Subject: y\n\n");
    for options in [["--force", "--all"].as_slice(), &["--force", "--from", "nobody@example.com"]] {
        let kept = queue.try_export("mbox", &mbox, options);
        let words = "the older file is kept, since not every mail was exported, or none: name another file";
        assert!(kept.code != 0 && kept.stderr.contains(words), "{}: {}", kept.code, kept.stderr);
        assert_eq!(fs::read(&mbox).expect("it is kept"), before);
    }
    queue.try_export("mbox", &queue.beside("new"), &["missing"]).failed(66);
    assert!(!queue.beside("new").exists());
}

fn item_that_shares_its_id_is_named_or_refused() {
    let queue = Queue::existing();
    for (name, subject) in [("m:x", "live"), ("q:x", "first"), ("q:y", "first"), ("d:AAAAAAAAAAA:y", "second")] {
        queue.file_within(name, Aged { subject, ..Aged::default() }.text(&name[name.len() - 1..]));
    }
    let (x, y) = (queue.beside("x.mbox"), queue.beside("y.mbox"));
    let exported = queue.try_export("mbox", &x, &["x"]);
    assert_eq!((exported.code, exported.text()), (0, "exported 1 mail\n"));
    assert_eq!(exported.stderr, "queue-store: x: warning: an item of this id is quarantined, and is not exported\n");
    assert!(fs::read_to_string(&x).expect("it was exported").contains("Subject: live"));
    let several = "several files have this id: `resolve` shows them";
    assert_eq!(queue.try_export("mbox", &y, &["y"]).failed(65), format!("y: {several}"));
    let quarantined = queue.try_export("mbox", &y, &["--state", "quarantined", "--larger-than", "1B"]);
    assert_eq!((quarantined.code, quarantined.stderr.matches(&format!("y: {several}")).count()), (65, 1));
    let both = ["--state", "ready", "--state", "quarantined", "--larger-than", "1B"];
    let exported = queue.try_export("mbox", &y, &both);
    assert_eq!((exported.code, exported.stderr.matches(several).count()), (65, 2), "{}", exported.stderr);
    queue.try_export("mbox", &queue.beside("live.mbox"), &["--all"]).done();
}

fn output_that_makes_no_sense_is_refused() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"To: b@example.com\n\none\n");
    let within = "--output is in the directory of the queue, which is for items: name another";
    std::os::unix::fs::symlink(queue.path(), queue.beside("link")).expect("the temporary directory is writable");
    let stdout = "a mail that turns out to be damaged could not be taken back from standard output: name a file with \
                  --output";
    for (output, problem) in [
        ("-".into(), stdout),
        (queue.path(), within),
        (queue.path().join("mbox"), within),
        (queue.path().join("m:x"), within),
        (queue.path().join("deep/down"), within),
        (queue.beside("link").join("mbox"), within),
    ] {
        for format in ["mbox", "maildir", "eml"] {
            let mut export = queue.command(&["export", "--format", format, "--force", "x", "--output"]);
            assert_eq!(queue.refused(export.arg(&output), b"", 64), problem, "{}", output.display());
        }
    }
    let mut here = queue.command(&["export", "--format", "mbox", "--output", "mbox", "x"]);
    assert_eq!(queue.refused(here.current_dir(queue.path()), b"", 64), within);
}

fn force_replaces_files_alone() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"To: b@example.com\n\none\n");
    let target = queue.file("target", "another");
    let eml = queue.beside("eml");
    fs::create_dir(&eml).expect("the temporary directory is writable");
    let links = [queue.beside("link"), queue.beside("dangling"), eml.join("x.eml")];
    for (link, target) in links.iter().zip([target, queue.beside("missing"), queue.path().join("m:x")]) {
        std::os::unix::fs::symlink(target, link).expect("the temporary directory is writable");
    }
    for (format, output) in [("mbox", &links[0]), ("mbox", &links[1]), ("eml", &eml), ("mbox", &eml)] {
        let mut export = queue.command(&["export", "--format", format, "--force", "x", "--output"]);
        let line = queue.refused(export.arg(output), b"", 73);
        assert!(line.ends_with(": not a file, and --force replaces no other: name another with --output"), "{line}");
    }
}
