//! Crashes: after which flush, and what the disk then has of what was written since.
//!
//! A disk has everything that was written before its last flush, and of the rest whatever it likes. Two crashes that leave the
//! same image are one, which breaks no promise only if it breaks none of those that held at any of the moments at which it can
//! have happened: see [`Crash::earliest`] and [`Crash::latest`].

use crate::disk::{BLOCK_BYTES, Event, Image, Log};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::collections::HashSet;
use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

/// A flush after which something was written, and what a crash before the next one can lose.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Its number, from 0.
    pub number: usize,
    /// Position of the flush.
    pub flush: usize,
    /// Positions of what was written since.
    pub writes: Vec<usize>,
    /// Position of the next one, or the end of the log.
    pub end: usize,
}

/// The cuts of a log: the last flush before `begin` and all later ones. A flush with nothing to flush is none.
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
            // This flush did nothing: what the previous one made safe is all that is safe here too.
            Some(previous) if previous.writes.is_empty() => {
                previous.writes = writes;
                previous.end = end;
            }
            _ => cuts.push(Cut { number: cuts.len(), flush, writes, end }),
        }
    }
    cuts
}

/// What the disk has of what was written since the last flush.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Choice {
    /// Nothing.
    None,
    /// Everything: only after the last flush, since elsewhere it is what the next cut has with [`Choice::None`].
    All,
    /// A beginning, as a disk leaves that writes in order. With a number, since there are many.
    First(usize),
    /// Any subset.
    Some(usize),
    /// Any subset, some of it torn.
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
        choice.ok_or_else(|| "none, all, or first, some or torn with - and a number".to_string())
    }
}

/// What the disk has of one write.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Kept {
    Nothing,
    Whole,
    /// Some pieces that are not torn.
    Pieces(Vec<bool>),
}

/// What a crash leaves.
pub struct Crash {
    /// The cut.
    pub cut: usize,
    /// What the disk has of what was written after it.
    pub choice: Choice,
    /// Position of the last write that the disk has any of: before, the crash cannot have happened.
    pub earliest: usize,
    /// Position of the next flush, before which the crash must have happened.
    pub latest: usize,
    /// What the disk has.
    pub image: Image,
}

/// Where a disk tears a write in two.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tearing {
    /// The part of the disk that is torn between sectors. The rest is torn between blocks.
    pub sectors: Range<u64>,
}

/// Bytes of a sector.
const SECTOR_BYTES: usize = 512;

impl Tearing {
    /// Bytes at this place of the disk that are not torn.
    fn untorn_bytes(&self, offset: u64) -> usize {
        if self.sectors.contains(&offset) { SECTOR_BYTES } else { BLOCK_BYTES }
    }
}

/// Makes the crashes of a log, cut after cut.
pub struct Crashes<'a> {
    log: &'a Log,
    seed: u64,
    tearing: Tearing,
    /// What is safe at `position`.
    image: Image,
    position: usize,
}

impl<'a> Crashes<'a> {
    /// The crashes of a log, none of them made yet.
    pub fn new(log: &'a Log, seed: u64, tearing: Tearing) -> Crashes<'a> {
        Crashes { log, seed, tearing, image: Image::default(), position: 0 }
    }

    /// At most `most` choices after a cut, no two of which leave the same image.
    pub fn choices(&self, cut: &Cut, most: usize, is_last: bool) -> Vec<Choice> {
        let numbered = |number| [Choice::Some(number), Choice::Torn(number), Choice::First(number)];
        let choices = [Choice::None, Choice::All].into_iter().chain((0..most).flat_map(numbered));
        let mut known = HashSet::new();
        // What the disk has with all of them is what it has with none of them one cut later.
        if !is_last {
            known.insert(vec![Kept::Whole; cut.writes.len()]);
        }
        // Where nothing was written, there is one image.
        let is_new = |choice: &Choice| known.insert(self.keep(cut, *choice)) || cut.writes.is_empty();
        let most = if cut.writes.is_empty() { 1 } else { most };
        choices.filter(is_new).take(most).collect()
    }

    /// The crash after a cut that is not before the last one that was asked for.
    pub fn one(&mut self, cut: &Cut, choice: Choice) -> Crash {
        let kept = self.keep(cut, choice);
        self.crash(cut, choice, &kept)
    }

    /// Draws what the disk has of each write after a cut. The same numbers give the same always.
    fn keep(&self, cut: &Cut, choice: Choice) -> Vec<Kept> {
        let (kind, number) = match choice {
            Choice::None => return vec![Kept::Nothing; cut.writes.len()],
            Choice::All => return vec![Kept::Whole; cut.writes.len()],
            Choice::First(number) => (1, number),
            Choice::Some(number) => (2, number),
            Choice::Torn(number) => (3, number),
        };
        let mut random = generator(&[self.seed, cut.number as u64, kind, number as u64]);
        if let Choice::First(_) = choice {
            let first = random.random_range(0..=cut.writes.len());
            let kept = |index| if index < first { Kept::Whole } else { Kept::Nothing };
            return (0..cut.writes.len()).map(kept).collect();
        }
        let kept = |position: &usize| {
            if let (Choice::Torn(_), Event::Write { offset, bytes }, true) =
                (choice, &self.log[*position], random.random_bool(0.5))
            {
                let pieces = bytes.len().div_ceil(self.tearing.untorn_bytes(*offset));
                return as_simple(Kept::Pieces((0..pieces).map(|_| random.random_bool(0.5)).collect()));
            }
            if random.random_bool(0.5) { Kept::Whole } else { Kept::Nothing }
        };
        cut.writes.iter().map(kept).collect()
    }

    fn crash(&mut self, cut: &Cut, choice: Choice, kept: &[Kept]) -> Crash {
        self.advance(cut.flush);
        let mut image = self.image.clone();
        let is_write = |event: &Event| matches!(event, Event::Write { .. } | Event::Zero { .. });
        let mut earliest = self.log[..cut.flush].iter().rposition(is_write).unwrap_or(0);
        for (position, kept) in cut.writes.iter().zip(kept) {
            match (kept, &self.log[*position]) {
                (Kept::Nothing, _) => continue,
                (Kept::Pieces(pieces), Event::Write { offset, bytes }) => {
                    let untorn_bytes = self.tearing.untorn_bytes(*offset);
                    let parts = bytes.chunks(untorn_bytes).zip(pieces).enumerate();
                    for (index, (part, _)) in parts.filter(|(_, (_, kept))| **kept) {
                        image.write(offset + (index * untorn_bytes) as u64, part);
                    }
                }
                (_, event) => image.apply(event),
            }
            earliest = *position;
        }
        Crash { cut: cut.number, choice, earliest, latest: cut.end, image }
    }

    /// Makes everything safe up to a position.
    fn advance(&mut self, position: usize) {
        debug_assert!(self.position <= position, "cuts come in order");
        let range: Range<usize> = self.position..position;
        self.log[range].iter().for_each(|event| self.image.apply(event));
        self.position = position;
    }
}

/// Pieces of which all, or none, are there are no pieces.
fn as_simple(kept: Kept) -> Kept {
    match kept {
        Kept::Pieces(pieces) if pieces.iter().all(|kept| *kept) => Kept::Whole,
        Kept::Pieces(pieces) if !pieces.iter().any(|kept| *kept) => Kept::Nothing,
        kept => kept,
    }
}

/// A generator of random numbers that four numbers determine.
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

