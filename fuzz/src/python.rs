//! Decodes texts with Python's `text_format`, in a process that serves all requests of the fuzzer.

use crate::schema::MESSAGE;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The Python process. It exits when its standard input is closed.
pub struct Python {
    process: Child,
    texts: ChildStdin,
    answers: ChildStdout,
    version: String,
}

/// Returns the path in `QUEUE_STORE_PYTHON`, or else that of the Python from `host-test/interop/install`.
fn interpreter(workspace: &Path) -> PathBuf {
    std::env::var_os("QUEUE_STORE_PYTHON")
        .map_or_else(|| workspace.join("target/interop/python/bin/python3"), PathBuf::from)
}

impl Python {
    /// Starts the process and waits until it is ready.
    pub fn start() -> Result<Python, String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(interpreter(&workspace));
        // Python would warn of every unknown escape.
        command.args(["-W", "ignore"]).arg(workspace.join("host-test/interop/python/protobuf_text_server.py"));
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.map_err(|error| format!("{command:?}: {error}"))?;
        let (texts, answers) = (
            process.stdin.take().expect("standard input is piped"),
            process.stdout.take().expect("standard output is piped"),
        );
        let mut python = Python { process, texts, answers, version: String::new() };
        // Reads before the first write: if the process has exited, a write would end the fuzzer with SIGPIPE and no
        // message.
        let (_, version) = python.answer().map_err(|error| python.ended(&error))?;
        python.version = String::from_utf8_lossy(&version).into_owned();
        Ok(python)
    }

    /// Returns the versions of Python and of its package `protobuf`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decodes a text and encodes the message with `prost-reflect`, so that equal messages are equal bytes. Fails with
    /// the reason for which Python rejects the text.
    pub fn read(&mut self, text: &[u8]) -> Result<Vec<u8>, String> {
        let (accepted, bytes) = self.ask(text).unwrap_or_else(|error| panic!("{}", self.ended(&error)));
        if !accepted {
            return Err(String::from_utf8_lossy(&bytes).into_owned());
        }
        let message = DynamicMessage::decode(MESSAGE.clone(), &*bytes);
        Ok(message.expect("Python answers with an encoded message").encode_to_vec())
    }

    fn ask(&mut self, text: &[u8]) -> io::Result<(bool, Vec<u8>)> {
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        self.texts.write_all(&[&length.to_le_bytes(), text].concat())?;
        self.answer()
    }

    /// Reads an answer: whether the text was accepted, and the message or the reason.
    fn answer(&mut self) -> io::Result<(bool, Vec<u8>)> {
        let mut head = [0; 5];
        self.answers.read_exact(&mut head)?;
        let [accepted, length @ ..] = head;
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut bytes)?;
        Ok((accepted == 1, bytes))
    }

    fn ended(&mut self, error: &io::Error) -> String {
        format!("Python does not answer: {error}; exit status {:?}", self.process.try_wait())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Errors are ignored: the process may have exited already.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
