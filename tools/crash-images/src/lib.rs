//! Tests a queue on real file systems against power cuts.
//!
//! The kernel's ext4, XFS and btrfs run on a loop device over a FUSE file of this program, which logs every write and
//! every flush. A second file of the same FUSE file system adds marks to the same log: each call of the shipping
//! command, and each acknowledgement. Then the log is cut at every flush, and the disk gets none, all, or a subset of
//! the writes after the flush, torn between sectors or not. Each such image is mounted, recovered by the shipping
//! command, and compared with the guarantees that the command had given at that moment.
//!
//! `docs/crash-images.md`, which the command `crash-images run` writes, has the assumptions about disks and the
//! results.
//!
//! # Out of scope
//!
//! Disks that ignore flushes; network file systems.
//!
//! # Layout
//!
//! A [`workload`] is generated from a seed. [`record`] runs it on a [`drive`], whose [`disk`] logs the events.
//! [`crash`] makes images from the log, [`history`] determines when each change was promised, [`check`] compares the
//! two, and a [`job`] runs all of these steps.
//!
//! [`failed_write`] makes a disk fail one write, and checks the images of the calls around it.

#![cfg(target_os = "linux")]

pub mod check;
pub mod command;
pub mod crash;
pub mod disk;
pub mod drive;
mod error;
pub mod failed_write;
pub mod file_system;
pub mod history;
pub mod interrupt;
pub mod job;
pub mod record;
pub mod report;
pub mod requirement;
pub mod workload;

pub use error::Error;
