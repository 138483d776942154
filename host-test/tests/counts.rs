//! What calls cost that no clock is needed for: the instructions of WebAssembly that the component executes, and the calls of
//! WASI that it makes. `tests/counts.txt` has what they were; where they grow, a test fails.

use queue_store_host_test::bindings::{
    Durability, Envelope, EnvelopeChange, Format, Item, Mail, Recipient, mail, no_change, recipient,
};
use queue_store_host_test::instance::ids;
use queue_store_host_test::simulator::host::{Simulated, Subject};
use queue_store_host_test::simulator::world::World;
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::{env, fs};
use wasmtime::Engine;
use wasmtime::component::Component;

/// How much more or less of its instructions a call may take than it did: what code elsewhere changes in its layout.
const SLACK: f64 = 0.02;

/// What calls cost: instructions, and calls of WASI.
type Costs = BTreeMap<String, [u64; 2]>;

/// What they cost now.
static NOW: LazyLock<Costs> = LazyLock::new(measure);

/// The component in an engine that counts instructions.
struct Counter {
    system: Simulated,
    costs: Costs,
}

impl Counter {
    fn new() -> Counter {
        let mut config = queue_store_artifact::config();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("the settings are valid");
        let component = Component::new(&engine, queue_store_artifact::COMPONENT).expect("the component compiles");
        let system = Simulated::of(&Subject::of(&component), Arc::new(Mutex::new(World::new())));
        Counter { system, costs: Costs::new() }
    }

    /// Notes what a call costs.
    fn count<T>(&mut self, what: &str, call: impl FnOnce(&mut Simulated) -> T) -> T {
        self.system.world().log.clear();
        self.system.world().hints = 0;
        let before = self.fuel();
        let result = call(&mut self.system);
        let instructions = before - self.fuel();
        let calls = {
            let world = self.system.world();
            world.log.len() as u64 + world.hints
        };
        assert!(self.costs.insert(what.to_string(), [instructions, calls]).is_none(), "{what} is there twice");
        result
    }

    fn fuel(&self) -> u64 {
        self.system.instance.store.get_fuel().expect("instructions are counted")
    }
}

fn text(bytes: usize) -> Vec<u8> {
    b"A line of mail, with \"quotes\" and a caf\xc3\xa9, as they come by SMTP.\r\n"
        .iter()
        .copied()
        .cycle()
        .take(bytes)
        .collect()
}

fn random(bytes: usize) -> Vec<u8> {
    let mut random = XorShiftRng::seed_from_u64(1);
    (0..bytes).map(|_| random.random()).collect()
}

