//! Changes of many items: planned, asked about, made in batches between which a signal can stop them, and counted.

use crate::change_log;
use crate::chasquid_process;
use crate::display::items;
use crate::failure::{Cause, Failure, Failures};
use crate::interruption::Interruption;
use crate::item_states::{self, AllStates, ItemStates};
use crate::item_table::ItemTable;
use crate::location::Location;
use crate::open_queue;
use crate::options::Daemon;
use crate::output::{print_line, print_lines};
use crate::progress;
use crate::selection::{LIVE, Selection};
use clap::Args;
use indicatif::{HumanCount, ProgressBar};
use queue_store_host::types::{Detail, Entry, Outcome, State};
use queue_store_host::{Error, Queue};
use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use sysexits::ExitCode as Sysexit;

/// The items of a change, and the manner in which it is made.
#[derive(Args)]
pub(crate) struct Bulk {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Print the items that would be changed, and change none
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before more than one item is changed
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Bulk {
    /// Opens the queue for the change, or for its plan.
    pub(crate) fn open(&self, queue: &Location) -> Result<Queue, Failure> {
        if self.dry_run {
            open_queue::open(queue)
        } else {
            open_queue::open_for_change(queue, self.daemon.while_running)
        }
    }

    /// Returns the states of all items, where a change needs more than the ids that were named. Else it is empty.
    pub(crate) fn item_states(&self, queue: &Queue) -> Result<AllStates, Error> {
        if self.dry_run || !self.selection.has_ids() { item_states::by_id(queue) } else { Ok(AllStates::new()) }
    }
}

/// A change of items.
pub(crate) struct Change<'a> {
    /// The place of the queue.
    pub(crate) location: &'a Location,
    /// The words for it, such as `remove` and `removed`.
    pub(crate) verb: [&'static str; 2],
    /// The states of the items that a filter selects from.
    pub(crate) states: &'a [State],
    /// The items that are changed between two looks for a signal.
    pub(crate) batch: usize,
    /// Whether it takes all items of an id that are in `states`, rather than the one that the queue finds by the id.
    pub(crate) takes_all: bool,
    /// The states of all items, or none: [`Bulk::item_states`].
    pub(crate) all_states: &'a AllStates,
    /// Returns the reason to refuse an id, by the states of its items.
    pub(crate) refusal: &'a dyn Fn(&ItemStates) -> Option<Cause>,
}

impl Change<'_> {
    /// Returns the reason to refuse an id. `selected` are the states that a filter selects from.
    fn refusal(&self, id: &str, selected: Option<&[State]>) -> Option<Cause> {
        let found = self.all_states.get(id)?;
        (self.refusal)(found).or_else(|| if self.takes_all { None } else { found.ambiguity(selected) })
    }

    /// Returns the failure of an id that several live items have.
    fn conflict(&self, queue: &Queue, id: &str) -> Option<Failure> {
        let has_several = self.all_states.get(id).is_some_and(|found| found.among(&LIVE) > 1);
        if has_several { queue.info(id).err().map(Failure::from) } else { None }
    }

    /// Returns whether it changes an item that has another one's id.
    fn takes(&self, entry: &Entry) -> bool {
        let live = self.all_states.get(&entry.id).and_then(ItemStates::live);
        if self.takes_all { self.states.contains(&entry.state) } else { live.is_none_or(|live| live == entry.state) }
    }
}

/// The refusal of a change that refuses none.
pub(crate) const REFUSE_NONE: &dyn Fn(&ItemStates) -> Option<Cause> = &|_| None;

/// Items for a change that renames or removes files: `max-batch` of the contract is ten times as many.
pub(crate) const BATCH_OF_NAMES: usize = 1000;

/// Items for a change that writes files.
pub(crate) const BATCH_OF_FILES: usize = 50;

/// An item that a change was tried on.
pub(crate) type Tried = (String, Result<(), Failure>);

/// Makes a change of the selected items. `try_on` tries it on some, and fails where none was tried.
pub(crate) fn run(
    queue: &Queue,
    bulk: &Bulk,
    change: &Change<'_>,
    mut try_on: impl FnMut(&[String]) -> Result<Vec<Tried>, Failure>,
) -> Result<Sysexit, Failure> {
    if bulk.dry_run {
        return print_plan(queue, bulk, change);
    }
    let failures = Failures::none();
    let selected = bulk.selection.ids(queue, change.states, &failures)?;
    let [verb, done_verb] = change.verb;
    if selected.ids.len() > 1 && !bulk.yes && !confirm(verb, selected.ids.len() as u64)? {
        return Err(Cause::Declined.into());
    }
    // It may have been started while the items were selected, or before the answer.
    if !bulk.daemon.while_running {
        change.location.directory().map_or(Ok(()), chasquid_process::check_none_uses)?;
    }
    let states = (!selected.named).then(|| bulk.selection.states(change.states));
    // An item that a filter selected was delivered, or removed, meanwhile.
    let is_no_failure = |failure: &Failure| !selected.named && failure.is_not_found();
    in_batches(&selected.ids, change.batch, done_verb, failures, is_no_failure, |ids| {
        let (mut taken, mut tried) = (Vec::new(), Vec::new());
        for id in ids.iter().cloned() {
            match change.refusal(&id, states.as_deref()) {
                Some(cause) => tried.push((id, Err(cause.into()))),
                None => taken.push(id),
            }
        }
        tried.extend(try_on(&taken)?);
        Ok(tried)
    })
}

