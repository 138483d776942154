//! The benchmarks. Each file declares its own in `BENCHMARKS`; the list below is both the modules that are compiled and
//! the benchmarks that run.

use crate::report::Report;
use crate::settings::Settings;

/// A benchmark, which adds rows and points to the report.
pub(crate) struct Benchmark {
    /// The title, which `--only` matches.
    pub(crate) name: &'static str,
    /// The method of measurement, as the page describes it.
    pub(crate) method: &'static str,
    pub(crate) run: fn(&Settings, &mut Report),
}

macro_rules! benchmarks {
    ($($file:ident),*) => {
        $(mod $file;)*

        /// Returns all benchmarks in the order in which they run.
        pub(crate) fn all() -> impl Iterator<Item = &'static Benchmark> {
            [$($file::BENCHMARKS),*].into_iter().flatten()
        }
    };
}

benchmarks!(put, threads, codec, list, many_items, start, stores, memory);
