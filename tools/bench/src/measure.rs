//! Measures alternatives ("sides") in turns, so that a disturbance of the machine slows all of them.

use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A median and its quartiles.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// The lower quartile.
    pub(crate) low: f64,
    /// The median.
    pub(crate) median: f64,
    /// The upper quartile.
    pub(crate) high: f64,
}

impl Spread {
    /// Computes the spread of `values`, of which there must be at least one.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quantile: f64| sorted[((sorted.len() - 1) as f64 * quantile).round() as usize];
        Spread { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    /// Returns the spread of a value that was measured once.
    pub(crate) fn once(value: f64) -> Spread {
        Spread { low: value, median: value, high: value }
    }
}

/// The mean time of one operation of a side in each round, in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Samples(pub(crate) Vec<f64>);

impl Samples {
    /// Returns the times in microseconds.
    pub(crate) fn microseconds(&self) -> Spread {
        Spread::of(self.0.iter().map(|seconds| seconds * 1e6))
    }

    /// Returns the times in milliseconds.
    pub(crate) fn milliseconds(&self) -> Spread {
        Spread::of(self.0.iter().map(|seconds| seconds * 1e3))
    }

    /// Returns the throughput in gigabytes a second of operations that process `bytes` each.
    pub(crate) fn gigabytes_per_second(&self, bytes: usize) -> Spread {
        Spread::of(self.0.iter().map(|seconds| bytes as f64 / 1e9 / seconds))
    }

    /// Returns the number of operations a second.
    pub(crate) fn per_second(&self) -> Spread {
        Spread::of(self.0.iter().map(|seconds| 1.0 / seconds))
    }

    /// Returns the ratio of the times to those of `other`, round by round.
    pub(crate) fn over(&self, other: &Samples) -> Spread {
        Spread::of(self.0.iter().zip(&other.0).map(|(one, other)| one / other))
    }
}

/// A side: runs the given number of operations and returns the time they took.
pub(crate) type Side<'a> = &'a mut dyn FnMut(usize) -> Duration;

/// Runs all sides in turns, each `operations` times a round. Each round begins with another side, and the first round
/// is a warm-up that is not counted.
pub(crate) fn in_turns<const SIDES: usize>(
    rounds: usize,
    operations: usize,
    mut sides: [Side<'_>; SIDES],
) -> [Samples; SIDES] {
    in_turns_of(rounds, operations, &mut sides).try_into().expect("each side has its samples")
}

/// Runs a number of sides that is known only at run time, as `in_turns` does.
pub(crate) fn in_turns_of(rounds: usize, operations: usize, sides: &mut [Side<'_>]) -> Vec<Samples> {
    let mut samples = vec![Samples(Vec::with_capacity(rounds)); sides.len()];
    for round in 0..=rounds {
        for turn in 0..sides.len() {
            let side = (round + turn) % sides.len();
            let took = sides[side](operations).as_secs_f64() / operations as f64;
            if round > 0 {
                samples[side].0.push(took);
            }
        }
    }
    samples
}

/// Runs `operation` with the numbers below `operations` and returns the time it took. `black_box` keeps the compiler
/// from removing the unused results.
pub(crate) fn timed<T>(operations: usize, mut operation: impl FnMut(usize) -> T) -> Duration {
    let begun = Instant::now();
    (0..operations).for_each(|number| drop(black_box(operation(number))));
    begun.elapsed()
}
