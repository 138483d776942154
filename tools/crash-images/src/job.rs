//! Runs a job: makes one recording, checks its crash images, and checks two control images that validate the checks.

use crate::check::{Checker, Expectation, Findings, Kind, Snapshot, Violation, check_survived};
use crate::crash::{Choice, Crash, Crashes, Cut, cuts, generator};
use crate::disk::{Event, Image, Log};
use crate::drive::Drive;
use crate::error::Error;
use crate::interrupt;
use crate::record::Recording;
use crate::workload::{Durability, Settings, Workload};
use rand::RngExt;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The command line that checks one image again, without its arguments.
pub const REPLAY: &str = "cargo run --release --package queue-store-crash-images -- replay";

/// Maximum number of images whose violations are described.
const MAX_EXAMPLES: usize = 20;

/// Maximum number of violations that are described of each image.
const MAX_EXAMPLE_VIOLATIONS: usize = 5;

/// The number of images to check.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Maximum number of images of each cut.
    pub images: usize,
    /// One image in `second` is recovered twice, and gets a second power cut, during the first recovery or after it.
    pub second: usize,
}

/// The result of a job.
pub struct Outcome {
    /// The settings of the workload.
    pub settings: Settings,
    /// Number of acknowledgements.
    pub acknowledged: usize,
    /// Number of flushes after the mark `begin`, including those that follow no write.
    pub flushes: usize,
    /// Number of cuts of the log.
    pub cuts: usize,
    /// Number of different images that were mounted, recovered and checked.
    pub images: usize,
    /// Number of images that were recovered twice, and mounted again after a second power cut.
    pub second: usize,
    /// Number of images that mounted only after a repair, as at the start of a machine.
    pub repaired: usize,
    /// Number of images with a violation.
    pub violated: usize,
    /// Number of images with a violation of each kind.
    pub by_kind: BTreeMap<Kind, usize>,
    /// The first images with a violation, at most `MAX_EXAMPLES`.
    pub examples: Vec<Example>,
    /// Violations of the control image with every write, which must have none.
    pub control: Vec<Violation>,
    /// Whether the checks report lost puts in the control image without any write of the workload, as they must.
    pub detects_loss: bool,
    /// Time of the checks of all images.
    pub time: Duration,
    /// The path of the log, if it was kept.
    pub log: Option<PathBuf>,
}

/// An image with violations.
pub struct Example {
    /// The number of the cut.
    pub cut: usize,
    /// The writes after the cut that reached the disk.
    pub choice: Choice,
    /// The violations found.
    pub violations: Vec<Violation>,
}

/// Receives the progress of a job.
pub trait Progress: Sync {
    /// Reports that a recording is made, and `images` images of it will be checked.
    fn begin(&self, images: usize);
    /// Reports that one image was checked.
    fn done(&self);
}

/// The jobs whose logs are kept, and the directory of the logs.
#[derive(Clone, Debug)]
pub enum Keep {
    /// All jobs.
    All(PathBuf),
    /// Jobs whose outcome is not fine.
    Broken(PathBuf),
}

/// Records a workload and checks its images.
///
/// # Errors
///
/// Fails if the rig fails or is interrupted.
pub fn run(
    settings: &Settings,
    plan: &Plan,
    checker: &Checker<'_>,
    progress: &impl Progress,
    keep: &Keep,
) -> Result<Outcome, Error> {
    let recording = Recording::make(Workload::new(settings.clone()), checker)?;
    let mut outcome = Job::new(&recording, checker)?.run(plan, progress)?;
    let directory = match keep {
        Keep::All(directory) => Some(directory),
        Keep::Broken(directory) => Some(directory).filter(|_| !outcome.is_fine()),
    };
    if let Some(directory) = directory {
        fs::create_dir_all(directory).map_err(Error::file(directory))?;
        let path = directory.join(format!("{}-{}.log", settings.file_system, settings.durability));
        recording.save(&path)?;
        outcome.log = Some(path);
    }
    Ok(outcome)
}

/// Mounts and checks the images of a recording.
pub struct Job<'a> {
    recording: &'a Recording,
    checker: &'a Checker<'a>,
    drive: Drive,
    cuts: Vec<Cut>,
}

