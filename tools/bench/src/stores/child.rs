//! The parts of a benchmark that need a process of their own: puts under strace, and reads of a damaged store.

use super::{Kind, kind};
use crate::mail::random;
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

/// The line that the process prints after each put.
pub(crate) const ACKNOWLEDGED: &str = "acknowledged\n";

#[derive(Subcommand)]
pub(crate) enum Child {
    /// Puts mails of 2 KB and prints a line after each.
    Put { kind: String, directory: PathBuf, mails: usize },
    /// Reads mails and prints how many are intact, wrong and missing.
    Check { kind: String, directory: PathBuf, expected: PathBuf },
}

/// A mail that the store must return. Its body is `random(bytes, seed)`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) bytes: usize,
    pub(crate) seed: u64,
}

/// The outcomes of reading mails.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) intact: usize,
    /// Returned without an error, with other bytes.
    pub(crate) wrong: usize,
    /// Missing, or refused as damaged.
    pub(crate) missing: usize,
}

impl Child {
    pub(crate) fn run(self) -> io::Result<()> {
        let kind = |name: &str| -> io::Result<&'static Kind> {
            kind(name).ok_or_else(|| io::Error::other("there is no such store"))
        };
        match self {
            Child::Put { kind: name, directory, mails } => {
                let store = (kind(&name)?.open)(&directory);
                for _ in 0..mails {
                    store.put(&random(2 << 10, 1));
                    // One write of the whole line, which strace shows among the syncs.
                    io::stdout().write_all(ACKNOWLEDGED.as_bytes()).and_then(|()| io::stdout().flush())?;
                }
            }
            Child::Check { kind: name, directory, expected } => {
                let expected: Vec<Expected> = serde_json::from_slice(&fs::read(expected)?)?;
                panic::set_hook(Box::new(|_| {}));
                let mut found = Found::default();
                let kind = kind(&name)?;
                if let Ok(store) = panic::catch_unwind(|| (kind.open)(&directory)) {
                    for mail in &expected {
                        match panic::catch_unwind(AssertUnwindSafe(|| store.get(&mail.id))) {
                            Ok(Some(body)) if body == random(mail.bytes, mail.seed) => found.intact += 1,
                            Ok(Some(_)) => found.wrong += 1,
                            Ok(None) | Err(_) => found.missing += 1,
                        }
                    }
                } else {
                    found.missing = expected.len();
                }
                println!("{}", serde_json::to_string(&found)?);
                // Skips the destructors, which may fail for a damaged store.
                std::process::exit(0);
            }
        }
        Ok(())
    }
}
