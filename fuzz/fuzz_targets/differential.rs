//! Decodes any text as an item with the component and with `prost-reflect`. The results must be equal but for the known
//! differences.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::differences::prost_reflect::{Difference, compare};
use queue_store_fuzz::differences::tally;

fuzz_target!(
    init: tally::begin(Difference::ALL.map(|(difference, _)| difference)),
    |text: &str| {
        match compare(text) {
            Ok(difference) => tally::count(difference),
            Err(unknown) => panic!("{unknown}, in {text:?}"),
        }
    }
);
