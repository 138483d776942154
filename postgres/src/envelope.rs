//! Changes of an item's envelope. The body stays where it is; it is read, since the checksum of the whole covers it.

use crate::convert::{self, failure};
use crate::database::Database;
use crate::new_item::NewItem;
use queue_store::error::{Cause, Result as FormatResult};
use queue_store::item::envelope::Envelope;
use queue_store::item::parts::{Parts, PartsEncoder, Strictness};
use queue_store::queue::Attempt as FormatAttempt;
use queue_store_host::types::{Attempt, Durability, EnvelopeChange, ErrorCode, State};
use queue_store_host::{Error, Result};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;

/// Replaces the envelope of an item that is in one of these states, unless another change came first.
const REPLACE: &str = "UPDATE queue_store.item SET revision = $4, created = $5, head = $6, tail = $7, body_size = $9 \
     WHERE queue = $1 AND id = $2 AND revision = $3 AND state = ANY($8) \
     RETURNING true";

/// Attempts of a change that others precede.
const ATTEMPTS: usize = 8;

impl Database {
    /// Replaces parts of the envelope of an item that is ready or held, and returns the new revision.
    pub(crate) async fn update(
        self: &Arc<Database>,
        id: &str,
        change: &EnvelopeChange,
        durability: Durability,
    ) -> Result<String> {
        let if_revision = change.if_revision.as_deref();
        self.change_envelope(id, if_revision, durability, |envelope| convert::change(change).apply(envelope)).await
    }

    /// Records the results of delivery attempts, and returns the new revision.
    pub(crate) async fn record_attempts(
        self: &Arc<Database>,
        id: &str,
        attempts: &[Attempt],
        if_revision: Option<&str>,
        durability: Durability,
    ) -> Result<String> {
        let record = |envelope: &mut Envelope| FormatAttempt::record_all(convert::attempts(attempts), envelope);
        self.change_envelope(id, if_revision, durability, record).await
    }

    async fn change_envelope(
        self: &Arc<Database>,
        id: &str,
        if_revision: Option<&str>,
        durability: Durability,
        change: impl Fn(&mut Envelope) -> FormatResult<()>,
    ) -> Result<String> {
        let deadline = self.deadline();
        let mut has_settled = false;
        for _ in 0..ATTEMPTS {
            let result = self.try_change_envelope(deadline, id, if_revision, durability, &change).await;
            match result.as_ref().map_err(Error::code) {
                Err(Some(ErrorCode::Conflict)) if if_revision.is_none() => {}
                // Its removal may not survive yet.
                Err(Some(ErrorCode::NotFound)) if !has_settled => {
                    self.settle(deadline).await?;
                    has_settled = true;
                }
                _ => return result,
            }
        }
        Err(other_revision(id))
    }

    async fn try_change_envelope(
        self: &Arc<Database>,
        deadline: Instant,
        id: &str,
        if_revision: Option<&str>,
        durability: Durability,
        change: impl Fn(&mut Envelope) -> FormatResult<()>,
    ) -> Result<String> {
        let mut item = self.open(deadline, id, Strictness::Full).await?;
        if if_revision.is_some_and(|revision| revision != item.reader.revision()) {
            return Err(other_revision(id));
        }
        if item.state == State::Quarantined {
            return Err(failure(Cause::Quarantined, id));
        }
        let mut envelope = item.reader.take_envelope();
        if envelope.id != id {
            return Err(failure(Cause::IdMismatch(envelope.id), id));
        }
        change(&mut envelope).map_err(|cause| failure(cause, id))?;
        let mut encoder = PartsEncoder::new(&envelope).map_err(|cause| failure(cause, id))?;
        item.read_all(deadline, |bytes| encoder.body(bytes)).await?;
        let new = NewItem::new(&envelope, item.format, encoder);
        self.replace(deadline, id, item.revision, &new, &[State::Ready, State::Held], durability).await
    }

    /// Writes new checksums for an item that was edited, whose fields and body parse.
    pub(crate) async fn seal_one(self: &Arc<Database>, id: &str) -> Result<()> {
        let deadline = self.deadline();
        let mut item = self.open(deadline, id, Strictness::NoChecksums).await?;
        let envelope = item.reader.take_envelope();
        if envelope.id != id {
            return Err(failure(Cause::IdMismatch(envelope.id), id));
        }
        let mut encoder = PartsEncoder::new(&envelope).map_err(|cause| failure(cause, id))?;
        item.give_up_checksums();
        item.read_all(deadline, |bytes| encoder.body(bytes)).await?;
        let new = NewItem::new(&envelope, item.format, encoder);
        let states = [State::Ready, State::Held, State::Quarantined];
        self.replace(deadline, id, item.revision, &new, &states, Durability::Full).await.map(drop)
    }

    async fn replace(
        &self,
        deadline: Instant,
        id: &str,
        old_revision: i64,
        new: &NewItem,
        states: &[State],
        durability: Durability,
    ) -> Result<String> {
        let (Parts { head, tail, checksum }, states) = (&new.parts, convert::state_numbers(states));
        let revision = new.revision();
        let parameters: [&(dyn ToSql + Sync); 9] =
            [&self.queue, &id, &old_revision, &revision, &new.created, head, tail, &states, &new.body_size];
        if self.change(deadline, durability, REPLACE, &parameters).await?.is_empty() {
            return Err(other_revision(id));
        }
        self.counters.updates.add(1);
        Ok(queue_store::item::id::base64url(*checksum))
    }
}

fn other_revision(id: &str) -> Error {
    failure(Cause::OtherRevision, id)
}
