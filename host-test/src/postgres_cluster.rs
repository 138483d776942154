//! Clusters of PostgreSQL on this machine, by `postgres/cluster`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The first ports that are tried. Each cluster takes as many as it has nodes.
const PORTS: std::ops::Range<u16> = 40_000..60_000;

/// A cluster. Dropping it ends all of its processes.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    url: String,
    /// Holds the directory.
    _parent: TempDir,
}

impl Cluster {
    /// Starts a primary and standbys, as many nodes in all.
    pub fn start(nodes: usize) -> Cluster {
        // Other users have to get in: as root, PostgreSQL runs as another.
        let parent = tempfile::Builder::new().prefix("queue-store-").permissions(open_to_all()).tempdir();
        let parent = parent.expect("a temporary directory");
        let directory = parent.path().join("cluster");
        for _ in 0..20 {
            let port = rand::random_range(PORTS).to_string();
            let mut start = command();
            start.arg("start").arg(&directory).args(["--nodes", &nodes.to_string(), "--port", &port]);
            let output = start.output().expect("there is bash");
            if output.status.success() {
                let url = String::from_utf8(output.stdout).expect("a URL is text").trim().to_string();
                return Cluster { directory, url, _parent: parent };
            }
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(error.contains("in use"), "the cluster starts: {error}");
        }
        panic!("there are free ports");
    }

    /// The URL of all nodes, to which options may be appended after a `?`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of one node.
    pub fn node_url(&self, node: usize) -> String {
        let (scheme, rest) = self.url.split_once('@').expect("the URL has a user");
        let (hosts, database) = rest.split_once('/').expect("the URL has a database");
        let host = hosts.split(',').nth(node).expect("there is such a node");
        format!("{scheme}@{host}/{database}")
    }

    /// The URL of one node by its socket.
    pub fn socket_url(&self, node: usize) -> String {
        let directory = self.directory.join(format!("node{node}")).display().to_string().replace('/', "%2F");
        format!("postgres://queue@{directory}/queue")
    }

    /// The directory of the cluster, in which each node has one.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory of a node's data.
    pub fn data(&self, node: usize) -> PathBuf {
        self.directory.join(format!("node{node}/data"))
    }

    /// Runs a command of the script, and expects success.
    pub fn run(&self, verb: &str, node: Option<usize>) {
        let output = self.try_run(verb, node);
        assert!(output.status.success(), "{verb} {node:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a command of the script.
    pub fn try_run(&self, verb: &str, node: Option<usize>) -> Output {
        let mut command = command();
        command.arg(verb).arg(&self.directory).args(node.map(|node| node.to_string()));
        command.output().expect("there is bash")
    }

    /// Kills the processes that pass the bytes of the connections to a node. The node notices that when it sends something.
    pub fn break_connections(&self, node: usize) {
        let relay = self.directory.join(format!("node{node}/relay")).canonicalize().expect("there is such a node");
        let is_relay = |process: &str| fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|path| path == relay);
        let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
        let processes = processes.filter_map(|entry| entry.file_name().into_string().ok());
        for process in processes.filter(|process| is_relay(process)) {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let parent = stat.split(' ').nth(3).unwrap_or_default();
            // The parent takes new connections.
            if is_relay(parent) {
                let _ = Command::new("kill").args(["-s", "KILL", &process]).output();
            }
        }
    }

    /// Runs SQL on a node as the superuser, and returns what it prints.
    pub fn sql(&self, node: usize, sql: &str) -> String {
        let output = self.try_sql(node, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("psql prints text").trim().to_string()
    }

    /// Runs SQL on a node as the superuser.
    pub fn try_sql(&self, node: usize, sql: &str) -> Output {
        let mut command = Command::new("psql");
        command.args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            "--command",
            sql,
        ]);
        command.arg(self.node_url(node).replace("queue@", "postgres@"));
        command.env("PGPASSFILE", self.directory.join("passfile")).env("PGCONNECT_TIMEOUT", "5");
        command.output().expect("there is psql")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = command().arg("remove").arg(&self.directory).output();
    }
}

fn command() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../postgres/cluster"))
}

fn open_to_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
