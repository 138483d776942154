//! `plugins/http` under `wasmtime serve`: an HTTP client posts mails, and the library reads them.

use crate::scripts::output;
use libtest_mimic::{Failed, Trial};
use queue_store_artifact::COMPONENT;
use queue_store_host::{Host, Queue};
use queue_store_host_test::guest;
use queue_store_host_test::requirement::{self, Requirement, trial, wasmtime_cli};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use ureq::http::{HeaderMap, Method, Request};

pub(crate) fn trials() -> Vec<Trial> {
    use Requirement::{Mounts, Strace, WasmtimeCli};
    type Test = fn() -> Result<(), Failed>;
    let tests: [(&str, &[Requirement], Test); 11] = [
        ("endpoint_imports_no_file_system", &[], endpoint_imports_no_file_system),
        ("composition_imports_what_hosts_provide", &[], composition_imports_what_hosts_provide),
        ("posted_mail_is_queued_byte_for_byte", &[WasmtimeCli], posted_mail_is_queued_byte_for_byte),
        ("refused_requests_queue_nothing", &[WasmtimeCli], refused_requests_queue_nothing),
        ("truncated_body_queues_nothing", &[WasmtimeCli], truncated_body_queues_nothing),
        ("large_body_takes_constant_memory", &[WasmtimeCli], large_body_takes_constant_memory),
        ("concurrent_posts_are_all_queued", &[WasmtimeCli], concurrent_posts_are_all_queued),
        ("failed_fsync_closes_the_queue", &[WasmtimeCli, Strace], failed_fsync_closes_the_queue),
        ("full_disk_answers_503", &[WasmtimeCli, Mounts], full_disk_answers_503),
        ("fsyncs_precede_the_answer", &[WasmtimeCli, Strace], fsyncs_precede_the_answer),
        ("acknowledged_mail_survives_kills", &[WasmtimeCli], acknowledged_mail_survives_kills),
    ];
    tests.into_iter().map(|(name, needs, test)| trial(format!("http::{name}"), needs.to_vec(), test)).collect()
}

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("this machine runs the component"));

/// Returns the endpoint, as it is before the composition.
fn endpoint() -> Vec<u8> {
    guest::build("queue-store-plugin-http", &[], "queue_store_plugin_http.wasm", "component")
}

/// Returns the endpoint, composed as `plugins/http/README.md` says.
pub(crate) fn composed() -> Vec<u8> {
    let allowed = ["wasi:http".to_string()];
    queue_store_composition::compose(&endpoint(), COMPONENT, &allowed).expect("it imports nothing else that is refused")
}

/// Returns the path of the composed endpoint, compiled once.
fn compiled() -> Result<PathBuf, String> {
    static COMPILED: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let path = requirement::target_directory().join("plugins/http.wasm");
        fs::create_dir_all(path.parent().expect("it has one")).map_err(|error| error.to_string())?;
        fs::write(&path, composed()).map_err(|error| error.to_string())?;
        let compiled = path.with_extension("cwasm");
        output(Command::new(wasmtime_cli()).arg("compile").arg(&path).arg("--output").arg(&compiled))?;
        Ok(compiled)
    });
    COMPILED.clone()
}

/// A client of a server.
#[derive(Clone)]
struct Client {
    address: String,
    agent: ureq::Agent,
}

/// An answer of a server.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Client {
    fn request(&self, method: Method, headers: &[(&str, &[u8])], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{}/", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body)?)?;
        let text = response.body_mut().read_to_string()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text })
    }

    fn post(&self, body: &[u8]) -> Result<Answer, ureq::Error> {
        self.request(Method::POST, &[("mail-from", b"a@example.com"), ("rcpt-to", b"b@example.com")], body)
    }

    /// Posts a mail and returns its id.
    fn submit(&self, body: &[u8]) -> Result<String, ureq::Error> {
        self.post(body).map(|answer| answer.id())
    }
}

impl Answer {
    fn id(&self) -> String {
        assert_eq!(self.status, 201, "{}", self.text);
        self.text.strip_suffix('\n').expect("an answer is one line").to_string()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("the header is ASCII"))
    }
}

/// A running server, which is killed when this value is dropped.
struct Server {
    process: Child,
    /// Open, since a server that cannot log may end.
    _log: BufReader<ChildStderr>,
    client: Client,
}

impl Server {
    fn start(queue: &Path) -> Result<Server, Failed> {
        Server::launch(&[], queue)
    }

