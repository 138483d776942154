//! A queue in a temporary directory, and commands on it.

use crate::process::{Output, queue_store, run};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// An update of the item `x`, which [`Queue::put`] put.
pub(crate) const UPDATE: [&str; 6] = ["update", "x", "--rcpt", "b@example.com", "--status", "sent"];

/// A temporary directory, and in it a queue.
pub(crate) struct Queue {
    directory: TempDir,
}

impl Queue {
    /// Creates the temporary directory. The first put creates the queue.
    pub(crate) fn new() -> Queue {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir();
        Queue { directory: directory.expect("a test can create a temporary directory") }
    }

    /// Creates the temporary directory and an empty queue.
    pub(crate) fn existing() -> Queue {
        let queue = Queue::new();
        fs::create_dir(queue.path()).expect("the temporary directory is new and writable");
        queue
    }

    /// Returns the directory of the queue.
    pub(crate) fn path(&self) -> PathBuf {
        self.beside("queue")
    }

    /// Returns a path beside the queue.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file beside the queue.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.beside(name);
        fs::write(&path, content).expect("the temporary directory is writable");
        path
    }

    /// Writes a file in the queue.
    pub(crate) fn file_within(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).expect("the queue is writable");
    }

    /// Returns the command with these arguments, for this queue, without input.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = queue_store(arguments);
        command.env("QUEUE_STORE_DIR", self.path());
        command
    }

    /// Runs the command with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run(&mut self.command(arguments), b"")
    }

    /// Returns the JSON that the command prints with these arguments.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        parse_json(&self.run(arguments).done())
    }

    /// Returns the command that puts a mail from `a@example.com` to `b@example.com`.
    pub(crate) fn put_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["put", "--from", "a@example.com", "--to", "b@example.com"]);
        command.args(arguments);
        command
    }

    /// Puts a mail.
    pub(crate) fn try_put(&self, arguments: &[&str], body: &[u8]) -> Output {
        run(&mut self.put_command(arguments), body)
    }

    /// Puts a mail, and returns its id.
    pub(crate) fn put(&self, arguments: &[&str], body: &[u8]) -> String {
        self.try_put(arguments, body).done().trim_end().to_string()
    }

    /// Returns the body of an item.
    pub(crate) fn cat(&self, id: &str) -> Vec<u8> {
        let output = self.run(&["cat", "--", id]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        output.stdout
    }

    /// Returns the file names in the queue, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.path())
    }

    /// Runs a command that must fail with this code, and change nothing. Returns the line of the error, with `DIR` for
    /// the temporary directory and `*` for the random part of a temporary name.
    #[track_caller]
    pub(crate) fn refused(&self, command: &mut Command, input: &[u8], code: i32) -> String {
        let before = self.content();
        let line = run(command, input).failed(code);
        assert!(self.content() == before, "the command left {:?}", self.content().keys());
        let directory = self.directory.path().to_str().expect("the temporary directory has a name in UTF-8");
        let mut line = line.replace(directory, "DIR");
        if let Some(at) = line.find("/.m:") {
            line.replace_range(at + 4..at + 15, "*");
        }
        line
    }

    /// Returns everything in the temporary directory but the modification times.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, File> {
        let mut content = BTreeMap::new();
        add_content(self.directory.path(), &mut content);
        content
    }
}

/// Returns the names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = entries(directory)
        .map(|path| path.file_name().expect("an entry has a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Parses JSON that the command printed.
pub(crate) fn parse_json(printed: &str) -> serde_json::Value {
    serde_json::from_str(printed).expect("`--json` prints one JSON value")
}

/// The part of a file that a test compares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    mode: u32,
    owner: u32,
    links: u64,
    content: Vec<u8>,
}

fn add_content(path: &Path, content: &mut BTreeMap<PathBuf, File>) {
    let found = path.symlink_metadata().expect("the files of a test do not vanish");
    let kind = found.file_type();
    let bytes = if kind.is_symlink() {
        fs::read_link(path).expect("a symbolic link can be read").as_os_str().as_bytes().to_vec()
    } else if kind.is_file() {
        fs::read(path).expect("the files of a test can be read")
    } else {
        assert!(kind.is_dir() || kind.is_fifo(), "no test creates such a file: {}", path.display());
        Vec::new()
    };
    let links = if kind.is_dir() { 0 } else { found.nlink() };
    content.insert(path.to_path_buf(), File { mode: found.mode(), owner: found.uid(), links, content: bytes });
    if kind.is_dir() {
        entries(path).for_each(|path| add_content(&path, content));
    }
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(directory).expect("the directories of a test can be read");
    entries.map(|entry| entry.expect("the directories of a test can be read to their end").path())
}
