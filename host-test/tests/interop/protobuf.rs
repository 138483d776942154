//! Python's `protobuf` reads the items that the component writes, and the component reads those that it prints.

use crate::scripts::{Language, Workshop, directory};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::{Failed, Trial};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use queue_store_host_test::bindings::{Format, Item, Recipient};
use queue_store_host_test::generate;
use queue_store_host_test::instance::{Instance, State};
use queue_store_host_test::requirement::Requirement;
use queue_store_host_test::requirement::trial;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;

const ITEMS: usize = 1000;

/// Makes the same items in every run, so that the index of one that fails is enough to find it.
const SEED: [u8; 32] = *b"a queue never loses what it took";

pub(crate) fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let workshop = workshop.clone();
    let name = "python::protobuf_text::thousand_items_are_read_by_each_other".to_string();
    vec![trial(name, vec![Requirement::Python], move || {
        are_read_by_each_other(&workshop).map_err(|failed| {
            let message = failed.message().unwrap_or_default();
            format!("{message}\nthe items are made of the seed {:?}", SEED.escape_ascii().to_string()).into()
        })
    })]
}

fn are_read_by_each_other(workshop: &Workshop) -> Result<(), Failed> {
    let directory = directory()?;
    let mut codec: Instance<State> = Instance::with(&[]);
    let items = items();
    let mut written = Vec::new();
    for item in &items {
        let mut encoded =
            |format| codec.encode(item, format).map(|bytes| STANDARD.encode(bytes)).map_err(|error| error.detail);
        let mut value = value(item);
        value["text"] = encoded(Format::Text)?.into();
        value["binary"] = encoded(Format::Binary)?.into();
        written.push(value);
    }
    fs::write(directory.path().join("items.json"), serde_json::to_vec(&written)?)?;
    let arguments = ["protobuf_text", "read_and_print", "items.json", "printed.json"];
    workshop.run(Language::Python, &[], "run", &arguments, directory.path())?;
    let printed: Vec<Vec<String>> = serde_json::from_slice(&fs::read(directory.path().join("printed.json"))?)?;
    assert_eq!(printed.len(), items.len());
    for (index, (item, texts)) in items.iter().zip(&printed).enumerate() {
        assert_eq!(texts.len(), 4);
        for text in texts {
            let decoded = codec.decode(text.as_bytes(), Format::Text);
            let decoded = decoded.map_err(|error| format!("item {index}: {error:?} in {text}"))?;
            if &decoded != item {
                return Err(format!("item {index}: {decoded:?} is not {item:?}, from {text}").into());
            }
        }
    }
    Ok(())
}

fn items() -> Vec<Item> {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let item = generate::item();
    (0..ITEMS).map(|_| item.new_tree(&mut runner).expect("the strategy filters no item").current()).collect()
}

/// Returns an item as the script reads it.
fn value(item: &Item) -> Value {
    let recipient = |recipient: &Recipient| {
        json!({
            "address": recipient.address,
            "type": recipient.kind,
            "status": recipient.status,
            "last_failure_message": recipient.last_failure_message,
            "original_address": recipient.original_address,
            "via": recipient.via,
        })
    };
    let envelope = &item.envelope;
    json!({
        "id": item.id,
        "reverse_path": envelope.reverse_path,
        "to": envelope.to,
        "recipients": envelope.recipients.iter().map(recipient).collect::<Vec<Value>>(),
        "created_at": envelope.created_at.map(|time| json!({ "seconds": time.seconds, "nanos": time.nanos })),
        "body": STANDARD.encode(&item.body),
    })
}
