//! Fails one write of an item at the block device, cuts the power, and checks every item that a call called durable.
//!
//! Linux reports a failed write-back to the next fsync of the file. Later fsyncs have nothing left to write and succeed,
//! though the disk lacks the data. Each call here is a process of its own, so that only the queue can tell the later
//! calls of the failure.

use crate::check::{Checker, Kind, Recovery, Violation, queue_directory};
use crate::crash::{Crashes, cuts};
use crate::disk::Image;
use crate::drive::Drive;
use crate::error::Error;
use crate::file_system::FileSystem;
use crate::interrupt;
use crate::workload::Mail;
use queue_store_host::types::ErrorCode;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The content of the write that fails: a line of the bodies of the calls below.
const MARKER: &str = "One write of this line fails.";

/// The id of the item that another program writes, and that `put --id` puts.
const ID: &str = "item-x";

/// The id of a second item that the other program writes, without the marker.
const NEIGHBOUR: &str = "item-y";

/// The address of the other program's items.
const TO: &str = "to@example.com";

/// The file systems of the report, by default mounted with `errors=continue`. Others need more than one failed write:
/// btrfs has a small item in both copies of its metadata. ext4 with `data=journal` becomes read-only.
pub const FILE_SYSTEMS: [FileSystem; 2] = [FileSystem::Ext4, FileSystem::Xfs];

/// The seed of the choices of writes after each flush.
const SEED: u64 = 1;

/// A call of a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// Another program writes two items and fsyncs neither.
    Write,
    /// Another program writes back the whole file system, as the kernel does from time to time.
    SyncFileSystem,
    /// Another program fsyncs its item, and leaves it in the queue also where that fails.
    Fsync,
    /// `queue-store put` with a generated id.
    Put,
    /// `queue-store put --id`.
    PutId,
    /// `queue-store recover`.
    Recover,
}

impl Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Call::Write => "write X",
            Call::SyncFileSystem => "syncfs",
            Call::Fsync => "fsync X",
            Call::Put => "put",
            Call::PutId => "put --id X",
            Call::Recover => "recover",
        })
    }
}

/// Calls that are made one after another, with one failing write.
#[derive(Debug, Eq, PartialEq)]
pub struct Scenario {
    /// The calls.
    pub calls: &'static [Call],
    /// Whether the queue can know of the failure. It cannot if another program got the only report.
    pub is_reported: bool,
}

/// Every scenario, in the order of the report.
pub const SCENARIOS: &[Scenario] = {
    use Call::{Fsync, Put, PutId, Recover, SyncFileSystem, Write};
    &[
        Scenario { calls: &[Write, PutId, PutId], is_reported: true },
        Scenario { calls: &[Write, PutId, Recover, Recover, PutId, Put], is_reported: true },
        Scenario { calls: &[Write, Recover, Recover, PutId, Put], is_reported: true },
        Scenario { calls: &[Put, Put, Put], is_reported: true },
        Scenario { calls: &[PutId, PutId, PutId], is_reported: true },
        Scenario { calls: &[Write, SyncFileSystem, PutId, PutId, Recover, PutId], is_reported: true },
        Scenario { calls: &[Write, SyncFileSystem, Recover, PutId], is_reported: true },
        Scenario { calls: &[Write, Fsync, PutId], is_reported: false },
    ]
};

/// The result of a scenario on a file system.
pub struct Outcome {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// The file system.
    pub file_system: FileSystem,
    /// Each call with its exit code, or with the error of its system call.
    pub answers: Vec<String>,
    /// Number of images that were mounted, recovered and checked.
    pub images: usize,
    /// The violations of each image that has any.
    pub broken: Vec<Vec<Violation>>,
}

impl Outcome {
    /// Returns whether no image is broken or, where the queue cannot know of the failure, whether the check finds the
    /// loss.
    pub fn is_fine(&self) -> bool {
        self.broken.is_empty() == self.scenario.is_reported
    }

    /// Describes the outcome, and each different violation once.
    pub fn describe(&self) -> String {
        let Outcome { file_system, images, broken, .. } = self;
        let mut lines = format!("{file_system}, {}: {} of {images} images broken\n", self.calls(), broken.len());
        let mut violations: Vec<String> = broken.iter().flatten().map(|violation| format!("  {violation}\n")).collect();
        violations.sort();
        violations.dedup();
        lines.extend(violations);
        lines
    }

    /// Formats the calls with their answers.
    pub fn calls(&self) -> String {
        self.answers.join(", ")
    }
}

