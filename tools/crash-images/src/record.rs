//! Runs a workload with the shipping command on a drive, and records the events of the disk and of the callers.

use crate::check::{Checker, Expectation, FOREIGN_FILES, queue_directory};
use crate::disk::{Log, log_file};
use crate::drive::Drive;
use crate::error::Error;
use crate::history::{History, Mark};
use crate::interrupt;
use crate::workload::{Action, Call, Mail, Place, STATUSES, Workload};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes sent of an endless mail: more than 1 MiB, the limit up to which the command buffers a mail before it writes.
const ENDLESS_BYTES: usize = 2 << 20;

/// Time for the command to write the part of an endless mail that it received.
const WRITING_TIME: Duration = Duration::from_millis(50);

/// A workload, its log and its history.
pub struct Recording {
    /// The calls and their mails.
    pub workload: Workload,
    /// The changes of each item, with the positions of their calls and promises.
    pub history: History,
    /// The events of the disk, from mkfs to the unmount.
    pub log: Log,
}

impl Recording {
    /// Creates a recording from a workload and its log.
    ///
    /// # Errors
    ///
    /// Fails if the marks in the log are not those of the workload.
    pub fn new(workload: Workload, log: Log) -> Result<Recording, Error> {
        let history = History::new(&workload, &log)?;
        Ok(Recording { workload, history, log })
    }

    /// Loads a recording from a file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is no valid recording.
    pub fn load(path: &Path) -> Result<Recording, Error> {
        let (line, log) = log_file::load(path).map_err(Error::file(path))?;
        let settings = serde_json::from_str(&line).map_err(|error| Error::Log(error.to_string()))?;
        Recording::new(Workload::new(settings), log)
    }

    /// Saves the recording to a file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let line = serde_json::to_string(&self.workload.settings).map_err(|error| Error::Log(error.to_string()))?;
        log_file::save(path, &line, &self.log).map_err(Error::file(path))
    }

    /// Runs a workload on a new drive.
    ///
    /// # Errors
    ///
    /// Fails if a call of the command or another operation fails, and if the queue violates its guarantees at the end,
    /// without any crash.
    pub fn make(workload: Workload, checker: &Checker<'_>) -> Result<Recording, Error> {
        let file_system = workload.settings.file_system;
        let drive = Drive::new(file_system.bytes())?;
        file_system.make(&drive)?;
        let (mounted, _) = file_system.mount(&drive)?;
        let mails = drive.scratch_directory().join("mails");
        fs::create_dir(&mails).map_err(Error::file(&mails))?;
        let runner = Runner {
            workload: &workload,
            command: checker.command,
            drive: &drive,
            queue: queue_directory(mounted.path()),
            root: mounted.path().to_path_buf(),
            mails,
            failed: AtomicBool::new(false),
        };
        runner.prepare()?;
        runner.mark(&Mark::Begin)?;
        runner.work()?;
        runner.mark(&Mark::End)?;
        // The first history selects the items whose creation times are marked; the second one has these marks for the
        // check.
        let log = drive.disk().copy_log();
        runner.mark_creation_times(&History::new(&workload, &log)?, checker)?;
        let log = drive.disk().copy_log();
        let history = History::new(&workload, &log)?;
        let now = Expectation { workload: &workload, history: &history, earliest: log.len(), latest: log.len() };
        if let Some(violation) = checker.check(mounted.path(), &now)?.first() {
            return Err(Error::Log(format!("without any crash, {violation}")));
        }
        mounted.unmount()?;
        let log = drive.disk().take_log();
        Recording::new(workload, log)
    }
}

struct Runner<'a> {
    workload: &'a Workload,
    command: &'a Path,
    drive: &'a Drive,
    queue: PathBuf,
    root: PathBuf,
    /// A directory for the bodies and ids of mails.
    mails: PathBuf,
    /// Whether a client failed. The others stop then.
    failed: AtomicBool,
}

