//! Every reference item has its expected values, and every text is accepted or refused as Go's `prototext` does.

use libtest_mimic::{Arguments, Failed, Trial};
use queue_store_host_test::bindings::{Detail, ErrorCode, Format, Integrity, State as ItemState, ids};
use queue_store_host_test::instance::{Instance, State};
use queue_store_host_test::reference::{self, ReferenceItem, TextCase};
use queue_store_host_test::test_queue::TestQueue;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for item in reference::items() {
        let item = Arc::new(item);
        let (decoded, queued) = (item.clone(), item.clone());
        trials.push(Trial::test(format!("codec_decodes::{}", item.name), move || is_decoded(&decoded)));
        trials.push(Trial::test(format!("queue_has::{}", item.name), move || is_queued(&queued)));
    }
    for case in reference::text_cases() {
        let name = format!("verdict_is_gos::{}", case.name);
        trials.push(Trial::test(name, move || has_its_verdict(&case)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Returns an instance without a directory, since the codec needs none.
fn codec() -> Instance<State> {
    Instance::with(&[])
}

fn is_decoded(reference: &ReferenceItem) -> Result<(), Failed> {
    let text = fs::read(&reference.path)?;
    let mut codec = codec();
    let item = codec.decode(&text, Format::Text).map_err(|error| error.detail)?;
    assert_eq!(item, reference.item);
    for format in [Format::Text, Format::Binary] {
        let bytes = codec.encode(&item, format).map_err(|error| error.detail)?;
        assert_eq!(codec.decode(&bytes, format).map_err(|error| error.detail)?, item, "{format:?}");
    }
    Ok(())
}

fn is_queued(reference: &ReferenceItem) -> Result<(), Failed> {
    let mut queue = TestQueue::new();
    fs::copy(&reference.path, queue.file(&reference.name))?;
    let id = &reference.name[2..];
    if id.is_empty() {
        // chasquid loads it, and no call can name it.
        assert_eq!(queue.get(id).expect_err("an empty id is malformed").code, ErrorCode::InvalidArgument);
        let entries = queue.list(&[], Detail::Envelope, 10).map_err(|error| error.detail)?;
        let problems: Vec<_> = entries.iter().map(|entry| entry.problem.as_ref().map(|problem| problem.code)).collect();
        assert_eq!(problems, [Some(ErrorCode::InvalidArgument)]);
        return Ok(());
    }
    let item = queue.get(id).map_err(|error| error.detail)?;
    assert_eq!((item.id.as_str(), &item.envelope, &item.body), (id, &reference.item.envelope, &reference.item.body));
    let info = queue.info(id).map_err(|error| error.detail)?;
    assert_eq!(info.envelope, reference.item.envelope);
    assert_eq!((info.state, info.format, info.integrity), (ItemState::Ready, Format::Text, Integrity::Unchecked));
    assert_eq!(info.file_size, fs::metadata(&reference.path)?.len());
    assert!(info.body_size.is_none_or(|size| size == item.body.len() as u64));
    let recorded = reference.item.id.as_str();
    assert_eq!(info.recorded_id.as_deref(), (recorded != id).then_some(recorded));
    assert_eq!(queue.read_body(id, 0, 1000).map_err(|error| error.detail)?, item.body);
    let verified = queue.verify(&ids(&[id])).map_err(|error| error.detail)?;
    assert_eq!(verified[0].code(), (recorded != id).then_some(ErrorCode::IdMismatch));
    Ok(())
}

fn has_its_verdict(case: &TextCase) -> Result<(), Failed> {
    match (codec().decode(&case.text, Format::Text), &case.item) {
        (Ok(item), Some(expected)) => assert_eq!(&item, expected),
        (Err(error), None) => {
            assert_eq!(error.code, ErrorCode::Corrupt, "{}", error.detail);
            let position = error.position.ok_or("a text that does not parse has a position")?;
            assert!(position.offset <= case.text.len() as u64 && position.line >= 1 && position.column >= 1);
        }
        (Ok(item), None) => return Err(format!("Go refuses the text, and it was decoded as {item:?}").into()),
        (Err(error), Some(_)) => {
            return Err(format!("Go accepts the text, and it was refused: {}", error.detail).into());
        }
    }
    Ok(())
}
