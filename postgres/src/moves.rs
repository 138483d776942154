//! Changes of several items: moves to a state, and removals.

use crate::convert::{self, failure, problem};
use crate::database::Database;
use crate::item::{check_batch, check_id, no_item};
use queue_store::error::Cause;
use queue_store::item::parts::Strictness;
use queue_store_host::Result;
use queue_store_host::types::{self, Durability, ErrorCode, Outcome, State};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// The states of items.
const STATES: &str = "SELECT id, state, revision FROM queue_store.item WHERE queue = $1 AND id = ANY($2)";

/// Moves items that have these revisions and states. An item that is in the state already is written too, so that its state survives
/// with this commit.
const MOVE: &str = "UPDATE queue_store.item SET state = $4::smallint \
     FROM unnest($2::text[], $3::bigint[], $5::smallint[]) AS wanted (id, revision, state) \
     WHERE queue = $1 AND item.id = wanted.id AND item.revision = wanted.revision AND item.state = wanted.state \
     RETURNING item.id";

/// Removes items and their bodies.
const REMOVE: &str = "WITH gone AS (\
         DELETE FROM queue_store.item WHERE queue = $1 AND id = ANY($2) AND state = ANY($3) RETURNING id, body), \
     bodies AS (DELETE FROM queue_store.chunk USING gone WHERE chunk.body = gone.body) \
     SELECT id FROM gone";

impl Database {
    /// Moves items to a state. Those that leave quarantine are verified whole first.
    pub(crate) async fn set_state(self: &Arc<Database>, ids: &[String], new: State) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let deadline = self.deadline();
        // A lost session could add an item after this look.
        self.end_lost_sessions(deadline).await?;
        let rows = self.query(deadline, STATES, &[&self.queue, &well_formed(ids)]).await?;
        let found: HashMap<&str, (i16, i64)> = rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let (mut problems, mut wanted, mut revisions, mut states) =
            (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, (state, revision)) in &found {
            let leaves_quarantine = *state == convert::state_number(State::Quarantined) && new != State::Quarantined;
            match if leaves_quarantine { self.verify_one(deadline, id).await } else { Ok(()) } {
                Ok(()) => {
                    wanted.push(*id);
                    revisions.push(*revision);
                    states.push(*state);
                }
                Err(failure) => drop(problems.insert(*id, problem(&failure))),
            }
        }
        let new = convert::state_number(new);
        let parameters: [&(dyn ToSql + Sync); 5] = [&self.queue, &wanted, &revisions, &new, &states];
        let moved = self.change(deadline, Durability::Full, MOVE, &parameters).await;
        let outcomes = self.outcomes(deadline, ids, moved, problems, &convert::state_numbers(&[])).await?;
        self.counters.moves.add(done(&outcomes));
        Ok(outcomes)
    }

    /// Removes items that are in one of these states.
    pub(crate) async fn remove(
        self: &Arc<Database>,
        ids: &[String],
        states: &[State],
        durability: Durability,
    ) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let states = if states.is_empty() { &[State::Ready, State::Held] } else { states };
        let numbers = convert::state_numbers(states);
        let deadline = self.deadline();
        let removed = self.change(deadline, durability, REMOVE, &[&self.queue, &well_formed(ids), &numbers]).await;
        let outcomes = self.outcomes(deadline, ids, removed, HashMap::new(), &numbers).await?;
        self.counters.removals.add(done(&outcomes));
        Ok(outcomes)
    }

    /// Makes the outcomes of a change of the items in some states, whose rows have the ids that it changed. `problems` has
    /// those that were not tried.
    async fn outcomes(
        &self,
        deadline: Instant,
        ids: &[String],
        changed: Result<Vec<Row>>,
        mut problems: HashMap<&str, types::Error>,
        states: &[i16],
    ) -> Result<Vec<Outcome>> {
        let rows = match changed {
            Ok(rows) => rows,
            Err(failure) if failure.code() == Some(ErrorCode::Indeterminate) => {
                for id in ids {
                    problems.entry(id).or_insert_with(|| problem(&failure));
                }
                Vec::new()
            }
            Err(failure) => return Err(failure),
        };
        let changed: HashSet<&str> = rows.iter().map(|row| row.get(0)).collect();
        let is_known = |id: &String| changed.contains(id.as_str()) || problems.contains_key(id.as_str());
        let replaced = if ids.iter().all(is_known) {
            Ok(HashSet::new())
        } else {
            self.surviving(deadline, &well_formed(ids), states).await
        };
        let unchanged = |id: &String| match &replaced {
            Err(unsettled) => problem(unsettled),
            Ok(replaced) if replaced.contains(id) => problem(&failure(Cause::OtherRevision, id)),
            Ok(_) => problem(&no_item(id)),
        };
        let outcome = |id: &String| {
            let found = if let Err(invalid) = check_id(id) {
                Some(problem(&invalid))
            } else if changed.contains(id.as_str()) {
                None
            } else if let Some(found) = problems.get(id.as_str()) {
                Some(found.clone())
            } else {
                Some(unchanged(id))
            };
            Outcome { id: Some(id.clone()), problem: found }
        };
        Ok(ids.iter().map(outcome).collect())
    }

    /// Returns which of these ids items in some states have, once what was committed survives.
    pub(crate) async fn surviving(&self, deadline: Instant, ids: &[&str], states: &[i16]) -> Result<HashSet<String>> {
        self.settle(deadline).await?;
        let rows = self.query(deadline, STATES, &[&self.queue, &ids]).await?;
        Ok(rows.iter().filter(|row| states.contains(&row.get(1))).map(|row| row.get(0)).collect())
    }

    /// Verifies an item whole, and that it records its id.
    pub(crate) async fn verify_one(self: &Arc<Database>, deadline: Instant, id: &str) -> Result<()> {
        let mut item = self.open(deadline, id, Strictness::Full).await?;
        item.read_all(deadline, |_| {}).await?;
        let recorded_id = &item.reader.envelope().id;
        if recorded_id == id { Ok(()) } else { Err(failure(Cause::IdMismatch(recorded_id.clone()), id)) }
    }

    /// Verifies items whole.
    pub(crate) async fn verify(self: &Arc<Database>, ids: &[String]) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let failure = self.verify_one(self.deadline(), id).await.err();
            outcomes.push(Outcome { id: Some(id.clone()), problem: failure.as_ref().map(problem) });
        }
        Ok(outcomes)
    }

    /// Writes new checksums for items.
    pub(crate) async fn seal(self: &Arc<Database>, ids: &[String]) -> Result<Vec<Outcome>> {
        check_batch(ids.len())?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let failure = self.seal_one(id).await.err();
            outcomes.push(Outcome { id: Some(id.clone()), problem: failure.as_ref().map(problem) });
        }
        Ok(outcomes)
    }
}

/// Returns the ids that an item may have, in an order in which two calls do not wait for each other.
fn well_formed(ids: &[String]) -> Vec<&str> {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| check_id(id).is_ok()).collect();
    ids.sort_unstable();
    ids
}

/// The number of items that were changed.
fn done(outcomes: &[Outcome]) -> u64 {
    outcomes.iter().filter(|outcome| outcome.problem.is_none()).count() as u64
}
