//! The codec of the component, compared with the same code compiled natively and with the crates for the format.

use super::Benchmark;
use crate::mail::{random, size, text};
use crate::measure::{Samples, in_turns, timed};
use crate::native_queue::encoded;
use crate::peers::{item::Item as Peer, protobuf::Protobuf, reflect::Reflect};
use crate::report::{Bound, Plot, Report, Row};
use crate::settings::Settings;
use queue_store::item as native;
use queue_store_host_test::bindings::{Format, Item, envelope};
use queue_store_host_test::simulator::host::Simulated;

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "text codec",
        method: "`item-codec.encode` and `decode` as a host calls them: the body is copied into the component's memory \
                 and the result out of it, and decoding verifies the checksums. Compared with the same source compiled \
                 natively, which copies nothing, and with the text formats of `prost-reflect` and `protobuf`, which \
                 have no checksums, get a message that was built before the clock starts, and read text that is known \
                 to be UTF-8. `protobuf` rejects Go's spelling `rcpt: {`, so it reads text that it wrote itself. \
                 Throughput counts the bytes of the body.",
        run: |settings, report| {
            of_text(settings, report, "mail text", true, text);
            of_text(settings, report, "random bytes", false, |bytes| random(bytes, 1));
        },
    },
    Benchmark {
        name: "binary codec",
        method: "The same for the binary format, compared with `prost` and a derived struct, which has no checksums.",
        run: of_binary,
    },
];

const SIZES: [usize; 4] = [2 << 10, 64 << 10, 1 << 20, 25 << 20];

/// Returns the number of operations on `bytes` bytes that make a round of some milliseconds.
fn operations(settings: &Settings, bytes: usize) -> usize {
    settings.scaled((8 << 20) / bytes).clamp(1, 500)
}

fn native_format(format: Format) -> native::Format {
    match format {
        Format::Text => native::Format::Text,
        Format::Binary => native::Format::Binary,
    }
}

fn encode_component(component: &mut Simulated, item: &Item, format: Format) -> Vec<u8> {
    component.encode(item, format).expect("the item can be encoded")
}

fn decode_native(bytes: &[u8], format: Format) -> (native::envelope::Envelope, Vec<u8>) {
    native::codec::decode(bytes.to_vec(), native_format(format)).expect("the input is an encoded item")
}

/// Returns the faster one by the median.
fn better<'a>(one: (&'static str, &'a Samples), other: (&'static str, &'a Samples)) -> (&'static str, &'a Samples) {
    if one.1.microseconds().median <= other.1.microseconds().median { one } else { other }
}

fn of_text(settings: &Settings, report: &mut Report, of: &str, is_mail: bool, body: fn(usize) -> Vec<u8>) {
    for bytes in SIZES {
        let body = body(bytes);
        let operations = operations(settings, bytes);
        let rounds = settings.rounds(if bytes > 1 << 20 { 5 } else { 15 });
        let mut component = Simulated::new();
        let item = Item { id: "x".into(), envelope: envelope(), body: body.clone() };
        let ready = encoded(&body, native::Format::Text);
        let ready_text = std::str::from_utf8(&ready).expect("a text item is UTF-8");
        let (reflect, protobuf) = (Reflect::new(&Peer::with(&body)), Protobuf::new(&Peer::with(&body)));
        // `protobuf` rejects `rcpt: {`, so it decodes text that it wrote itself.
        let protobuf_text = protobuf.encode();
        let encodes = in_turns(
            rounds,
            operations,
            [
                &mut |operations| timed(operations, |_| encode_component(&mut component, &item, Format::Text)),
                &mut |operations| timed(operations, |_| encoded(&body, native::Format::Text)),
                &mut |operations| timed(operations, |_| reflect.encode()),
                &mut |operations| timed(operations, |_| protobuf.encode()),
            ],
        );
        let decodes = in_turns(
            rounds,
            operations,
            [
                &mut |operations| {
                    timed(operations, |_| component.decode(&ready, Format::Text).expect("the input is an item"))
                },
                &mut |operations| timed(operations, |_| decode_native(&ready, Format::Text)),
                &mut |operations| timed(operations, |_| reflect.decode(ready_text)),
                &mut |operations| timed(operations, |_| protobuf.decode(&protobuf_text)),
            ],
        );
        for (does, samples, least, plot) in [
            ("encode", &encodes, if is_mail { 2.0 } else { 0.5 }, Plot::EncodeThroughput),
            ("decode", &decodes, if is_mail { 1.5 } else { 0.5 }, Plot::DecodeThroughput),
        ] {
            let [component, native, reflect, protobuf] = samples;
            let what = format!("text {does} of {of}, {}", size(bytes));
            let speed = component.gigabytes_per_second(bytes);
            report.row(Row::alone(&what, "GB/s", speed).bound(Bound::AtLeast(least)));
            let (name, best) = better(("prost-reflect", reflect), ("protobuf", protobuf));
            let row = Row::speeds(&what, bytes, component, &format!("{name}, the better crate"), best);
            report.row(if is_mail { row.bound(Bound::RatioAtLeast(5.0)) } else { row });
            report.row(Row::speeds(&what, bytes, component, "native", native).bound(Bound::RatioAtLeast(0.6)));
            if is_mail {
                for (line, samples) in
                    [("component", component), ("native", native), ("prost-reflect", reflect), ("protobuf", protobuf)]
                {
                    report.point(plot, line, bytes as f64, samples.gigabytes_per_second(bytes));
                }
            }
        }
    }
}

fn of_binary(settings: &Settings, report: &mut Report) {
    for bytes in SIZES {
        let body = text(bytes);
        let operations = operations(settings, bytes);
        let rounds = settings.rounds(if bytes > 1 << 20 { 7 } else { 15 });
        let mut component = Simulated::new();
        let item = Item { id: "x".into(), envelope: envelope(), body: body.clone() };
        let peer = Peer::with(&body);
        let ready = encoded(&body, native::Format::Binary);
        let peer_ready = peer.encode();
        let encodes = in_turns(
            rounds,
            operations,
            [
                &mut |operations| timed(operations, |_| encode_component(&mut component, &item, Format::Binary)),
                &mut |operations| timed(operations, |_| encoded(&body, native::Format::Binary)),
                &mut |operations| timed(operations, |_| peer.encode()),
            ],
        );
        let decodes = in_turns(
            rounds,
            operations,
            [
                &mut |operations| {
                    timed(operations, |_| component.decode(&ready, Format::Binary).expect("the input is an item"))
                },
                &mut |operations| timed(operations, |_| decode_native(&ready, Format::Binary)),
                &mut |operations| timed(operations, |_| Peer::decode(&peer_ready)),
            ],
        );
        for (does, [component, native, prost]) in [("encode", &encodes), ("decode", &decodes)] {
            let what = format!("binary {does} of {}", size(bytes));
            report.row(Row::speeds(&what, bytes, component, "prost", prost).bound(Bound::RatioAtLeast(0.4)));
            report.row(Row::speeds(&what, bytes, component, "native", native).bound(Bound::RatioAtLeast(0.6)));
        }
    }
}