/// An item that a call called durable.
struct Promise {
    /// Number of events in the log when the call had ended.
    position: usize,
    id: String,
    body: String,
}

/// Runs a scenario on a new file system, and checks at most `images` images after each flush.
///
/// # Errors
///
/// Fails if the rig fails, and if no write of the scenario has the marker.
pub fn run(
    scenario: &'static Scenario,
    file_system: FileSystem,
    checker: &Checker<'_>,
    images: usize,
) -> Result<Outcome, Error> {
    let mut drive = Drive::new(file_system.bytes())?;
    file_system.make(&drive)?;
    let (mounted, _) = file_system.mount(&drive)?;
    let mut caller = Caller {
        command: checker.command,
        drive: &drive,
        root: mounted.path(),
        queue: queue_directory(mounted.path()),
        bodies: BTreeMap::new(),
        promises: Vec::new(),
    };
    caller.put(None, "an item from before")?;
    drive.sync(mounted.path())?;
    let begin = drive.disk().position();
    drive.disk().fail_write_of(MARKER.as_bytes());
    let answers = scenario.calls.iter().map(|call| caller.call(*call)).collect::<Result<Vec<_>, _>>()?;
    let promises = caller.promises;
    mounted.unmount()?;
    let mut outcome = Outcome { scenario, file_system, answers, images: 0, broken: Vec::new() };
    if drive.disk().has_fault() {
        return Err(Error::Log(format!("{}: no write had the marker", outcome.calls())));
    }

    let log = drive.disk().take_log();
    let mut before = Image::default();
    log[..begin].iter().for_each(|event| before.apply(event));
    let mut crashes = Crashes::new(&log, SEED, file_system.tearing(&before));
    let cuts = cuts(&log, begin);
    for cut in &cuts {
        for choice in crashes.choices(cut, images, cut.number + 1 == cuts.len()) {
            if interrupt::came() {
                return Err(Error::Interrupted);
            }
            let crash = crashes.crash(cut, choice);
            // The crash can have happened at any moment before the next flush.
            let promises = promises.iter().filter(|promise| promise.position <= crash.latest);
            drive.load(crash.image)?;
            let violations = check(&drive, file_system, checker, promises)?;
            outcome.images += 1;
            outcome.broken.extend(Some(violations).filter(|violations| !violations.is_empty()));
        }
    }
    Ok(outcome)
}

/// Mounts and recovers the image on a drive, and checks the promised items.
fn check<'a>(
    drive: &Drive,
    file_system: FileSystem,
    checker: &Checker<'_>,
    promises: impl Iterator<Item = &'a Promise>,
) -> Result<Vec<Violation>, Error> {
    let violation = |kind, detail: String| Violation { kind, detail };
    let mounted = match file_system.mount(drive) {
        Ok((mounted, _)) => mounted,
        Err(error) => return Ok(vec![violation(Kind::Unusable, error.to_string())]),
    };
    let directory = queue_directory(mounted.path());
    let mut violations = Vec::new();
    for arguments in [&["recover", "--json", "--grace=0"][..], &["verify"]] {
        let mut command = Command::new(checker.command);
        command.args(arguments).arg("--queue").arg(&directory);
        let output = command.output().map_err(Error::file(checker.command))?;
        // Exit code 65 reports damaged items, which may be those that no call called durable.
        if !matches!(output.status.code(), Some(0 | 65)) {
            violations.push(violation(Kind::Unusable, Error::program(&command, &output).to_string()));
        }
    }
    let queue = checker.host.open(&directory)?;
    // Of several promises of one item, the last one counts.
    let promised: BTreeMap<&str, &str> = promises.map(|promise| (&*promise.id, &*promise.body)).collect();
    for (id, body) in promised {
        match queue.get(id) {
            Ok(item) if item.body == body.as_bytes() => {}
            Ok(_) => violations.push(violation(Kind::Wrong, format!("{id}: its body differs"))),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => {
                violations.push(violation(Kind::LostPut, format!("{id}: {error}")));
            }
            Err(error) => violations.push(violation(Kind::Damaged, format!("{id}: {error}"))),
        }
    }
    drop(queue);
    mounted.unmount()?;
    Ok(violations)
}

/// The processes that use a queue, one after another.
struct Caller<'a> {
    command: &'a Path,
    drive: &'a Drive,
    root: &'a Path,
    queue: PathBuf,
    /// The body of each item that may exist, by id.
    bodies: BTreeMap<String, String>,
    promises: Vec<Promise>,
}

