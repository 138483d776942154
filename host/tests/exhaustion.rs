//! A process without descriptors. The limit is one of the process, so there is one test.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use queue_store_host::types::{Detail, Mail};
use queue_store_host::{Error, Host};
use std::fs::{self, File};
use std::os::fd::AsRawFd;

/// Free descriptors that suffice for each call.
const SUFFICIENT: u64 = 4;

#[test]
fn calls_without_descriptors_are_busy_and_change_nothing() {
    let parent = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let [path, other, new] = ["queue", "other", "new"].map(|name| parent.path().join(name));
    fs::create_dir(&other).expect("the name is free");
    let host = Host::new().expect("the component loads");
    let queue = host.create(&path).expect("the directory can be created");
    let mail = |body: &str| Mail::new("a@example.com", ["b@example.com"], body);
    let id = queue.put(&mail("first")).expect("an empty queue takes a put");
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it can be asked");
    let unused = u64::from(File::open("/").expect("there is a descriptor").as_raw_fd().cast_unsigned());
    let mut put = 1;
    for free in 0..=SUFFICIENT {
        setrlimit(Resource::RLIMIT_NOFILE, unused + free, hard).expect("it can be lowered");
        let results = [
            ("create", host.create(&new).map(drop)),
            ("create one that exists", host.create(&other).map(drop)),
            ("open", host.open(&other).map(drop)),
            ("get", queue.get(&id).map(drop)),
            (
                "list",
                queue.items(&[], Detail::Whole).and_then(|mut listing| listing.try_for_each(|entry| entry.map(drop))),
            ),
            ("recover", queue.recover(std::time::Duration::MAX).map(drop)),
            ("put", queue.put(&mail("next")).map(drop)),
        ];
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("it can be raised again");
        for (call, result) in &results {
            let is_expected = match result {
                Ok(()) => free > 0,
                Err(Error::Busy(_)) => free < SUFFICIENT,
                Err(_) => false,
            };
            assert!(is_expected, "{call} with {free} descriptors: {result:?}");
        }
        assert!(free > 0 || !new.exists(), "its entry was not fsynced");
        let _ = fs::remove_dir(&new);
        put += u64::from(results[6].1.is_ok());
        let counts = queue.count().expect("there are descriptors again");
        assert_eq!((counts.ready, counts.temporary), (put, 0), "with {free} descriptors");
    }
}
