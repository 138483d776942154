//! The cost of calls without a clock: the WebAssembly instructions that the component executes, and the WASI calls that
//! it makes. A test fails where they differ from those in `tests/counts.txt`.

use queue_store_artifact::AddressSpace;
use queue_store_host_test::bindings::{
    Attempt, Detail, Durability, Envelope, EnvelopeChange, Format, Item, Recipient, envelope, identified, ids, mail,
    no_change, recipient,
};
use queue_store_host_test::instance::Result;
use queue_store_host_test::simulator::host::{ComponentUnderTest, Simulated};
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

/// The relative difference in instructions that a change of code elsewhere causes by its effect on the layout.
const SLACK: f64 = 0.02;

/// The instructions and WASI calls of each call, by its description.
type Costs = BTreeMap<String, [u64; 2]>;

/// The costs of the built component.
static NOW: LazyLock<Costs> = LazyLock::new(measure);

/// The component in an engine that counts instructions.
struct Counter {
    system: Simulated,
    costs: Costs,
}

impl Counter {
    fn new() -> Counter {
        let mut config = queue_store_artifact::config(AddressSpace::Unlimited);
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("the settings of the artifact are valid with fuel");
        let component = Component::new(&engine, queue_store_artifact::COMPONENT).expect("the component compiles");
        let system = Simulated::of(&ComponentUnderTest::of(&component), Arc::new(Mutex::new(World::new())));
        Counter { system, costs: Costs::new() }
    }

    /// Records the cost of a call, which must not fail.
    fn count<T>(&mut self, what: &str, call: impl FnOnce(&mut Simulated) -> Result<T>) -> T {
        self.system.world().log.clear();
        self.system.world().hints = 0;
        let before = self.fuel();
        let result = call(&mut self.system).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let instructions = before - self.fuel();
        let calls = {
            let world = self.system.world();
            world.log.len() as u64 + world.hints
        };
        assert!(self.costs.insert(what.to_string(), [instructions, calls]).is_none(), "{what} is counted twice");
        result
    }

