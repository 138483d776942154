//! A chasquid of a test: its configuration, its queue, and the mails that it delivers.

use crate::process::{queue_store, run, send, wait_until};
use crate::queue::{self, parse_json};
use nix::sys::signal::Signal;
use queue_store_host::{Host, Queue};
use queue_store_host_test::requirement::chasquid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The time that the server may take for an answer, on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The number of the addresses `r0@example.test`, `r1@example.test` and so on.
pub(super) const RECIPIENTS: usize = 100;

/// The configuration of a server: a queue, a domain `example.test`, and an agent that delivers to a directory.
pub(super) struct Site {
    directory: TempDir,
    smtp: u16,
}

/// A server that runs until this is dropped.
pub(super) struct Running(Child);

impl Running {
    /// Returns the id of the process.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns whether the server has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child can be waited for").is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            send(Signal::SIGTERM, &self.0);
        }
        self.0.wait().expect("a child can be waited for");
    }
}

impl Site {
    pub(super) fn new() -> Site {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir();
        let directory = directory.expect("a test can create a temporary directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["certs/mx", "domains/example.test", "data/queue", "delivered"] {
            fs::create_dir_all(path(name)).expect("the temporary directory is writable");
        }
        let mut certificate = Command::new("openssl");
        certificate.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        certificate.args(["-days", "2", "-subj", "/CN=mx.example.test"]);
        certificate.args(["-addext", "subjectAltName=DNS:mx.example.test"]);
        certificate.arg("-keyout").arg(path("certs/mx/privkey.pem")).arg("-out").arg(path("certs/mx/fullchain.pem"));
        assert_eq!(run(&mut certificate, b"").code, 0);
        let write =
            |name: &str, content: &str| fs::write(path(name), content).expect("the temporary directory is writable");
        let recipients: String = (0..RECIPIENTS).map(|number| format!("r{number}: d{number}@example.test\n")).collect();
        write("domains/example.test/aliases", &format!("postbox: b@example.test\nñandú: c@example.test\n{recipients}"));
        let agent = "#!/bin/sh\ncd \"${0%/*}\" || exit\n[ -e closed ] && exit 75\ncat >$$ && mv $$ delivered/$$\n";
        write("agent", agent);
        fs::set_permissions(path("agent"), Permissions::from_mode(0o700)).expect("the temporary directory is writable");
        let ports = [0; 3].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("loopback has free ports"));
        let [smtp, submission, submissions] =
            ports.map(|port| port.local_addr().expect("a bound socket has an address").port());
        let data = path("data");
        let agent = path("agent");
        write(
            "chasquid.conf",
            &format!(
                "hostname: \"mx.example.test\"\nsmtp_address: \"127.0.0.1:{smtp}\"\n\
                 submission_address: \"127.0.0.1:{submission}\"\n\
                 submission_over_tls_address: \"127.0.0.1:{submissions}\"\n\
                 data_dir: {data:?}\nmail_delivery_agent_bin: {agent:?}\nmail_log_path: \"<stderr>\"\n"
            ),
        );
        Site { directory, smtp }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the server, and waits until it listens.
    pub(super) fn start(&self) -> Running {
        let mut running = self.try_start();
        wait_until("the server listens", || {
            assert!(!running.has_ended(), "{}", self.log());
            TcpStream::connect(("127.0.0.1", self.smtp)).is_ok()
        });
        running
    }

    /// Starts the server.
    pub(super) fn try_start(&self) -> Running {
        let log = File::create(self.path("log")).expect("the temporary directory is writable");
        let mut server = Command::new(chasquid());
        server.arg("-config_dir").arg(self.directory.path()).stdin(Stdio::null());
        server.stdout(log.try_clone().expect("descriptors are left")).stderr(log);
        Running(server.spawn().expect("the requirement of the test is met"))
    }

