//! Speed of a queue on PostgreSQL, beside a directory and plain SQL:
//!
//! ```sh
//! cargo bench --package queue-store-postgres
//! ```
//!
//! The sides take turns; printed are medians, and the least and greatest value. Each commit to the three nodes waits for one of
//! the two standbys. All nodes share this machine and its disk. The
//! clients use sockets, past the relays by which a test cuts the network of a node.

use futures_util::{SinkExt, pin_mut};
use queue_store_host::types::{Detail, Envelope, IdentifiedMail, Mail, WriteOptions};
use queue_store_host::{Host, Queue};
use queue_store_host_test::postgres_cluster::Cluster;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

const ROUNDS: usize = 7;
/// A disk that is shared makes the rates of single rounds differ by half.
const PUT_ROUNDS: usize = 21;
const TIME: Duration = Duration::from_millis(1500);
const MAIL_BYTES: usize = 2 << 10;
const LARGE_BYTES: usize = 25_000_000;
const LISTED: usize = 100_000;
const CHUNK_BYTES: usize = 256 << 10;

fn main() {
    let (three, one) = (Cluster::start(3), Cluster::start(1));
    let directory = tempfile::tempdir_in(".").expect("a temporary directory");
    let host = Host::new().expect("the component runs");
    let queues = [
        ("a directory", host.create(directory.path()).expect("it is created")),
        ("one PostgreSQL", open(&one, "&durability=single-node")),
        ("three PostgreSQL", open(&three, "")),
    ];
    let plain = Plain::new(&three.socket_url(0));
    puts(&queues, &plain);
    streams(&queues, &plain);
    let listed = [
        ("one PostgreSQL", open(&one, "&durability=single-node&queue=listed")),
        ("three PostgreSQL", open(&three, "&queue=listed")),
    ];
    listing(&listed);
}

fn open(cluster: &Cluster, options: &str) -> Queue {
    let url = format!("{}?connections=32{options}", cluster.socket_url(0));
    queue_store_postgres::open(&url).expect("the queue is opened")
}

/// Prints puts a second, of each side and beside plain inserts.
fn puts(queues: &[(&str, Queue)], plain: &Plain) {
    // PostgreSQL would compress bytes that repeat, in the plain table alone.
    let body = random_bytes(MAIL_BYTES);
    for clients in [1, 8, 32] {
        let connections: Vec<_> = (0..clients).map(|_| plain.prepare()).collect();
        let mut rates = vec![Vec::new(); queues.len() + 1];
        for _ in 0..PUT_ROUNDS {
            for ((_, queue), rates) in queues.iter().zip(&mut rates) {
                let mail = mail(body.clone());
                rates.push(rate(clients, |_| drop(queue.put(&mail).expect("it is put"))));
            }
            rates[queues.len()].push(rate(clients, |client| plain.insert(&connections[client], &body)));
        }
        let names = queues.iter().map(|(name, _)| *name).chain(["plain inserts, three PostgreSQL"]);
        for (name, rates) in names.zip(&rates) {
            println!("puts a second, {clients} clients, {name}: {}", summary(rates));
        }
        let ratios: Vec<f64> = rates[2].iter().zip(&rates[3]).map(|(queue, plain)| queue / plain).collect();
        println!("puts a second, {clients} clients, three PostgreSQL beside plain inserts: {}", summary(&ratios));
    }
}

/// Calls of clients a second.
fn rate(clients: usize, call: impl Fn(usize) + Sync) -> f64 {
    let over = AtomicBool::new(false);
    let begin = Instant::now();
    let calls: usize = thread::scope(|scope| {
        let client = |client| {
            let (over, call) = (&over, &call);
            scope.spawn(move || {
                let mut calls = 0;
                while !over.load(Ordering::Relaxed) {
                    call(client);
                    calls += 1;
                }
                calls
            })
        };
        let threads: Vec<_> = (0..clients).map(client).collect();
        thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("the client ends")).sum()
    });
    calls as f64 / begin.elapsed().as_secs_f64()
}

