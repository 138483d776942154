//! A job: one recording, every crash of it, and the controls that say whether the findings are to be trusted.

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

/// What looks at an image again.
pub const REPLAY: &str = "cargo run --release --package queue-store-crash-images -- replay";

/// Images with violations that are described one by one.
const MAX_EXAMPLES: usize = 20;

/// What is described of each.
const MAX_EXAMPLE_VIOLATIONS: usize = 5;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Images of each cut, at most.
    pub images: usize,
    /// One image in so many is recovered twice, and gets a second power cut, during the first recovery or after it.
    pub second: usize,
}

/// What a job found.
pub struct Outcome {
    /// What was run.
    pub settings: Settings,
    /// Calls that were acknowledged.
    pub acknowledged: usize,
    /// Flushes from the beginning on, including those with nothing to flush.
    pub flushes: usize,
    /// Cuts of the log.
    pub cuts: usize,
    /// Different images that were mounted, recovered and checked.
    pub images: usize,
    /// Images that were recovered twice, and mounted again after a second power cut.
    pub second: usize,
    /// Images that were mounted only after a repair, as when a machine starts.
    pub repaired: usize,
    /// Images with a violation.
    pub violated: usize,
    /// Images with a violation of each kind.
    pub by_kind: BTreeMap<Kind, usize>,
    /// Some of them.
    pub examples: Vec<Example>,
    /// What is wrong with the image that has every write, in which nothing may be.
    pub control: Vec<Violation>,
    /// Whether the image that has no write of the workload is found to break the promises of all of it, as it must.
    pub sees_loss: bool,
    /// How long it took to look at the images.
    pub time: Duration,
    /// Where the log is, if it was kept.
    pub log: Option<PathBuf>,
}

/// An image with violations.
pub struct Example {
    /// The cut.
    pub cut: usize,
    /// What the disk had of what was written after it.
    pub choice: Choice,
    /// What is broken.
    pub violations: Vec<Violation>,
}

/// What is told of a job while it runs.
pub trait Progress: Sync {
    /// A recording is made, and so many images of it are to be looked at.
    fn begin(&self, images: usize);
    /// One of them is done.
    fn done(&self);
}

/// Which logs are kept, and in which directory.
#[derive(Clone, Debug)]
pub enum Keep {
    /// All.
    All(PathBuf),
    /// Those of jobs that are not fine.
    Broken(PathBuf),
}

