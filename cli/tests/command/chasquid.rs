//! The SMTP server whose files these are: it delivers what the command queued, and the command reads and changes what it queued.

use crate::support::{self, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use queue_store_host_test::requirement::chasquid;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

support::trials![
    chasquid_delivers_what_was_queued => Chasquid,
    what_chasquid_queued_is_read_and_changed => Chasquid,
];

/// How long the server may take for anything, on a machine with other things to do.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < LONGEST, "still not so: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A server with a queue, a domain `example.test`, and an agent that delivers to a directory.
struct Site {
    directory: TempDir,
    smtp: u16,
}

/// A server that runs, until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.0.id().try_into().expect("an id of a process"));
        kill(id, Signal::SIGTERM).expect("it was not waited for");
        self.0.wait().expect("it ends");
    }
}

impl Site {
    fn new() -> Site {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["certs/mx", "domains/example.test", "data/queue", "delivered"] {
            fs::create_dir_all(path(name)).expect("a directory of the test");
        }
        let mut certificate = Command::new("openssl");
        certificate.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=mx.example.test",
        ]);
        certificate.args(["-addext", "subjectAltName=DNS:mx.example.test"]);
        certificate.arg("-keyout").arg(path("certs/mx/privkey.pem")).arg("-out").arg(path("certs/mx/fullchain.pem"));
        assert_eq!(run(&mut certificate, b"").code, 0);
        let write = |name: &str, content: &str| fs::write(path(name), content).expect("a file of the test");
        write("domains/example.test/aliases", "postbox: b@example.test\n");
        let agent = "#!/bin/sh\ncd \"${0%/*}\" || exit\n[ -e closed ] && exit 75\ncat >$$ && mv $$ delivered/$$\n";
        write("agent", agent);
        fs::set_permissions(path("agent"), Permissions::from_mode(0o700)).expect("a file of the test");
        let ports = [0; 3].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("a port"));
        let [smtp, submission, submissions] = ports.map(|port| port.local_addr().expect("it is bound").port());
        let data = path("data");
        let agent = path("agent");
        write(
            "chasquid.conf",
            &format!(
                "hostname: \"mx.example.test\"\nsmtp_address: \"127.0.0.1:{smtp}\"\n\
                 submission_address: \"127.0.0.1:{submission}\"\nsubmission_over_tls_address: \"127.0.0.1:{submissions}\"\n\
                 data_dir: {data:?}\nmail_delivery_agent_bin: {agent:?}\nmail_log_path: \"<stderr>\"\n"
            ),
        );
        Site { directory, smtp }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the server, and waits until it listens.
    fn start(&self) -> Running {
        let log = File::create(self.path("log")).expect("a file of the test");
        let mut server = Command::new(chasquid());
        server.arg("-config_dir").arg(self.directory.path()).stdin(Stdio::null());
        server.stdout(log.try_clone().expect("a descriptor")).stderr(log);
        let running = Running(server.spawn().expect("it starts"));
        until("it listens", || TcpStream::connect(("127.0.0.1", self.smtp)).is_ok());
        running
    }

    /// Sends a mail by SMTP (RFC 5321).
    fn send(&self, recipients: &[&str], body: &str) {
        let stream = TcpStream::connect(("127.0.0.1", self.smtp)).expect("it listens");
        stream.set_read_timeout(Some(LONGEST)).expect("a socket has a timeout");
        let mut replies = BufReader::new(stream.try_clone().expect("a descriptor"));
        let mut say = |command: &str, code: &str| {
            (&stream).write_all(command.as_bytes()).expect("it reads");
            let mut reply = String::new();
            // Of a reply of several lines, all but the last have a hyphen after the code.
            while !reply.starts_with(&format!("{code} ")) {
                assert!(reply.is_empty() || reply.starts_with(&format!("{code}-")), "{command}: {reply}");
                reply.clear();
                assert!(replies.read_line(&mut reply).expect("it answers") > 0, "{command}: it hung up");
            }
        };
        say("", "220");
        say("EHLO client.example.com\r\n", "250");
        say("MAIL FROM:<>\r\n", "250");
        recipients.iter().for_each(|to| say(&format!("RCPT TO:<{to}>\r\n"), "250"));
        say("DATA\r\n", "354");
        say(&format!("{body}.\r\n"), "250");
        say("QUIT\r\n", "221");
    }

    /// Whether the agent refuses for now.
    fn close(&self, closed: bool) {
        let path = self.path("closed");
        if closed { fs::write(path, "") } else { fs::remove_file(path) }.expect("a file of the test");
    }

    /// What was delivered.
    fn delivered(&self) -> BTreeSet<Vec<u8>> {
        let entries = fs::read_dir(self.path("delivered")).expect("a directory of the test");
        entries.map(|entry| fs::read(entry.expect("an entry").path()).expect("a file")).collect()
    }

    /// The command, on the queue of the server.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = support::queue_store(arguments);
        command.env("QUEUE_STORE_DIR", self.path("data/queue"));
        command
    }

    fn names(&self) -> Vec<String> {
        queue_store_host_test::instance::names(&self.path("data/queue"))
    }

    /// Starts the server, sends a mail, waits until it is delivered, and ends the server.
    fn send_through_a_start(&self, body: &str) {
        let running = self.start();
        self.send(&["postbox@example.test"], body);
        until("it delivered the mail", || !self.delivered().is_empty());
        until("it removed the mail", || self.names().iter().all(|name| name.starts_with("h:")));
        drop(running);
    }

    fn show(&self, id: &str) -> Value {
        let shown = run(&mut self.command(&["show", "--json", "--", id]), b"").done();
        serde_json::from_str(&shown).expect("JSON")
    }
}

