//! Makes crash images from a log: all writes before a flush, and a choice of the writes after it.
//!
//! A disk has all writes before its last flush, and any subset of the later ones. Crashes that leave the same image
//! count as one, and the image must keep every promise that held at any moment at which the crash can have happened:
//! see [`Crash::earliest`] and [`Crash::latest`].

use crate::disk::{BLOCK_BYTES, Event, Image, Log};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::collections::HashSet;
use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

/// A flush, and the writes after it, which a crash before the next flush can lose.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The number of the cut, from 0.
    pub number: usize,
    /// Position of the flush.
    pub flush: usize,
    /// Positions of the writes between the flush and `end`.
    pub writes: Vec<usize>,
    /// Position of the next flush, or the end of the log.
    pub end: usize,
}

/// Cuts a log at the last flush before `begin` and at each later one. Ignores flushes that follow no write.
pub fn cuts(log: &Log, begin: usize) -> Vec<Cut> {
    let flushes = log.iter().enumerate().filter(|(_, event)| **event == Event::Flush).map(|(position, _)| position);
    let flushes: Vec<usize> = flushes.collect();
    let first = flushes.partition_point(|flush| *flush < begin).saturating_sub(1);
    let mut cuts: Vec<Cut> = Vec::new();
    for (index, &flush) in flushes.iter().enumerate().skip(first) {
        let end = flushes.get(index + 1).copied().unwrap_or(log.len());
        let is_write = |position: &usize| matches!(log[*position], Event::Write { .. } | Event::Zero { .. });
        let writes: Vec<usize> = (flush..end).filter(is_write).collect();
        match cuts.last_mut() {
            // This flush follows no write, so the same writes are durable as after the previous flush: both are one
            // cut.
            Some(previous) if previous.writes.is_empty() => {
                previous.writes = writes;
                previous.end = end;
            }
            _ => cuts.push(Cut { number: cuts.len(), flush, writes, end }),
        }
    }
    cuts
}

/// The writes after a cut that reached the disk. A number selects one of many random choices.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Choice {
    /// No write.
    None,
    /// All writes. Used only after the last flush, since elsewhere the next cut has the same image with
    /// [`Choice::None`].
    All,
    /// A prefix of the writes, as of a disk that writes in order.
    First(usize),
    /// Any subset.
    Some(usize),
    /// Any subset, with some writes torn.
    Torn(usize),
}

impl Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::None => write!(formatter, "none"),
            Choice::All => write!(formatter, "all"),
            Choice::First(number) => write!(formatter, "first-{number}"),
            Choice::Some(number) => write!(formatter, "some-{number}"),
            Choice::Torn(number) => write!(formatter, "torn-{number}"),
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Choice, String> {
        let (word, number) = text.split_once('-').unwrap_or((text, ""));
        let choice = match word {
            "none" | "all" if !number.is_empty() => None,
            "none" => Some(Choice::None),
            "all" => Some(Choice::All),
            "first" => number.parse().ok().map(Choice::First),
            "some" => number.parse().ok().map(Choice::Some),
            "torn" => number.parse().ok().map(Choice::Torn),
            _ => None,
        };
        choice.ok_or_else(|| "expected none, all, first-N, some-N or torn-N".to_string())
    }
}

/// The part of one write that reached the disk.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Persisted {
    Nothing,
    Everything,
    /// Whether each atomic unit of the write reached the disk.
    Units(Vec<bool>),
}

/// A crash and its image.
pub struct Crash {
    /// The number of the cut.
    pub cut: usize,
    /// The writes after the cut that reached the disk.
    pub choice: Choice,
    /// Position of the last write of which any part reached the disk. The crash cannot have happened before it.
    pub earliest: usize,
    /// Position of the next flush. The crash must have happened before it.
    pub latest: usize,
    /// The content of the disk after the crash.
    pub image: Image,
}

/// The boundaries at which a disk tears writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tearing {
    /// The part of the disk with writes torn between sectors. Elsewhere they are torn between blocks.
    pub sectors: Range<u64>,
}

/// Bytes of a sector, the smallest unit that a disk writes atomically.
const SECTOR_BYTES: usize = 512;

impl Tearing {
    /// Returns the size of the unit that the disk writes atomically at `offset`.
    fn atomic_bytes(&self, offset: u64) -> usize {
        if self.sectors.contains(&offset) { SECTOR_BYTES } else { BLOCK_BYTES }
    }
}

/// Makes the crashes of a log, in the order of the cuts.
pub struct Crashes<'a> {
    log: &'a Log,
    seed: u64,
    tearing: Tearing,
    /// The writes before `position`, applied to an empty disk.
    image: Image,
    position: usize,
}

