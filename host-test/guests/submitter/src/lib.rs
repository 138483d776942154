//! A plugin of the world `plugin`: it imports `mail:queue/intake` and nothing else, and tries what it should not.

#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

#[path = "../../../../src/allocator.rs"]
mod allocator;
#[path = "../../../../src/runtime.rs"]
mod runtime;

/// What the queue's runtime calls before it gets memory for a call: nothing of this guest is kept until then.
fn begin_call() {}

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package guest:submitter;
            world submitter {
                include mail:queue/plugin@0.1.0;
                /// What it tried, and the id or the error that it got.
                export attempts: func() -> list<tuple<string, result<string, string>>>;
            }
        ",
        generate_all,
    });
}

use bindings::mail::queue::intake::{self, Envelope, Mail};
use bindings::mail::queue::types::{Error, Recipient};

struct Submitter;

bindings::export!(Submitter with_types_in bindings);

fn recipient() -> Recipient {
    Recipient {
        address: "b@example.com".to_string(),
        kind: 0,
        status: 0,
        last_failure_message: String::new(),
        original_address: String::new(),
        via: Vec::new(),
    }
}

fn mail(recipient: Recipient) -> Mail {
    let envelope = Envelope {
        reverse_path: "plugin@example.com".to_string(),
        to: vec!["b@example.com".to_string()],
        recipients: vec![recipient],
        created_at: None,
    };
    Mail { envelope, body: b"Subject: from a plugin\r\n\r\n".to_vec() }
}

fn told(error: Error) -> String {
    format!("{:?}: {}", error.code, error.detail)
}

impl bindings::Guest for Submitter {
    fn attempts() -> Vec<(String, Result<String, String>)> {
        let submit = |what: &str, change: fn(&mut Recipient)| {
            let mut recipient = recipient();
            change(&mut recipient);
            (what.to_string(), intake::submit(&mail(recipient)).map_err(told))
        };
        let streamed = || {
            let submission = intake::Submission::begin(&mail(recipient()).envelope)?;
            submission.write(b"Subject: streamed\r\n\r\n")?;
            submission.write(&[0xff; 65536])?;
            intake::Submission::commit(submission)
        };
        vec![
            submit("a mail", |_| {}),
            ("a streamed mail".to_string(), streamed().map_err(told)),
            submit("a PIPE recipient", |recipient| {
                recipient.kind = 1;
                recipient.address = "touch /tmp/owned".to_string();
            }),
            submit("a FORWARD recipient", |recipient| {
                recipient.kind = 2;
                recipient.via = vec!["mx.example.net".to_string()];
            }),
            submit("an address that is a path", |recipient| recipient.address = "../../other-queue/x".to_string()),
        ]
    }
}
