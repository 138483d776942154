//! Ids, paths and planted files that could lead out of the queue's directory, or block the component.

use crate::support::{body, code, codes, done, one, only_code, put};
use queue_store_host_test::bindings::{Attempt, Detail, ErrorCode, State, envelope, identified, ids, mail, no_change};
use queue_store_host_test::instance::{Instance, Preopen};
use queue_store_host_test::test_queue::TestQueue;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Ids that are no single file name.
const ESCAPES: [&str; 9] = ["", ".", "..", "../x", "x/../../y", "/etc/passwd", "a/b", "..\\x", "nul\0byte"];

#[test]
fn malformed_ids_are_refused_before_any_file_operation() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let syncs = queue.counter("directory-syncs");
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    for id in ESCAPES {
        let some = one(id);
        let mut codes = vec![
            code(queue.put(Some(id), &mail(b"x"), None)),
            code(queue.begin(Some(id), &envelope(), None)),
            code(queue.get(id)),
            code(queue.info(id)),
            code(queue.read(id, 0)),
            code(queue.update(id, &no_change(), None)),
            code(queue.record_attempts(id, &attempts, None, None)),
        ];
        for outcomes in [
            queue.set_state(&some, State::Ready),
            queue.set_state(&some, State::Held),
            queue.set_state(&some, State::Quarantined),
            queue.remove(&some, &[], None),
            queue.remove(&some, &[State::Quarantined], None),
            queue.seal(&some),
            queue.verify(&some),
            queue.put_many(&[identified(Some(id), mail(b"x"))], None),
        ] {
            codes.push(only_code(outcomes).expect("a malformed id is refused"));
        }
        assert_eq!(codes, vec![ErrorCode::InvalidArgument; codes.len()], "{id:?}");
    }
    assert_eq!(queue.names(), ["m:x"]);
    assert_eq!(queue.counter("directory-syncs"), syncs);
}

#[test]
fn every_other_id_is_a_file_name() {
    let mut queue = TestQueue::new();
    for id in ["...", "-rf", "a b", "ñ", "😀", "a\nb", "\u{1b}[2J", "m:x", ":", "=", "~", ".m:x", "d:AAAAAAAAAAA:x"]
    {
        put(&mut queue, id, id.as_bytes());
        assert_eq!(body(&mut queue, id), id.as_bytes());
        for state in [State::Held, State::Ready, State::Quarantined, State::Ready] {
            done(queue.set_state(&one(id), state));
            let entries = queue.list(&[], Detail::Whole, 10).expect("the directory can be read");
            assert_eq!((entries[0].id.as_str(), entries[0].state), (id, state));
        }
        done(queue.remove(&one(id), &[], None));
    }
    assert_eq!(queue.names(), [""; 0]);
}

#[test]
fn queue_paths_lead_below_a_preopen_only() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let outside = tempfile::tempdir().expect("a test can create a temporary directory");
    fs::create_dir_all(directory.path().join("below/deep")).expect("the directories can be created");
    fs::write(directory.path().join("file"), b"").expect("the file can be written");
    symlink(outside.path(), directory.path().join("link")).expect("the link can be created");
    symlink(directory.path().join("below"), directory.path().join("inner")).expect("the link can be created");
    let mut instance = Instance::with(&[Preopen { path: directory.path(), name: "queue", read_only: false }]);
    for path in ["queue", "queue/below", "queue/below/deep"] {
        instance.on(path).put(None, &mail(b"x"), None).expect("the directory exists");
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
        let error = instance.open(path).expect_err("the path is no directory below the preopen");
        assert_eq!((error.operation.as_str(), error.path.as_str()), ("resolve", path));
        let expected = match path {
            "que" | "queue2" | "elsewhere" | "queue/none" => vec![ErrorCode::NotFound],
            "queue/file" | "queue/link" | "queue/inner" => vec![ErrorCode::Unsupported],
            // The first component that is no directory ends the walk.
            "queue/link/x" => vec![ErrorCode::Unsupported],
            "" | "/" | "." | "/queue" | "queue\\below" => vec![ErrorCode::InvalidArgument, ErrorCode::NotFound],
            _ => vec![ErrorCode::InvalidArgument],
        };
        assert!(expected.contains(&error.code), "{path:?}: {:?}", error.code);
    }
    assert_eq!(fs::read_dir(outside.path()).expect("the directory can be read").count(), 0);
}

#[test]
fn unknown_preopen_is_answered_with_the_known_ones() {
    let directory = tempfile::tempdir().expect("a test can create a temporary directory");
    let preopen = |name| Preopen { path: directory.path(), name, read_only: false };
    let mut instance = Instance::with(&[preopen("spool"), preopen("bounces")]);
    let error = instance.open("queue").expect_err("no preopen has the name");
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(error.detail.contains("spool") && error.detail.contains("bounces"), "{}", error.detail);
}

