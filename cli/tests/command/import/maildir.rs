//! Maildirs: every file is one mail, and no entry is skipped in silence.

use super::{bodies, input, mail};
use crate::process::{launched_by, run, spawn, wait, wait_until};
use crate::queue::Queue;
use crate::trial::trials;
use nix::sys::stat::Mode;
use nix::unistd::{chown, mkfifo};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

trials![
    mails_are_queued_as_files,
    mails_of_similar_names_are_all_queued,
    mail_with_from_line_is_one_mail,
    trashed_and_draft_mails_are_left_out,
    entry_that_is_no_mail_is_reported,
    mail_renamed_meanwhile_is_found,
    folders_are_named,
    folder_that_cannot_be_looked_at_is_named => Root,
    mail_linked_in_both_directories_is_one_mail,
];

const BODY: &str = "To: b@example.com\n\nbody\n";

/// Creates a maildir with these files.
fn maildir(queue: &Queue, files: &[(&str, &str)]) -> PathBuf {
    let maildir = queue.beside("maildir");
    for directory in ["new", "cur", "tmp"] {
        fs::create_dir_all(maildir.join(directory)).expect("the temporary directory is writable");
    }
    for (name, content) in files {
        fs::write(maildir.join(name), content).expect("the temporary directory is writable");
    }
    maildir
}

fn mails_are_queued_as_files() {
    let queue = Queue::existing();
    let maildir = maildir(
        &queue,
        &[
            ("new/2.host", "To: b@example.com\n\nsecond\n"),
            ("new/1.host", "To: b@example.com\n\nfirst\n"),
            ("cur/3.host:2,S", "To: b@example.com\n\nFrom within\n"),
            ("cur/.hidden", "To: b@example.com\n\nno mail\n"),
            ("tmp/4.host", "To: b@example.com\n\nnot delivered yet\n"),
            ("dovecot-uidlist", "no mail"),
        ],
    );
    assert_eq!(
        queue.import(&["--from", "a@example.com"], &[&maildir], "3 mails queued"),
        [
            mail("maildir/cur/3.host:2,S", "To: b@example.com\n\nFrom within\n"),
            mail("maildir/new/1.host", "To: b@example.com\n\nfirst\n"),
            mail("maildir/new/2.host", "To: b@example.com\n\nsecond\n"),
        ]
    );
}

fn mails_of_similar_names_are_all_queued() {
    let queue = Queue::existing();
    let mail = |number: u32| format!("To: b@example.com\n\n{number}\n");
    let mails = [mail(1), mail(2), mail(3), mail(4)];
    let names = ["cur/msg:1", "cur/msg:2", "new/n", "cur/n:2,S"];
    let files: Vec<_> = names.into_iter().zip(mails.iter().map(String::as_str)).collect();
    let maildir = maildir(&queue, &files);
    assert_eq!(queue.import(&[], &[&maildir], "4 mails queued").len(), 4);
}

fn mail_with_from_line_is_one_mail() {
    for arguments in [&[][..], &["--to", "x@example.com"]] {
        let queue = Queue::existing();
        let mails = queue.import(arguments, &[&input("maildir-with-from-line")], "1 mail queued");
        let body = "From: alice@example.com\nTo: bob@example.com\nSubject: one\n\nfirst part\n\n\
                    From here on there are\n>From lines that the sender wrote so\nend\n";
        assert_eq!(bodies(mails), [body]);
    }
}

fn trashed_and_draft_mails_are_left_out() {
    let queue = Queue::existing();
    let files = ["cur/1:2,S", "cur/2:2,ST", "cur/3:2,D", "cur/4:2,DFT", "cur/5:2,", "new/TD"].map(|name| (name, BODY));
    let maildir = maildir(&queue, &files);
    let imported = queue.import(&[], &[&maildir], "3 mails queued, 2 left out as trashed, 1 left out as drafts");
    assert_eq!(imported.len(), 3);
}

fn entry_that_is_no_mail_is_reported() {
    let queue = Queue::existing();
    let maildir = maildir(&queue, &[("cur/1:2,S", BODY), ("cur/empty", "")]);
    fs::create_dir(maildir.join("cur/directory")).expect("it is writable");
    symlink("/nonexistent", maildir.join("new/link")).expect("it is writable");
    let output = queue.try_import(&[], &[&maildir]);
    assert_eq!(output.code, 66, "the code is that of the first failure");
    let mut lines: Vec<&str> = output.stderr.lines().collect();
    lines[..2].sort_unstable();
    let place = |name: &str| format!("queue-store: {}/{name}: ", maildir.display());
    assert_eq!(
        lines,
        [
            format!("{}not a file, as each mail of a maildir is", place("cur/directory")),
            format!("{}No such file or directory; check the path", place("new/link")),
            format!("{}it does not begin with a header; put queues a file as it is", place("cur/empty")),
            "queue-store: 1 mail queued, 3 refused".to_string(),
        ]
    );
    assert_eq!(queue.imported(output.text()).len(), 1);
}