fn measure() -> Costs {
    let mut counter = Counter::new();
    let (small, large, huge) = (mail(&text(2 << 10)), mail(&text(64 << 10)), mail(&text(1 << 20)));
    // What an instance does once is done.
    counter.system.put(Some("warm"), &huge, None).expect("a put");
    counter.count("put of 2 KB", |system| system.put(None, &small, None)).expect("a put");
    counter.count("put of 2 KB, given id", |system| system.put(Some("small"), &small, None)).expect("a put");
    counter.count("put of 64 KB", |system| system.put(Some("large"), &large, None)).expect("a put");
    counter.count("put of 1 MB", |system| system.put(Some("huge"), &huge, None)).expect("a put");
    let random = mail(&random(64 << 10));
    counter.count("put of 64 KB of random bytes", |system| system.put(Some("random"), &random, None)).expect("a put");
    counter.count("get of 64 KB", |system| system.get("large")).expect("the item");
    counter.count("get of 64 KB of random bytes", |system| system.get("random")).expect("the item");
    counter.count("body of 1 MB, 64 KB at a time", |system| system.read_body("huge", 0, 64 << 10)).expect("the body");
    counter.count("info of 2 KB", |system| system.info("small")).expect("the item");
    counter.count("info of 1 MB", |system| system.info("huge")).expect("the item");
    counter.count("verify of 1 MB", |system| system.verify(&ids(&["huge"]))).expect("the item");
    let change = EnvelopeChange { recipients: Some(vec![recipient("c@example.com")]), ..no_change() };
    counter.count("update of 2 KB", |system| system.update("small", &change, None)).expect("an update");
    counter.count("update of 1 MB", |system| system.update("huge", &change, None)).expect("an update");
    counter.count("hold", |system| system.hold(&ids(&["large"]))).expect("a hold");
    counter.count("remove", |system| system.remove(&ids(&["large"]), Some(Durability::Full))).expect("a removal");

    let mails: Vec<(Option<String>, Mail)> = vec![(None, small.clone()); 100];
    counter.count("put-many of 100 of 2 KB", |system| system.put_many(&mails, None)).expect("puts");
    counter.count("list-ids of 100", |system| system.list_ids(&[], None, 1000)).expect("a listing");
    counter.count("list-items of 100 of 2 KB", |system| system.list_items(&[], None, 1000)).expect("a listing");
    counter.count("count of 100", |system| system.count()).expect("a count");
    counter.count("recover of 100", |system| system.recover(0)).expect("a recovery");

    for (name, mail) in [("mail", &large), ("random bytes", &random)] {
        for (format, format_name) in [(Format::Text, "text"), (Format::Binary, "binary")] {
            let item = Item { id: "x".to_string(), envelope: many_recipients(), body: mail.body.clone() };
            let encode = format!("encode of 64 KB of {name}, {format_name}");
            let encoded = counter.count(&encode, |system| system.encode(&item, format)).expect("an item");
            let decode = format!("decode of 64 KB of {name}, {format_name}");
            assert_eq!(counter.count(&decode, |system| system.decode(&encoded, format)), Ok(item));
        }
    }
    counter.costs
}

fn many_recipients() -> Envelope {
    let recipients: Vec<Recipient> =
        (0..50).map(|number| recipient(&format!("recipient-{number}@example.com"))).collect();
    Envelope { recipients, ..mail(b"").envelope }
}

/// Costs as the file has them.
fn written(costs: &Costs) -> String {
    let mut text = String::new();
    for (what, [instructions, calls]) in costs {
        writeln!(text, "{what}: {instructions} instructions, {calls} calls").expect("a string takes all");
    }
    text
}

fn read(text: &str) -> Costs {
    let line = |line: &str| {
        let (what, costs) = line.split_once(": ")?;
        let (instructions, calls) = costs.strip_suffix(" calls")?.split_once(" instructions, ")?;
        Some((what.to_string(), [instructions.parse().ok()?, calls.parse().ok()?]))
    };
    text.lines().map(|text| line(text).unwrap_or_else(|| panic!("no cost: {text}"))).collect()
}

#[test]
fn no_call_costs_more_than_it_did() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counts.txt");
    let now = &*NOW;
    if env::var_os("BLESS").is_some() {
        return fs::write(&path, written(now)).expect("the file can be written");
    }
    let before = read(&fs::read_to_string(&path).expect("the costs that were"));
    let mut wrong = String::new();
    for what in before.keys().chain(now.keys().filter(|what| !before.contains_key(*what))) {
        let (was, is) = (before.get(what), now.get(what));
        let alike = match (was, is) {
            (Some([was, calls_were]), Some([is, calls_are])) => {
                calls_were == calls_are && (*is as f64 / *was as f64 - 1.0).abs() <= SLACK
            }
            _ => false,
        };
        if !alike {
            writeln!(wrong, "{what}: {was:?} before, {is:?} now").expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "[instructions, calls of WASI] changed; if they should, run this with BLESS=1:\n{wrong}");
}

/// A put makes no more calls than its protocol has steps: look at nothing, create, write, sync, rename, sync the directory.
#[test]
fn a_put_of_2_kb_makes_as_many_calls_as_it_has_steps() {
    let cost = NOW["put of 2 KB"];
    assert!(cost[1] <= 6, "{cost:?}");
}
