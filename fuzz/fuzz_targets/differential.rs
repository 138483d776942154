//! Any text as an item, beside `prost-reflect`: the same verdict and the same item, but for the differences that have a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use queue_store_fuzz::differences::{Difference, compare};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often each difference was met.
static MET: [AtomicU64; Difference::ALL.len()] = [const { AtomicU64::new(0) }; Difference::ALL.len()];

extern "C" fn print() {
    for ((difference, _), met) in Difference::ALL.iter().zip(&MET) {
        eprintln!("difference: {:>12} {difference:?}", met.load(Ordering::Relaxed));
    }
}

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

fuzz_target!(|text: &str| {
    static PRINTED_AT_EXIT: OnceLock<()> = OnceLock::new();
    // SAFETY: the function may be called at any time.
    PRINTED_AT_EXIT.get_or_init(|| assert_eq!(unsafe { atexit(print) }, 0));
    match compare(text) {
        Ok(None) => {}
        Ok(Some(difference)) => _ = MET[difference as usize].fetch_add(1, Ordering::Relaxed),
        Err(what) => panic!("{what}, of {text:?}"),
    }
});