/// Makes a change of items, and reports how many were changed.
pub(crate) fn in_batches(
    ids: &[String],
    batch: usize,
    done_verb: &str,
    failures: Failures,
    is_no_failure: impl Fn(&Failure) -> bool,
    mut try_on: impl FnMut(&[String]) -> Result<Vec<Tried>, Failure>,
) -> Result<Sysexit, Failure> {
    // Until here a signal ends the process, which has changed nothing.
    let interruption = Interruption::catch().map_err(Cause::Signals)?;
    let count = ids.len() as u64;
    let progress = if ids.len() <= batch { ProgressBar::hidden() } else { progress::of_changes(count) };
    let mut done = 0;
    let stopped = ids.chunks(batch).try_for_each(|ids| {
        if interruption.has_come() {
            return Err(Cause::Interrupted.into());
        }
        let (mut logged, mut closed) = (Ok(()), Vec::new());
        for (id, tried) in try_on(ids)? {
            let tried = tried.map_err(|failure| failure.at_item(&id));
            // The changes of a batch are made, whether they can be logged or not.
            logged = logged.and(change_log::record(&id, tried.as_ref().copied()));
            match tried {
                Ok(()) => done += 1,
                Err(failure) if failure.closes_queue() => closed.push(failure),
                Err(failure) if is_no_failure(&failure) => {}
                Err(failure) => progress.suspend(|| failures.report(&failure)),
            }
        }
        progress.inc(ids.len() as u64);
        let others = closed.len().saturating_sub(1) as u64;
        match closed.into_iter().next() {
            Some(failure) if others > 0 => Err(failure.with_note(format!("so it is with {} more", items(others)))),
            Some(failure) => Err(failure),
            None => logged,
        }
    });
    progress.finish_and_clear();
    let report = format!("{done_verb} {}", items(done));
    match stopped {
        Err(failure) if count > 1 || done > 0 => {
            return Err(failure.with_note(format!("{report} of {} until then", HumanCount(count))));
        }
        stopped => stopped?,
    }
    if done > 0 || failures.code() == Sysexit::Ok {
        print_line(&report)?;
    }
    Ok(failures.code())
}

/// Returns the outcomes of a call of the queue.
pub(crate) fn tried(outcomes: Vec<Outcome>) -> Vec<Tried> {
    outcomes
        .into_iter()
        .map(|Outcome { id, problem }| {
            let id = id.expect("only a put has no id before it is done");
            (id, problem.map_or(Ok(()), |problem| Err(Error::from(problem).into())))
        })
        .collect()
}

/// Prints the items that a change would be tried on.
fn print_plan(queue: &Queue, bulk: &Bulk, change: &Change<'_>) -> Result<Sysexit, Failure> {
    bulk.selection.require()?;
    let (mut table, failures) = (ItemTable::new(), Failures::none());
    let entries = bulk.selection.entries(queue, change.states, Detail::Envelope, &failures)?;
    let header = table.header();
    let states = (!bulk.selection.has_ids()).then(|| bulk.selection.states(change.states));
    let mut seen = HashSet::new();
    let rows = entries.filter_map(|entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(failure) => return Some(Err(failure)),
        };
        let refusal = change.refusal(&entry.id, states.as_deref()).map(Failure::from);
        match refusal.or_else(|| change.conflict(queue, &entry.id)) {
            Some(failure) if seen.insert(entry.id.clone()) => failures.report(&failure.at_item(&entry.id)),
            None if change.takes(&entry) && (seen.insert(entry.id.clone()) || change.takes_all) => {
                return Some(Ok(table.row(&entry)));
            }
            _ => {}
        }
        None
    });
    print_lines([Ok(header)].into_iter().chain(rows))?;
    print_line(&format!("would {} {}", change.verb[0], table.footer()))?;
    Ok(failures.code())
}

/// Asks on a terminal. Where standard input is none, the operator has written down what is to be done.
fn confirm(verb: &str, count: u64) -> Result<bool, Cause> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    // A question that cannot be shown is not answered.
    let _ = write!(io::stderr(), "{verb} {}? [y/N] ", items(count));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Cause::Read)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
