//! Imports that stop before their end tell exactly which mails are queued.

use super::{FROM, Imported, REST, mail};
use crate::mounts::{mount_tmpfs, with_mounts};
use crate::process::{launched_by, run};
use crate::queue::Queue;
use crate::strace::with_fault;
use crate::trial::trials;
use std::path::PathBuf;

trials![
    full_queue_keeps_acknowledged_mails,
    full_disk_keeps_acknowledged_mails => Root,
    failed_fsync_is_told_from_refusal => Strace,
    mails_after_failed_one_are_counted => Strace,
    few_descriptors_end_import,
];

/// Writes an mbox file, and returns it with its mails.
fn many(queue: &Queue, number: usize, size: usize) -> (PathBuf, Vec<Imported>) {
    let body = |number: usize| format!("To: b@example.com\n\n{}\n", format!("mail {number} ").repeat(size / 8));
    let mbox: String = (1..=number).map(|number| format!("{FROM}{}\n", body(number))).collect();
    let mails = (1..=number).map(|number| mail(&format!("mbox:{number}"), &body(number))).collect();
    (queue.file("mbox", mbox), mails)
}

fn full_queue_keeps_acknowledged_mails() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 250, 10);
    let output = queue.try_import(&["--max-items", "130"], &[&mbox]);
    let cause = format!("{}: the queue holds as many items as it may: try again later", queue.path().display());
    let line = format!("queue-store: {}:131: {cause}; {REST}\n", mbox.display());
    assert_eq!((output.code, &output.stderr), (75, &format!("queue-store: 130 mails queued\n{line}")));
    assert_eq!(queue.imported(output.text()), mails[..130]);
    // The same import again goes on.
    assert_eq!(queue.import(&[], &[&mbox], "120 mails queued, 130 queued already"), mails);
}

fn full_disk_keeps_acknowledged_mails() {
    with_mounts(|| {
        let queue = Queue::new();
        let (mbox, mails) = many(&queue, 250, 4000);
        mount_tmpfs(&queue.path(), "size=640k");
        let output = queue.try_import(&[], &[&mbox]);
        assert_eq!(output.code, 75);
        let imported = queue.imported(output.text());
        assert_eq!(imported, mails[..imported.len()]);
        assert!((50..250).contains(&imported.len()), "{}", imported.len());
        let place = format!(
            "queue-store: {} mails queued\nqueue-store: {}:{}: ",
            imported.len(),
            mbox.display(),
            imported.len() + 1
        );
        let cause = format!(": no space is left on the device; make room, then try again; {REST}\n");
        assert!(output.stderr.starts_with(&place) && output.stderr.ends_with(&cause), "{}", output.stderr);
    });
}

fn failed_fsync_is_told_from_refusal() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 3, 10);
    // The first fsyncs are of the directory's entry, of the directory as it was, and of the three files.
    let line = run(&mut with_fault("fsync:error=EIO:when=6", queue.command(&["import"]).arg(&mbox)), b"").failed(74);
    let cause = "recover the queue, then look; the mails whose ids were printed are queued, others may be: the same \
                 import again queues the rest, and none twice";
    assert!(line.ends_with(cause), "{line}");
    assert_eq!(queue.names().iter().filter(|name| name.starts_with("m:")).count(), mails.len());
    assert_eq!(run(&mut queue.command(&["recover"]), b"").code, 0);
    assert_eq!(queue.import(&[], &[&mbox], "0 mails queued, 3 queued already"), mails);
}

fn mails_after_failed_one_are_counted() {
    let queue = Queue::existing();
    let (mbox, mails) = many(&queue, 5, 10);
    // The fsync of the second file.
    let output = run(&mut with_fault("fsync:error=EIO:when=4", queue.command(&["import"]).arg(&mbox)), b"");
    assert_eq!(output.code, 74);
    assert!(output.stderr.starts_with("queue-store: 4 mails queued\n"), "{}", output.stderr);
    assert!(output.stderr.ends_with(&format!("; {REST}\n")), "{}", output.stderr);
    let place = format!("{}:2: ", mbox.display());
    assert!(output.stderr.contains(&place), "{}", output.stderr);
    assert_eq!(queue.imported(output.text()), [&mails[..1], &mails[2..]].concat());
    queue.import(&[], &[&mbox], "1 mail queued, 4 queued already");
}

fn few_descriptors_end_import() {
    for descriptors in [10, 20, 30, 40, 45, 50] {
        let queue = Queue::existing();
        let (mbox, mails) = many(&queue, 100, 10);
        let limit = format!("--nofile={descriptors}");
        let output = run(&mut launched_by(&["prlimit", &limit], queue.command(&["import"]).arg(&mbox)), b"");
        match output.code {
            0 => {}
            75 => {
                let line = output.stderr.lines().last().unwrap_or_default();
                assert!(line.contains("ulimit -"), "{descriptors}: {}", output.stderr);
            }
            code => panic!("{descriptors}: {code}: {}", output.stderr),
        }
        let imported = queue.imported(output.text());
        assert!(imported.iter().all(|mail| mails.contains(mail)));
    }
}
