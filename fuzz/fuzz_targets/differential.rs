//! Any text as an item, beside `prost-reflect`: the same verdict and the same item, but for the differences that have a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::differences::prost_reflect::{Difference, compare};
use queue_store_fuzz::differences::tally;

fuzz_target!(
    init: tally::begin(Difference::ALL.map(|(difference, _)| difference)),
    |text: &str| {
        match compare(text) {
            Ok(difference) => tally::count(difference),
            Err(what) => panic!("{what}, of {text:?}"),
        }
    }
);