/// Plants something under a path; the second path is a directory with the item `x`.
type Plant = fn(&Path, &Path);

const PLANTS: [(&str, Plant); 6] = [
    ("a FIFO", |path, _| {
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("the FIFO can be created");
    }),
    ("a directory", |path, _| fs::create_dir(path).expect("the directory can be created")),
    ("a symbolic link to an item", |path, outside| {
        symlink(outside.join("m:x"), path).expect("the link can be created");
    }),
    ("a symbolic link to itself", |path, _| symlink(path, path).expect("the link can be created")),
    ("a symbolic link to nothing", |path, _| symlink("nothing", path).expect("the link can be created")),
    ("a socket", |path, _| drop(UnixListener::bind(path).expect("the socket can be created"))),
];

#[test]
fn irregular_files_are_never_opened() {
    let unsupported = ErrorCode::Unsupported;
    for (what, plant) in PLANTS {
        let mut outside = TestQueue::new();
        put(&mut outside, "x", b"outside");
        let secret = fs::read(outside.file("m:x")).expect("the file exists");
        let mut queue = TestQueue::new();
        put(&mut queue, "good", b"good");
        plant(&queue.file("m:x"), outside.path());
        let refused = [
            code(queue.get("x")),
            code(queue.info("x")),
            code(queue.read("x", 0)),
            code(queue.update("x", &no_change(), None)),
            code(queue.put(Some("x"), &mail(b"mine"), None)),
        ];
        assert_eq!(refused, [unsupported; 5], "{what}");
        let x = one("x");
        for outcomes in [
            queue.remove(&x, &[], None),
            queue.hold(&x),
            queue.release(&x),
            queue.quarantine(&x),
            queue.seal(&x),
            queue.verify(&x),
        ] {
            assert_eq!(only_code(outcomes), Some(unsupported), "{what}");
        }
        let entries = queue.list(&[State::Ready], Detail::Envelope, 10).expect("the directory can be read");
        let problem = |id: &str| {
            let entry = entries.iter().find(|entry| entry.id == id).expect("the listing has every item");
            entry.problem.as_ref().map(|problem| problem.code)
        };
        assert_eq!((problem("good"), problem("x")), (None, Some(unsupported)), "{what}");
        let counts = queue.count().expect("the directory can be read");
        assert_eq!((counts.ready, counts.foreign), (1, 1), "{what}");
        let recovery = queue.recover(0).expect("the directory can be read");
        let problems: Vec<_> = recovery.problems.iter().map(|problem| (problem.code, problem.path.as_str())).collect();
        assert_eq!((recovery.durable_items, problems), (1, vec![(ErrorCode::Unsupported, "queue/m:x")]), "{what}");
        assert_eq!(queue.names(), ["m:good", "m:x"], "{what} is left alone");
        assert_eq!(fs::read(outside.file("m:x")).expect("the file exists"), secret, "{what}");
        assert_eq!(codes(queue.verify(&ids(&["good"]))), [None], "{what} is in no other item's way");
    }
}

#[test]
fn planted_temporary_names_are_not_followed() {
    let mut outside = TestQueue::new();
    put(&mut outside, "x", b"outside");
    let mut queue = TestQueue::new();
    symlink(outside.file("m:x"), queue.file(".m:AAAAAAAAAAA")).expect("the link can be created");
    fs::create_dir(queue.file(".m:BBBBBBBBBBB")).expect("the directory can be created");
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.temporary_removed, recovery.temporary_kept), (0, 0));
    assert_eq!(outside.names(), ["m:x"]);
    assert_eq!(queue.names(), [".m:AAAAAAAAAAA", ".m:BBBBBBBBBBB"]);
}

#[test]
fn names_that_are_not_utf8_are_foreign() {
    let mut queue = TestQueue::new();
    put(&mut queue, "x", b"body");
    let name = OsStr::from_bytes(b"m:\xff\xfe");
    if fs::write(queue.path().join(name), b"ID: \"\"").is_err() {
        // Some file systems refuse names that are not UTF-8, so that there is nothing to test.
        return;
    }
    let counts = queue.count().expect("the directory can be read");
    assert_eq!((counts.ready, counts.foreign), (1, 1));
    for detail in [Detail::Name, Detail::Envelope, Detail::Whole] {
        let entries = queue.list(&[], detail, 10).expect("the directory can be read");
        assert_eq!(entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["x"]);
    }
    let recovery = queue.recover(0).expect("the directory can be read");
    assert_eq!((recovery.durable_items, recovery.problems), (1, Vec::new()));
    assert!(queue.path().join(name).exists());
}