impl<'a> Job<'a> {
    /// Creates a drive and cuts the log of a recording.
    ///
    /// # Errors
    ///
    /// Fails if the drive cannot be created.
    pub fn new(recording: &'a Recording, checker: &'a Checker<'a>) -> Result<Job<'a>, Error> {
        let drive = Drive::new(recording.workload.settings.file_system.bytes())?;
        let cuts = cuts(&recording.log, recording.history.begin);
        Ok(Job { recording, checker, drive, cuts })
    }

    /// Checks all images of a plan.
    ///
    /// # Errors
    ///
    /// Fails if the rig fails or is interrupted.
    pub fn run(&mut self, plan: &Plan, progress: &impl Progress) -> Result<Outcome, Error> {
        let begun = Instant::now();
        let recording = self.recording;
        let flushes = &recording.log[recording.history.begin..];
        let mut outcome = Outcome {
            settings: recording.workload.settings.clone(),
            acknowledged: recording.history.acknowledged,
            flushes: flushes.iter().filter(|event| **event == Event::Flush).count(),
            cuts: self.cuts.len(),
            images: 0,
            second: 0,
            repaired: 0,
            violated: 0,
            by_kind: BTreeMap::new(),
            examples: Vec::new(),
            control: self.control()?,
            detects_loss: self.detects_loss()?,
            time: Duration::ZERO,
            log: None,
        };
        let mut crashes = self.crashes();
        let last = self.cuts.len().saturating_sub(1);
        let choices = |cut: &Cut| crashes.choices(cut, plan.images, cut.number == last);
        let planned: Vec<(Cut, Vec<Choice>)> = self.cuts.iter().map(|cut| (cut.clone(), choices(cut))).collect();
        progress.begin(planned.iter().map(|(_, choices)| choices.len()).sum());
        for (cut, choice) in planned.iter().flat_map(|(cut, choices)| choices.iter().map(move |choice| (cut, *choice)))
        {
            if interrupt::came() {
                return Err(Error::Interrupted);
            }
            let twice = outcome.images % plan.second.max(1) == plan.second.max(1) - 1;
            let examined = self.examine(&crashes.crash(cut, choice), twice)?;
            outcome.images += 1;
            outcome.second += usize::from(examined.was_cut_again);
            outcome.repaired += usize::from(examined.was_repaired);
            outcome.add_image(cut.number, choice, examined.violations);
            progress.done();
        }
        outcome.time = begun.elapsed();
        Ok(outcome)
    }

    /// Checks the image of a cut and a choice, with a second power cut.
    ///
    /// # Errors
    ///
    /// Fails if the log has no such cut, or the rig fails.
    pub fn replay(&mut self, cut: usize, choice: Choice) -> Result<(Crash, Vec<Violation>), Error> {
        let missing = || Error::Log(format!("no cut {cut}: the log has {} cuts", self.cuts.len()));
        let cut = self.cuts.get(cut).ok_or_else(missing)?.clone();
        let crash = self.crashes().crash(&cut, choice);
        let violations = self.examine(&crash, true)?.violations;
        Ok((crash, violations))
    }

    fn crashes(&self) -> Crashes<'a> {
        let settings = &self.recording.workload.settings;
        let mut image = Image::default();
        self.recording.log[..self.recording.history.begin].iter().for_each(|event| image.apply(event));
        Crashes::new(&self.recording.log, settings.seed, settings.file_system.tearing(&image))
    }

    /// Checks the control image with every write, as without a crash.
    fn control(&mut self) -> Result<Vec<Violation>, Error> {
        let mut image = Image::default();
        self.recording.log.iter().for_each(|event| image.apply(event));
        let end = self.recording.log.len();
        let crash = Crash { cut: 0, choice: Choice::All, earliest: end, latest: end, image };
        Ok(self.examine(&crash, false)?.violations)
    }

    /// Checks the control image without any write of the workload, and returns whether lost puts are reported.
    fn detects_loss(&mut self) -> Result<bool, Error> {
        let Some(first) = self.cuts.first().cloned() else {
            return Ok(false);
        };
        let crash = Crash { latest: self.recording.log.len(), ..self.crashes().crash(&first, Choice::None) };
        let violations = self.examine(&crash, false)?.violations;
        Ok(violations.iter().any(|violation| violation.kind == Kind::LostPut))
    }

    /// Mounts an image, recovers and checks it. With `twice`, also recovers it a second time, and cuts the power again
    /// during the first recovery or after it.
    fn examine(&mut self, crash: &Crash, twice: bool) -> Result<Examined, Error> {
        let file_system = self.recording.workload.settings.file_system;
        self.drive.load(crash.image.clone())?;
        let (mounted, was_repaired) = match file_system.mount(&self.drive) {
            Ok(mounted) => mounted,
            Err(error) => {
                let violations = Findings::unusable(&error).violations;
                return Ok(Examined { violations, was_repaired: false, was_cut_again: false });
            }
        };
        let expectation = self.expectation(crash);
        let disk = self.drive.disk();
        let mut recovered_at = 0;
        let recovered = || recovered_at = disk.position();
        let check = || {
            let mut findings = self.checker.recover_and_check(mounted.path(), &expectation, recovered)?;
            findings.recovered = findings.recovered.filter(|_| twice && findings.violations.is_empty());
            if let Some(before) = &findings.recovered {
                findings.violations = self.checker.recover_again(mounted.path(), before)?;
            }
            Ok(findings)
        };
        let findings = check();
        mounted.unmount()?;
        let Findings { violations, recovered: before } = findings.unwrap_or_else(|error| Findings::unusable(&error));
        let mut examined = Examined { violations, was_repaired, was_cut_again: false };
        if let Some(before) = before {
            let log = self.drive.disk().take_log();
            let (image, is_after) = self.second_image(crash, &log, recovered_at);
            examined.was_cut_again = true;
            let violations = self.examine_second(crash, image, is_after.then_some(&before))?;
            examined.violations.extend(violations.into_iter().map(|violation| Violation {
                detail: format!("after a second power cut, {}", violation.detail),
                ..violation
            }));
        }
        Ok(examined)
    }

