//! Any bytes as an item, beside Python's `text_format`: the same verdict and the same item, but for the differences that
//! have a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::differences::python::{Difference, compare};
use queue_store_fuzz::differences::tally;
use queue_store_fuzz::python::Python;
use std::sync::{LazyLock, Mutex, PoisonError};

static PYTHON: LazyLock<Mutex<Python>> = LazyLock::new(|| {
    let python = Python::start().expect("Python with protobuf answers");
    eprintln!("beside {}", python.version());
    Mutex::new(python)
});

fuzz_target!(
    init: tally::begin(Difference::ALL.map(|(difference, _)| difference)),
    |text: &[u8]| {
        let mut python = PYTHON.lock().unwrap_or_else(PoisonError::into_inner);
        match compare(text, &mut python) {
            Ok(differences) => tally::count(differences),
            Err(what) => panic!("{what}, of \"{}\"", text.escape_ascii()),
        }
    }
);
