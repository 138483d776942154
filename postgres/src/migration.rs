//! The tables, made and changed by numbered migrations.

use crate::database::{Database, Lease};
use crate::sql_error::{SqlError, error, only, record};
use queue_store_host::Result;
use queue_store_host::types::ErrorCode;
use tokio::time::{Instant, timeout_at};

/// The migrations, of which the first has the number 1.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1.sql")];

/// The number of the last migration that was applied: none or 0 in a database that has no tables.
const APPLIED: &str = "SELECT max(number) FROM queue_store.migration";

const HAS_TABLES: &str = "SELECT to_regclass('queue_store.migration') IS NOT NULL";

/// A number of this crate's own, under which those that migrate wait for each other.
const LOCK: i64 = 0x7175_6575_6573_746f;

impl Database {
    /// Applies the migrations that the database lacks, and refuses one that has newer ones.
    pub(crate) async fn migrate(&self, deadline: Instant) -> Result<()> {
        let lease = self.first_lease(deadline).await?;
        let migrate = async {
            // Most often nothing is to be done, and a user that may not make tables can do it.
            if applied(&lease).await? == MIGRATIONS.len() {
                return Ok(());
            }
            lease
                .execute(&format!(
                    "BEGIN; SELECT pg_advisory_xact_lock({LOCK}); CREATE SCHEMA IF NOT EXISTS queue_store"
                ))
                .await?;
            for (place, migration) in MIGRATIONS.iter().enumerate().skip(applied(&lease).await?) {
                let number = place + 1;
                lease.execute(migration).await?;
                lease.execute(&format!("INSERT INTO queue_store.migration (number) VALUES ({number})")).await?;
            }
            lease.execute("COMMIT").await
        };
        let result = timeout_at(deadline, migrate).await.unwrap_or_else(|_| Err(SqlError::timed_out()));
        if result.is_err() {
            // In the middle of a transaction.
            lease.give_up();
        }
        result.map_err(|cause| match cause {
            SqlError::Lost(detail) => error(ErrorCode::Io, format!("making the tables: {detail}")),
            cause => cause.into(),
        })
    }
}

/// Returns the number of migrations that were applied.
async fn applied(lease: &Lease) -> Result<usize, SqlError> {
    if !only(lease.query(HAS_TABLES, &[]).await?)?.get::<_, bool>(0) {
        return Ok(0);
    }
    let applied = only(lease.query(APPLIED, &[]).await?)?.get::<_, Option<i32>>(0).unwrap_or(0) as usize;
    if applied > MIGRATIONS.len() {
        let detail = format!(
            "the tables are of a newer version: {applied} migrations were applied, and this version knows {}",
            MIGRATIONS.len()
        );
        return Err(SqlError::Refused(record(ErrorCode::Unsupported, detail)));
    }
    Ok(applied)
}
