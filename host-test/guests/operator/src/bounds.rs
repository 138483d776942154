//! Calls that a plugin is refused.

use crate::bindings::mail::queue::queue_store::{Detail, Draft, IdentifiedMail, Mail, Queue};
use crate::bindings::mail::queue::types::Error;
use crate::tour::{code, envelope, open as open_queue};

/// Opens a path that names no queue of the plugin.
pub(crate) fn open(path: &str) {
    let error = Queue::open(path).map(drop).expect_err("the plugin has no such queue");
    println!("{:?} of {} {:?}: {}", error.code, error.operation, error.path, error.detail);
}

/// Opens resources of each kind until that is refused, and again after they were dropped.
pub(crate) fn resources() {
    let queue = open_queue();
    for _ in 0..2 {
        println!("drafts: {}", opened(|| queue.begin(None, &envelope(), None)));
        println!("readers: {}", opened(|| queue.read("x", 0)));
        println!("listings: {}", opened(|| queue.items(&[], Detail::Name)));
        println!("queues: {}", opened(|| Queue::open("queue")));
    }
}

fn opened<T>(mut open: impl FnMut() -> Result<T, Error>) -> String {
    let mut all = Vec::new();
    loop {
        match open() {
            Ok(one) => all.push(one),
            Err(error) => return format!("{}, then {:?}", all.len(), error.code),
        }
    }
}

/// Passes and asks for chunks and pages of impossible sizes.
pub(crate) fn pieces() {
    let queue = open_queue();
    let draft = queue.begin(None, &envelope(), None).expect("a draft begins");
    println!("chunk: {:?}", code(draft.write(&[b'x'; 65_537])));
    println!("then: {:?} {:?}", code(draft.write(b"x")), code(Draft::commit(draft)));
    let draft = queue.begin(None, &envelope(), None).expect("a draft begins");
    draft.write(&[b'x'; 65_537]).expect_err("the chunk is too long");
    Draft::abandon(draft).expect("a draft that failed is given up");
    let reader = queue.read("x", 0).expect("the item is there");
    println!("read of 0: {:?}", code(reader.read(0)));
    let mut longest = 0;
    while let Some(chunk) = reader.read(u32::MAX).expect("the item is intact") {
        longest = longest.max(chunk.len());
    }
    println!("longest chunk: {longest}");
    let listing = queue.items(&[], Detail::Envelope).expect("a listing begins");
    println!("limit of 0: {:?}", code(listing.next(0)));
    let page = listing.next(u32::MAX).expect("there is a page").map_or(0, |page| page.len());
    println!("longest page: {page}");
}

/// Puts as many mails, in each of the three ways in turn, and prints the codes of failures.
pub(crate) fn puts(count: usize) {
    let queue = open_queue();
    let mail = || Mail { envelope: envelope(), body: b"12345".to_vec() };
    for number in 0..count {
        let put = match number % 3 {
            0 => queue.put(None, &mail(), None).map(drop),
            1 => queue.put_many(&[IdentifiedMail { id: None, mail: mail() }], None).map(drop),
            _ => queue.begin(None, &envelope(), None).and_then(|draft| {
                draft.write(b"12345")?;
                Draft::commit(draft).map(drop)
            }),
        };
        println!("{}", put.map_or_else(|error| format!("{:?}: {}", error.code, error.detail), |()| "put".to_string()));
    }
}

/// Reads a damaged item to its end, twice.
pub(crate) fn read(id: &str) {
    let queue = open_queue();
    let reader = queue.read(id, 0).expect("the envelope is intact");
    let error = loop {
        match reader.read(1000) {
            Ok(chunk) => assert!(chunk.is_some(), "the item is damaged"),
            Err(error) => break error,
        }
    };
    println!("{:?} of {:?}, then {:?}", error.code, error.path, code(reader.read(1000)));
    let outcome = queue.verify(&[id.to_string()]).expect("the call is tried").remove(0);
    println!("verify: {:?}", outcome.problem.map(|problem| problem.path));
    let listing = queue.items(&[], Detail::Whole).expect("a listing begins");
    let problems: Vec<_> = listing.next(10).expect("there is a page").into_iter().flatten().collect();
    println!(
        "listing: {:?}",
        problems.into_iter().filter_map(|entry| entry.problem).map(|problem| problem.path).next()
    );
}