    /// Recovers and checks the image of a second power cut. If that was after the first recovery had ended, the files
    /// in `before` must still exist, unchanged.
    fn examine_second(
        &mut self,
        crash: &Crash,
        image: Image,
        before: Option<&Snapshot>,
    ) -> Result<Vec<Violation>, Error> {
        self.drive.load(image)?;
        let (mounted, _) = match self.recording.workload.settings.file_system.mount(&self.drive) {
            Ok(mounted) => mounted,
            Err(error) => return Ok(Findings::unusable(&error).violations),
        };
        let check = || {
            let mut violations = match before {
                Some(before) => check_survived(before, mounted.path())?,
                None => Vec::new(),
            };
            let findings = self.checker.recover_and_check(mounted.path(), &self.expectation(crash), || {})?;
            violations.extend(findings.violations);
            Ok(violations)
        };
        let violations = check();
        mounted.unmount()?;
        Ok(violations.unwrap_or_else(|error| Findings::unusable(&error).violations))
    }

    fn expectation(&self, crash: &Crash) -> Expectation<'a> {
        let Recording { workload, history, .. } = self.recording;
        Expectation { workload, history, earliest: crash.earliest, latest: crash.latest }
    }

    /// Makes the image of a second power cut, and returns whether it was after the end of the recovery. `log` has the
    /// events since the first power cut; the recovery ended at its position `recovered_at`.
    fn second_image(&self, crash: &Crash, log: &Log, recovered_at: usize) -> (Image, bool) {
        let choice = match crash.choice {
            Choice::None => 0,
            Choice::All => 1,
            Choice::First(number) | Choice::Some(number) | Choice::Torn(number) => 2 + number as u64,
        };
        let mut random = generator(&[self.recording.workload.settings.seed, crash.cut as u64, 4, choice]);
        let flushes = log.iter().enumerate().filter(|(_, event)| **event == Event::Flush);
        // Position 0 stands for a crash before the first flush, when no write of the log is durable.
        let cuts: Vec<usize> = std::iter::once(0).chain(flushes.map(|(position, _)| position)).collect();
        let last_of_recovery = cuts.partition_point(|position| *position < recovered_at).max(1) - 1;
        let is_after = random.random_bool(0.5);
        let chosen = if is_after { last_of_recovery } else { random.random_range(0..=last_of_recovery) };
        let end = cuts.get(chosen + 1).copied().unwrap_or(log.len());
        let mut image = crash.image.clone();
        log[..cuts[chosen]].iter().for_each(|event| image.apply(event));
        log[cuts[chosen]..end].iter().filter(|_| random.random_bool(0.5)).for_each(|event| image.apply(event));
        (image, is_after)
    }
}

impl Outcome {
    /// Returns whether no violation is expected: with durability `full`, on a file system that keeps the queue's
    /// assumptions.
    pub fn must_hold(&self) -> bool {
        self.settings.durability == Durability::Full && self.settings.file_system.keeps_assumptions()
    }

    /// Returns whether there are no unexpected violations, and both controls have the required result.
    pub fn is_fine(&self) -> bool {
        self.control.is_empty() && self.detects_loss && !(self.must_hold() && self.violated > 0)
    }

    /// Describes the outcome and at most `examples` broken images, each with the command line that checks it again.
    pub fn describe(&self, examples: usize) -> String {
        let Settings { file_system, durability, .. } = &self.settings;
        let mut lines =
            format!("{file_system}, durability {durability}: {} of {} images broken\n", self.violated, self.images);
        let mut line = |line: String| lines.extend([line.as_str(), "\n"]);
        self.control
            .iter()
            .for_each(|violation| line(format!("  the control image with every write is broken: {violation}")));
        if !self.detects_loss {
            line("  no lost put is reported for the control image without writes".to_string());
        }
        for Example { cut, choice, violations } in self.examples.iter().take(examples) {
            match &self.log {
                Some(log) => line(format!("  {REPLAY} {} --cut {cut} --choice {choice}", log.display())),
                None => line(format!("  cut {cut}, choice {choice} (with --keep, it can be replayed)")),
            }
            violations.iter().take(MAX_EXAMPLE_VIOLATIONS).for_each(|violation| line(format!("    {violation}")));
        }
        lines
    }

    /// Adds the violations of one image to the counts and the examples.
    fn add_image(&mut self, cut: usize, choice: Choice, violations: Vec<Violation>) {
        if violations.is_empty() {
            return;
        }
        self.violated += 1;
        for kind in Kind::ALL {
            if violations.iter().any(|violation| violation.kind == kind) {
                *self.by_kind.entry(kind).or_default() += 1;
            }
        }
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(Example { cut, choice, violations });
        }
    }
}

/// The result of a check of one image.
struct Examined {
    violations: Vec<Violation>,
    was_repaired: bool,
    was_cut_again: bool,
}
