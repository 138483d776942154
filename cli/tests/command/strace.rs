//! The changes that a command makes to files, as strace sees them.

use crate::process::{launched_by, run};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a command that succeeds, and returns its changes to files below `root`, in order:
///
/// - `create`, `write`, `sync`, `unlink` and a name; `rename`, `link` and two names; `make` and a directory;
/// - `look` and a name that the command looked for and that is free;
/// - `print` and the bytes that were written to standard output.
///
/// Names are relative to `root`, and temporary ones are `T1`, `T2` and so on. Adjacent writes to one file are one.
pub(crate) fn changes(root: &Path, command: &Command, input: &[u8]) -> Vec<String> {
    let log = log(command, &["-y", "-s", "4096", "-e", "trace=%file,%desc"], input);
    let mut changes = Changes { root, temporary: HashMap::new(), seen: Vec::new() };
    calls(&log).iter().for_each(|call| changes.note(call));
    changes.seen
}

/// Runs a command that succeeds, under strace with these options, and returns the log.
pub(crate) fn log(command: &Command, options: &[&str], input: &[u8]) -> String {
    let log = tempfile::NamedTempFile::new().expect("a test can create a temporary file");
    let output = run(&mut traced(command, options, log.path()), input);
    assert_eq!(output.code, 0, "{}", output.stderr);
    fs::read_to_string(log.path()).expect("strace escapes all but ASCII")
}

/// Returns the command under strace with these options, which writes to `log`.
pub(crate) fn traced(command: &Command, options: &[&str], log: &Path) -> Command {
    let log = log.to_str().expect("temporary files have names in UTF-8");
    launched_by(&[&["strace", "-f", "-qq"], options, &["-o", log]].concat(), command)
}

/// Returns the command under strace, which injects a fault: `SYSCALL:error=ERRNO:when=NUMBER` and the like.
pub(crate) fn with_fault(fault: &str, command: &Command) -> Command {
    traced(command, &["-e", &format!("inject={fault}")], Path::new("/dev/null"))
}

/// A system call that returned.
struct Call {
    name: String,
    arguments: String,
    result: String,
}

/// Returns the calls of a log in the order in which they returned.
fn calls(log: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut unfinished = HashMap::new();
    for line in log.lines() {
        let (thread, text) = line.split_once(' ').expect("with -f each line begins with a thread");
        let text = text.trim_start();
        if text.starts_with(['+', '-', '?']) {
            // An exit, a signal, or a thread that ended with its process before strace knew its call.
            continue;
        }
        if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begun);
            continue;
        }
        let whole = match text.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, rest)) => {
                format!("{}{rest}", unfinished.remove(thread).expect("a call that is resumed was begun"))
            }
            None => text.to_string(),
        };
        let (call, result) = whole.rsplit_once(" = ").unwrap_or_else(|| panic!("not a call: {whole}"));
        let (name, arguments) = call.trim_end().split_once('(').unwrap_or_else(|| panic!("not a call: {whole}"));
        let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
        calls.push(Call { name: name.to_string(), arguments: arguments.to_string(), result: result.to_string() });
    }
    calls
}

struct Changes<'a> {
    root: &'a Path,
    temporary: HashMap<String, String>,
    seen: Vec<String>,
}