fn mail_renamed_meanwhile_is_found() {
    let queue = Queue::existing();
    let maildir = maildir(&queue, &[("new/1.host", BODY), ("cur/2.host:2,S", BODY), ("new/3.host", BODY)]);
    // The import reads this first, and waits for its writer.
    let pipe = queue.beside("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).expect("the temporary directory is writable");
    let import = spawn(queue.command(&["import"]).args([&pipe, &maildir]));
    wait_until("the import opened the pipe", || {
        let files = fs::read_dir(format!("/proc/{}/fd", import.id())).expect("the import waits for the pipe");
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|path| path == pipe))
    });
    for (from, to) in [("new/1.host", "cur/1.host:2,S"), ("cur/2.host:2,S", "cur/2.host:2,RS")] {
        fs::rename(maildir.join(from), maildir.join(to)).expect("the file exists");
    }
    fs::remove_file(maildir.join("new/3.host")).expect("the file exists");
    fs::write(&pipe, "To: b@example.com\n\npiped\n").expect("the import reads");
    let output = wait(import);
    assert_eq!(output.code, 66);
    let missing = maildir.join("new/3.host");
    let line = format!("queue-store: {}: No such file or directory; check the path", missing.display());
    assert_eq!(output.stderr.lines().collect::<Vec<_>>(), [&line, "queue-store: 3 mails queued, 1 refused"]);
    assert_eq!(queue.imported(output.text()).len(), 3);
}

fn folders_are_named() {
    let queue = Queue::existing();
    let maildir = maildir(&queue, &[("cur/1:2,S", BODY)]);
    for folder in [".Sent/cur", ".Sent/new", "Archive/cur", ".no-folder"] {
        fs::create_dir_all(maildir.join(folder)).expect("the temporary directory is writable");
    }
    let output = queue.try_import(&[], &[&maildir]);
    assert_eq!(output.code, 0);
    let line = |folder| {
        let folder = maildir.join(folder);
        format!("queue-store: {}: a folder: import it by its own path", folder.display())
    };
    let lines = [line(".Sent"), line("Archive"), "queue-store: 1 mail queued".to_string()];
    assert_eq!(output.stderr.lines().collect::<Vec<_>>(), lines);
}

fn folder_that_cannot_be_looked_at_is_named() {
    const USER: u32 = 4733;
    let queue = Queue::existing();
    let maildir = maildir(&queue, &[("cur/1:2,S", BODY)]);
    fs::create_dir_all(maildir.join(".Secret/cur")).expect("the temporary directory is writable");
    fs::set_permissions(maildir.join(".Secret"), Permissions::from_mode(0o700)).expect("the test owns it");
    fs::set_permissions(queue.beside(""), Permissions::from_mode(0o755)).expect("the test owns it");
    chown(&queue.path(), Some(USER.into()), None).expect("root may give files away");
    let reuid = format!("--reuid={USER}");
    let import = queue.command(&["import", maildir.to_str().expect("temporary files have names in UTF-8")]);
    let output = run(&mut launched_by(&["setpriv", &reuid, "--clear-groups"], &import), b"");
    assert_eq!(output.code, 77);
    let line =
        format!("queue-store: {}: Permission denied; run this as a user who may", maildir.join(".Secret").display());
    assert_eq!(output.stderr.lines().collect::<Vec<_>>(), [&line, "queue-store: 1 mail queued, 1 refused"]);
}

fn mail_linked_in_both_directories_is_one_mail() {
    let queue = Queue::existing();
    let maildir = maildir(&queue, &[("new/1.host", BODY), ("cur/2.host:2,S", BODY)]);
    // A mail program links a mail before it unlinks the old name. Another name is a copy, as Dovecot makes it.
    for (from, to) in [("new/1.host", "cur/1.host:2,S"), ("cur/2.host:2,S", "cur/3.host:2,S")] {
        fs::hard_link(maildir.join(from), maildir.join(to)).expect("the temporary directory is writable");
    }
    assert_eq!(queue.import(&[], &[&maildir], "3 mails queued").len(), 3);
}
