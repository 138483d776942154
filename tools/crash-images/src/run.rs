//! Runs the subcommands.

use crate::arguments::{Action, Arguments, FailedWrites, Replay, Run};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use queue_store_crash_images::check::Checker;
use queue_store_crash_images::drive::namespace;
use queue_store_crash_images::failed_write::{self, FILE_SYSTEMS, SCENARIOS};
use queue_store_crash_images::file_system::FileSystem;
use queue_store_crash_images::job::{self, Job, Keep, Outcome, Plan, Progress};
use queue_store_crash_images::record::Recording;
use queue_store_crash_images::report::{self, Environment};
use queue_store_crash_images::workload::{Durability, Settings};
use queue_store_crash_images::{Error, command, interrupt, requirement};
use queue_store_host::Host;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The exit code for violations that must not occur.
const BROKEN: u8 = 1;

/// The exit code for a failure of the rig, or a missing requirement.
const FAILED: u8 = 70;

/// Maximum number of broken images that are described of a job in which violations are expected.
const FEW_EXAMPLES: usize = 1;

/// Runs the command with the arguments of the process.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.action {
        Action::Run(arguments) => run_all(arguments),
        Action::Replay(arguments) => replay(arguments),
        Action::FailedWrites(arguments) => run_failed_writes(arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crash-images: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// Prints a text, and ignores errors such as a closed pipe.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn command_or_build(command: Option<&Path>) -> Result<PathBuf, Error> {
    command.map_or_else(command::build, |command| Ok(command.to_path_buf()))
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let operation = path.display().to_string();
    |source| Error::System { operation, source }
}

fn run_all(arguments: &Run) -> Result<ExitCode, Error> {
    on_supported(&arguments.file_system, arguments.command.as_deref(), |supported, skipped, checker| {
        let mut outcomes = run_jobs(arguments, &settings(arguments, supported), checker)?;
        outcomes.sort_by_key(|outcome| (outcome.settings.file_system, outcome.settings.durability));
        print(&report::table(&outcomes));
        let mut is_fine = outcomes.iter().all(Outcome::is_fine);
        if let Some(path) = &arguments.report {
            let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
            // A release is the version, and after a `-` the suffix of the distribution or builder.
            let kernel = release.trim().split('-').next().unwrap_or_default().to_string();
            let environment = Environment { command: command_line(arguments), kernel, skipped };
            let failed_writes = failed_writes(supported, arguments.images, checker)?;
            is_fine &= failed_writes.iter().all(failed_write::Outcome::is_fine);
            fs::write(path, report::page(&outcomes, &failed_writes, &environment)).map_err(file_error(path))?;
        }
        Ok(is_fine)
    })
}

