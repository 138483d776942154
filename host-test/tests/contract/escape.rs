//! What tries to leave the directory of the queue, or to make the component wait, does not.

use queue_store_host_test::bindings::{Detail, ErrorCode, Operation, State, mail, no_change};
use queue_store_host_test::instance::{Instance, Preopen, TestQueue, ids};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Ids that are no single file name.
const ESCAPES: [&str; 9] = ["", ".", "..", "../x", "x/../../y", "/etc/passwd", "a/b", "..\\x", "nul\0byte"];

#[test]
fn an_id_that_is_no_file_name_is_refused_before_any_file_is_touched() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    let long = "x".repeat(254);
    let syncs = queue.counter("directory-syncs");
    for id in ESCAPES.into_iter().chain([long.as_str()]) {
        let some = ids(&[id]);
        let mut codes = vec![
            queue.put(Some(id), &mail(b"x"), None).expect_err(id).code,
            queue.get(id).expect_err(id).code,
            queue.info(id).expect_err(id).code,
            queue.update(id, &no_change(), None).expect_err(id).code,
            queue.body_open(id, 0).expect_err(id).code,
            queue.draft_begin(Some(id), &mail(b"").envelope, None).expect_err(id).code,
        ];
        for outcomes in [
            queue.remove(&some, None),
            queue.discard(&some, None),
            queue.hold(&some),
            queue.release(&some),
            queue.quarantine(&some),
            queue.restore(&some),
            queue.seal(&some),
            queue.verify(&some),
            queue.put_many(&[(Some(id.to_string()), mail(b"x"))], None),
        ] {
            codes.push(outcomes.expect("an outcome for each")[0].code().expect(id));
        }
        assert_eq!(codes, vec![ErrorCode::InvalidArgument; codes.len()], "{id:?}");
    }
    assert_eq!(queue.names(), ["m:x"]);
    assert_eq!(queue.counter("directory-syncs"), syncs);
}

