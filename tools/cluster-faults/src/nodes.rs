//! Runs the three nodes, each on a disk of its own where this process may mount.

use crate::disk::Disk;
use crate::error::Error;
use queue_store_host_test::postgres_cluster::Cluster;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The number of nodes.
pub const NODES: usize = 3;

/// Segments of the log that a node may have in reserve: those of `max_wal_size`, of 16 MiB each.
const SEGMENTS: usize = 8;

/// The pause after the begin of a segment, in which something is written to it.
const SWITCHED: Duration = Duration::from_millis(50);

/// Settings of a node: little WAL, and tables that are cleaned often, since its disk is small.
const SETTINGS: &str = "max_wal_size = 128MB\nmin_wal_size = 64MB\nwal_keep_size = 192MB\ncheckpoint_timeout = 30s\n\
     autovacuum_naptime = 5s\nautovacuum_vacuum_cost_delay = 0\n";

/// The nodes. Dropping them ends all of their processes.
#[derive(Debug)]
pub struct Nodes {
    // Invariant: dropped first, since its processes use the disks.
    cluster: Cluster,
    /// One for each node, or the reason why there are none.
    disks: Result<Vec<Disk>, String>,
    /// Holds the mount points.
    directory: TempDir,
}

impl Nodes {
    /// Starts a primary and two standbys.
    ///
    /// # Errors
    ///
    /// Fails if a program fails.
    pub fn start() -> Result<Nodes, Error> {
        let cluster = Cluster::start(NODES);
        let directory = tempfile::Builder::new()
            .prefix("queue-store-disks-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir();
        let directory = directory.map_err(Error::system("a temporary directory"))?;
        let mut nodes = Nodes { cluster, disks: Err(String::new()), directory };
        nodes.command("stop", None)?;
        nodes.disks = nodes.mount_disks().map_err(|error| error.to_string());
        for node in 0..NODES {
            if let Ok(disks) = &nodes.disks {
                move_to_disk(&nodes.directory_of(node), disks[node].path())?;
            }
            let path = nodes.directory_of(node).join("node.conf");
            let append = || OpenOptions::new().append(true).open(&path)?.write_all(SETTINGS.as_bytes());
            append().map_err(Error::system(path.display().to_string()))?;
        }
        nodes.command("restart", None)?;
        nodes.heal()?;
        Ok(nodes)
    }

    fn mount_disks(&self) -> Result<Vec<Disk>, Error> {
        let mount = |node: usize| {
            let path = self.directory.path().join(node.to_string());
            fs::create_dir(&path).map_err(Error::system(path.display().to_string()))?;
            Disk::mount(&path)
        };
        (0..NODES).map(mount).collect()
    }

    /// Returns the reason why disks cannot be filled, or none where they can.
    pub fn missing_disks(&self) -> Option<&str> {
        self.disks.as_ref().err().map(String::as_str)
    }

    /// Returns the URL of all nodes, to which options may be appended after a `?`.
    pub fn url(&self) -> &str {
        self.cluster.url()
    }

    /// Runs SQL on the primary as the superuser, and returns what it prints.
    pub(crate) fn sql(&self, sql: &str) -> Result<String, Error> {
        self.try_sql(self.primary()?, sql)
    }

    pub(crate) fn try_sql(&self, node: usize, sql: &str) -> Result<String, Error> {
        let output = self.cluster.try_sql(node, sql);
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_string());
        }
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_string();
        Err(Error::Program { program: format!("psql --command {sql:?}"), reason })
    }

    /// Returns the number of the primary.
    pub(crate) fn primary(&self) -> Result<usize, Error> {
        let path = self.cluster.directory().join("primary");
        let number = fs::read_to_string(&path).map_err(Error::system(path.display().to_string()))?;
        number.trim().parse().map_err(|error| Error::Program {
            program: path.display().to_string(),
            reason: format!("no number: {error}"),
        })
    }

    /// Returns the numbers of the nodes that are not the primary.
    pub(crate) fn standbys(&self) -> Result<Vec<usize>, Error> {
        let primary = self.primary()?;
        Ok((0..NODES).filter(|node| *node != primary).collect())
    }

    fn directory_of(&self, node: usize) -> PathBuf {
        self.cluster.directory().join(format!("node{node}"))
    }

    /// Runs a command of `postgres/cluster`.
    pub(crate) fn command(&self, verb: &str, node: Option<usize>) -> Result<String, Error> {
        let output = self.cluster.try_run(verb, node);
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let program = format!("postgres/cluster {verb} {}", node.map_or(String::new(), |node| node.to_string()));
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_string();
        Err(Error::Program { program, reason })
    }

    /// Promotes the one of `standbys` that has the most WAL: `postgres/cluster` refuses the others.
    pub(crate) fn promote(&self, standbys: &[usize]) -> Result<(), Error> {
        let mut result = Ok(());
        for standby in standbys {
            result = self.command("promote", Some(*standby)).map(drop);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Stops the process of a node that serves a session of a queue, and returns its number, or none where there is none.
    pub(crate) fn pause_session(&self, node: usize) -> Result<Option<String>, Error> {
        let query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'queue-store' ORDER BY random() LIMIT 1";
        let process = self.try_sql(node, query)?;
        if process.is_empty() {
            return Ok(None);
        }
        signal(&process, "STOP")?;
        Ok(Some(process))
    }

    /// Continues a process, if it has not ended.
    pub(crate) fn resume_session(process: &str) {
        let _ = signal(process, "CONT");
    }

    /// Breaks the connections to a node.
    pub(crate) fn break_connections(&self, node: usize) {
        self.cluster.break_connections(node);
    }

    /// Lets the commits of a primary wait for no standby, which it forgets with its next promotion or copy.
    pub(crate) fn turn_off_standbys(&self, primary: usize) -> Result<(), Error> {
        self.try_sql(primary, "ALTER SYSTEM SET synchronous_standby_names = ''")?;
        self.try_sql(primary, "SELECT pg_reload_conf()").map(drop)
    }

    /// Returns the disks, of which there may be none.
    pub(crate) fn disks(&self) -> &[Disk] {
        self.disks.as_deref().unwrap_or_default()
    }

    /// Fills the disk of a node.
    pub(crate) fn fill(&self, node: usize) -> Result<(), Error> {
        self.disks().get(node).map_or(Ok(()), Disk::fill)
    }

    /// Begins new segments of the log until no node has one in reserve, or the primary stops.
    pub(crate) fn use_up_log(&self) -> Result<(), Error> {
        let primary = self.primary()?;
        for _ in 0..SEGMENTS {
            if self.try_sql(primary, "SELECT pg_switch_wal()").is_err() {
                break;
            }
            thread::sleep(SWITCHED);
        }
        Ok(())
    }
}

fn signal(process: &str, signal: &str) -> Result<(), Error> {
    run(Command::new("kill").args(["-s", signal, process]))
}

/// Runs a program that must succeed.
fn run(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(Error::system(program.clone()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Program { program, reason: String::from_utf8_lossy(&output.stderr).trim().to_string() })
}

/// Moves the directory of a node to a disk, and leaves a symbolic link, since `postgres/cluster` deletes and creates what is
/// in the directory.
fn move_to_disk(directory: &Path, disk: &Path) -> Result<(), Error> {
    let target = disk.join("node");
    run(Command::new("mv").arg(directory).arg(&target))?;
    symlink(&target, directory).map_err(Error::system(directory.display().to_string()))
}
