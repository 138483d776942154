//! A plugin of the world `plugin`: it imports `mail:queue/intake` and nothing else, and submits mails that it must not.

#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use component_rt as _;

#[allow(missing_docs, unreachable_pub, clippy::undocumented_unsafe_blocks, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package guest:submitter;
            world submitter {
                include mail:queue/plugin@0.1.0;
                /// Submits mails. Returns a description of each, and its id or the error.
                export attempts: func() -> list<tuple<string, result<string, string>>>;
            }
        ",
        generate_all,
    });
}

use bindings::mail::queue::intake::{self, Submission};
use bindings::mail::queue::types::Error;

struct Submitter;

bindings::export!(Submitter with_types_in bindings);

const FROM: &str = "plugin@example.com";
const BODY: &[u8] = b"Subject: from a plugin\r\n\r\n";

fn described(error: Error) -> String {
    format!("{:?}: {}", error.code, error.detail)
}

fn submit(to: &str) -> Result<String, String> {
    intake::submit(FROM, &[to.to_string()], BODY).map_err(described)
}

fn stream(to: &str) -> Result<String, Error> {
    let submission = Submission::begin(FROM, &[to.to_string()])?;
    submission.write(b"Subject: streamed\r\n\r\n")?;
    submission.write(&[0xff; 65536])?;
    Submission::commit(submission)
}

impl bindings::Guest for Submitter {
    fn attempts() -> Vec<(String, Result<String, String>)> {
        let attempts = vec![
            ("a mail", submit("b@example.com")),
            ("a streamed mail", stream("b@example.com").map_err(described)),
            ("a command as the address", submit("|touch /var/owned")),
            ("a streamed command as the address", stream("|touch /var/owned@x").map_err(described)),
            ("an option as the address", submit("-oQ/tmp@example.com")),
            ("a line break in the address", submit("b@example.com\nrcpt: { type: PIPE address: \"reboot\" }")),
            ("a path as the address", submit("../../other-queue/x")),
        ];
        attempts.into_iter().map(|(what, result)| (what.to_string(), result)).collect()
    }
}