#[test]
fn any_other_id_is_a_file_name() {
    let mut queue = TestQueue::new();
    let longest = "x".repeat(253);
    for id in ["...", "-rf", "a b", "ñ", "😀", "a\nb", "\u{1b}[2J", "m:x", ":", "=", "~", ".m:x", &longest] {
        assert_eq!(queue.put(Some(id), &mail(id.as_bytes()), None).expect("a put"), id);
        assert_eq!(queue.get(id).expect("the item").body, id.as_bytes());
        let moved = [
            queue.hold(&ids(&[id])),
            queue.release(&ids(&[id])),
            queue.quarantine(&ids(&[id])),
            queue.restore(&ids(&[id])),
        ];
        for outcomes in moved {
            assert_eq!(outcomes.expect("a move")[0].problem, None, "{id:?}");
        }
        assert_eq!(queue.remove(&ids(&[id]), None).expect("a removal")[0].problem, None);
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn a_path_leads_below_a_preopen_or_nowhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(directory.path().join("below/deep")).expect("directories");
    fs::write(directory.path().join("file"), b"").expect("a file");
    symlink(outside.path(), directory.path().join("link")).expect("a symbolic link");
    symlink(directory.path().join("below"), directory.path().join("inner")).expect("a symbolic link");
    let mut instance = Instance::with(&[Preopen { path: directory.path(), name: "queue", read_only: false }]);
    for path in ["queue", "queue/below", "queue/below/deep"] {
        instance.on(path).put(None, &mail(b"x"), None).expect(path);
    }
    for path in [
        "",
        "/",
        ".",
        "que",
        "queue2",
        "/queue",
        "queue/",
        "queue//below",
        "queue/.",
        "queue/..",
        "queue/../queue",
        "queue/below/",
        "queue/below/..",
        "queue/link",
        "queue/link/x",
        "queue/inner",
        "queue/file",
        "queue/none",
        "queue\\below",
        "queue/be\0low",
        "elsewhere",
    ] {
        let error = instance.on(path).put(None, &mail(b"x"), None).expect_err(path);
        assert_eq!(error.operation, Operation::Resolve, "{path:?}");
        assert_eq!(error.path, path);
        let code = matches!(
            error.code,
            ErrorCode::InvalidArgument | ErrorCode::NotFound | ErrorCode::Unsupported | ErrorCode::Access
        );
        assert!(code, "{path:?}: {:?}", error.code);
    }
    assert_eq!(fs::read_dir(outside.path()).expect("a directory").count(), 0);
}

/// Plants something under the name of the item `x`.
type Plant = fn(&Path, &Path);

const PLANTS: [(&str, Plant); 6] = [
    ("a FIFO", |path, _| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO")),
    ("a directory", |path, _| fs::create_dir(path).expect("a directory")),
    ("a symbolic link to an item", |path, outside| symlink(outside.join("m:x"), path).expect("a link")),
    ("a symbolic link to itself", |path, _| symlink(path, path).expect("a link")),
    ("a symbolic link to nothing", |path, _| symlink("nothing", path).expect("a link")),
    ("a socket", |path, _| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"))),
];

#[test]
fn what_is_no_regular_file_is_never_opened_nor_in_the_way() {
    for (what, plant) in PLANTS {
        let mut outside = TestQueue::new();
        outside.put(Some("x"), &mail(b"outside"), None).expect("a put");
        let secret = fs::read(outside.file("m:x")).expect("the file");
        let mut queue = TestQueue::new();
        queue.put(Some("good"), &mail(b"good"), None).expect("a put");
        plant(&queue.file("m:x"), outside.path());
        let unsupported = ErrorCode::Unsupported;
        assert_eq!(queue.get("x").expect_err(what).code, unsupported, "{what}");
        assert_eq!(queue.info("x").expect_err(what).code, unsupported, "{what}");
        assert_eq!(queue.body_open("x", 0).expect_err(what).code, unsupported, "{what}");
        assert_eq!(queue.update("x", &no_change(), None).expect_err(what).code, unsupported, "{what}");
        assert_eq!(queue.put(Some("x"), &mail(b"mine"), None).expect_err(what).code, unsupported, "{what}");
        let x = ids(&["x"]);
        for outcomes in [
            queue.remove(&x, None),
            queue.hold(&x),
            queue.release(&x),
            queue.quarantine(&x),
            queue.seal(&x),
            queue.verify(&x),
        ] {
            assert_eq!(outcomes.expect("a batch")[0].code(), Some(unsupported), "{what}");
        }
        let entries = queue.list(&[State::Ready], Detail::Envelope, 10).expect("a listing");
        let problem = |id: &str| {
            let entry = entries.iter().find(|entry| entry.id == id).expect("an entry");
            entry.problem.as_ref().map(|problem| problem.code)
        };
        assert_eq!((problem("good"), problem("x")), (None, Some(unsupported)), "{what}");
        let counts = queue.count().expect("counts");
        assert_eq!((counts.ready, counts.foreign), (1, 1), "{what}");
        let recovery = queue.recover(0).expect("a recovery");
        assert_eq!((recovery.items, recovery.problems.len()), (1, 0), "{what}");
        assert_eq!(queue.names(), ["m:good", "m:x"], "{what} is left alone");
        assert_eq!(fs::read(outside.file("m:x")).expect("the file"), secret, "{what}");
    }
}

#[test]
fn a_temporary_name_that_is_planted_is_not_written_through() {
    let mut outside = TestQueue::new();
    outside.put(Some("x"), &mail(b"outside"), None).expect("a put");
    let mut queue = TestQueue::new();
    // Recovery removes temporary files, and neither directories nor what a link leads to.
    symlink(outside.file("m:x"), queue.file(".m:AAAAAAAAAAA")).expect("a link");
    fs::create_dir(queue.file(".m:BBBBBBBBBBB")).expect("a directory");
    let recovery = queue.recover(0).expect("a recovery");
    assert_eq!((recovery.swept, recovery.kept), (0, 0));
    assert_eq!(outside.names(), ["m:x"]);
    assert_eq!(queue.names(), [".m:AAAAAAAAAAA", ".m:BBBBBBBBBBB"]);
}

#[test]
fn names_that_are_not_utf8_are_counted_and_in_nobodys_way() {
    let mut queue = TestQueue::new();
    queue.put(Some("x"), &mail(b"body"), None).expect("a put");
    let name = std::ffi::OsStr::from_bytes(b"m:\xff\xfe");
    if fs::write(queue.path().join(name), b"ID: \"\"").is_err() {
        // Some file systems take only UTF-8, and then there is nothing to be tolerant of.
        return;
    }
    let counts = queue.count().expect("counts");
    assert_eq!((counts.ready, counts.foreign), (1, 1));
    assert_eq!(queue.list(&[], Detail::Whole, 10).expect("a listing").len(), 1);
    assert_eq!(queue.list_ids(&[], None, 10).expect("a page").ids, ["x"]);
    let recovery = queue.recover(0).expect("a recovery");
    assert_eq!((recovery.items, recovery.problems.len()), (1, 0));
    assert!(queue.path().join(name).exists());
}
