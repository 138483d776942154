//! The faults, of which each round has one.

use crate::error::Error;
use crate::nodes::Nodes;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use std::fmt;
use std::thread;
use std::time::Duration;

/// The time between the parts of a fault that follow each other closely.
const SOON: std::ops::Range<u64> = 0..200;

/// The number of times that connections are broken.
const BREAKS: u32 = 5;

/// A fault. After it, [`Nodes`] are healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL of the primary, and a promotion.
    PrimaryKilled,
    /// SIGKILL of the primary, which starts again as the primary.
    PrimaryRestarted,
    /// SIGSTOP of the primary.
    PrimaryPaused,
    /// SIGSTOP of the primary, and a promotion; then both run.
    PrimaryPausedAndReplaced,
    /// The network of the primary is cut.
    PrimaryCut,
    /// The network of the primary is cut, and a standby promoted; then both run.
    PrimaryCutAndReplaced,
    /// SIGSTOP of a process of the primary that serves a session.
    SessionPaused,
    /// The connections to the primary are broken, several times.
    PrimaryDisconnected,
    /// The disk of the primary is full.
    PrimaryDiskFull,
    /// The disk of the primary is full, and then it is killed, and a standby promoted.
    PrimaryDiskFullAndReplaced,
    /// The disk of the primary is full, and its log uses up the segments that it had, so that it stops.
    PrimaryLogFull,
    /// SIGKILL of a standby.
    StandbyKilled,
    /// SIGSTOP of one standby.
    StandbyPaused,
    /// SIGSTOP of one standby; the primary is killed meanwhile, and the standby with the most WAL is promoted.
    StandbyPausedAndPrimaryKilled,
    /// SIGSTOP of both standbys.
    StandbysPaused,
    /// SIGSTOP of both standbys; the primary is killed meanwhile, and a standby promoted.
    StandbysPausedAndPrimaryKilled,
    /// SIGSTOP of both standbys; an operator lets the primary go on without them, and then it is killed, and a standby
    /// promoted.
    StandbysTurnedOffAndPrimaryKilled,
    /// The network of one standby is cut.
    StandbyCut,
    /// The disk of one standby is full, and its log uses up the segments that it had.
    StandbyDiskFull,
}

impl Fault {
    /// All faults.
    pub const ALL: [Fault; 19] = [
        Fault::PrimaryKilled,
        Fault::PrimaryRestarted,
        Fault::PrimaryPaused,
        Fault::PrimaryPausedAndReplaced,
        Fault::PrimaryCut,
        Fault::PrimaryCutAndReplaced,
        Fault::SessionPaused,
        Fault::PrimaryDisconnected,
        Fault::PrimaryDiskFull,
        Fault::PrimaryDiskFullAndReplaced,
        Fault::PrimaryLogFull,
        Fault::StandbyKilled,
        Fault::StandbyPaused,
        Fault::StandbyPausedAndPrimaryKilled,
        Fault::StandbysPaused,
        Fault::StandbysPausedAndPrimaryKilled,
        Fault::StandbysTurnedOffAndPrimaryKilled,
        Fault::StandbyCut,
        Fault::StandbyDiskFull,
    ];