/// Records a workload and looks at its images.
///
/// # Errors
///
/// If the rig fails, or is interrupted.
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
    /// Prepares to look at a recording.
    ///
    /// # Errors
    ///
    /// If there is no drive to be had.
    pub fn new(recording: &'a Recording, checker: &'a Checker<'a>) -> Result<Job<'a>, Error> {
        let drive = Drive::new(recording.workload.settings.file_system.bytes())?;
        let cuts = cuts(&recording.log, recording.history.begin);
        Ok(Job { recording, checker, drive, cuts })
    }

    /// Looks at all images of a plan.
    ///
    /// # Errors
    ///
    /// If the rig fails, or is interrupted.
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
            sees_loss: self.sees_loss()?,
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
            let examined = self.examine(&crashes.one(cut, choice), twice)?;
            outcome.images += 1;
            outcome.second += usize::from(examined.was_cut_again);
            outcome.repaired += usize::from(examined.was_repaired);
            outcome.note(cut.number, choice, examined.violations);
            progress.done();
        }
        outcome.time = begun.elapsed();
        Ok(outcome)
    }

    /// Looks at one image, which is the caller's to name.
    ///
    /// # Errors
    ///
    /// If there is no such image, or the rig fails.
    pub fn replay(&mut self, cut: usize, choice: Choice) -> Result<(Crash, Vec<Violation>), Error> {
        let cut = self.cuts.get(cut).ok_or_else(|| Error::Log(format!("it has {} cuts", self.cuts.len())))?.clone();
        let crash = self.crashes().one(&cut, choice);
        let violations = self.examine(&crash, true)?.violations;
        Ok((crash, violations))
    }

    fn crashes(&self) -> Crashes<'a> {
        let settings = &self.recording.workload.settings;
        let mut image = Image::default();
        self.recording.log[..self.recording.history.begin].iter().for_each(|event| image.apply(event));
        Crashes::new(&self.recording.log, settings.seed, settings.file_system.tearing(&image))
    }

    /// What is wrong after no crash at all: with every write.
    fn control(&mut self) -> Result<Vec<Violation>, Error> {
        let mut image = Image::default();
        self.recording.log.iter().for_each(|event| image.apply(event));
        let end = self.recording.log.len();
        let crash = Crash { cut: 0, choice: Choice::All, earliest: end, latest: end, image };
        Ok(self.examine(&crash, false)?.violations)
    }

    /// Whether an image that lacks everything breaks promises.
    fn sees_loss(&mut self) -> Result<bool, Error> {
        let Some(first) = self.cuts.first().cloned() else {
            return Ok(false);
        };
        let crash = Crash { latest: self.recording.log.len(), ..self.crashes().one(&first, Choice::None) };
        let violations = self.examine(&crash, false)?.violations;
        Ok(violations.iter().any(|violation| violation.kind == Kind::LostPut))
    }

    /// Mounts an image, recovers and checks it; and, if asked, recovers it twice, and cuts the power again during the first
    /// recovery or after it.
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
            let (image, is_after) = self.second(crash, &log, recovered_at);
            examined.was_cut_again = true;
            let violations = self.examine_second(crash, image, is_after.then_some(&before))?;
            examined.violations.extend(violations.into_iter().map(|violation| Violation {
                detail: format!("after a second power cut, {}", violation.detail),
                ..violation
            }));
        }
        Ok(examined)
    }

    /// The same after a second power cut. If that was after the recovery had reported, what was there then must be there still.
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

    /// The image after a second power cut, and whether that was after the recovery had reported. `log` is what happened since the
    /// first one; the recovery had reported at `recovered_at`.
    fn second(&self, crash: &Crash, log: &Log, recovered_at: usize) -> (Image, bool) {
        let choice = match crash.choice {
            Choice::None => 0,
            Choice::All => 1,
            Choice::First(number) | Choice::Some(number) | Choice::Torn(number) => 2 + number as u64,
        };
        let mut random = generator(&[self.recording.workload.settings.seed, crash.cut as u64, 4, choice]);
        let flushes = log.iter().enumerate().filter(|(_, event)| **event == Event::Flush);
        // Before the first flush, nothing of it is safe.
        let safe: Vec<usize> = std::iter::once(0).chain(flushes.map(|(position, _)| position)).collect();
        let reported = safe.partition_point(|position| *position < recovered_at).max(1) - 1;
        let is_after = random.random_bool(0.5);
        let chosen = if is_after { reported } else { random.random_range(0..=reported) };
        let end = safe.get(chosen + 1).copied().unwrap_or(log.len());
        let mut image = crash.image.clone();
        log[..safe[chosen]].iter().for_each(|event| image.apply(event));
        log[safe[chosen]..end].iter().filter(|_| random.random_bool(0.5)).for_each(|event| image.apply(event));
        (image, is_after)
    }
}

impl Outcome {
    /// Whether nothing may be broken: the queue promises it, and the file system keeps what the queue assumes.
    pub fn must_hold(&self) -> bool {
        self.settings.durability == Durability::Full && self.settings.file_system.keeps_assumptions()
    }

    /// Whether nothing is broken that may not be, and the controls say that this means something.
    pub fn is_fine(&self) -> bool {
        self.control.is_empty() && self.sees_loss && !(self.must_hold() && self.violated > 0)
    }

    /// What was found in words, with at most so many images that are broken, and how to look at each again.
    pub fn describe(&self, examples: usize) -> String {
        let Settings { file_system, durability, .. } = &self.settings;
        let mut lines =
            format!("{file_system}, durability {durability}: {} of {} images broken\n", self.violated, self.images);
        let mut line = |line: String| lines.extend([line.as_str(), "\n"]);
        self.control
            .iter()
            .for_each(|violation| line(format!("  the control, with every write, is broken: {violation}")));
        if !self.sees_loss {
            line("  the control that lacks every write is not found to be broken".to_string());
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

    fn note(&mut self, cut: usize, choice: Choice, violations: Vec<Violation>) {
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

/// What was found of one image.
struct Examined {
    violations: Vec<Violation>,
    was_repaired: bool,
    was_cut_again: bool,
}
