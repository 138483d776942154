//! The SMTP server whose files these are: it delivers mails of the command, and the command reads and changes its
//! items.

use crate::aged::Aged;
use crate::process::{queue_store, run, send, wait_until};
use crate::queue::{self, parse_json};
use crate::trial::trials;
use mail_address::Address;
use nix::sys::signal::Signal;
use queue_store_host::Host;
use queue_store_host_test::requirement::chasquid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

trials![
    chasquid_delivers_mails_of_the_command => Chasquid,
    command_reads_and_changes_items_of_chasquid => Chasquid,
    old_items_are_delivered_after_release_and_requeue => Chasquid,
    chasquid_starts_with_every_address_that_a_plugin_may_use => Chasquid,
];

/// The time that the server may take for an answer, on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The configuration of a server: a queue, a domain `example.test`, and an agent that delivers to a directory.
struct Site {
    directory: TempDir,
    smtp: u16,
}

/// A server that runs until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        send(Signal::SIGTERM, &self.0);
        self.0.wait().expect("a child can be waited for");
    }
}

impl Site {
    fn new() -> Site {
        let directory = tempfile::Builder::new().prefix("queue-store-").tempdir();
        let directory = directory.expect("a test can create a temporary directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["certs/mx", "domains/example.test", "data/queue", "delivered"] {
            fs::create_dir_all(path(name)).expect("the temporary directory is writable");
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
        let write =
            |name: &str, content: &str| fs::write(path(name), content).expect("the temporary directory is writable");
        write("domains/example.test/aliases", "postbox: b@example.test\n");
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

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the server, and waits until it listens.
    fn start(&self) -> Running {
        let log = File::create(self.path("log")).expect("the temporary directory is writable");
        let mut server = Command::new(chasquid());
        server.arg("-config_dir").arg(self.directory.path()).stdin(Stdio::null());
        server.stdout(log.try_clone().expect("descriptors are left")).stderr(log);
        let running = Running(server.spawn().expect("the requirement of the test is met"));
        wait_until("the server listens", || TcpStream::connect(("127.0.0.1", self.smtp)).is_ok());
        running
    }

    /// Sends a mail by SMTP (RFC 5321).
    fn send(&self, recipients: &[&str], body: &str) {
        let stream = TcpStream::connect(("127.0.0.1", self.smtp)).expect("the server listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("the timeout is not zero");
        let mut replies = BufReader::new(stream.try_clone().expect("descriptors are left"));
        let mut exchange = |command: &str, code: &str| {
            (&stream).write_all(command.as_bytes()).expect("the server reads commands");
            let mut reply = String::new();
            // In a reply of several lines, all but the last have a hyphen after the code.
            while !reply.starts_with(&format!("{code} ")) {
                assert!(reply.is_empty() || reply.starts_with(&format!("{code}-")), "{command}: {reply}");
                reply.clear();
                assert!(
                    replies.read_line(&mut reply).expect("the server replies in time") > 0,
                    "{command}: it hung up"
                );
            }
        };
        exchange("", "220");
        exchange("EHLO client.example.com\r\n", "250");
        exchange("MAIL FROM:<>\r\n", "250");
        recipients.iter().for_each(|to| exchange(&format!("RCPT TO:<{to}>\r\n"), "250"));
        exchange("DATA\r\n", "354");
        exchange(&format!("{body}.\r\n"), "250");
        exchange("QUIT\r\n", "221");
    }

    /// Sets whether the agent refuses for now.
    fn close(&self, closed: bool) {
        let path = self.path("closed");
        if closed { fs::write(path, "") } else { fs::remove_file(path) }.expect("the temporary directory is writable");
    }

    /// Returns the delivered mails.
    fn delivered(&self) -> BTreeSet<Vec<u8>> {
        let names = queue::names(&self.path("delivered"));
        names.iter().map(|name| fs::read(self.path("delivered").join(name)).expect("a mail stays delivered")).collect()
    }

    /// Returns the command, for the queue of the server.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = queue_store(arguments);
        command.env("QUEUE_STORE_DIR", self.path("data/queue"));
        command
    }

    fn names(&self) -> Vec<String> {
        queue::names(&self.path("data/queue"))
    }

    /// Starts the server, sends a mail, waits until it is delivered, and ends the server.
    fn send_and_deliver(&self, body: &str) {
        let running = self.start();
        self.send(&["postbox@example.test"], body);
        wait_until("the mail is delivered", || !self.delivered().is_empty());
        wait_until("the item is removed", || self.names().iter().all(|name| name.starts_with("h:")));
        drop(running);
    }

    fn show(&self, id: &str) -> Value {
        parse_json(&run(&mut self.command(&["show", "--json", "--", id]), b"").done())
    }
}

fn chasquid_delivers_mails_of_the_command() {
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
    // It reads items that are text and ready, and leaves the others.
    run(site.command(&["put", "--format=binary", "--id=binary", "--from=<>", "--to=b@example.test"]).arg("-"), b"b")
        .done();
    run(&mut site.command(&["put", "--id=held", "--from=<>", "--to=b@example.test"]), b"held").done();
    run(&mut site.command(&["hold", "held"]), b"").done();
    let running = site.start();
    wait_until("the mails are delivered, and the items removed", || site.names() == ["h:held", "m=binary"]);
    assert_eq!(site.delivered(), bodies.iter().map(|body| body.to_vec()).collect());
    drop(running);
}

fn command_reads_and_changes_items_of_chasquid() {
    let site = Site::new();
    site.close(true);
    let running = site.start();
    site.send(&["postbox@example.test"], "Subject: hi\r\n\r\na \"quote\", a caf\u{e9}\r\n..\r\n");
    let is_queued = || matches!(site.names().as_slice(), [name] if name.starts_with("m:"));
    wait_until("the mail is queued, and the agent has refused it", || {
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
    assert!(
        delivery["last_failure_message"].as_str().is_some_and(|message| message.contains("exit status 75")),
        "{shown}"
    );
    let body = run(&mut site.command(&["cat", "--", id]), b"").done();
    assert!(body.starts_with("Received: from ") && body.ends_with("\na \"quote\", a caf\u{e9}\n.\n"), "{body}");
    run(&mut site.command(&["verify"]), b"").done();

    // A held item is not delivered. A released one is, also after an update.
    run(&mut site.command(&["hold", "--", id]), b"").done();
    site.close(false);
    site.send_and_deliver("Subject: other\r\n\r\nother\r\n");
    assert_eq!(site.delivered().len(), 1, "a held item is not delivered");
    run(&mut site.command(&["release", "--", id]), b"").done();
    let update = ["update", "--rcpt=b@example.test", "--status=pending", "--failure=tried by hand", "--", id];
    run(&mut site.command(&update), b"").done();
    assert_eq!(site.show(id)["rcpt"][0]["last_failure_message"], json!("tried by hand"));
    let running = site.start();
    wait_until("the mail is delivered, and the item removed", || site.names().is_empty());
    assert!(site.delivered().contains(body.as_bytes()));
    drop(running);
}

fn old_items_are_delivered_after_release_and_requeue() {
    let site = Site::new();
    let item = |name: &str, hours, status, subject| {
        let item = Aged { hours, status, subject, from: "<>", to: "b@example.test", ..Aged::default() };
        fs::write(site.path("data/queue").join(name), item.text(&name[2..])).expect("the queue is writable");
    };
    item("h:released", 21, "PENDING", "released");
    item("q:restored", 48, "PENDING", "restored");
    item("m:requeued", 48, "FAILED", "requeued");
    item("h:kept", 21, "PENDING", "kept");
    for arguments in [
        &["release", "released"][..],
        &["restore", "restored"],
        &["requeue", "requeued"],
        &["release", "--keep-time", "kept"],
    ] {
        run(&mut site.command(arguments), b"").done();
    }
    let _running = site.start();
    wait_until("the mails are delivered or given up, and the items removed", || site.names().is_empty());
    let delivered: Vec<String> =
        site.delivered().iter().map(|mail| String::from_utf8_lossy(mail).into_owned()).collect();
    let subjects = ["released", "restored", "requeued", "kept"]
        .map(|subject| delivered.iter().any(|mail| mail.contains(&format!("Subject: {subject}"))));
    assert_eq!(subjects, [true, true, true, false], "chasquid gives up an item that is older than 20 hours");
}

/// Returns addresses that a plugin may use: those of shapes in use, and generated ones of the same characters.
fn allowed_addresses(count: usize) -> Vec<String> {
    const USED: &str = include_str!("../../../crates/mail-address/tests/used.txt");
    let mut random = fastrand::Rng::with_seed(3);
    let characters: Vec<char> = USED.chars().filter(|character| !matches!(character, '\n' | '@')).collect();
    let mut part = |longest: usize| -> String {
        (0..random.usize(1..=longest)).map(|_| characters[random.usize(..characters.len())]).collect()
    };
    let generated = std::iter::repeat_with(|| format!("{}@{}", part(12), part(20)));
    let allowed = generated.filter(|address| Address::parse(address).is_ok());
    USED.lines().map(str::to_string).chain(allowed).take(count).collect()
}

fn chasquid_starts_with_every_address_that_a_plugin_may_use() {
    const ADDRESSES_OF_A_MAIL: usize = 100;
    let site = Site::new();
    let queue = Host::new().expect("the component is intact").open(site.path("data/queue")).expect("the queue exists");
    let mut files = BTreeMap::new();
    for to in allowed_addresses(10_000).chunks(ADDRESSES_OF_A_MAIL) {
        let id = queue.submit(&to[0], to, b"Subject: hello\r\n\r\nhello\r\n").expect("the addresses are allowed");
        let path = site.path("data/queue").join(format!("m:{id}"));
        files.insert(path.clone(), fs::read(path).expect("the item was published"));
    }
    let mut running = site.start();
    // It writes an item back, or removes it, once it tried each delivery.
    wait_until("the server tried to deliver every mail", || {
        let exit = running.0.try_wait().expect("a child can be waited for");
        assert_eq!(exit, None, "{}", fs::read_to_string(site.path("log")).expect("the server has a log"));
        files.retain(|path, written| fs::read(path).is_ok_and(|now| now == *written));
        files.is_empty()
    });
    drop(running);
    site.start();
}