fn chasquid_delivers_what_was_queued() {
    let site = Site::new();
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let bodies = [&b"Subject: hello\r\n\r\nhello\r\n"[..], b"\"quotes\" and \\backslashes\\\n", &every_byte, b"x"];
    for (number, body) in bodies.iter().enumerate() {
        let id = number.to_string();
        let mut put = site.command(&["put", "--from", "<>", "--to", "b@example.test"]);
        put.args(["--to", "c@example.test"]);
        if number > 0 {
            put.args(["--id", &id]);
        }
        run(&mut put, body).done();
    }
    // It reads text that is ready, and leaves the rest.
    run(site.command(&["put", "--format=binary", "--id=binary", "--from=<>", "--to=b@example.test"]).arg("-"), b"b")
        .done();
    run(&mut site.command(&["put", "--id=held", "--from=<>", "--to=b@example.test"]), b"held").done();
    run(&mut site.command(&["hold", "held"]), b"").done();
    let running = site.start();
    until("it delivered all, and removed it", || site.names() == ["h:held", "m=binary"]);
    assert_eq!(site.delivered(), bodies.iter().map(|body| body.to_vec()).collect());
    drop(running);
}

fn what_chasquid_queued_is_read_and_changed() {
    let site = Site::new();
    site.close(true);
    let running = site.start();
    site.send(&["postbox@example.test"], "Subject: hi\r\n\r\na \"quote\", a caf\u{e9}\r\n..\r\n");
    let is_queued = || matches!(site.names().as_slice(), [name] if name.starts_with("m:"));
    until("it queued the mail, and tried to deliver it", || {
        is_queued()
            && fs::read_to_string(site.path("data/queue").join(&site.names()[0])).is_ok_and(|text| text.contains("MDA"))
    });
    drop(running);

    let name = site.names().remove(0);
    let id = &name[2..];
    let shown = site.show(id);
    let delivery = &shown["rcpt"][0];
    assert_eq!(shown["id"], *id);
    assert_eq!(delivery["address"], "b@example.test");
    assert_eq!(delivery["original_address"], "postbox@example.test");
    assert_eq!(delivery["status"], "PENDING");
    assert!(delivery["last_failure_message"].as_str().is_some_and(|said| said.contains("exit status 75")), "{shown}");
    let body = run(&mut site.command(&["cat", "--", id]), b"").done();
    assert!(body.starts_with("Received: from ") && body.ends_with("\na \"quote\", a caf\u{e9}\n.\n"), "{body}");
    run(&mut site.command(&["verify"]), b"").done();

    // Held, it is not delivered; released, with another address to deliver to, it is.
    run(&mut site.command(&["hold", "--", id]), b"").done();
    site.close(false);
    site.send_through_a_start("Subject: other\r\n\r\nother\r\n");
    assert_eq!(site.delivered().len(), 1, "what is held was delivered");
    run(&mut site.command(&["release", "--", id]), b"").done();
    let update = ["update", "--rcpt=b@example.test", "--status=pending", "--failure=tried by hand", "--", id];
    run(&mut site.command(&update), b"").done();
    assert_eq!(site.show(id)["rcpt"][0]["last_failure_message"], json!("tried by hand"));
    let running = site.start();
    until("it delivered the mail, and removed it", || site.names().is_empty());
    assert!(site.delivered().contains(body.as_bytes()));
    drop(running);
}