    /// Starts a server by a command, such as strace, that takes the server's command line as its last arguments.
    fn launch(launcher: &[&OsStr], queue: &Path) -> Result<Server, Failed> {
        let wasmtime = wasmtime_cli();
        let line = [launcher, &[wasmtime.as_os_str()]].concat();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).args(["serve", "--addr", "127.0.0.1:0", "-S", "cli", "--allow-precompiled", "--dir"]);
        command.arg(format!("{}::queue", queue.display())).arg(compiled()?);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut line = String::new();
        log.read_line(&mut line)?;
        let address = line.trim().strip_prefix("Serving HTTP on http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.ok_or_else(|| format!("the first line is {line:?}"))?.to_string();
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = agent.timeout_global(Some(Duration::from_secs(60))).build().into();
        Ok(Server { process, _log: log, client: Client { address, agent } })
    }

    /// Returns the largest number of bytes that the server had in memory.
    fn peak_memory(&self) -> Result<u64, Failed> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        Ok(peak.ok_or("the kernel tells the peak")?.trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("the server is a child");
        self.process.wait().expect("the server is a child");
    }
}

fn queue() -> Result<(TempDir, Queue), Failed> {
    let directory = tempfile::tempdir()?;
    let queue = HOST.open(directory.path())?;
    Ok((directory, queue))
}

/// An endpoint without imports of files cannot reach those of the queue. The empty file system of the composition is for
/// tool chains that import one.
fn endpoint_imports_no_file_system() -> Result<(), Failed> {
    let imports = imports(&endpoint());
    assert!(imports.contains(&"mail:queue/intake".to_string()), "{imports:?}");
    let files: Vec<_> = imports.iter().filter(|import| import.starts_with("wasi:filesystem")).collect();
    assert!(files.is_empty(), "{files:?}");
    Ok(())
}

/// Returns the names of a component's imports, without versions: hosts match every 0.2.
fn imports(component: &[u8]) -> Vec<String> {
    let decoded = wit_parser::decoding::decode(component).expect("it is a component");
    let resolve = decoded.resolve();
    let (_, world) = resolve.worlds.iter().next().expect("a component has a world");
    let names = world.imports.keys().map(|key| resolve.name_world_key(key));
    names.map(|name| name.split('@').next().unwrap_or_default().to_string()).collect()
}

/// The interfaces are those of `wasi:http/proxy` and `wasi:cli/imports`, which `wasmtime serve`, Spin and wasmCloud provide:
/// `docs/hosts/component-hosts.md` has the sources.
fn composition_imports_what_hosts_provide() -> Result<(), Failed> {
    let provided = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:http/types", "wasi:io/", "wasi:random/"];
    let imports = imports(&composed());
    assert!(imports.contains(&"wasi:filesystem/preopens".to_string()), "{imports:?}");
    let others: Vec<_> = imports.iter().filter(|name| !provided.iter().any(|it| name.starts_with(it))).collect();
    assert!(others.is_empty(), "{others:?}");
    Ok(())
}

fn posted_mail_is_queued_byte_for_byte() -> Result<(), Failed> {
    let (directory, queue) = queue()?;
    let server = Server::start(directory.path())?;
    let body: Vec<u8> = b"Subject: hello\r\n\r\n".iter().copied().chain(0..=255).collect();
    let to: [(&str, &[u8]); 2] =
        [("Rcpt-To", "b@example.com, d\u{fc}@example.com".as_bytes()), ("rcpt-to", b"c+x@example.com")];
    for reverse_path in ["a@example.com", "<>"] {
        let headers = [&[("Mail-From", reverse_path.as_bytes())], &to[..]].concat();
        let answer = server.client.request(Method::POST, &headers, &body)?;
        assert_eq!((answer.status, answer.header("content-type")), (201, Some("text/plain; charset=utf-8")));
        let item = queue.get(answer.id())?;
        assert_eq!(item.body, body);
        assert_eq!(item.envelope.reverse_path, reverse_path);
        assert_eq!(item.envelope.to, ["b@example.com", "d\u{fc}@example.com", "c+x@example.com"]);
    }
    assert_eq!(queue.count()?.ready, 2);
    Ok(())
}

