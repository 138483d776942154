//! Two sides measured in turns, so that what slows the machine down slows both.

use serde::Serialize;
use std::time::{Duration, Instant};

/// What two sides took for the same work, and how that compares.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// The median of what one operation of the left side took, in microseconds.
    pub(crate) left_microseconds: f64,
    /// The same of the right side.
    pub(crate) right_microseconds: f64,
    /// The median over the rounds of left divided by right.
    pub(crate) ratio: f64,
    /// The quartiles of that.
    pub(crate) spread: [f64; 2],
    /// How many rounds there were.
    pub(crate) rounds: usize,
}

/// The quantile of what is sorted.
fn quantile(sorted: &[f64], at: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * at).round() as usize]
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Runs both sides in turns, each `operations` times a round. The first round is not counted.
pub(crate) fn compare(
    rounds: usize,
    operations: usize,
    left: &mut dyn FnMut(usize) -> Duration,
    right: &mut dyn FnMut(usize) -> Duration,
) -> Comparison {
    let mut pairs = Vec::with_capacity(rounds);
    for round in 0..=rounds {
        let pair = if round % 2 == 0 {
            let left = left(operations);
            (left, right(operations))
        } else {
            let right = right(operations);
            (left(operations), right)
        };
        if round > 0 {
            pairs.push((pair.0.as_secs_f64(), pair.1.as_secs_f64()));
        }
    }
    let each = 1e6 / operations as f64;
    let ratios = sorted(pairs.iter().map(|(left, right)| left / right));
    Comparison {
        left_microseconds: quantile(&sorted(pairs.iter().map(|pair| pair.0)), 0.5) * each,
        right_microseconds: quantile(&sorted(pairs.iter().map(|pair| pair.1)), 0.5) * each,
        ratio: quantile(&ratios, 0.5),
        spread: [quantile(&ratios, 0.25), quantile(&ratios, 0.75)],
        rounds,
    }
}

/// How long it takes to do something so many times.
pub(crate) fn timed(operations: usize, mut operation: impl FnMut(usize)) -> Duration {
    let begun = Instant::now();
    (0..operations).for_each(&mut operation);
    begun.elapsed()
}