impl Caller<'_> {
    /// Makes a call, and formats it with its answer.
    fn call(&mut self, call: Call) -> Result<String, Error> {
        let exit_code = |output: &Output| output.status.code().map_or("killed".to_string(), |code| code.to_string());
        let answer = match call {
            Call::Write => {
                self.write_item(ID, MARKER)?;
                self.write_item(NEIGHBOUR, "another line")?;
                return Ok(call.to_string());
            }
            Call::SyncFileSystem => {
                let root = File::open(self.root).map_err(Error::file(self.root))?;
                answer(nix::unistd::syncfs(root))
            }
            Call::Fsync => {
                let path = self.item_file(ID);
                let file = File::open(&path).map_err(Error::file(&path))?;
                answer(nix::unistd::fsync(file))
            }
            Call::Put => exit_code(&self.put(None, MARKER)?),
            Call::PutId => exit_code(&self.put(Some(ID), MARKER)?),
            Call::Recover => exit_code(&self.recover()?),
        };
        Ok(format!("{call}: {answer}"))
    }

    fn item_file(&self, id: &str) -> PathBuf {
        self.queue.join(format!("m:{id}"))
    }

    /// Writes an item as chasquid does, but without an fsync.
    fn write_item(&mut self, id: &str, line: &str) -> Result<(), Error> {
        let from = Mail::FROM;
        let item = format!(
            "ID: \"{id}\"\nfrom: \"{from}\"\nTo: \"{TO}\"\nrcpt: {{ address: \"{TO}\" original_address: \"{TO}\" }}\n\
             data: \"{line}\\r\\n\"\ncreated_at_ts: {{ seconds: 1 nanos: 1 }}\n"
        );
        let path = self.item_file(id);
        fs::write(&path, item).map_err(Error::file(&path))?;
        self.bodies.insert(id.to_string(), format!("{line}\r\n"));
        Ok(())
    }

    fn subcommand(&self, name: &str) -> Command {
        let mut command = Command::new(self.command);
        command.arg(name).arg("--queue").arg(&self.queue);
        command
    }

    /// Puts a mail with the body `line`.
    fn put(&mut self, id: Option<&str>, line: &str) -> Result<Output, Error> {
        let body = format!("Subject: a put\r\n\r\n{line}\r\n");
        let file = self.drive.scratch_directory().join("mail");
        fs::write(&file, &body).map_err(Error::file(&file))?;
        let mut command = self.subcommand("put");
        command.args(["--from", Mail::FROM, "--to", TO]).args(id.into_iter().flat_map(|id| ["--id", id])).arg(&file);
        let output = command.output().map_err(Error::file(self.command))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let id = id.unwrap_or(printed.trim());
        // EX_CANTCREAT: the item existed, and is durable.
        if matches!(output.status.code(), Some(0 | 73)) {
            self.bodies.entry(id.to_string()).or_insert(body);
            self.promise(id)?;
        }
        Ok(output)
    }

    /// Recovers the queue. The items that exist and have no problem must be as many as the report counts.
    fn recover(&mut self) -> Result<Output, Error> {
        let mut command = self.subcommand("recover");
        let output = command.arg("--json").output().map_err(Error::file(self.command))?;
        let Ok(recovery) = serde_json::from_slice::<Recovery>(&output.stdout) else {
            return Ok(output);
        };
        let mut durable = 0;
        for entry in fs::read_dir(&self.queue).map_err(Error::file(&self.queue))? {
            let name = entry.map_err(Error::file(&self.queue))?.file_name();
            let name = name.to_string_lossy();
            let has_problem = recovery.problems.iter().any(|problem| problem.path.ends_with(&*name));
            if let Some(id) = name.strip_prefix("m:").filter(|_| !has_problem) {
                self.promise(id)?;
                durable += 1;
            }
        }
        if durable != recovery.durable_items {
            let counted = recovery.durable_items;
            return Err(Error::Log(format!("recover counted {counted} durable items of {durable}")));
        }
        Ok(output)
    }

    /// Records that an item must survive the next power cut.
    fn promise(&mut self, id: &str) -> Result<(), Error> {
        let body = self.bodies.get(id).ok_or_else(|| Error::Log(format!("{id} was never put")))?;
        let position = self.drive.disk().position();
        self.promises.push(Promise { position, id: id.to_string(), body: body.clone() });
        Ok(())
    }
}

/// Formats the result of a system call of another program.
fn answer(result: nix::Result<()>) -> String {
    result.map_or_else(|errno| format!("{errno:?}"), |()| "0".to_string())
}