fn refused_requests_queue_nothing() -> Result<(), Failed> {
    let (directory, _) = queue()?;
    let server = Server::start(directory.path())?;
    let from: (&str, &[u8]) = ("mail-from", b"a@example.com");
    let to: (&str, &[u8]) = ("rcpt-to", b"b@example.com");
    for (headers, detail) in [
        (&[to][..], "one header `Mail-From` is needed"),
        (&[from, from, to], "one header `Mail-From` is needed"),
        (&[from], "no recipient"),
        (&[from, ("rcpt-to", b"|reboot")], "a plugin may not use an address"),
        (&[from, ("rcpt-to", b"b\xff@example.com")], "the header `rcpt-to` is not UTF-8"),
        (&[from, ("rcpt-to", b"b@example.com,,")], "a plugin may not use an address"),
    ] {
        let answer = server.client.request(Method::POST, headers, b"hello")?;
        assert!(answer.status == 400 && answer.text.contains(detail), "{headers:?}: {} {}", answer.status, answer.text);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let answer = server.client.request(method.clone(), &[from, to], b"")?;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    assert_eq!(fs::read_dir(directory.path())?.count(), 0);
    Ok(())
}

/// A client that is gone before the end of its body, with either framing of HTTP/1.1.
fn truncated_body_queues_nothing() -> Result<(), Failed> {
    let (directory, queue) = queue()?;
    let server = Server::start(directory.path())?;
    let framings = [("content-length: 100", "Subject: hello\r\n"), ("transfer-encoding: chunked", "5\r\nhello\r\n")];
    for (framing, body) in framings {
        let mut client = TcpStream::connect(&server.client.address)?;
        let headers = "host: localhost\r\nmail-from: a@example.com\r\nrcpt-to: b@example.com";
        write!(client, "POST / HTTP/1.1\r\n{headers}\r\n{framing}\r\n\r\n{body}")?;
        wait_until(|| Ok(queue.count()?.temporary == 1))?;
        client.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        assert!(!answer.starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer));
        wait_until(|| Ok(queue.count()?.temporary == 0))?;
        assert_eq!(fs::read_dir(directory.path())?.count(), 0, "{framing}");
    }
    server.client.submit(b"hello")?;
    Ok(())
}

/// Polls `condition` until it holds, for at most 10 seconds.
fn wait_until(condition: impl Fn() -> Result<bool, Failed>) -> Result<(), Failed> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition()? {
        if Instant::now() > deadline {
            return Err("the condition does not hold".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn large_body_takes_constant_memory() -> Result<(), Failed> {
    const MIB: usize = 1 << 20;
    let (directory, queue) = queue()?;
    let server = Server::start(directory.path())?;
    server.client.submit(b"hello")?;
    let before = server.peak_memory()?;
    let body: Vec<u8> = (0_u32..20 << 20).map(|at| (at % 251) as u8).collect();
    let id = server.client.submit(&body)?;
    let grown = server.peak_memory()? - before;
    assert!(grown < 5 * MIB as u64, "{grown} bytes");
    assert!(queue.get(&id)?.body == body, "the body differs");
    let answer = server.client.post(&vec![b'x'; 64 * MIB + 1])?;
    assert_eq!(answer.status, 413, "{}", answer.text);
    let counts = queue.count()?;
    assert_eq!((counts.ready, counts.temporary), (2, 0));
    Ok(())
}

fn concurrent_posts_are_all_queued() -> Result<(), Failed> {
    let (directory, queue) = queue()?;
    let server = Server::start(directory.path())?;
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let client = server.client.clone();
            thread::spawn(move || -> Result<Vec<_>, ureq::Error> {
                let bodies = (0..10).map(|mail| format!("{number} {mail}"));
                bodies.map(|body| Ok((client.submit(body.as_bytes())?, body))).collect()
            })
        })
        .collect();
    for client in clients {
        for (id, body) in client.join().expect("every answer is 201")? {
            assert_eq!(queue.get(&id)?.body, body.as_bytes());
        }
    }
    assert_eq!(queue.count()?.ready, 80);
    Ok(())
}

/// An fsync that failed in one request closes the queue for the requests after it, and for other servers.
fn failed_fsync_closes_the_queue() -> Result<(), Failed> {
    let (directory, queue) = queue()?;
    let path = directory.path().canonicalize()?;
    let options = ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-P"];
    let launcher: Vec<&OsStr> = ["strace"].iter().chain(&options).map(OsStr::new).chain([path.as_os_str()]).collect();
    let failing = Server::launch(&launcher, &path)?;
    let other = Server::start(&path)?;
    for server in [&failing, &failing, &other] {
        let answer = server.client.post(b"hello")?;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("60")), "{}", answer.text);
    }
    assert_eq!(queue.count()?.ready, 0);
    HOST.open(&path)?.recover(Duration::from_secs(36 * 3600))?;
    other.client.submit(b"hello")?;
    Ok(())
}

