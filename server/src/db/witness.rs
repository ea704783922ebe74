//! What the witness reads: tables and log side by side, as of one moment, a little at a time.
//!
//! Cursors hand out rows and events in the order of their ids, a batch at a time, so that neither side is ever held
//! in memory. Indexes have that order: the primary keys of the tables, and of the log the key of an aggregate's
//! versions, partition by partition (a Merge Append).

use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, Transaction};
use tidewatch_events::{AggregateType, ProjectId, Timestamp};
use tidewatch_modules::{Module, Record};
use time::OffsetDateTime;
use uuid::Uuid;

use super::records;
use crate::witness::fold::StoredEvent;
use crate::witness::horizon::Horizon;

/// Rows and events that are read at once.
const BATCH: usize = 500;

/// What lets the witness read on undisturbed until it is dropped: retention drops nothing meanwhile, and nobody else
/// looks at this project.
///
/// A transaction of its own, which must begin before the one that reads: what it waits for would be behind that one's
/// moment. Retention asks for the same lock and, where it does not get it, comes again later; else it would wait for
/// the witness with a lock in its hand for which all who record an event wait.
pub struct Turn(#[expect(dead_code, reason = "held for its locks")] Transaction<'static, Postgres>);

impl Turn {
    /// The turn; `None` while retention is at work, or somebody else looks at this project.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn take(pool: &PgPool, project: ProjectId) -> Result<Option<Self>, sqlx::Error> {
        let mut transaction = super::begin_change(pool, project).await?;
        let taken: bool = sqlx::query_scalar(
            "select pg_try_advisory_xact_lock_shared(hashtext('tidewatch retention'))
                and pg_try_advisory_xact_lock(hashtextextended('tidewatch witness ' || $1, 0))",
        )
        .bind(project.uuid().to_string())
        .fetch_one(&mut *transaction)
        .await?;
        Ok(taken.then_some(Self(transaction)))
    }
}

/// How far back the log goes, as this transaction sees it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn horizon(connection: &mut PgConnection, oldest_position: i64) -> Result<Horizon, sqlx::Error> {
    let oldest_day: Option<OffsetDateTime> = sqlx::query_scalar(
        "select min(to_date(right(c.relname, 8), 'YYYYMMDD'))::timestamp at time zone 'utc'
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'domain_events'::regclass and c.relname ~ '^domain_events_\\d{8}$'",
    )
    .fetch_one(connection)
    .await?;
    Ok(Horizon { oldest_position, oldest_day: oldest_day.map(Timestamp::from) })
}

/// A cursor of Postgres, with the batch that was read last.
struct Cursor<T> {
    name: &'static str,
    read: std::vec::IntoIter<T>,
    is_done: bool,
}

impl<T: Send + Unpin + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>> Cursor<T> {
    /// `select` comes from what is compiled in, and from UUIDs.
    async fn open(
        connection: &mut PgConnection,
        name: &'static str,
        select: &str,
    ) -> Result<Self, sqlx::Error> {
        let declare = format!("declare {name} no scroll cursor for {select}");
        connection.execute(AssertSqlSafe(declare)).await?;
        Ok(Self { name, read: Vec::new().into_iter(), is_done: false })
    }

    async fn next(&mut self, connection: &mut PgConnection) -> Result<Option<T>, sqlx::Error> {
        if self.read.len() == 0 && !self.is_done {
            let fetch = format!("fetch {BATCH} from {}", self.name);
            // Not kept as a prepared statement: the next cursor of this name has other columns.
            let batch: Vec<T> =
                sqlx::query_as(AssertSqlSafe(fetch)).persistent(false).fetch_all(connection).await?;
            self.is_done = batch.len() < BATCH;
            self.read = batch.into_iter();
        }
        Ok(self.read.next())
    }

    async fn close(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        connection.execute(AssertSqlSafe(format!("close {}", self.name))).await.map(drop)
    }
}

/// Where the rows of a table and the events of them are read, side by side.
pub struct SideBySide<'m> {
    module: &'m Module,
    rows: Cursor<(serde_json::Value,)>,
    events: Cursor<EventRow>,
}

type EventRow = (String, i64, String, OffsetDateTime, Option<i64>, serde_json::Value);

