//! The items that a subcommand works on: those of ids, those that match a filter, or all.

use crate::age;
use crate::failure::{Cause, Failure, Failures};
use crate::filter::Filter;
use crate::input;
use clap::Args;
use queue_store_host::types::{Detail, Entry, State};
use queue_store_host::{Error, Queue};
use std::collections::{HashMap, HashSet};
use sysexits::ExitCode as Sysexit;

/// The states of the items that a mail server would deliver, now or later.
pub(crate) const LIVE: [State; 2] = [State::Ready, State::Held];

#[derive(Args)]
pub(crate) struct Selection {
    /// The ids of the items; `-` reads ids from standard input, one a line, and `--` goes before one that begins with `-`
    #[arg(value_name = "ID", conflicts_with_all = ["Filter", "all"])]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Option<Filter>,
    /// All items
    #[arg(long, conflicts_with = "Filter", help_heading = "Selection")]
    all: bool,
}

/// The ids of selected items.
pub(crate) struct SelectedIds {
    pub(crate) ids: Vec<String>,
    /// Whether the operator named them, so that one that no item has is a failure.
    pub(crate) named: bool,
}

impl Selection {
    /// Returns whether it selects all items, of any state.
    pub(crate) fn is_everything(&self) -> bool {
        self.ids.is_empty() && self.filter.is_none()
    }

    /// Returns whether it names ids, rather than options that an item must match.
    pub(crate) fn has_ids(&self) -> bool {
        !self.ids.is_empty()
    }

    /// Refuses a selection that is left out, since a subcommand that changes items has no default.
    pub(crate) fn require(&self) -> Result<(), Cause> {
        if self.is_everything() && !self.all { Err(Cause::NothingSelected) } else { Ok(()) }
    }

    /// Returns the ids of the selected items. A filter, or `--all`, selects from items in `states`, unless it has
    /// `--state`. Reports items that it could not read and that may match.
    ///
    /// # Errors
    ///
    /// Those of [`Selection::require`], of a listing, and of standard input.
    pub(crate) fn ids(&self, queue: &Queue, states: &[State], failures: &Failures) -> Result<SelectedIds, Failure> {
        if !self.ids.is_empty() {
            return Ok(SelectedIds { ids: self.named_ids()?, named: true });
        }
        self.require()?;
        // Of the items, a listing without a filter needs the names alone.
        let mut ids = Vec::new();
        for entry in self.matching(queue, states, Detail::Name, failures)? {
            ids.push(entry?.id);
        }
        Ok(SelectedIds { ids, named: false })
    }

    /// Returns the selected items, in no order: all that are in `states` where nothing is selected. `detail` is read of
    /// each, at least. Reports ids that no item has, and items that it could not read and that may match.
    pub(crate) fn entries<'a>(
        &'a self,
        queue: &'a Queue,
        states: &[State],
        detail: Detail,
        failures: &'a Failures,
    ) -> Result<Box<dyn Iterator<Item = Result<Entry, Failure>> + 'a>, Failure> {
        if self.ids.is_empty() {
            return Ok(Box::new(self.matching(queue, states, detail, failures)?));
        }
        let named = named_entries(queue, &self.named_ids()?, failures)?;
        Ok(Box::new(named.into_iter().filter_map(|name| with_info(queue, name).transpose())))
    }

    /// Returns the states that the selected items may be in.
    pub(crate) fn states(&self, default: &[State]) -> Vec<State> {
        self.filter.as_ref().map_or_else(|| default.to_vec(), |filter| filter.states(default))
    }

    /// Returns the items that match the filter.
    fn matching<'a>(
        &'a self,
        queue: &'a Queue,
        states: &[State],
        detail: Detail,
        failures: &'a Failures,
    ) -> Result<impl Iterator<Item = Result<Entry, Failure>> + 'a, Failure> {
        let detail = self.filter.as_ref().map_or(detail, Filter::detail);
        let now = age::now();
        let listing = queue.items(&self.states(states), detail)?;
        let mut unjudged = Unjudged { items: 0, code: Sysexit::Ok, failures };
        Ok(listing.map(|entry| entry.map_err(Failure::from)).filter(move |entry| match (&self.filter, entry) {
            (Some(filter), Ok(entry)) => {
                filter.matches(entry, queue, now).map_err(|error| unjudged.add(error)).unwrap_or(false)
            }
            _ => true,
        }))
    }

    /// Returns the ids of the arguments, and those of standard input; each once.
    fn named_ids(&self) -> Result<Vec<String>, Failure> {
        let mut ids = Vec::new();
        for id in &self.ids {
            if id == "-" {
                ids.extend(input::stdin_lines()?);
            } else {
                ids.push(id.clone());
            }
        }
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        Ok(ids)
    }
}

/// Items that could not be read, and may match a filter. Dropped, it reports their number.
struct Unjudged<'a> {
    items: u64,
    /// The exit code of the first one.
    code: Sysexit,
    failures: &'a Failures,
}

impl Unjudged<'_> {
    fn add(&mut self, error: Error) {
        if self.items == 0 {
            self.code = Failure::from(error).code();
        }
        self.items += 1;
    }
}

impl Drop for Unjudged<'_> {
    fn drop(&mut self) {
        let Unjudged { items, code, failures } = *self;
        if items > 0 {
            failures.report(&Cause::UnjudgedItems { items, code }.into());
        }
    }
}

/// Finds the names of the items that have these ids, of one in quarantine several times, all; and reports ids without an
/// item.
fn named_entries(queue: &Queue, ids: &[String], failures: &Failures) -> Result<Vec<Entry>, Failure> {
    let mut found: HashMap<&str, Vec<Entry>> = ids.iter().map(|id| (id.as_str(), Vec::new())).collect();
    for entry in queue.items(&[], Detail::Name)? {
        let entry = entry?;
        if let Some(entries) = found.get_mut(entry.id.as_str()) {
            entries.push(entry);
        }
    }
    let mut entries = Vec::new();
    for id in ids {
        match found.remove(id.as_str()) {
            Some(found) if !found.is_empty() => entries.extend(found),
            // The queue has the words for a malformed id and for one without an item.
            _ => match queue.info(id) {
                Ok(info) => entries.push(Entry { id: id.clone(), state: info.state, info: Some(info), problem: None }),
                Err(error) => failures.report(&Failure::from(error).at_item(id)),
            },
        }
    }
    Ok(entries)
}

/// Reads the envelope of an item that was found by its name; none if it vanished meanwhile.
fn with_info(queue: &Queue, name: Entry) -> Result<Option<Entry>, Failure> {
    match queue.info(&name.id) {
        // The item is quarantined, and the one that was read is the live one of its id.
        Ok(info) if info.state != name.state => Ok(Some(name)),
        Ok(info) => Ok(Some(Entry { info: Some(info), ..name })),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => match error.record() {
            Some(problem) => Ok(Some(Entry { problem: Some(problem), ..name })),
            None => Err(error.into()),
        },
    }
}
