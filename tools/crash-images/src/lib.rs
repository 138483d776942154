//! Crash images: what real file systems make of a queue when the power fails.
//!
//! The kernel's ext4, XFS and btrfs run on a loop device over a FUSE file of this program, which logs every write and every flush.
//! A second file of the same FUSE file system takes marks into the same log: what was asked of the shipping command, and
//! what it had said when. Then the log is cut at every flush, and the disk gets none, all, or any of what was written after it,
//! torn between sectors or not. Each such image is mounted, recovered by the shipping command, and compared with what
//! had been promised by then.
//!
//! What it assumes of disks, and what it found, is in `docs/crash-images.md`, which the command `crash-images run` writes.
//!
//! # What is not tried
//!
//! Disks that lie about flushes; syncs that fail (the simulator has them); file systems over networks.
//!
//! # How it is laid out
//!
//! A [`workload`] is drawn from a seed. [`record`] runs it on a [`drive`], whose [`disk`] remembers what happened. [`crash`] makes
//! images of that, [`history`] says what was promised when, [`check`] compares the two, and a [`job`] does it all.

#![cfg(target_os = "linux")]

pub mod check;
pub mod command;
pub mod crash;
pub mod disk;
pub mod drive;
mod error;
pub mod file_system;
pub mod history;
pub mod interrupt;
pub mod job;
pub mod record;
pub mod report;
pub mod requirement;
pub mod workload;

pub use error::Error;
