//! Defines the arguments of the command.

use clap::{Args, Parser, Subcommand};
use queue_store_crash_images::crash::Choice;
use queue_store_crash_images::file_system::FileSystem;
use queue_store_crash_images::workload::Durability;
use std::path::PathBuf;

/// Cut the power of real file systems under the shipping command, at every flush, and check each image. Needs root.
#[derive(Parser)]
#[command(name = "crash-images", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Subcommand)]
pub(crate) enum Action {
    /// Record workloads, check their crash images, and print the results
    Run(Run),
    /// Check one image of a kept log
    Replay(Replay),
    /// Fail one write of an item on ext4 and XFS, cut the power, and check every item that was called durable
    FailedWrites(FailedWrites),
}

#[derive(Args)]
pub(crate) struct Run {
    /// A file system to test; by default, all that this machine supports
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) file_system: Vec<FileSystem>,
    /// A durability to test; by default, all
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) durability: Vec<Durability>,
    /// The seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Calls of each of the two clients
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) calls: usize,
    /// Mails that the first client imports in one call; the command puts them in batches of 100
    #[arg(long, value_name = "N", default_value_t = 104)]
    pub(crate) imported: usize,
    /// Maximum number of images after each flush
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) images: usize,
    /// Recover every Nth image twice, and cut its power again, during the first recovery or after it
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) second: usize,
    /// Recordings that are made and checked at once; by default, one for each core
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Keep the logs in this directory, for `replay`. By default, only logs with an unexpected violation are kept, in
    /// `target/crash-images`
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Write the results to this page
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// The command to test, instead of `QUEUE_STORE_COMMAND` or the one that cargo builds
    #[arg(long, value_name = "FILE")]
    pub(crate) command: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Replay {
    /// The log
    pub(crate) log: PathBuf,
    /// The number of the cut, as printed by `run`
    #[arg(long, value_name = "N")]
    pub(crate) cut: usize,
    /// The choice of writes after the cut that reached the disk, as printed by `run`
    #[arg(long, value_name = "CHOICE")]
    pub(crate) choice: Choice,
    /// Write the image to this file, to be inspected by hand
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// The command to test, instead of `QUEUE_STORE_COMMAND` or the one that cargo builds
    #[arg(long, value_name = "FILE")]
    pub(crate) command: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct FailedWrites {
    /// Maximum number of images after each flush
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) images: usize,
    /// The command to test, instead of `QUEUE_STORE_COMMAND` or the one that cargo builds
    #[arg(long, value_name = "FILE")]
    pub(crate) command: Option<PathBuf>,
}