    /// Returns the name for people.
    pub fn title(self) -> &'static str {
        match self {
            Fault::PrimaryKilled => "primary killed, standby promoted",
            Fault::PrimaryRestarted => "primary killed and restarted",
            Fault::PrimaryPaused => "primary paused",
            Fault::PrimaryPausedAndReplaced => "primary paused, standby promoted, both run",
            Fault::PrimaryCut => "primary cut off",
            Fault::PrimaryCutAndReplaced => "primary cut off, standby promoted, both run",
            Fault::SessionPaused => "session of the primary paused",
            Fault::PrimaryDisconnected => "connections to the primary broken",
            Fault::PrimaryDiskFull => "disk of the primary full",
            Fault::PrimaryDiskFullAndReplaced => "disk of the primary full, standby promoted",
            Fault::PrimaryLogFull => "log of the primary full, which stops",
            Fault::StandbyKilled => "standby killed",
            Fault::StandbyPaused => "standby paused",
            Fault::StandbyPausedAndPrimaryKilled => "standby paused, primary killed, promoted",
            Fault::StandbysPaused => "both standbys paused",
            Fault::StandbysPausedAndPrimaryKilled => "both standbys paused, primary killed, promoted",
            Fault::StandbysTurnedOffAndPrimaryKilled => "both standbys paused and turned off, primary killed, promoted",
            Fault::StandbyCut => "standby cut off",
            Fault::StandbyDiskFull => "disk of a standby full",
        }
    }

    /// Whether the fault fills a disk, so that each node must have one of its own.
    pub fn needs_disks(self) -> bool {
        match self {
            Fault::PrimaryDiskFull
            | Fault::PrimaryDiskFullAndReplaced
            | Fault::PrimaryLogFull
            | Fault::StandbyDiskFull => true,
            Fault::PrimaryKilled
            | Fault::PrimaryRestarted
            | Fault::PrimaryPaused
            | Fault::PrimaryPausedAndReplaced
            | Fault::PrimaryCut
            | Fault::PrimaryCutAndReplaced
            | Fault::SessionPaused
            | Fault::PrimaryDisconnected
            | Fault::StandbyKilled
            | Fault::StandbyPaused
            | Fault::StandbyPausedAndPrimaryKilled
            | Fault::StandbysPaused
            | Fault::StandbysPausedAndPrimaryKilled
            | Fault::StandbysTurnedOffAndPrimaryKilled
            | Fault::StandbyCut => false,
        }
    }

    /// Breaks the nodes for about `hold`.
    pub(crate) fn inject(self, nodes: &Nodes, hold: Duration, random: &mut ChaCha8Rng) -> Result<(), Error> {
        let primary = nodes.primary()?;
        let mut standbys = nodes.standbys()?;
        standbys.shuffle(random);
        let one = standbys[0];
        let soon = Duration::from_millis(random.random_range(SOON));
        let run = |verb: &str, node: usize| nodes.command(verb, Some(node)).map(drop);
        match self {
            Fault::PrimaryKilled => {
                run("kill", primary)?;
                thread::sleep(soon);
                nodes.promote(&standbys)?;
                thread::sleep(hold);
            }
            Fault::PrimaryRestarted => {
                run("kill", primary)?;
                thread::sleep(soon);
                run("restart", primary)?;
            }
            Fault::PrimaryPaused => {
                run("pause", primary)?;
                thread::sleep(hold);
                run("resume", primary)?;
            }
            Fault::PrimaryPausedAndReplaced | Fault::PrimaryCutAndReplaced => {
                let is_paused = self == Fault::PrimaryPausedAndReplaced;
                run(if is_paused { "pause" } else { "cut" }, primary)?;
                thread::sleep(soon);
                nodes.promote(&standbys)?;
                run(if is_paused { "resume" } else { "mend" }, primary)?;
                thread::sleep(hold);
            }
            Fault::PrimaryCut => {
                run("cut", primary)?;
                thread::sleep(hold);
                run("mend", primary)?;
            }
            Fault::SessionPaused => {
                let process = nodes.pause_session(primary)?;
                thread::sleep(hold);
                process.iter().for_each(|process| Nodes::resume_session(process));
            }
            Fault::PrimaryDisconnected => {
                for _ in 0..BREAKS {
                    nodes.break_connections(primary);
                    thread::sleep(hold / BREAKS);
                }
            }
            Fault::PrimaryDiskFull | Fault::PrimaryDiskFullAndReplaced => {
                nodes.fill(primary)?;
                thread::sleep(hold);
                if self == Fault::PrimaryDiskFullAndReplaced {
                    // Where a full log has ended it, there is nothing to kill.
                    let _ = run("kill", primary);
                    nodes.promote(&standbys)?;
                }
            }
            Fault::PrimaryLogFull => {
                nodes.fill(primary)?;
                nodes.use_up_log()?;
                thread::sleep(hold);
            }
            Fault::StandbyKilled => {
                run("kill", one)?;
                thread::sleep(hold);
            }
            Fault::StandbyPaused => {
                run("pause", one)?;
                thread::sleep(hold);
            }
            Fault::StandbyPausedAndPrimaryKilled => {
                run("pause", one)?;
                thread::sleep(hold);
                run("kill", primary)?;
                run("resume", one)?;
                nodes.promote(&standbys)?;
            }
            Fault::StandbysPaused => {
                standbys.iter().try_for_each(|standby| run("pause", *standby))?;
                thread::sleep(hold);
            }
            Fault::StandbysPausedAndPrimaryKilled | Fault::StandbysTurnedOffAndPrimaryKilled => {
                standbys.iter().try_for_each(|standby| run("pause", *standby))?;
                thread::sleep(hold);
                if self == Fault::StandbysTurnedOffAndPrimaryKilled {
                    nodes.turn_off_standbys(primary)?;
                    thread::sleep(soon);
                }
                run("kill", primary)?;
                standbys.iter().try_for_each(|standby| run("resume", *standby))?;
                nodes.promote(&standbys)?;
            }
            Fault::StandbyCut => {
                run("cut", one)?;
                thread::sleep(hold);
            }
            Fault::StandbyDiskFull => {
                nodes.fill(one)?;
                nodes.use_up_log()?;
                thread::sleep(hold);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}