    fn fuel(&self) -> u64 {
        self.system.instance.store.get_fuel().expect("the engine counts instructions")
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
    // The first call of an instance opens its queue and allocates buffers.
    counter.system.put(Some("warm"), &huge, None).expect("the disk has space");
    counter.count("put of 2 KB", |system| system.put(None, &small, None));
    counter.count("put of 2 KB, given id", |system| system.put(Some("small"), &small, None));
    counter.count("put of 64 KB", |system| system.put(Some("large"), &large, None));
    counter.count("put of 1 MB", |system| system.put(Some("huge"), &huge, None));
    let random = mail(&random(64 << 10));
    counter.count("put of 64 KB of random bytes", |system| system.put(Some("random"), &random, None));
    counter.count("draft of 1 MB, 64 KB at a time", |system| draft(system, &huge.body));
    counter.count("get of 64 KB", |system| system.get("large"));
    counter.count("get of 64 KB of random bytes", |system| system.get("random"));
    counter.count("body of 1 MB, 64 KB at a time", |system| system.read_body("huge", 0, 64 << 10));
    counter.count("info of 2 KB", |system| system.info("small"));
    counter.count("info of 1 MB", |system| system.info("huge"));
    counter.count("verify of 1 MB", |system| system.verify(&ids(&["huge"])));
    let change = EnvelopeChange { recipients: Some(vec![recipient("c@example.com")]), ..no_change() };
    counter.count("update of 2 KB", |system| system.update("small", &change, None));
    counter.count("update of 1 MB", |system| system.update("huge", &change, None));
    let attempts = [Attempt { recipient: 0, status: 1, message: String::new() }];
    counter.count("record-attempts of 2 KB", |system| system.record_attempts("small", &attempts, None, None));
    counter.count("hold", |system| system.hold(&ids(&["large"])));
    counter.count("remove", |system| system.remove(&ids(&["large"]), &[], Some(Durability::Full)));
    counter.count("submit of 2 KB", |system| system.submit("a@example.com", &ids(&["b@example.com"]), &small.body));

    let mails = vec![identified(None, small.clone()); 100];
    counter.count("put-many of 100 of 2 KB", |system| system.put_many(&mails, None));
    counter.count("items of 100, name", |system| system.list(&[], Detail::Name, 1000));
    counter.count("items of 100 of 2 KB, envelope", |system| system.list(&[], Detail::Envelope, 1000));
    counter.count("items of 100 of 2 KB, whole", |system| system.list(&[], Detail::Whole, 1000));
    counter.count("count of 100", |system| system.count());
    counter.count("recover of 100", |system| system.recover(0));

    for (name, mail) in [("mail", &large), ("random bytes", &random)] {
        for (format, format_name) in [(Format::Text, "text"), (Format::Binary, "binary")] {
            let item = Item { id: "x".to_string(), envelope: many_recipients(), body: mail.body.clone() };
            let encode = format!("encode of 64 KB of {name}, {format_name}");
            let encoded = counter.count(&encode, |system| system.encode(&item, format));
            let decode = format!("decode of 64 KB of {name}, {format_name}");
            assert!(counter.count(&decode, |system| system.decode(&encoded, format)) == item, "{decode}");
        }
    }
    counter.costs
}

fn draft(system: &mut Simulated, body: &[u8]) -> Result<String> {
    let draft = system.begin(None, &envelope(), None)?;
    for chunk in body.chunks(64 << 10) {
        system.draft_write(draft, chunk)?;
    }
    system.draft_commit(draft)
}

fn many_recipients() -> Envelope {
    let recipients: Vec<Recipient> =
        (0..50).map(|number| recipient(&format!("recipient-{number}@example.com"))).collect();
    Envelope { recipients, ..mail(b"").envelope }
}

/// Formats costs as the file has them.
fn format_costs(costs: &Costs) -> String {
    let mut text = String::new();
    for (what, [instructions, calls]) in costs {
        writeln!(text, "{what}: {instructions} instructions, {calls} calls")
            .expect("writing to a string does not fail");
    }
    text
}

/// Parses the costs of the file.
fn parse_costs(text: &str) -> Costs {
    let line = |line: &str| {
        let (what, costs) = line.split_once(": ")?;
        let (instructions, calls) = costs.strip_suffix(" calls")?.split_once(" instructions, ")?;
        Some((what.to_string(), [instructions.parse().ok()?, calls.parse().ok()?]))
    };
    text.lines().map(|text| line(text).unwrap_or_else(|| panic!("the line is no cost: {text}"))).collect()
}

#[test]
fn costs_are_those_in_the_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counts.txt");
    let now = &*NOW;
    if env::var_os("BLESS").is_some() {
        return fs::write(&path, format_costs(now)).expect("the file can be written");
    }
    let before = parse_costs(&fs::read_to_string(&path).expect("the repository has the costs"));
    let mut wrong = String::new();
    for what in before.keys().chain(now.keys().filter(|what| !before.contains_key(*what))) {
        let (was, is) = (before.get(what), now.get(what));
        let equal = match (was, is) {
            (Some([was, calls_were]), Some([is, calls_are])) => {
                calls_were == calls_are && (*is as f64 / *was as f64 - 1.0).abs() <= SLACK
            }
            _ => false,
        };
        if !equal {
            writeln!(wrong, "{what}: {was:?} before, {is:?} now").expect("writing to a string does not fail");
        }
    }
    assert!(wrong.is_empty(), "[instructions, WASI calls] changed; if they should, run this with BLESS=1:\n{wrong}");
}

/// Create, write, fsync, stat of the new name, rename, fsync of the directory.
#[test]
fn put_of_2_kb_makes_six_wasi_calls() {
    let cost = NOW["put of 2 KB"];
    assert!(cost[1] <= 6, "{cost:?}");
}