impl<'m> SideBySide<'m> {
    /// Those of a module.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn of_module(
        connection: &mut PgConnection,
        project: ProjectId,
        module: &'m Module,
    ) -> Result<Self, sqlx::Error> {
        let rows = format!(
            "select to_jsonb(t) - '{{search,audience}}'::text[] from {} t where project_id = '{}' order by id",
            module.name,
            project.uuid()
        );
        Self::open(connection, module, &rows, &events_of(project, &module.aggregate_type, "payload")).await
    }

    /// Those of comments, as if they were records: `module` describes them.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn of_comments(
        connection: &mut PgConnection,
        project: ProjectId,
        module: &'m Module,
    ) -> Result<Self, sqlx::Error> {
        let rows = format!(
            "select jsonb_build_object('id', id, 'status', 'written', 'version', version, 'about', about,
                        'actor', actor, 'text', text, 'created_at', created_at, 'updated_at', created_at)
             from comments where project_id = '{}' order by id",
            project.uuid()
        );
        let payload = "payload || jsonb_build_object('status', 'written', 'actor', metadata -> 'actor')";
        Self::open(connection, module, &rows, &events_of(project, &module.aggregate_type, payload)).await
    }

    async fn open(
        connection: &mut PgConnection,
        module: &'m Module,
        rows: &str,
        events: &str,
    ) -> Result<Self, sqlx::Error> {
        Ok(Self {
            module,
            rows: Cursor::open(connection, "witness_rows", rows).await?,
            events: Cursor::open(connection, "witness_events", events).await?,
        })
    }

    /// The next row, by id.
    ///
    /// # Errors
    /// Postgres refused or could not be reached, or the row is not the module's.
    pub async fn next_row(&mut self, connection: &mut PgConnection) -> Result<Option<Record>, sqlx::Error> {
        let row = self.rows.next(connection).await?;
        row.map(|(row,)| records::read(self.module, row)).transpose()
    }

    /// The next event, by the id of what it happened to, and by version.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn next_event(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<Option<StoredEvent>, sqlx::Error> {
        let event = self.events.next(connection).await?;
        Ok(event.map(|(aggregate_id, version, event_type, occurred_at, position, payload)| StoredEvent {
            aggregate_id,
            version,
            event_type,
            occurred_at: occurred_at.into(),
            position,
            payload,
        }))
    }

    /// Gives both cursors back.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn close(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.rows.close(connection).await?;
        self.events.close(connection).await
    }
}

fn events_of(project: ProjectId, aggregate_type: &AggregateType, payload: &str) -> String {
    format!(
        "select aggregate_id, aggregate_version, event_type, occurred_at, position, {payload}
         from domain_events where project_id = '{}' and aggregate_type = '{}'
         order by aggregate_id, aggregate_version",
        project.uuid(),
        aggregate_type.as_str()
    )
}

/// What the ledger says of a balance. Sums are exact, whatever they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerOfBalance {
    /// How many entries it has.
    pub entries: i64,
    /// What they come to.
    pub sum: i128,
    /// What those from a version on come to.
    pub sum_since: i128,
}

/// What the ledger says of a balance, in all and from a version on.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ledger_of_balance(
    connection: &mut PgConnection,
    balance: Uuid,
    since: i64,
) -> Result<LedgerOfBalance, sqlx::Error> {
    let (entries, sum, sum_since): (i64, String, String) = sqlx::query_as(
        "select count(*), coalesce(sum(delta_minor), 0)::text,
                coalesce(sum(delta_minor) filter (where balance_version >= $2), 0)::text
         from ledger_entries where balance_id = $1",
    )
    .bind(balance)
    .bind(since)
    .fetch_one(connection)
    .await?;
    Ok(LedgerOfBalance { entries, sum: whole(&sum)?, sum_since: whole(&sum_since)? })
}

/// What all accounts of a currency come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencySum {
    /// ISO 4217.
    pub currency: String,
    /// How many accounts.
    pub accounts: i64,
    /// The sum of those above zero.
    pub debit: i128,
    /// The sum of all.
    pub sum: i128,
}

/// What the accounts of each currency come to.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn sums_by_currency(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<CurrencySum>, sqlx::Error> {
    let rows: Vec<(String, i64, String, String)> = sqlx::query_as(
        "select currency, count(*), coalesce(sum(balance_minor) filter (where balance_minor > 0), 0)::text,
                sum(balance_minor)::text
         from balances where project_id = $1 group by currency order by currency",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(currency, accounts, debit, sum)| {
            Ok(CurrencySum { currency, accounts, debit: whole(&debit)?, sum: whole(&sum)? })
        })
        .collect()
}

/// At most `limit` movements of money whose entries do not come to zero: which, in which currency, and to what they
/// come; with how many there are.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unbalanced_movements(
    connection: &mut PgConnection,
    project: ProjectId,
    limit: usize,
) -> Result<(Vec<(Uuid, String, String)>, u64), sqlx::Error> {
    let rows: Vec<(Uuid, String, String, i64)> = sqlx::query_as(
        "select transaction_id, currency, sum(delta_minor)::text, count(*) over ()
         from ledger_entries where project_id = $1
         group by transaction_id, currency having sum(delta_minor) <> 0
         order by transaction_id, currency limit $2",
    )
    .bind(project.uuid())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let count = rows.first().map_or(0, |row| row.3.unsigned_abs());
    Ok((rows.into_iter().map(|(id, currency, sum, _)| (id, currency, sum)).collect(), count))
}

fn whole(text: &str) -> Result<i128, sqlx::Error> {
    text.parse().map_err(|_| sqlx::Error::Decode("a sum is no whole number".into()))
}
