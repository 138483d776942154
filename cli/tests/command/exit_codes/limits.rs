//! Limits of the command, of the queue and of the process: 65 and 75.

use crate::process::{launched_by, run};
use crate::queue::{Queue, UPDATE};
use crate::trial::trials;
use nix::unistd::geteuid;
use std::os::unix::process::CommandExt;
use std::process::Command;

trials![
    body_above_max_size_exits_65,
    body_above_file_size_limit_exits_75,
    system_without_threads_exits_75,
    process_without_descriptors_exits_75,
    hundred_megabytes_of_address_space_are_enough,
    full_queue_exits_75,
];

const TRY_LATER: &str = "try again later, or raise the limit (ulimit -a)";

fn body_above_max_size_exits_65() {
    let queue = Queue::existing();
    let cause = |limit| format!("the mail has more than the {limit} bytes of --max-size; nothing was queued");
    for (size, limit) in [(11, "10"), (3 << 20, "10"), (3 << 20, "2000000"), (1, "0")] {
        let line = queue.refused(&mut queue.put_command(&["--max-size", limit]), &vec![b'x'; size], 65);
        assert_eq!(line, format!("standard input: {}", cause(limit)));
    }
    let file = queue.file("mail", vec![b'x'; 11]);
    let put = queue.refused(queue.put_command(&["--max-size", "10"]).arg(file), b"", 65);
    assert_eq!(put, format!("DIR/mail: {}", cause("10")));
    queue.put(&["--max-size", "10"], &[b'x'; 10]);
    queue.put(&["--max-size", "18446744073709551615"], &[b'x'; 10]);
}

fn body_above_file_size_limit_exits_75() {
    let queue = Queue::existing();
    let cause = "the file system takes no file of this size; look at the limit of file sizes (ulimit -f)";
    for size in [200_000, 3 << 20] {
        let put = queue.put_command(&["--format", "binary"]);
        let line = queue.refused(&mut launched_by(&["prlimit", "--fsize=100000"], &put), &vec![b'x'; size], 75);
        assert_eq!(line, format!("DIR/queue/.m:*: {cause}"));
    }
}

fn system_without_threads_exits_75() {
    let queue = Queue::existing();
    let mut list = launched_by(&["prlimit", "--nproc=0"], &queue.command(&["list", "--queue", "/"]));
    if geteuid().is_root() {
        // The limit does not hold for root.
        list.uid(65534).gid(65534);
    }
    let line = queue.refused(&mut list, b"", 75);
    assert!(line.starts_with("the process is out of descriptors, threads, memory or file size: "), "{line}");
    assert!(line.ends_with(TRY_LATER), "{line}");
}

fn process_without_descriptors_exits_75() {
    let queue = Queue::existing();
    queue.put(&["--id", "x"], b"body");
    let mail = queue.file("mail", b"body");
    let commands = [
        queue.put_command(&["--id", "y", mail.to_str().expect("temporary directories have names in UTF-8")]),
        queue.command(&["list"]),
        queue.command(&["verify"]),
        queue.command(&["recover"]),
        queue.command(&["cat", "x"]),
        queue.command(&["hold", "x"]),
    ];
    for command in commands {
        let mut refused = 0;
        for descriptors in 4..=16 {
            let mut limited = launched_by(&["prlimit", &format!("--nofile={descriptors}")], &command);
            let before = queue.content();
            let output = run(&mut limited, b"");
            if output.code == 0 {
                break;
            }
            refused += 1;
            let line = output.failed(75);
            let advice = "the limit of descriptors is too low: ulimit -n 64";
            assert!(line.ends_with(advice), "{descriptors} descriptors, {command:?}: {line}");
            assert!(queue.content() == before, "{descriptors} descriptors, {command:?}: something was left");
        }
        assert!(refused > 0, "{command:?}");
    }
}

fn hundred_megabytes_of_address_space_are_enough() {
    let queue = Queue::existing();
    let limited = |command: &Command| launched_by(&["prlimit", "--as=100000000"], command);
    let body = vec![b'x'; 3 << 20];
    run(&mut limited(&queue.put_command(&["--id", "x"])), &body).done();
    for arguments in [&["list"][..], &["show", "x"], &["verify"], &["recover"], &["hold", "x"], &["release", "x"]] {
        run(&mut limited(&queue.command(arguments)), b"").done();
    }
    run(&mut limited(&queue.command(&UPDATE)), b"").done();
    assert_eq!(run(&mut limited(&queue.command(&["cat", "x"])), b"").stdout, body);
    run(&mut limited(&queue.command(&["remove", "x"])), b"").done();
}

fn full_queue_exits_75() {
    let queue = Queue::existing();
    let line = "DIR/queue: the queue holds as many items as it may: try again later";
    for body in [&b"body"[..], &[b'x'; 2 << 20]] {
        assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "0"]), body, 75), line);
    }
    queue.put(&["--max-items", "2", "--id", "one"], b"x");
    queue.run(&["hold", "one"]).done();
    queue.put(&["--max-items", "2", "--format", "binary"], b"x");
    assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "2"]), b"x", 75), line);
    queue.run(&["quarantine", "one"]).done();
    queue.put(&["--max-items", "2"], b"x");
    queue.put(&["--max-items", "18446744073709551615"], b"x");
}