impl Changes<'_> {
    /// Adds the change of a call, if it made one.
    fn note(&mut self, call: &Call) {
        let failed = call.result.starts_with('-');
        let arguments = split(&call.arguments);
        let seen = match call.name.as_str() {
            "statx" | "newfstatat" if call.result.contains("ENOENT") => {
                self.at(&arguments[0], &arguments[1]).map(|name| format!("look {name}"))
            }
            _ if failed => None,
            "openat" | "openat2" if call.arguments.contains("O_CREAT") => {
                assert!(call.arguments.contains("O_EXCL"), "not created exclusively: {}", call.arguments);
                self.at(&arguments[0], &arguments[1]).map(|name| format!("create {name}"))
            }
            "creat" => panic!("not created exclusively: {}", call.arguments),
            "write" if arguments[0].starts_with("1<") => Some(format!("print {}", text(&arguments[1]))),
            "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" => {
                self.descriptor(&arguments[0]).map(|name| format!("write {name}"))
            }
            "fsync" | "fdatasync" => self.descriptor(&arguments[0]).map(|name| format!("sync {name}")),
            "sync" | "syncfs" | "sync_file_range" => panic!("not an fsync of one file: {}", call.name),
            "rename" => self.two("rename", (AT_CWD, &arguments[0]), (AT_CWD, &arguments[1])),
            "renameat" | "renameat2" => {
                self.two("rename", (&arguments[0], &arguments[1]), (&arguments[2], &arguments[3]))
            }
            "link" => self.two("link", (AT_CWD, &arguments[0]), (AT_CWD, &arguments[1])),
            "linkat" => self.two("link", (&arguments[0], &arguments[1]), (&arguments[2], &arguments[3])),
            "unlink" => self.at(AT_CWD, &arguments[0]).map(|name| format!("unlink {name}")),
            "unlinkat" => self.at(&arguments[0], &arguments[1]).map(|name| format!("unlink {name}")),
            "mkdir" => self.at(AT_CWD, &arguments[0]).map(|name| format!("make {name}")),
            "mkdirat" => self.at(&arguments[0], &arguments[1]).map(|name| format!("make {name}")),
            _ => None,
        };
        if let Some(seen) = seen
            && !(seen.starts_with("write ") && self.seen.last() == Some(&seen))
        {
            self.seen.push(seen);
        }
    }

    fn two(&mut self, change: &str, (from_in, from): (&str, &str), (to_in, to): (&str, &str)) -> Option<String> {
        let (from, to) = (self.at(from_in, from)?, self.at(to_in, to)?);
        Some(format!("{change} {from} {to}"))
    }

    /// Returns the name of a file in an open directory.
    fn at(&mut self, directory: &str, name: &str) -> Option<String> {
        let directory = annotation(directory)?;
        self.relative(&Path::new(directory).join(text(name)))
    }

    /// Returns the name of an open file.
    fn descriptor(&mut self, descriptor: &str) -> Option<String> {
        self.relative(Path::new(annotation(descriptor)?))
    }

    /// Returns the name of a file below the root, none for others.
    fn relative(&mut self, path: &Path) -> Option<String> {
        let name = path.strip_prefix(self.root).ok()?.to_str().expect("the names of a test are UTF-8");
        if !name.contains(".m:") {
            return Some(if name.is_empty() { "." } else { name }.to_string());
        }
        let next = format!("T{}", self.temporary.len() + 1);
        Some(self.temporary.entry(name.to_string()).or_insert(next).clone())
    }
}

/// The directory of calls that take none, as strace would show it.
const AT_CWD: &str = "AT_FDCWD</>";

/// Returns the path that `-y` adds to a descriptor, such as that of `3</var/queue>`.
fn annotation(descriptor: &str) -> Option<&str> {
    descriptor.split_once('<')?.1.strip_suffix('>')
}

/// Returns a string as strace shows it, without its quotes.
fn text(argument: &str) -> &str {
    let inner = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_else(|| panic!("not a whole string: {argument}"))
}

/// Splits the arguments of a call at the commas outside of quotes, brackets and braces.
fn split(arguments: &str) -> Vec<String> {
    let (mut depth, mut is_quoted, mut is_escaped) = (0, false, false);
    let mut split = vec![String::new()];
    for character in arguments.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '[' | '{' | '(' | '<' if !is_quoted => depth += 1,
            ']' | '}' | ')' | '>' if !is_quoted => depth -= 1,
            ',' if !is_quoted && depth == 0 => {
                split.push(String::new());
                continue;
            }
            ' ' if !is_quoted && depth == 0 => continue,
            _ => {}
        }
        split.last_mut().expect("the list begins with an empty argument").push(character);
    }
    split
}
