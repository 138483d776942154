//! The same calls leave the same bytes, whatever host makes them.

use crate::scripts::{LANGUAGES, Language, Workshop, directory};
use libtest_mimic::{Failed, Trial};
use queue_store_host_test::bindings::{Format, WriteOptions, mail, options, recipient};
use queue_store_host_test::instance::{Instance, ids, names};
use queue_store_host_test::requirement::trial;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

pub(crate) fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let of = |language: Language| {
        let (name, workshop) = (format!("{}::it_writes_what_rust_writes", language.name()), workshop.clone());
        trial(name, vec![language.requirement()], move || it_writes_what_rust_writes(language, &workshop))
    };
    LANGUAGES.into_iter().map(of).collect()
}

fn it_writes_what_rust_writes(language: Language, workshop: &Workshop) -> Result<(), Failed> {
    let (expected, actual) = (directory()?, directory()?);
    write(&expected.path().join("queue"));
    workshop.run(language, &[], "run", &["exchange", "write", "queue"], actual.path())?;
    let (expected, actual) = (content(&expected.path().join("queue")), content(&actual.path().join("queue")));
    assert_eq!(expected.len(), 5);
    for (name, content) in &expected {
        assert_eq!(actual.get(name), Some(content), "what is in {name}");
    }
    assert_eq!(actual.len(), expected.len());
    Ok(())
}

fn content(directory: &Path) -> BTreeMap<String, String> {
    let content = |name: &String| fs::read(directory.join(name)).expect("a file").escape_ascii().to_string();
    names(directory).into_iter().map(|name| (name.clone(), content(&name))).collect()
}

/// What `write` in `exchange.py` and `exchange.js` do.
fn write(directory: &Path) {
    let mut queue = Instance::over(directory);
    let body: Vec<u8> = (0..=u8::MAX).collect::<Vec<u8>>().repeat(1000);
    let format = |format| WriteOptions { format: Some(format), ..options() };
    queue.put(Some("text"), &mail(&body), None).expect("a put");
    queue.put(Some("binary"), &mail(&body), Some(&format(Format::Binary))).expect("a put");
    let mut odd = mail("ñ \u{85} \u{10ffff}".as_bytes());
    odd.envelope.to.push("\"\\\t\u{7f}\u{85}☃".to_string());
    odd.envelope.recipients.push(recipient("a@example.com"));
    odd.envelope.recipients[1].kind = -1;
    odd.envelope.recipients[1].via.push("mx".to_string());
    queue.put(Some("odd ☃"), &odd, None).expect("a put");
    let draft = queue.draft_begin(Some("draft"), &mail(b"").envelope, Some(&format(Format::Binary))).expect("a draft");
    for chunk in body.chunks(65_536) {
        queue.draft_write(draft, chunk).expect("a chunk");
    }
    queue.draft_commit(draft).expect("a commit");
    queue.put(Some("held"), &mail(b""), None).expect("a put");
    queue.hold(&ids(&["held"])).expect("a hold");
}
