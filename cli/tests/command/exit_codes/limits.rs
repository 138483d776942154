//! Limits of the command, of the queue and of the process: 65, 70 and 75.

use crate::process::launched_by;
use crate::queue::Queue;
use crate::trial::trials;
use nix::unistd::geteuid;
use std::os::unix::process::CommandExt;

trials![
    body_above_max_size_exits_65,
    body_above_file_size_limit_exits_65,
    system_without_threads_exits_70,
    full_queue_exits_75,
];

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

fn body_above_file_size_limit_exits_65() {
    let queue = Queue::existing();
    let cause = "the file system takes no file of this size; look at the limit of file sizes (ulimit -f)";
    for size in [200_000, 3 << 20] {
        let put = queue.put_command(&["--format", "binary"]);
        let line = queue.refused(&mut launched_by(&["prlimit", "--fsize=100000"], &put), &vec![b'x'; size], 65);
        assert_eq!(line, format!("DIR/queue/.m:*: {cause}"));
    }
}

fn system_without_threads_exits_70() {
    let queue = Queue::existing();
    let mut list = launched_by(&["prlimit", "--nproc=0"], &queue.command(&["list", "--queue", "/"]));
    if geteuid().is_root() {
        // The limit does not hold for root.
        list.uid(65534).gid(65534);
    }
    let line = queue.refused(&mut list, b"", 70);
    assert!(line.starts_with("the queue component failed: "), "{line}");
}

fn full_queue_exits_75() {
    let queue = Queue::existing();
    let line = "DIR/queue: the queue holds as many items as it may: try again later";
    for body in [&b"body"[..], &[b'x'; 2 << 20]] {
        assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "0"]), body, 75), line);
    }
    queue.put(&["--max-items", "2", "--id", "one"], b"");
    queue.run(&["hold", "one"]).done();
    queue.put(&["--max-items", "2", "--format", "binary"], b"");
    assert_eq!(queue.refused(&mut queue.put_command(&["--max-items", "2"]), b"", 75), line);
    queue.run(&["quarantine", "one"]).done();
    queue.put(&["--max-items", "2"], b"");
    queue.put(&["--max-items", "18446744073709551615"], b"");
}
