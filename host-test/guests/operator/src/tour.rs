//! Every kind of call, on a queue that has the items `long` and `short`.

use crate::bindings::mail::queue::queue_store::{
    Attempt, Detail, Draft, Envelope, EnvelopeChange, IdentifiedMail, Mail, Outcome, Queue, State, new_id,
};
use crate::bindings::mail::queue::types::{Error, ErrorCode, Format};
use crate::bindings::mail::queue::{durable_file, introspection, item_codec};

pub(crate) fn open() -> Queue {
    Queue::open("queue").expect("the plugin has the queue")
}

pub(crate) fn run() {
    introspect();
    let queue = open();
    look(&queue);
    change(&queue);
    put(&queue);
    remove(&queue);
    encode(&queue);
    recover(&queue);
    let code = durable_file::read_file("queue/file").map(drop).expect_err("it has no files");
    println!("durable-file: {}", code.detail);
}

/// The name of the code of a failure.
pub(crate) fn code<T>(result: Result<T, Error>) -> ErrorCode {
    result.err().expect("the call fails").code
}

pub(crate) fn envelope() -> Envelope {
    let to = vec!["b@example.com".to_string()];
    Envelope { reverse_path: "plugin@example.com".to_string(), to, recipients: Vec::new(), created_at: None }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// The ids of outcomes, with the code of the problem of each.
fn shown(outcomes: Result<Vec<Outcome>, Error>) -> String {
    let outcomes = outcomes.expect("the call is tried");
    let shown = outcomes.into_iter().map(|Outcome { id, problem }| {
        let id = id.unwrap_or_default();
        problem.map_or(id.clone(), |problem| format!("{id}={:?}", problem.code))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn introspect() {
    let about = introspection::about();
    let contract = about.iter().find(|(name, _)| name == "contract").map(|(_, fact)| fact.as_str());
    println!("contract: {}", contract.unwrap_or("none"));
    let has_limit = introspection::limits().iter().any(|limit| *limit == ("max-drafts".to_string(), 64));
    let has_counter = introspection::counters().iter().any(|(name, _)| name == "puts");
    println!("limit and counter: {has_limit} {has_counter}");
    println!("ids differ: {}", new_id() != new_id());
}

fn look(queue: &Queue) {
    let counts = queue.count().expect("the queue can be counted");
    println!("count: {} ready, {} held", counts.ready, counts.held);
    let listing = queue.items(&[State::Ready], Detail::Envelope).expect("a listing begins");
    let mut entries = Vec::new();
    while let Some(page) = listing.next(1).expect("there is a page") {
        assert_eq!(page.len(), 1, "a page has no more than its limit");
        entries.extend(page);
    }
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    for entry in entries {
        let info = entry.info.expect("the item is intact");
        println!("listed: {} to {}, {:?} bytes", entry.id, info.envelope.to.join(","), info.body_size);
    }
    let reader = queue.read("long", 0).expect("the item is there");
    let (mut body, mut longest) = (Vec::new(), 0);
    while let Some(chunk) = reader.read(1000).expect("the item is intact") {
        longest = longest.max(chunk.len());
        body.extend(chunk);
    }
    println!("read: {} bytes, at most {longest} at a time", body.len());
    let whole = queue.get("long").expect("the item is there");
    println!("equal: {}, of {}", body == whole.body, reader.info().id);
    let rest = queue.read("long", body.len() as u64 - 3).expect("the body is longer").read(1000);
    println!("rest: {:?}", rest.expect("the end can be read"));
    println!("missing: {:?}", code(queue.get("missing")));
}

fn change(queue: &Queue) {
    println!("hold: {}", shown(queue.set_state(&ids(&["short", "missing"]), State::Held)));
    println!("state: {:?}", queue.info("short").expect("the item is there").state);
    let before = queue.info("long").expect("the item is there").revision;
    let attempt = Attempt { recipient: 0, status: 2, message: "mailbox full".to_string() };
    let after = queue.record_attempts("long", &[attempt], Some(&before), None).expect("the attempt is recorded");
    let info = queue.info("long").expect("the item is there");
    let recipient = &info.envelope.recipients[0];
    println!("recorded: {} {:?}, {}", recipient.status, recipient.last_failure_message, info.revision == after);
    let mut change = EnvelopeChange {
        reverse_path: Some("other@example.com".to_string()),
        to: None,
        recipients: None,
        created_at: None,
        if_revision: Some(before),
    };
    println!("stale: {:?}", code(queue.update("long", &change, None)));
    change.if_revision = Some(after);
    queue.update("long", &change, None).expect("the revision is the item's");
    println!("updated: {}", queue.info("long").expect("the item is there").envelope.reverse_path);
}

fn put(queue: &Queue) {
    let draft = queue.begin(Some("draft"), &envelope(), None).expect("a draft begins");
    for chunk in [vec![b'x'; 65_536], vec![b'y'; 65_536], b"end".to_vec()] {
        draft.write(&chunk).expect("the chunk is written");
    }
    println!("draft: {}", Draft::commit(draft).expect("the mail is queued"));
    println!("size: {}", queue.get("draft").expect("the item is there").body.len());
    let mail = || Mail { envelope: envelope(), body: b"body".to_vec() };
    println!("taken: {:?}", code(queue.put(Some("draft"), &mail(), None)));
    println!("put: {}", queue.put(Some("one"), &mail(), None).expect("the mail is queued"));
    let mails = ["one", "two"].map(|id| IdentifiedMail { id: Some(id.to_string()), mail: mail() });
    println!("several: {}", shown(queue.put_many(&mails, None)));
    let abandoned = queue.begin(Some("abandoned"), &envelope(), None).expect("a draft begins");
    abandoned.write(b"x").expect("the chunk is written");
    Draft::abandon(abandoned).expect("the draft is given up");
    drop(queue.begin(Some("dropped"), &envelope(), None).expect("a draft begins"));
    println!("given up: {:?} {:?}", code(queue.info("abandoned")), code(queue.info("dropped")));
}

fn remove(queue: &Queue) {
    println!("verified: {}", shown(queue.verify(&ids(&["long", "missing"]))));
    println!("sealed: {}", shown(queue.seal(&ids(&["two"]))));
    println!("removed: {}", shown(queue.remove(&ids(&["short", "two", "missing"]), &[], None)));
    println!("gone: {:?}", code(queue.get("short")));
}

fn encode(queue: &Queue) {
    let item = queue.get("long").expect("the item is there");
    for format in [Format::Text, Format::Binary] {
        let bytes = item_codec::encode(&item, format).expect("the item is within the limits");
        let decoded = item_codec::decode(&bytes, format).expect("the bytes were just encoded");
        println!("{format:?}: {}", decoded.id == item.id && decoded.body == item.body);
    }
    println!("garbage: {:?}", code(item_codec::decode(b"garbage", Format::Text)));
}

fn recover(queue: &Queue) {
    let mail = Mail { envelope: envelope(), body: b"body".to_vec() };
    let draft = queue.begin(None, &envelope(), None).expect("a draft begins");
    queue.require_recovery();
    println!("closed: {} {:?}", queue.needs_recovery(), code(queue.put(None, &mail, None)));
    println!("draft of a closed queue: {:?}", code(Draft::commit(draft)));
    println!("another resource: {}", open().needs_recovery());
    let recovery = queue.recover(129_600).expect("the queue can be recovered");
    println!("recovered: {} durable, {} damaged", recovery.durable_items, recovery.damaged_items);
    println!("open: {}", !queue.needs_recovery());
    queue.put(Some("last"), &mail, None).expect("the queue is open again");
}
