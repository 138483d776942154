//! The codec of the component, beside the same code compiled for this machine.

use crate::measure::{Comparison, compare, timed};
use crate::put::mail_text;
use crate::{Benchmark, Bound, Settings};
use queue_store_host_test::bindings::{Format, Item, envelope};
use queue_store_host_test::simulator::host::Simulated;
use queue_store_native as native;

/// The benchmarks of the codec.
pub(crate) const BENCHMARKS: &[&Benchmark] = &[
    &Benchmark {
        name: "text encode of 1 MB of mail",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| encode(settings, mail_text(1 << 20), Format::Text),
    },
    &Benchmark {
        name: "text decode of 1 MB of mail",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| decode(settings, mail_text(1 << 20), Format::Text),
    },
    &Benchmark {
        name: "text encode of 1 MB of random bytes",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| encode(settings, random(1 << 20), Format::Text),
    },
    &Benchmark {
        name: "text decode of 1 MB of random bytes",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| decode(settings, random(1 << 20), Format::Text),
    },
    &Benchmark {
        name: "binary encode of 1 MB",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| encode(settings, random(1 << 20), Format::Binary),
    },
    &Benchmark {
        name: "binary decode of 1 MB",
        against: "natively",
        bound: Some(Bound::Speed(0.6)),
        run: |settings| decode(settings, random(1 << 20), Format::Binary),
    },
];

/// Bytes of which none tells the next.
fn random(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn native_format(format: Format) -> native::name::Format {
    match format {
        Format::Text => native::name::Format::Text,
        Format::Binary => native::name::Format::Binary,
    }
}

fn header() -> native::message::Header {
    let recipient = native::message::Recipient {
        address: "b@example.com".into(),
        original_address: "b@example.com".into(),
        ..Default::default()
    };
    native::message::Header {
        id: "x".into(),
        envelope: native::message::Envelope {
            reverse_path: "a@example.com".into(),
            to: ["b@example.com".into()].into_iter().collect(),
            recipients: [recipient].into_iter().collect(),
            created_at: Some(native::message::Timestamp { seconds: 1_760_785_824, nanos: 123_456_789 }).into(),
        },
    }
}

fn encode(settings: &Settings, body: Vec<u8>, format: Format) -> Comparison {
    let mut component = Simulated::new();
    let item = Item { id: "x".into(), envelope: envelope(), body: body.clone() };
    compare(
        settings.rounds,
        20,
        &mut |operations| {
            timed(operations, |_| {
                component.encode(&item, format).expect("an item");
            })
        },
        &mut |operations| {
            timed(operations, |_| {
                native::codec::encode(&mut header(), &body, native_format(format)).expect("an item");
            })
        },
    )
}

fn decode(settings: &Settings, body: Vec<u8>, format: Format) -> Comparison {
    let mut component = Simulated::new();
    let encoded = native::codec::encode(&mut header(), &body, native_format(format)).expect("an item");
    compare(
        settings.rounds,
        20,
        &mut |operations| {
            timed(operations, |_| {
                component.decode(&encoded, format).expect("an item");
            })
        },
        &mut |operations| {
            timed(operations, |_| {
                let decoded =
                    native::codec::decode::<crate::native::NativeFile>(encoded.clone(), native_format(format));
                decoded.expect("an item");
            })
        },
    )
}