impl<'a> Crashes<'a> {
    /// Prepares to make the crashes of a log.
    pub fn new(log: &'a Log, seed: u64, tearing: Tearing) -> Crashes<'a> {
        Crashes { log, seed, tearing, image: Image::default(), position: 0 }
    }

    /// Returns at most `most` choices for a cut, no two of which persist the same parts of the writes.
    pub fn choices(&self, cut: &Cut, most: usize, is_last: bool) -> Vec<Choice> {
        let numbered = |number| [Choice::Some(number), Choice::Torn(number), Choice::First(number)];
        let choices = [Choice::None, Choice::All].into_iter().chain((0..most).flat_map(numbered));
        let mut known = HashSet::new();
        // All writes of this cut give the same image as the next cut without its writes.
        if !is_last {
            known.insert(vec![Persisted::Everything; cut.writes.len()]);
        }
        // A cut without writes has one image.
        let is_new = |choice: &Choice| known.insert(self.persisted(cut, *choice)) || cut.writes.is_empty();
        let most = if cut.writes.is_empty() { 1 } else { most };
        choices.filter(is_new).take(most).collect()
    }

    /// Makes one crash. Calls must pass the cuts in order; a cut may be passed again.
    pub fn crash(&mut self, cut: &Cut, choice: Choice) -> Crash {
        let persisted = self.persisted(cut, choice);
        self.build(cut, choice, &persisted)
    }

    /// Generates the part of each write after a cut that reaches the disk. The seed, the cut and the choice determine
    /// the result.
    fn persisted(&self, cut: &Cut, choice: Choice) -> Vec<Persisted> {
        let (kind, number) = match choice {
            Choice::None => return vec![Persisted::Nothing; cut.writes.len()],
            Choice::All => return vec![Persisted::Everything; cut.writes.len()],
            Choice::First(number) => (1, number),
            Choice::Some(number) => (2, number),
            Choice::Torn(number) => (3, number),
        };
        let mut random = generator(&[self.seed, cut.number as u64, kind, number as u64]);
        if let Choice::First(_) = choice {
            let first = random.random_range(0..=cut.writes.len());
            let persisted = |index| if index < first { Persisted::Everything } else { Persisted::Nothing };
            return (0..cut.writes.len()).map(persisted).collect();
        }
        let persisted = |position: &usize| {
            if let (Choice::Torn(_), Event::Write { offset, bytes }, true) =
                (choice, &self.log[*position], random.random_bool(0.5))
            {
                let units = bytes.len().div_ceil(self.tearing.atomic_bytes(*offset));
                return normalize(Persisted::Units((0..units).map(|_| random.random_bool(0.5)).collect()));
            }
            if random.random_bool(0.5) { Persisted::Everything } else { Persisted::Nothing }
        };
        cut.writes.iter().map(persisted).collect()
    }

    fn build(&mut self, cut: &Cut, choice: Choice, persisted: &[Persisted]) -> Crash {
        self.advance(cut.flush);
        let mut image = self.image.clone();
        let is_write = |event: &Event| matches!(event, Event::Write { .. } | Event::Zero { .. });
        let mut earliest = self.log[..cut.flush].iter().rposition(is_write).unwrap_or(0);
        for (position, persisted) in cut.writes.iter().zip(persisted) {
            match (persisted, &self.log[*position]) {
                (Persisted::Nothing, _) => continue,
                (Persisted::Units(units), Event::Write { offset, bytes }) => {
                    let atomic_bytes = self.tearing.atomic_bytes(*offset);
                    let parts = bytes.chunks(atomic_bytes).zip(units).enumerate();
                    for (index, (part, _)) in parts.filter(|(_, (_, is_persisted))| **is_persisted) {
                        image.write(offset + (index * atomic_bytes) as u64, part);
                    }
                }
                (_, event) => image.apply(event),
            }
            earliest = *position;
        }
        Crash { cut: cut.number, choice, earliest, latest: cut.end, image }
    }

    /// Applies all writes up to `position` to the image.
    fn advance(&mut self, position: usize) {
        debug_assert!(self.position <= position, "the caller passes the cuts in order");
        let range: Range<usize> = self.position..position;
        self.log[range].iter().for_each(|event| self.image.apply(event));
        self.position = position;
    }
}

/// Replaces units that are all `true` by [`Persisted::Everything`], and units that are all `false` by
/// [`Persisted::Nothing`], so that equal images compare equal.
fn normalize(persisted: Persisted) -> Persisted {
    match persisted {
        Persisted::Units(units) if units.iter().all(|is_persisted| *is_persisted) => Persisted::Everything,
        Persisted::Units(units) if !units.iter().any(|is_persisted| *is_persisted) => Persisted::Nothing,
        persisted => persisted,
    }
}

/// Seeds a random number generator with four numbers.
pub(crate) fn generator(numbers: &[u64; 4]) -> ChaCha8Rng {
    let mut seed = [0; 32];
    for (bytes, number) in seed.chunks_exact_mut(8).zip(numbers) {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTORS: Tearing = Tearing { sectors: 0..u64::MAX };

    fn write(offset: u64, byte: u8, sectors: usize) -> Event {
        Event::Write { offset, bytes: vec![byte; 512 * sectors] }
    }

    fn mark() -> Event {
        Event::Mark("begin".to_string())
    }

    /// A write and its flush before the mark `begin`; then a write of a block, its flush, a flush without writes, and
    /// two writes.
    fn log() -> Log {
        vec![
            write(0, 1, 1),
            Event::Flush,
            mark(),
            write(0, 2, 8),
            Event::Flush,
            Event::Flush,
            write(4096, 3, 1),
            mark(),
            write(4608, 4, 1),
        ]
    }

    fn first_bytes(crash: &Crash) -> [u8; 3] {
        [0, 4096, 4608].map(|offset| {
            let mut byte = [0];
            crash.image.read(offset, &mut byte);
            byte[0]
        })
    }

    #[test]
    fn cuts_start_before_begin_and_skip_empty_flushes() {
        let cuts = cuts(&log(), 2);
        let found: Vec<_> = cuts.iter().map(|cut| (cut.number, cut.flush, cut.writes.clone(), cut.end)).collect();
        assert_eq!(found, [(0, 1, vec![3], 4), (1, 4, vec![6, 8], 9)]);
    }

    #[test]
    fn crash_image_has_flushed_and_chosen_writes() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let mut crashes = Crashes::new(&log, 1, SECTORS);
        let none = crashes.crash(&cuts[0], Choice::None);
        assert_eq!((first_bytes(&none), none.earliest, none.latest), ([1, 0, 0], 0, 4));
        let none = crashes.crash(&cuts[1], Choice::None);
        assert_eq!((first_bytes(&none), none.earliest, none.latest), ([2, 0, 0], 3, 9));
        let all = crashes.crash(&cuts[1], Choice::All);
        assert_eq!((first_bytes(&all), all.earliest, all.latest), ([2, 3, 4], 8, 9));
    }

    #[test]
    fn choices_are_distinct_and_reach_every_subset() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let mut crashes = Crashes::new(&log, 1, SECTORS);
        let choices = crashes.choices(&cuts[1], 100, true);
        assert_eq!(choices[..2], [Choice::None, Choice::All]);
        let mut images: Vec<_> = choices.iter().map(|choice| first_bytes(&crashes.crash(&cuts[1], *choice))).collect();
        images.sort();
        assert_eq!(images, [[2, 0, 0], [2, 0, 4], [2, 3, 0], [2, 3, 4]]);
        assert_eq!(crashes.choices(&cuts[1], 100, true), choices, "the seed determines the choices");
        assert_eq!(crashes.choices(&cuts[1], 2, true).len(), 2);
        assert_eq!(crashes.choices(&cuts[1], 100, false).len(), 3, "the next cut has the image with all writes");
        let nothing = Cut { number: 2, flush: 9, writes: Vec::new(), end: 9 };
        assert_eq!(crashes.choices(&nothing, 100, true), [Choice::None]);
    }

    #[test]
    fn writes_are_torn_only_at_sector_boundaries() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let sectors = |crash: &Crash| {
            let mut bytes = [0; 4096];
            crash.image.read(0, &mut bytes);
            let sector = |sector: &[u8]| {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is atomic");
                sector[0]
            };
            bytes.chunks(512).map(sector).collect::<Vec<u8>>()
        };
        let torn = |where_torn| {
            let mut crashes = Crashes::new(&log, 1, Tearing { sectors: where_torn });
            let choices = crashes.choices(&cuts[0], 20, false);
            let images = choices.into_iter().map(|choice| crashes.crash(&cuts[0], choice));
            images
                .map(|crash| sectors(&crash))
                .filter(|sectors| sectors[1..] != [0; 7] && sectors[..] != [2; 8])
                .count()
        };
        assert!(torn(0..4096) > 5);
        assert_eq!(torn(4096..8192), 0, "the write is outside the part with torn sectors");
    }

    #[test]
    fn choice_display_round_trips_through_from_str() {
        for choice in [Choice::None, Choice::All, Choice::First(0), Choice::Some(3), Choice::Torn(12)] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for text in ["", "first", "some-", "torn-x", "none-1", "every"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }
}
