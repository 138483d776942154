//! Imports: every mail of mbox files, maildirs and single files is queued once, with its own bytes.

mod containers;
mod envelope;
mod maildir;
mod mbox;
mod real_mail;
mod repeat;
mod stops;

use crate::process::{Output, run};
use crate::queue::Queue;
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    [
        containers::trials(),
        envelope::trials(),
        maildir::trials(),
        mbox::trials(),
        real_mail::trials(),
        repeat::trials(),
        stops::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The note of an import that ends early.
pub(crate) const REST: &str =
    "only the mails whose ids were printed are queued: the same import again queues the rest, and none twice";

/// The line before a mail in an mbox file.
const FROM: &str = "From a@example.com Mon Jan  1 00:00:00 2024\n";

/// A mail of an import: its source, and its body.
type Imported = (String, Vec<u8>);

impl Queue {
    fn try_import(&self, arguments: &[&str], paths: &[&Path]) -> Output {
        run(self.command(&["import"]).args(arguments).args(paths), b"")
    }

    /// Imports into an empty queue. Asserts success and the total, and returns the mails that were queued.
    #[track_caller]
    fn import(&self, arguments: &[&str], paths: &[&Path], total: &str) -> Vec<Imported> {
        let output = self.try_import(arguments, paths);
        assert_eq!((output.code, output.stderr.as_str()), (0, format!("queue-store: {total}\n").as_str()));
        self.imported(output.text())
    }

    /// Imports into an empty queue. Asserts that mails were refused and the total, and returns the lines of the refusals
    /// with `DIR` for the temporary directory, and the mails that were queued.
    #[track_caller]
    fn import_with_refusals(&self, arguments: &[&str], paths: &[&Path], total: &str) -> (Vec<String>, Vec<Imported>) {
        let output = self.try_import(arguments, paths);
        assert_eq!(output.code, 65, "{}", output.stderr);
        let directory = self.beside("").display().to_string();
        let mut lines: Vec<String> =
            output.stderr.lines().map(|line| line.replace("queue-store: ", "").replace(&directory, "DIR/")).collect();
        assert_eq!(lines.pop().as_deref(), Some(total), "{}", output.stderr);
        (lines, self.imported(output.text()))
    }

    /// Returns the sources that an import printed, and the bodies of their items. Asserts that there are no other
    /// items.
    #[track_caller]
    fn imported(&self, printed: &str) -> Vec<Imported> {
        let root = self.beside("").display().to_string();
        let mails: Vec<_> = ids(printed).map(|(id, source)| (source.replace(&root, ""), self.cat(id))).collect();
        assert_eq!(self.names().len(), mails.len(), "{printed}");
        mails
    }

    /// Returns the sender and the recipients of each mail that an import printed.
    fn envelopes(&self, printed: &str) -> Vec<(String, Vec<String>)> {
        let text = |value: &serde_json::Value| value.as_str().expect("it is text").to_string();
        let envelope = |(id, _): (&str, &str)| {
            let shown = self.json(&["show", "--json", "--", id]);
            let deliveries = shown["rcpt"].as_array().expect("the deliveries are an array");
            let to: Vec<String> = deliveries.iter().map(|delivery| text(&delivery["address"])).collect();
            assert_eq!(shown["to"], serde_json::json!(to));
            (text(&shown["from"]), to)
        };
        ids(printed).map(envelope).collect()
    }
}

/// Returns the ids and sources that an import printed.
fn ids(printed: &str) -> impl Iterator<Item = (&str, &str)> {
    printed.lines().map(|line| line.split_once("  ").expect("an import prints an id and a source"))
}

/// Returns an expected source and its body.
fn mail(source: &str, body: &str) -> Imported {
    (source.to_string(), body.as_bytes().to_vec())
}

/// Returns the path of an input that has failed once.
fn input(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs").join(name)
}

/// Returns the bodies of mails.
fn bodies(imported: Vec<Imported>) -> Vec<String> {
    imported.into_iter().map(|(_, body)| String::from_utf8(body).expect("the mail is text")).collect()
}