    /// Returns the log of the server that was started last.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("the server has a log")
    }

    /// Sends a mail with the null reverse-path by SMTP (RFC 5321, with the extension of RFC 6531 where an address needs it). Its
    /// lines end with CR LF.
    pub(super) fn send(&self, recipients: &[impl AsRef<str>], body: &[u8]) {
        let stream = TcpStream::connect(("127.0.0.1", self.smtp)).expect("the server listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
        let mut replies = BufReader::new(stream.try_clone().expect("descriptors are left"));
        let mut exchange = |command: &[u8], code: &str| {
            (&stream).write_all(command).expect("the server reads commands");
            let mut reply = String::new();
            // In a reply of several lines, all but the last have a hyphen after the code.
            while !reply.starts_with(&format!("{code} ")) {
                assert!(reply.is_empty() || reply.starts_with(&format!("{code}-")), "{reply}");
                reply.clear();
                assert!(replies.read_line(&mut reply).expect("the server replies in time") > 0, "it hung up");
            }
        };
        exchange(b"", "220");
        exchange(b"EHLO client.example.com\r\n", "250");
        let is_ascii = recipients.iter().all(|to| to.as_ref().is_ascii());
        let extension = if is_ascii { "" } else { " SMTPUTF8" };
        exchange(format!("MAIL FROM:<>{extension}\r\n").as_bytes(), "250");
        for to in recipients {
            exchange(format!("RCPT TO:<{}>\r\n", to.as_ref()).as_bytes(), "250");
        }
        exchange(b"DATA\r\n", "354");
        let mut data = Vec::with_capacity(body.len());
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            // A line that begins with a dot gets another one.
            let dot: &[u8] = if line.starts_with(b".") { b"." } else { b"" };
            data.extend([dot, line].concat());
        }
        exchange(&[&data, &b".\r\n"[..]].concat(), "250");
        exchange(b"QUIT\r\n", "221");
    }

    /// Sets whether the agent refuses for now.
    pub(super) fn close(&self, closed: bool) {
        let path = self.path("closed");
        if closed { fs::write(path, "") } else { fs::remove_file(path) }.expect("the temporary directory is writable");
    }

    /// Returns the delivered mails, each with the number of its deliveries.
    pub(super) fn delivered(&self) -> BTreeMap<Vec<u8>, usize> {
        let mut delivered = BTreeMap::new();
        for name in queue::names(&self.path("delivered")) {
            let mail = fs::read(self.path("delivered").join(name)).expect("a mail stays delivered");
            *delivered.entry(mail).or_default() += 1;
        }
        delivered
    }

    /// Returns the number of deliveries.
    pub(super) fn deliveries(&self) -> usize {
        queue::names(&self.path("delivered")).len()
    }

    /// Returns the queue of the server.
    pub(super) fn queue(&self) -> Queue {
        let host = Host::shared().expect("the component is intact");
        host.open(self.path("data/queue")).expect("the queue exists")
    }

    /// Puts a mail from `b@example.test` to `b@example.test`, who gets its bounce too.
    pub(super) fn put(&self, id: &str, body: &str) {
        let put = ["put", "--from", "b@example.test", "--to", "b@example.test", "--id", id];
        run(&mut self.command(&put), body.as_bytes()).done();
    }

    /// Runs the command, which succeeds.
    pub(super) fn run(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments), b"").done()
    }

    /// Runs the server until every item that it sees is gone.
    pub(super) fn deliver_all(&self) {
        let running = self.start();
        wait_until("every item is delivered", || self.names().iter().all(|name| !name.starts_with("m:")));
        drop(running);
    }

    /// Returns the command, for the queue of the server.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = queue_store(arguments);
        command.env("QUEUE_STORE_DIR", self.path("data/queue"));
        command
    }

    pub(super) fn names(&self) -> Vec<String> {
        queue::names(&self.path("data/queue"))
    }

    /// Starts the server, sends a mail, waits until it is delivered, and ends the server.
    pub(super) fn send_and_deliver(&self, body: &str) {
        let running = self.start();
        self.send(&["postbox@example.test"], body.as_bytes());
        wait_until("the mail is delivered", || !self.delivered().is_empty());
        wait_until("the item is removed", || self.names().iter().all(|name| name.starts_with("h:")));
        drop(running);
    }

    pub(super) fn show(&self, id: &str) -> Value {
        parse_json(&run(&mut self.command(&["show", "--json", "--", id]), b"").done())
    }
}