/// Prints the time of one large body, in and out.
fn streams(queues: &[(&str, Queue)], plain: &Plain) {
    let body = random_bytes(LARGE_BYTES);
    let connection = plain.connect();
    let (mut writes, mut reads) = (vec![Vec::new(); queues.len() + 1], vec![Vec::new(); queues.len()]);
    for _ in 0..ROUNDS {
        for (place, (_, queue)) in queues.iter().enumerate() {
            let begin = Instant::now();
            let mut draft = queue.draft(None, &mail(Vec::new()).envelope, &WriteOptions::default()).expect("it begins");
            body.chunks(64 << 10).for_each(|chunk| draft.append(chunk).expect("it is written"));
            let id = draft.commit().expect("it is committed");
            writes[place].push(milliseconds(begin));
            let begin = Instant::now();
            let mut read = Vec::with_capacity(LARGE_BYTES);
            queue.read(&id, 0).expect("it is opened").read_to_end(&mut read).expect("it is read");
            reads[place].push(milliseconds(begin));
            assert_eq!(read.len(), LARGE_BYTES);
        }
        let begin = Instant::now();
        plain.copy(&connection, &body);
        writes[queues.len()].push(milliseconds(begin));
    }
    for ((name, _), (writes, reads)) in queues.iter().zip(writes.iter().zip(&reads)) {
        println!("25 MB, {name}: in {} ms, out {} ms", summary(writes), summary(reads));
    }
    println!("25 MB, plain COPY, three PostgreSQL: in {} ms", summary(&writes[3]));
    let ratios: Vec<f64> = writes[2].iter().zip(&writes[3]).map(|(queue, plain)| queue / plain).collect();
    println!("25 MB, three PostgreSQL beside plain COPY: {}", summary(&ratios));
}

/// Prints the time of a listing with envelopes.
fn listing(queues: &[(&str, Queue)]) {
    for (name, queue) in queues {
        let mails: Vec<IdentifiedMail> = (0..1000).map(|_| mail("Subject: x\r\n\r\nx\r\n").into()).collect();
        for _ in 0..LISTED / 1000 {
            queue.put_many(&mails, &WriteOptions::default()).expect("they are put");
        }
        let mut times = Vec::new();
        let mut listed = 0;
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            listed = queue.items(&[], Detail::Envelope).expect("it begins").flatten().count();
            times.push(milliseconds(begin));
        }
        println!("list of {listed} envelopes, {name}: {} ms", summary(&times));
    }
}

fn random_bytes(length: usize) -> Vec<u8> {
    (0..length).map(|_| fastrand::u8(..)).collect()
}

fn mail(body: impl Into<Vec<u8>>) -> Mail {
    Mail { envelope: Envelope { to: vec!["b@example.com".into()], ..Envelope::default() }, body: body.into() }
}

fn milliseconds(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1000.0
}

/// The median, and the least and greatest value.
fn summary(values: &[f64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2} to {:.2})", sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
}

/// A client of PostgreSQL that does nothing but insert.
struct Plain {
    runtime: Runtime,
    url: String,
}

impl Plain {
    fn new(url: &str) -> Plain {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("there are threads");
        let plain = Plain { runtime, url: url.to_string() };
        let tables = "CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, envelope bytea, body bytea); \
                      CREATE TABLE plain_chunk (body bigint, number int, bytes bytea, PRIMARY KEY (body, number)); \
                      ALTER TABLE plain_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL";
        let client = plain.connect();
        plain.runtime.block_on(client.batch_execute(tables)).expect("the tables are made");
        plain
    }

    /// Connects, and prepares the insert.
    fn prepare(&self) -> (Client, Statement) {
        let client = self.connect();
        let insert = client.prepare("INSERT INTO plain (envelope, body) VALUES ($1, $2)");
        let statement = self.runtime.block_on(insert).expect("it is prepared");
        (client, statement)
    }

    fn connect(&self) -> Client {
        self.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("the server answers");
            tokio::spawn(connection);
            client
        })
    }

    /// Inserts a mail of the size that the queue writes.
    fn insert(&self, client: &(Client, Statement), body: &[u8]) {
        let (client, statement) = client;
        let envelope = [1_u8; 130];
        let envelope = envelope.as_slice();
        let parameters: [&(dyn ToSql + Sync); 2] = [&envelope, &body];
        self.runtime.block_on(client.execute(statement, &parameters)).expect("it is inserted");
    }

    /// Copies a body, in chunks of the size of the queue's.
    fn copy(&self, client: &Client, body: &[u8]) {
        self.runtime.block_on(async {
            let sink =
                client.copy_in::<_, bytes::Bytes>("COPY plain_chunk FROM STDIN BINARY").await.expect("it begins");
            pin_mut!(sink);
            let mut message = Vec::from(*b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
            let number = fastrand::i64(0..i64::MAX);
            for (place, chunk) in body.chunks(CHUNK_BYTES).enumerate() {
                message.extend_from_slice(&3_i16.to_be_bytes());
                message.extend_from_slice(&8_i32.to_be_bytes());
                message.extend_from_slice(&number.to_be_bytes());
                message.extend_from_slice(&4_i32.to_be_bytes());
                message.extend_from_slice(&(place as i32).to_be_bytes());
                message.extend_from_slice(&(chunk.len() as i32).to_be_bytes());
                message.extend_from_slice(chunk);
                sink.send(std::mem::take(&mut message).into()).await.expect("it is sent");
            }
            sink.send((-1_i16).to_be_bytes().to_vec().into()).await.expect("it is sent");
            sink.finish().await.expect("it is copied");
        });
    }
}