fn full_disk_answers_503() -> Result<(), Failed> {
    let (directory, _) = queue()?;
    let unshare = requirement::with_mounts();
    let mut launcher = vec![unshare.get_program()];
    launcher.extend(unshare.get_args());
    launcher.extend(["sh", "-c", r#"mount -t tmpfs -o size=8k tmpfs "$0" && exec "$@""#].map(OsStr::new));
    launcher.push(directory.path().as_os_str());
    let server = Server::launch(&launcher, directory.path())?;
    // So little that the client has sent it before the server answers and closes the connection.
    let answer = server.client.post(&[b'x'; 12 << 10])?;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("60")), "{}", answer.text);
    server.client.submit(b"hello")?;
    Ok(())
}

/// A system call, with its times in seconds.
struct Call {
    began: f64,
    ended: f64,
    text: String,
}

/// Returns the system calls in the logs of `strace -ff -ttt -T`, which are one for each thread.
fn calls(logs: &Path) -> Result<Vec<Call>, Failed> {
    let mut calls = Vec::new();
    for log in fs::read_dir(logs)? {
        for line in fs::read_to_string(log?.path())?.lines() {
            // A signal has no duration.
            let Some((rest, duration)) = line.strip_suffix('>').and_then(|line| line.rsplit_once(" <")) else {
                continue;
            };
            let (began, text) = rest.split_once(' ').ok_or("a line begins with the time")?;
            let began: f64 = began.parse()?;
            calls.push(Call { began, ended: began + duration.parse::<f64>()?, text: text.to_string() });
        }
    }
    Ok(calls)
}

fn fsyncs_precede_the_answer() -> Result<(), Failed> {
    let (directory, _) = queue()?;
    let logs = tempfile::tempdir()?;
    let prefix = logs.path().join("log");
    // With -D the server is the child of the test, and strace ends after it.
    let options = ["-D", "-ff", "-qq", "-ttt", "-T", "-y", "-e", "trace=fsync,fdatasync,/^rename,/^write,/^send", "-o"];
    let launcher: Vec<&OsStr> = ["strace"].iter().chain(&options).map(OsStr::new).chain([prefix.as_os_str()]).collect();
    let server = Server::launch(&launcher, directory.path())?;
    let id = server.client.submit(b"hello")?;
    let is_answer = |call: &Call| call.text.contains("HTTP/1.1 201");
    wait_until(|| Ok(calls(logs.path())?.iter().any(is_answer)))?;
    drop(server);

    let calls = calls(logs.path())?;
    let last = |what: &str, matches: &dyn Fn(&Call) -> bool| {
        let calls = calls.iter().filter(|call| matches(call));
        calls.max_by(|a, b| a.began.total_cmp(&b.began)).unwrap_or_else(|| panic!("no {what}"))
    };
    let queue = directory.path().canonicalize()?.display().to_string();
    let is_fsync =
        |call: &Call, of: &str| call.text.starts_with("fsync(") && call.text.contains(of) && call.text.ends_with("= 0");
    let file = last("fsync of the file", &|call| is_fsync(call, &format!("<{queue}/.m:")));
    let name = format!("\"m:{id}\"");
    let rename = last("rename", &|call| call.text.starts_with("rename") && call.text.contains(&name));
    let directory = last("fsync of the directory", &|call| is_fsync(call, &format!("<{queue}>")));
    let answer = last("answer", &is_answer);
    assert!(file.ended <= rename.began, "the file is fsynced before it has its name");
    assert!(rename.ended <= directory.began, "the directory is fsynced after the file has its name");
    assert!(directory.ended <= answer.began, "the answer is sent after both fsyncs");
    Ok(())
}

/// Clients post until the server is killed. Every id that one of them read is there, byte for byte.
fn acknowledged_mail_survives_kills() -> Result<(), Failed> {
    let (directory, _) = queue()?;
    let mut acknowledged = Vec::new();
    for round in 0..10 {
        let server = Server::start(directory.path())?;
        let clients: Vec<_> = (0..4)
            .map(|number| {
                let client = server.client.clone();
                thread::spawn(move || {
                    let bodies = (0..).map(|mail| format!("{round} {number} {mail} ").repeat(1000).into_bytes());
                    bodies.map_while(|body| Some((client.submit(&body).ok()?, body))).collect::<Vec<_>>()
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(100 + 37 * round));
        drop(server);
        for client in clients {
            acknowledged.extend(client.join().expect("every answer is 201"));
        }
    }
    assert!(acknowledged.len() > 50, "{} mails were acknowledged", acknowledged.len());
    let queue = HOST.open(directory.path())?;
    for (id, body) in &acknowledged {
        assert!(queue.get(id)?.body == *body, "{id} differs");
    }
    let recovery = queue.recover(Duration::ZERO)?;
    assert_eq!(recovery.damaged_items, 0, "{:?}", recovery.problems);
    assert_eq!(queue.count()?.temporary, 0);
    Ok(())
}