    /// Before the beginning, a write and its flush; then a write of a block, a flush for nothing, and two writes.
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
    fn a_log_is_cut_at_the_last_flush_before_the_beginning_and_at_each_that_flushes_something() {
        let cuts = cuts(&log(), 2);
        let found: Vec<_> = cuts.iter().map(|cut| (cut.number, cut.flush, cut.writes.clone(), cut.end)).collect();
        assert_eq!(found, [(0, 1, vec![3], 4), (1, 4, vec![6, 8], 9)]);
    }

    #[test]
    fn a_crash_leaves_what_was_flushed_and_what_was_chosen() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let mut crashes = Crashes::new(&log, 1, SECTORS);
        let none = crashes.one(&cuts[0], Choice::None);
        assert_eq!((first_bytes(&none), none.earliest, none.latest), ([1, 0, 0], 0, 4));
        let none = crashes.one(&cuts[1], Choice::None);
        assert_eq!((first_bytes(&none), none.earliest, none.latest), ([2, 0, 0], 3, 9));
        let all = crashes.one(&cuts[1], Choice::All);
        assert_eq!((first_bytes(&all), all.earliest, all.latest), ([2, 3, 4], 8, 9));
    }

    #[test]
    fn no_two_crashes_of_a_cut_are_alike_and_all_subsets_are_found() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let mut crashes = Crashes::new(&log, 1, SECTORS);
        let choices = crashes.choices(&cuts[1], 100, true);
        assert_eq!(choices[..2], [Choice::None, Choice::All]);
        let mut images: Vec<_> = choices.iter().map(|choice| first_bytes(&crashes.one(&cuts[1], *choice))).collect();
        images.sort();
        assert_eq!(images, [[2, 0, 0], [2, 0, 4], [2, 3, 0], [2, 3, 4]]);
        assert_eq!(crashes.choices(&cuts[1], 100, true), choices, "the same are chosen always");
        assert_eq!(crashes.choices(&cuts[1], 2, true).len(), 2);
        assert_eq!(crashes.choices(&cuts[1], 100, false).len(), 3, "all of them is what the next cut has");
        let nothing = Cut { number: 2, flush: 9, writes: Vec::new(), end: 9 };
        assert_eq!(crashes.choices(&nothing, 100, true), [Choice::None]);
    }

    #[test]
    fn a_torn_write_is_torn_between_sectors_and_nowhere_else() {
        let (log, cuts) = (log(), cuts(&log(), 2));
        let sectors = |crash: &Crash| {
            let mut bytes = [0; 4096];
            crash.image.read(0, &mut bytes);
            let sector = |sector: &[u8]| {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is whole");
                sector[0]
            };
            bytes.chunks(512).map(sector).collect::<Vec<u8>>()
        };
        let torn = |where_torn| {
            let mut crashes = Crashes::new(&log, 1, Tearing { sectors: where_torn });
            let choices = crashes.choices(&cuts[0], 20, false);
            let images = choices.into_iter().map(|choice| crashes.one(&cuts[0], choice));
            images
                .map(|crash| sectors(&crash))
                .filter(|sectors| sectors[1..] != [0; 7] && sectors[..] != [2; 8])
                .count()
        };
        assert!(torn(0..4096) > 5);
        assert_eq!(torn(4096..8192), 0, "the first block is not where sectors are torn");
    }

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        for choice in [Choice::None, Choice::All, Choice::First(0), Choice::Some(3), Choice::Torn(12)] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        for text in ["", "first", "some-", "torn-x", "none-1", "every"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }
}
