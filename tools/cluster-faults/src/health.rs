//! Heals the nodes after a fault.

use crate::error::Error;
use crate::nodes::{NODES, Nodes};
use std::thread;
use std::time::{Duration, Instant};

/// The time in which healed nodes must replicate.
const HEALTHY: Duration = Duration::from_secs(120);

/// The time in which a standby catches up before it is copied anew.
const CAUGHT_UP: Duration = Duration::from_secs(25);

/// The pause between two looks at the nodes.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Failures on the way to health that are described.
const DESCRIBED: usize = 5;

/// The state of a node, as `postgres/cluster status` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// `running`, `paused` or `stopped`.
    pub(crate) state: String,
    pub(crate) is_cut: bool,
    pub(crate) is_replaced_primary: bool,
}

impl Nodes {
    /// Returns the state of each node.
    pub(crate) fn status(&self) -> Result<Vec<Status>, Error> {
        let text = self.command("status", None)?;
        // A header, and then a line for each node: number, port, state, network, role.
        let lines = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let status = |columns: Vec<&str>| Status {
            state: columns[2].to_string(),
            is_cut: columns[3] == "cut",
            is_replaced_primary: columns[4] == "replaced",
        };
        Ok(lines.map(status).collect())
    }

    /// Undoes every fault, and returns when both standbys replicate.
    pub(crate) fn heal(&self) -> Result<(), Error> {
        for disk in self.disks() {
            disk.free()?;
        }
        let (began, mut failures, mut copied) = (Instant::now(), Vec::new(), Instant::now());
        loop {
            if let Err(failure) = self.heal_once() {
                failures.push(failure.to_string());
            } else if self.are_streaming() {
                return Ok(());
            }
            if copied.elapsed() > CAUGHT_UP {
                failures.extend(self.rejoin_silent().err().map(|failure| failure.to_string()));
                copied = Instant::now();
            }
            if began.elapsed() > HEALTHY {
                let status = self.command("status", None).unwrap_or_else(|failure| failure.to_string());
                let last = &failures[failures.len().saturating_sub(DESCRIBED)..];
                let reason = format!("{status}{}", last.join("\n"));
                return Err(Error::Unhealthy { seconds: HEALTHY.as_secs(), reason });
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Takes one step towards health on each node.
    fn heal_once(&self) -> Result<(), Error> {
        let primary = self.primary()?;
        let nodes = self.status()?;
        for (node, status) in nodes.iter().enumerate() {
            // A replaced primary is ended as it is, so that it acknowledges nothing on the way.
            if status.is_replaced_primary {
                continue;
            }
            if status.state == "paused" {
                self.command("resume", Some(node))?;
            }
            if status.is_cut {
                self.command("mend", Some(node))?;
            }
        }
        if nodes[primary].state == "stopped" {
            self.command("restart", Some(primary))?;
        }
        for (node, status) in nodes.iter().enumerate().filter(|(node, _)| *node != primary) {
            let is_stopped = status.state == "stopped";
            if status.is_replaced_primary || is_stopped && self.command("restart", Some(node)).is_err() {
                self.command("rejoin", Some(node))?;
            }
        }
        Ok(())
    }

    /// Whether both standbys replicate, and nothing else is connected as one.
    fn are_streaming(&self) -> bool {
        self.streaming().is_ok_and(|names| names.len() == NODES - 1)
    }

    fn streaming(&self) -> Result<Vec<String>, Error> {
        let primary = self.primary()?;
        let query = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'";
        Ok(self.try_sql(primary, query)?.lines().map(str::to_string).collect())
    }

    /// Makes the nodes that do not replicate standbys anew.
    fn rejoin_silent(&self) -> Result<(), Error> {
        let streaming = self.streaming()?;
        for node in self.standbys()?.into_iter().filter(|node| !streaming.contains(&format!("node{node}"))) {
            self.command("rejoin", Some(node))?;
        }
        Ok(())
    }
}