/// Runs the checks `run` on the chosen file systems that the machine supports. It gets those, the others with their missing
/// requirements, and the checker, and returns whether no promise is broken.
fn on_supported(
    chosen: &[FileSystem],
    command: Option<&Path>,
    run: impl FnOnce(&[FileSystem], Vec<(FileSystem, String)>, &Checker<'_>) -> Result<bool, Error>,
) -> Result<ExitCode, Error> {
    let (supported, skipped) = file_systems(chosen);
    if supported.is_empty() || requirement::require_all() && !skipped.is_empty() {
        return Ok(ExitCode::from(FAILED));
    }
    let command = command_or_build(command)?;
    namespace::enter()?;
    interrupt::catch();
    let host = Host::new()?;
    let is_fine = run(&supported, skipped, &Checker { command: &command, host: &host })?;
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// Returns the chosen file systems that the machine supports, and the others with their missing requirements.
fn file_systems(chosen: &[FileSystem]) -> (Vec<FileSystem>, Vec<(FileSystem, String)>) {
    let (mut supported, mut skipped) = (Vec::new(), Vec::new());
    for file_system in FileSystem::all().iter().copied().filter(|one| chosen.is_empty() || chosen.contains(one)) {
        match requirement::missing(file_system) {
            None => supported.push(file_system),
            Some(missing) => {
                eprintln!("crash-images: {file_system} is skipped: missing {missing}");
                skipped.push((file_system, missing));
            }
        }
    }
    (supported, skipped)
}

/// Returns the settings of all jobs, those with durability `full` first, since they take longest.
fn settings(arguments: &Run, file_systems: &[FileSystem]) -> Vec<Settings> {
    let Run { seed, calls, imported, .. } = *arguments;
    let chosen = &arguments.durability;
    let durabilities = Durability::value_variants().iter().filter(|one| chosen.is_empty() || chosen.contains(one));
    let settings = |(durability, file_system)| Settings { file_system, durability, seed, calls, imported };
    let pairs = durabilities.flat_map(|durability| file_systems.iter().map(|file_system| (*durability, *file_system)));
    pairs.map(settings).collect()
}

/// Runs all jobs, several at a time.
fn run_jobs(arguments: &Run, settings: &[Settings], checker: &Checker<'_>) -> Result<Vec<Outcome>, Error> {
    let plan = Plan { images: arguments.images.max(1), second: arguments.second };
    let keep = match &arguments.keep {
        Some(directory) => Keep::All(directory.clone()),
        None => Keep::Broken(command::target_directory().join("crash-images")),
    };
    let bar = Bar::new(settings.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(one) = settings.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = job::run(one, &plan, checker, &bar, &keep);
            // After a failure, no thread begins another job.
            let outcome = outcome.inspect_err(|_| next.store(settings.len(), Ordering::Relaxed))?;
            bar.job_done(&outcome);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Result<Vec<Vec<Outcome>>, Error> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.jobs.unwrap_or(cores).max(1)).map(|_| scope.spawn(work)).collect();
        // Joins all threads before it returns the first error.
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        ends.into_iter().map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    bar.bar.finish_and_clear();
    Ok(outcomes?.into_iter().flatten().collect())
}

/// Formats a command line with the arguments that affect the results.
fn command_line(arguments: &Run) -> String {
    let Run { seed, calls, imported, images, second, .. } = arguments;
    let mut line = "cargo run --release --package queue-store-crash-images -- run".to_string();
    arguments.file_system.iter().for_each(|file_system| line.extend([" --file-system ", &file_system.to_string()]));
    arguments.durability.iter().for_each(|durability| line.extend([" --durability ", &durability.to_string()]));
    line + &format!(" --seed {seed} --calls {calls} --imported {imported} --images {images} --second {second}")
}

fn run_failed_writes(arguments: &FailedWrites) -> Result<ExitCode, Error> {
    on_supported(&FILE_SYSTEMS, arguments.command.as_deref(), |supported, _, checker| {
        let outcomes = failed_writes(supported, arguments.images, checker)?;
        print(&report::failed_writes(&outcomes));
        Ok(outcomes.iter().all(failed_write::Outcome::is_fine))
    })
}

/// Runs every scenario of a failed write on those of the supported file systems that are in the report.
fn failed_writes(
    supported: &[FileSystem],
    images: usize,
    checker: &Checker<'_>,
) -> Result<Vec<failed_write::Outcome>, Error> {
    let mut outcomes = Vec::new();
    for file_system in FILE_SYSTEMS.iter().filter(|file_system| supported.contains(file_system)) {
        for scenario in SCENARIOS {
            let outcome = failed_write::run(scenario, *file_system, checker, images.max(1))?;
            print(&outcome.describe());
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn replay(arguments: &Replay) -> Result<ExitCode, Error> {
    let recording = Recording::load(&arguments.log)?;
    let bytes = recording.workload.settings.file_system.bytes();
    let command = command_or_build(arguments.command.as_deref())?;
    namespace::enter()?;
    interrupt::catch();
    let host = Host::new()?;
    let checker = Checker { command: &command, host: &host };
    let (crash, violations) = Job::new(&recording, &checker)?.replay(arguments.cut, arguments.choice)?;
    if let Some(path) = &arguments.image {
        crash.image.save(path, bytes).map_err(file_error(path))?;
    }
    print(&format!("the crash is after event {} and before event {} of the log\n", crash.earliest, crash.latest));
    violations.iter().for_each(|violation| print(&format!("{violation}\n")));
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// The progress bar of all jobs. Its length grows as recordings are made, since only then is the number of their images
/// known.
struct Bar {
    bar: ProgressBar,
    jobs: usize,
    begun: AtomicUsize,
}

impl Bar {
    fn new(jobs: usize) -> Bar {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} images, {msg}, {elapsed_precise}");
        bar.set_style(style.unwrap_or_else(|error| {
            debug_assert!(false, "{error}");
            ProgressStyle::default_bar()
        }));
        bar.set_message(format!("0 of {jobs} recordings"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar { bar, jobs, begun: AtomicUsize::new(0) }
    }

    /// Prints the description of an outcome.
    fn job_done(&self, outcome: &Outcome) {
        let examples = if outcome.is_fine() { FEW_EXAMPLES } else { usize::MAX };
        self.bar.suspend(|| print(&outcome.describe(examples)));
    }
}

impl Progress for Bar {
    fn begin(&self, images: usize) {
        self.bar.inc_length(images as u64);
        let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_message(format!("{begun} of {} recordings", self.jobs));
    }

    fn done(&self) {
        self.bar.inc(1);
    }
}