impl Runner<'_> {
    fn mark(&self, mark: &Mark) -> Result<(), Error> {
        self.drive.mark(&mark.text())
    }

    /// Fills the queue, and syncs the file system and the device.
    fn prepare(&self) -> Result<(), Error> {
        self.workload.clients.first().into_iter().flatten().try_for_each(|call| self.call(call))?;
        for (name, content) in FOREIGN_FILES {
            let path = self.queue.join(name);
            let directory = path.parent().unwrap_or(&self.queue);
            fs::create_dir_all(directory).map_err(Error::file(directory))?;
            fs::write(&path, content).map_err(Error::file(&path))?;
        }
        self.drive.sync(&self.root)
    }

    /// Runs the clients concurrently.
    fn work(&self) -> Result<(), Error> {
        let work = |calls: &[Call]| {
            for call in calls {
                if interrupt::came() {
                    return Err(Error::Interrupted);
                }
                if self.failed.load(Ordering::Relaxed) {
                    break;
                }
                self.call(call).inspect_err(|_| self.failed.store(true, Ordering::Relaxed))?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let clients: Vec<_> =
                self.workload.clients.iter().skip(1).map(|calls| scope.spawn(|| work(calls))).collect();
            let ends: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
            ends.into_iter().try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn call(&self, call: &Call) -> Result<(), Error> {
        let Call { number, action, durability } = call;
        self.mark(&Mark::Called { call: *number })?;
        let acknowledge = |item| self.mark(&Mark::Acknowledged { call: *number, item, id: None });
        let subcommand = |name: &str| {
            let mut command = Command::new(self.command);
            command.arg(name).arg("--queue").arg(&self.queue);
            command
        };
        let durable = |name: &str| {
            let mut command = subcommand(name);
            command.arg(format!("--durability={durability}"));
            command
        };
        match action {
            Action::Put(item) => self.put(durable("put"), *number, &self.workload.mails[*item]),
            Action::PutAgain(item) => {
                let mut command = durable("put");
                self.put_arguments(&mut command, &self.workload.mails[*item])?;
                // EX_CANTCREAT: the item exists and is durable.
                expect(&mut command, 73)?;
                acknowledge(*item)
            }
            Action::PutKilled => self.put_killed(durable("put")),
            Action::Import(items) => self.import(durable("import"), *number, items),
            Action::Update { item, recipient, status, failure } => {
                let mut command = durable("update");
                let to = &self.workload.mails[*item].to[*recipient];
                let status = STATUSES.get(*status as usize).copied().unwrap_or_default();
                command.args(["--rcpt", to, "--status", status]).arg(format!("--failure={failure}"));
                expect(command.arg(self.id(*item)?), 0)?;
                acknowledge(*item)
            }
            Action::Remove(items) => {
                let mut command = durable("remove");
                let ids = items.iter().map(|item| self.id(*item)).collect::<Result<Vec<_>, _>>()?;
                expect(command.args(ids), 0)?;
                items.iter().try_for_each(|item| acknowledge(*item))
            }
            Action::RemoveAgain(item) => {
                // EX_NOINPUT: the item does not exist, durably.
                expect(durable("remove").arg(self.id(*item)?), 66)?;
                acknowledge(*item)
            }
            Action::Move { item, subcommand: name, to } => {
                let mut command = subcommand(name);
                if *to == Place::Ready {
                    // The time is one of the facts by which an item is compared with its put.
                    command.arg("--keep-time");
                }
                expect(command.arg(self.id(*item)?), 0)?;
                acknowledge(*item)
            }
            Action::Recover => {
                expect(&mut subcommand("recover"), 0)?;
                self.mark(&Mark::Done { call: *number })
            }
            Action::Neighbour => self.neighbour(*number),
        }
    }

    /// Returns the path of the file with the id of an item.
    fn id_file(&self, item: usize) -> PathBuf {
        self.mails.join(format!("{item}.id"))
    }

    fn id(&self, item: usize) -> Result<String, Error> {
        let path = self.id_file(item);
        fs::read_to_string(&path).map_err(Error::file(&path))
    }

    /// Marks a put as acknowledged, and saves the id. The mark comes first, so that it is as early as the caller learns
    /// the id.
    fn acknowledge_put(&self, call: usize, item: usize, id: &str) -> Result<(), Error> {
        self.mark(&Mark::Acknowledged { call, item, id: Some(id.to_string()) })?;
        let path = self.id_file(item);
        fs::write(&path, id).map_err(Error::file(&path))
    }

    fn put_arguments(&self, command: &mut Command, mail: &Mail) -> Result<(), Error> {
        command.args(["--from", Mail::FROM]);
        command.args(mail.to.iter().flat_map(|to| ["--to", to]));
        command.args(mail.id.iter().flat_map(|id| ["--id", id]));
        let file = self.mails.join(mail.number.to_string());
        fs::write(&file, &mail.body).map_err(Error::file(&file))?;
        command.arg(file);
        Ok(())
    }

    fn put(&self, mut command: Command, call: usize, mail: &Mail) -> Result<(), Error> {
        self.put_arguments(&mut command, mail)?;
        lines(&mut command, |line| self.acknowledge_put(call, mail.number, line))
    }

    fn import(&self, mut command: Command, call: usize, items: &[usize]) -> Result<(), Error> {
        // A maildir: the command imports its files byte for byte.
        let maildir = self.mails.join(format!("import-{call}"));
        for name in ["new", "cur"] {
            let directory = maildir.join(name);
            fs::create_dir_all(&directory).map_err(Error::file(&directory))?;
        }
        for item in items {
            let mail = &self.workload.mails[*item];
            let file = maildir.join("new").join(mail.number.to_string());
            fs::write(&file, &mail.body).map_err(Error::file(&file))?;
        }
        command.args(["--from", Mail::FROM]);
        // All mails of an import have the same recipients.
        let to = items.first().map(|first| &self.workload.mails[*first].to);
        command.args(to.into_iter().flatten().flat_map(|to| ["--to", to]));
        let mut acknowledged = 0;
        lines(command.arg(&maildir), |line| {
            let (id, source) = line.split_once("  ").unwrap_or((line, ""));
            let number = source.rsplit('/').next().and_then(|name| name.parse().ok());
            let number = number.ok_or_else(|| Error::Log(format!("the command printed: {line}")))?;
            acknowledged += 1;
            self.acknowledge_put(call, number, id)
        })?;
        if acknowledged != items.len() {
            return Err(Error::Log(format!("{acknowledged} of {} mails were imported", items.len())));
        }
        Ok(())
    }

    /// Starts a put, sends a part of a mail, and kills the command while it waits for the rest.
    fn put_killed(&self, mut command: Command) -> Result<(), Error> {
        command.args(["--from", Mail::FROM, "--to", Mail::FROM]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Error::system("put"))?;
        let written = child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(&vec![b'.'; ENDLESS_BYTES]));
        std::thread::sleep(WRITING_TIME);
        let killed = child.kill().and_then(|()| child.wait().map(drop));
        written.and(killed).map_err(Error::system("put, killed"))
    }

    /// Appends to a file outside the queue on the same file system, and fsyncs it.
    fn neighbour(&self, number: usize) -> Result<(), Error> {
        let path = self.root.join("neighbour");
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::file(&path))?;
        let content = format!("{number} ").repeat(number * 7 % 1000);
        (&file).write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file(&path))
    }

    /// Marks the creation time of each item in the queue, which no call printed.
    fn mark_creation_times(&self, history: &History, checker: &Checker<'_>) -> Result<(), Error> {
        let queue = checker.host.open(&self.queue)?;
        let live = history.items.iter().enumerate();
        for (item, history) in live.filter(|(_, history)| history.state(history.transitions.len()).is_some()) {
            let info = queue.info(history.id.as_deref().unwrap_or_default())?;
            if let Some(at) = info.envelope.created_at {
                self.mark(&Mark::Created { item, at: (at.seconds, at.nanos) })?;
            }
        }
        Ok(())
    }
}

/// Runs a command that must end with the exit code `code`.
fn expect(command: &mut Command, code: i32) -> Result<(), Error> {
    let output = command.output().map_err(Error::system("queue-store"))?;
    if output.status.code() == Some(code) { Ok(()) } else { Err(Error::program(command, &output)) }
}

/// Runs a command that must succeed, and passes each line of its standard output to `take` as it arrives.
fn lines(command: &mut Command, mut take: impl FnMut(&str) -> Result<(), Error>) -> Result<(), Error> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::system("queue-store"))?;
    let mut taken = Ok(());
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            taken = line.map_err(Error::system("queue-store: standard output")).and_then(|line| take(&line));
            if taken.is_err() {
                break;
            }
        }
    }
    let output = child.wait_with_output().map_err(Error::system("queue-store"))?;
    taken?;
    if output.status.success() { Ok(()) } else { Err(Error::program(command, &output)) }
}
