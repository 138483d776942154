//! The arguments of the command.

use clap::{Args, Parser, Subcommand};
use queue_store_crash_images::crash::Choice;
use queue_store_crash_images::file_system::FileSystem;
use queue_store_crash_images::workload::Durability;
use std::path::PathBuf;

/// Cuts the power of real file systems under the shipping command, at every flush, and looks at what is left. Needs root.
#[derive(Parser)]
#[command(name = "crash-images", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Record workloads, crash them, and print what was found
    Run(Run),
    /// Look at one image of a log that was kept
    Replay(Replay),
}

#[derive(Args)]
pub(crate) struct Run {
    /// A file system to try; all that this machine has, if none is named
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) file_system: Vec<FileSystem>,
    /// A durability to try; all, if none is named
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) durability: Vec<Durability>,
    /// What everything random comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Calls of each of the two clients
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) calls: usize,
    /// Mails that the first client imports in one call, in batches of 100
    #[arg(long, value_name = "N", default_value_t = 104)]
    pub(crate) imported: usize,
    /// Images after each flush, at most
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) images: usize,
    /// Recover one image in so many twice, and cut its power again, during the first recovery or after it
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) second: usize,
    /// File systems that are worked on at once
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Keep the logs in this directory, for `replay`. Without it, those that break a promise are kept in
    /// `target/crash-images`
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Write the findings to this page
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// The command to test, instead of the one that cargo builds or `QUEUE_STORE_COMMAND` names
    #[arg(long, value_name = "FILE")]
    pub(crate) command: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Replay {
    /// The log
    pub(crate) log: PathBuf,
    /// The cut, as `run` named it
    #[arg(long, value_name = "N")]
    pub(crate) cut: usize,
    /// What the disk had of what was written after it, as `run` named it
    #[arg(long, value_name = "CHOICE")]
    pub(crate) choice: Choice,
    /// Write the image to this file, to be looked at by hand
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// The command to test, instead of the one that cargo builds or `QUEUE_STORE_COMMAND` names
    #[arg(long, value_name = "FILE")]
    pub(crate) command: Option<PathBuf>,
}
