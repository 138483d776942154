//! Every reference item shows its expected values, and every text is accepted or refused as Go's `prototext` does.

use libtest_mimic::{Arguments, Failed, Trial};
use queue_store_host_test::bindings::{ErrorCode, Format, Integrity, State};
use queue_store_host_test::instance::{Instance, TestQueue, state};
use queue_store_host_test::reference::{self, ReferenceItem, TextCase};
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for item in reference::items() {
        let item = Arc::new(item);
        let (decoded, queued) = (item.clone(), item.clone());
        trials.push(Trial::test(format!("the_codec_decodes::{}", item.name), move || decodes(&decoded)));
        trials.push(Trial::test(format!("the_queue_shows::{}", item.name), move || shows(&queued)));
    }
    for case in reference::text_cases() {
        let name = format!("the_verdict_is_gos::{}", case.name);
        trials.push(Trial::test(name, move || has_its_verdict(&case)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn codec() -> Instance<queue_store_host_test::instance::State> {
    let mut linker = wasmtime::component::Linker::new(&queue_store_host_test::instance::ENGINE);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI links");
    Instance::new(&linker, state(&[]))
}

fn decodes(reference: &ReferenceItem) -> Result<(), Failed> {
    let text = fs::read(&reference.path)?;
    let mut codec = codec();
    let item = codec.decode(&text, Format::Text).map_err(|error| error.detail)?;
    assert_eq!(item, reference.item);
    for format in [Format::Text, Format::Binary] {
        let bytes = codec.encode(&item, format).map_err(|error| error.detail)?;
        assert_eq!(codec.decode(&bytes, format).map_err(|error| error.detail)?, item, "{format:?} loses something");
    }
    Ok(())
}

fn shows(reference: &ReferenceItem) -> Result<(), Failed> {
    let mut queue = TestQueue::new();
    fs::copy(&reference.path, queue.file(&reference.name))?;
    let id = &reference.name[2..];
    if id.is_empty() {
        // chasquid loads it, and no call can name it.
        assert_eq!(queue.get(id).expect_err("an empty id").code, ErrorCode::InvalidArgument);
        let page = queue.list_items(&[], None, 10).map_err(|error| error.detail)?;
        assert_eq!(page.entries.len(), 1);
        assert_eq!(page.entries[0].problem.as_ref().expect("a problem").code, ErrorCode::InvalidArgument);
        return Ok(());
    }
    let item = queue.get(id).map_err(|error| error.detail)?;
    let own_id = reference.item.id.as_str();
    assert_eq!((item.id.as_str(), &item.envelope, &item.body), (id, &reference.item.envelope, &reference.item.body));
    let info = queue.info(id).map_err(|error| error.detail)?;
    assert_eq!(info.envelope, reference.item.envelope);
    assert_eq!((info.state, info.format, info.integrity), (State::Ready, Format::Text, Integrity::Unchecked));
    assert_eq!(info.file_size, fs::metadata(&reference.path)?.len());
    assert!(info.body_size.is_none_or(|size| size == item.body.len() as u64));
    assert_eq!(info.attributes.is_empty(), own_id == id);
    assert_eq!(queue.read_body(id, 0, 1000).map_err(|error| error.detail)?, item.body);
    Ok(())
}

fn has_its_verdict(case: &TextCase) -> Result<(), Failed> {
    match (codec().decode(&case.text, Format::Text), &case.item) {
        (Ok(item), Some(expected)) => assert_eq!(&item, expected),
        (Err(error), None) => {
            assert_eq!(error.code, ErrorCode::Corrupt, "{}", error.detail);
            let at = error.at.expect("a text that does not parse has a place where");
            assert!(at.offset <= case.text.len() as u64 && at.line >= 1 && at.column >= 1);
        }
        (Ok(item), None) => return Err(format!("Go refuses it, and it was decoded as {item:?}").into()),
        (Err(error), Some(_)) => return Err(format!("Go accepts it, and it was refused: {}", error.detail).into()),
    }
    Ok(())
}
