//! The benchmarks. Each file has some in its `BENCHMARKS`. A file that is not named here is not compiled, and one that is
//! named here is run.

use crate::report::Report;
use crate::settings::Settings;

/// A benchmark.
pub(crate) struct Benchmark {
    /// What is measured, in a few words.
    pub(crate) name: &'static str,
    /// How, for people who want to judge the figures.
    pub(crate) method: &'static str,
    pub(crate) run: fn(&Settings, &mut Report),
}

macro_rules! benchmarks {
    ($($file:ident),*) => {
        $(mod $file;)*

        /// All benchmarks, in the order in which they are run.
        pub(crate) fn all() -> impl Iterator<Item = &'static Benchmark> {
            [$($file::BENCHMARKS),*].into_iter().flatten()
        }
    };
}

benchmarks!(put, threads, codec, list, crowd, start, stores, memory);
