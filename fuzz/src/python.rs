//! Python's `text_format`, in a process that answers for as long as it is asked.

use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process. It ends with the pipe to it.
pub struct Python {
    process: Child,
    texts: ChildStdin,
    answers: ChildStdout,
    version: String,
}

/// The Python that `host-test/interop/install` made, or another one that is named.
fn interpreter(workspace: &Path) -> PathBuf {
    std::env::var_os("QUEUE_STORE_PYTHON")
        .map_or_else(|| workspace.join("target/interop/python/bin/python3"), PathBuf::from)
}

impl Python {
    /// Starts it, and waits until it can answer.
    pub fn start() -> Result<Python, String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(interpreter(&workspace));
        // A warning of an unknown escape would be one for each.
        command.args(["-W", "ignore"]).arg(workspace.join("host-test/interop/python/protobuf_text_server.py"));
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.map_err(|error| format!("{command:?}: {error}"))?;
        let (texts, answers) =
            (process.stdin.take().expect("it is piped"), process.stdout.take().expect("it is piped"));
        let mut python = Python { process, texts, answers, version: String::new() };
        // Nothing is written to it before: a pipe that nobody reads ends the fuzzer with a signal, and no word.
        let (_, version) = python.answer().map_err(|error| python.ended(&error))?;
        python.version = String::from_utf8_lossy(&version).into_owned();
        Ok(python)
    }

    /// The versions of Python and `protobuf`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it reads: the message as `prost-reflect` encodes it, in which the same message is the same bytes; or why it
    /// refuses the text.
    pub fn read(&mut self, text: &[u8]) -> Result<Vec<u8>, String> {
        let (taken, bytes) = self.ask(text).unwrap_or_else(|error| panic!("{}", self.ended(&error)));
        if !taken {
            return Err(String::from_utf8_lossy(&bytes).into_owned());
        }
        let message = DynamicMessage::decode(MESSAGE.clone(), &*bytes);
        Ok(message.expect("Python encodes a message").encode_to_vec())
    }

    fn ask(&mut self, text: &[u8]) -> io::Result<(bool, Vec<u8>)> {
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        self.texts.write_all(&[&length.to_le_bytes(), text].concat())?;
        self.answer()
    }

    /// A verdict, and the message or the reason.
    fn answer(&mut self) -> io::Result<(bool, Vec<u8>)> {
        let mut head = [0; 5];
        self.answers.read_exact(&mut head)?;
        let [taken, length @ ..] = head;
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut bytes)?;
        Ok((taken == 1, bytes))
    }

    fn ended(&mut self, error: &io::Error) -> String {
        format!("Python does not answer: {error}; it ended with {:?}", self.process.try_wait())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself, which is what was wanted.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
