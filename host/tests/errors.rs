//! Errors, as programs see them.

use queue_store_host::types::{self, ErrorCode, Mail, Position};
use queue_store_host::{Error, Host};

fn error(code: ErrorCode, path: &str, position: Option<Position>) -> Error {
    let (operation, detail) = ("open".to_string(), "it is damaged".to_string());
    types::Error { code, operation, path: path.to_string(), detail, position }.into()
}

#[test]
fn every_code_survives_the_conversion() {
    let codes = [
        ErrorCode::InvalidArgument,
        ErrorCode::NotFound,
        ErrorCode::Exists,
        ErrorCode::Conflict,
        ErrorCode::Corrupt,
        ErrorCode::ChecksumMismatch,
        ErrorCode::IdMismatch,
        ErrorCode::TooLarge,
        ErrorCode::QueueFull,
        ErrorCode::NoSpace,
        ErrorCode::Quota,
        ErrorCode::ReadOnly,
        ErrorCode::Access,
        ErrorCode::Unsupported,
        ErrorCode::Busy,
        ErrorCode::Io,
        ErrorCode::Aborted,
        ErrorCode::Indeterminate,
        ErrorCode::NeedsRecovery,
        ErrorCode::Other,
    ];
    for code in codes {
        let error = error(code, "Q/m:x", None);
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.details().expect("the component answered").path, "Q/m:x");
    }
}

#[test]
fn display_is_one_line_without_unknown_parts() {
    let position = Position { offset: 9, line: 2, column: 3 };
    assert_eq!(error(ErrorCode::Corrupt, "Q/m:x", None).to_string(), "Q/m:x: it is damaged");
    let with_position = error(ErrorCode::Corrupt, "Q/m:x", Some(position));
    assert_eq!(with_position.to_string(), "Q/m:x: it is damaged (line 2, column 3)");
    assert_eq!(error(ErrorCode::Busy, "", None).to_string(), "it is damaged");
    assert_eq!(error(ErrorCode::Busy, "Q\n/m:\u{85}é", None).to_string(), r"Q\n/m:\u{85}é: it is damaged");
    let missing = Host::new().expect("the component loads").open("none\nsuch").expect_err("the directory is missing");
    assert!(missing.to_string().starts_with(r"none\nsuch: "), "{missing}");
}

#[test]
fn errors_of_the_host_have_no_code() {
    let missing = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let path = missing.path().join("missing");
    let error = Host::new().expect("the component loads").open(&path).expect_err("the directory is missing");
    assert!(matches!(&error, Error::Directory { path: found, .. } if *found == path), "{error:?}");
    assert_eq!((error.code(), error.details()), (None, None));
}

#[test]
fn answer_of_the_component_has_its_variant_and_path() {
    let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
    let queue = Host::new().expect("the component loads").open(directory.path()).expect("the queue opens");
    let missing = queue.get("x").expect_err("the item is missing");
    assert!(matches!(missing, Error::NotFound(_)), "{missing:?}");
    let without_recipient = Mail::new("a@example.com", Vec::<String>::new(), "");
    let refused = queue.put(&without_recipient).expect_err("the mail has no recipient");
    assert!(matches!(refused, Error::InvalidArgument(_)), "{refused:?}");
}
