//! What keeps the rig from finding out. What it finds is a [`crate::check::Violation`].

use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// Why the rig cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program that should have succeeded did not.
    #[error("{program}: {why}")]
    Program {
        /// The program and its arguments.
        program: String,
        /// Its status, and what it wrote to standard error.
        why: String,
    },
    /// The queue refused what it should have done.
    #[error(transparent)]
    Queue(#[from] queue_store_host::Error),
    /// What was recorded makes no sense.
    #[error("the log: {0}")]
    Log(String),
    /// Somebody pressed ^C.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// For `map_err`: the system refused `what`.
    pub(crate) fn system<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
        let what = what.into();
        |source| Error::System { what, source: source.into() }
    }

    /// For `map_err`: the system refused to do something with a file.
    pub(crate) fn file<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> Error {
        Error::system(path.display().to_string())
    }

    /// A program that ended otherwise than it should have.
    pub(crate) fn program(command: &Command, output: &Output) -> Error {
        let said = String::from_utf8_lossy(&output.stderr);
        Error::Program { program: words(command), why: format!("{}: {}", output.status, said.trim()) }
    }
}

/// Runs a program to its end, which must be a success, and returns what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String, Error> {
    let output = command.output().map_err(Error::system(words(command)))?;
    if !output.status.success() {
        return Err(Error::program(command, &output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as it would be typed, but for quotes.
fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
