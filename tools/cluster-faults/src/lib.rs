//! Searches for lost mail on a queue of three PostgreSQL nodes.
//!
//! A round starts writers, which put, change and remove mails and record what each call answered, injects one fault, heals
//! the nodes, and ends the writers. Then every mail is compared with the answers: an acknowledged put exists with its bytes,
//! an acknowledged removal stays gone, a refused call had no effect, an indeterminate one had its whole effect or none. No
//! call may take longer than the timeout of its queue and a margin.
//!
//! # Out of scope
//!
//! Power loss: the nodes are processes on one machine, whose page cache survives a SIGKILL. Two nodes lost for good at once,
//! which a quorum of one standby does not survive. A promotion without the standby that has the most WAL, which
//! `postgres/cluster` refuses.
//!
//! # Layout
//!
//! [`nodes`] runs the cluster, with each node on a [`disk`] of its own, [`fault`] breaks it, and `health` heals it. A [`writer`] makes calls, and
//! keeps the [`history`] of its mails, which [`check`] compares with the queue. A [`round`] combines them, and [`report`]
//! formats the results.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

pub mod check;
pub mod disk;
mod error;
pub mod fault;
mod health;
pub mod history;
pub mod mail;
pub mod nodes;
pub mod report;
pub mod round;
pub mod tally;
pub mod violation;
pub mod writer;

pub use error::Error;
