//! The same calls leave the same bytes from every host.

use crate::scripts::{LANGUAGES, Language, Workshop, directory};
use libtest_mimic::{Failed, Trial};
use queue_store_host_test::bindings::{Format, envelope, ids, mail, recipient, stored_as};
use queue_store_host_test::instance::Instance;
use queue_store_host_test::requirement::trial;
use queue_store_host_test::test_queue::names;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

pub(crate) fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let of = |language: Language| {
        let (name, workshop) = (format!("{}::same_calls_write_same_bytes", language.name()), workshop.clone());
        trial(name, vec![language.requirement()], move || same_calls_write_same_bytes(language, &workshop))
    };
    LANGUAGES.into_iter().map(of).collect()
}

fn same_calls_write_same_bytes(language: Language, workshop: &Workshop) -> Result<(), Failed> {
    let (expected, actual) = (directory()?, directory()?);
    write(&expected.path().join("queue"));
    workshop.run(language, &[], "run", &["exchange", "write", "queue"], actual.path())?;
    let (expected, actual) = (content(&expected.path().join("queue")), content(&actual.path().join("queue")));
    assert_eq!(expected.len(), 5);
    for (name, content) in &expected {
        assert_eq!(actual.get(name), Some(content), "the content of {name}");
    }
    assert_eq!(actual.len(), expected.len());
    Ok(())
}

fn content(directory: &Path) -> BTreeMap<String, String> {
    let content = |name: &String| {
        fs::read(directory.join(name)).expect("the directory has only files").escape_ascii().to_string()
    };
    names(directory).into_iter().map(|name| (name.clone(), content(&name))).collect()
}

/// Makes the calls of `write` in `exchange.py` and `exchange.js`.
fn write(directory: &Path) {
    let mut queue = Instance::over(directory);
    let body: Vec<u8> = (0..=u8::MAX).collect::<Vec<u8>>().repeat(1000);
    let binary = Some(stored_as(Format::Binary));
    let mut odd = mail("ñ \u{85} \u{10ffff}".as_bytes());
    odd.envelope.to.push("\"\\\t\u{7f}\u{85}☃".to_string());
    odd.envelope.recipients.push(recipient("a@example.com"));
    odd.envelope.recipients[1].kind = -1;
    odd.envelope.recipients[1].via.push("mx".to_string());
    let puts =
        [("text", mail(&body), None), ("binary", mail(&body), binary), ("odd ☃", odd, None), ("held", mail(b""), None)];
    for (id, mail, options) in puts {
        queue.put(Some(id), &mail, options).expect("a valid mail under a free id is accepted");
    }
    let draft = queue.begin(Some("draft"), &envelope(), binary).expect("the id is free");
    for chunk in body.chunks(65_536) {
        queue.draft_write(draft, chunk).expect("the chunk is within the limits");
    }
    queue.draft_commit(draft).expect("an intact draft is committed");
    queue.hold(&ids(&["held"])).expect("an intact item is held");
}
