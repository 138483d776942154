//! The log of changes, where one is asked for: a line for each item, in a file or by syslog.

use crate::escape::escape_json;
use crate::failure::{Cause, Failure, note};
use crate::location::Location;
use nix::unistd::{User, getuid};
use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use sysexits::ExitCode as Sysexit;

/// The name that stands for the system's log.
const SYSLOG: &str = "syslog";

/// The socket of the system's log.
const SYSLOG_SOCKET: &str = "/dev/log";

/// Facility `mail`, severity `info` (RFC 5424 section 6.2.1).
const SYSLOG_PRIORITY: u8 = 2 * 8 + 6;

/// Set by [`ask`].
static ASKED: OnceLock<(PathBuf, String)> = OnceLock::new();

/// Set by [`open`].
static LOG: OnceLock<Log> = OnceLock::new();

/// A log that is open.
struct Log {
    target: PathBuf,
    sink: Sink,
    /// The beginning of its lines: who changes, and by which subcommand.
    change: String,
    /// The queue that is changed, where nothing else is said.
    queue: String,
}

enum Sink {
    File(File),
    Syslog(UnixDatagram),
}

/// Asks for a log of the changes of a subcommand: a file that is appended to, or `syslog`.
pub(crate) fn ask(target: &Path, subcommand: &str) {
    ASKED.get_or_init(|| (target.to_path_buf(), subcommand.trim().to_string()));
}

/// Opens the log, if one was asked for. A log that cannot be opened is an error before a change, not after it.
pub(crate) fn open(queue: &Location) -> Result<(), Failure> {
    let Some((target, subcommand)) = ASKED.get() else {
        return Ok(());
    };
    let sink = if target == Path::new(SYSLOG) { connect() } else { append(target) };
    let sink = sink.map_err(|error| Failure::file(path(target), error, Sysexit::CantCreat))?;
    let user = User::from_uid(getuid()).ok().flatten().map_or_else(|| getuid().to_string(), |user| user.name);
    let by = env::var("SUDO_USER").map(|sudo_user| format!(" sudo_user={}", quoted(&sudo_user))).unwrap_or_default();
    let change = format!("user={}{by} command={}", quoted(&user), quoted(subcommand));
    LOG.get_or_init(|| Log { target: target.clone(), sink, change, queue: queue.to_string() });
    Ok(())
}

fn connect() -> io::Result<Sink> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(SYSLOG_SOCKET)?;
    Ok(Sink::Syslog(socket))
}

fn append(target: &Path) -> io::Result<Sink> {
    Ok(Sink::File(File::options().append(true).create(true).mode(0o640).open(target)?))
}

/// Returns the file of a log.
fn path(target: &Path) -> &Path {
    if target == Path::new(SYSLOG) { Path::new(SYSLOG_SOCKET) } else { target }
}

/// Adds the outcome of a change to the log, if one is open, and returns it. Where that fails, the failure has both. The id
/// is empty where there is none.
pub(crate) fn logged<T>(id: &str, outcome: Result<T, Failure>) -> Result<T, Failure> {
    match (record(id, outcome.as_ref().map(drop)), outcome) {
        (Ok(()), outcome) => outcome,
        (Err(not_logged), Ok(_)) => Err(not_logged.with_note(note::CHANGE_MADE)),
        (Err(not_logged), Err(failure)) => Err(failure.with_note(not_logged.to_string())),
    }
}

/// Adds the outcome of a change to the log, if one is open.
pub(crate) fn record(id: &str, outcome: Result<(), &Failure>) -> Result<(), Failure> {
    LOG.get().map_or(Ok(()), |log| log.write(&log.queue, id, outcome))
}

/// Adds the outcome of a change to another queue than the one that the log was opened for, if one is open.
pub(crate) fn record_in(queue: &Location, id: &str, outcome: Result<(), &Failure>) -> Result<(), Failure> {
    LOG.get().map_or(Ok(()), |log| log.write(&queue.to_string(), id, outcome))
}

impl Log {
    fn write(&self, queue: &str, id: &str, outcome: Result<(), &Failure>) -> Result<(), Failure> {
        let Log { target, sink, change, queue: _ } = self;
        let outcome = outcome.map_or_else(|failure| failure.to_string(), |()| "done".to_string());
        let line = format!("{change} queue={} id={} outcome={}", quoted(queue), quoted(id), quoted(&outcome));
        let written = match sink {
            // In one write, so that the lines of several processes do not mix.
            Sink::File(file) => {
                let mut file = file;
                file.write_all(format!("{:.0} {line}\n", jiff::Timestamp::now()).as_bytes())
            }
            Sink::Syslog(socket) => {
                let message = format!("<{SYSLOG_PRIORITY}>queue-store[{}]: {line}", process::id());
                socket.send(message.as_bytes()).map(drop)
            }
        };
        written.map_err(|error| Failure::from(Cause::NotLogged(error)).at(&path(target).to_string_lossy()))
    }
}

/// Returns a text in quotes and in one line.
fn quoted(text: &str) -> String {
    escape_json(serde_json::Value::from(text).to_string())
}
