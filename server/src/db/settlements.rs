//! The table `settlements`.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{SettlementCursor, Standing};
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::{OrganizationId, SettlementId};
use tidewatch_events::{AggregateType, ProjectId, Subject, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::visibility::SubjectColumns;
use crate::domain::settlement::Settlement;

/// A row as the database has it.
#[derive(FromRow)]
struct SettlementRow {
    id: Uuid,
    project_id: Uuid,
    organization_id: Option<Uuid>,
    reference: String,
    amount_minor: i64,
    currency: String,
    network: Option<String>,
    status: String,
    held_from: Option<String>,
    hold_reason: Option<String>,
    confirmations: i32,
    required: i32,
    gas_estimate: Option<i64>,
    gas_actual: Option<i64>,
    tx_hash: Option<String>,
    error: Option<String>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<SettlementRow> for Settlement {
    type Error = sqlx::Error;

    fn try_from(row: SettlementRow) -> Result<Self, sqlx::Error> {
        fn parse<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
            text: &str,
        ) -> Result<T, sqlx::Error> {
            text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
        }
        Ok(Self {
            id: SettlementId::from_uuid(row.id),
            project_id: ProjectId::from_uuid(row.project_id),
            organization_id: row.organization_id.map(OrganizationId::from_uuid),
            reference: row.reference,
            amount_minor: row.amount_minor,
            currency: parse(&row.currency)?,
            network: row.network.as_deref().map(parse).transpose()?,
            status: parse(&row.status)?,
            held_from: row.held_from.as_deref().map(parse).transpose()?,
            hold_reason: row.hold_reason,
            confirmations: row.confirmations.unsigned_abs(),
            required: row.required.unsigned_abs(),
            gas_estimate: row.gas_estimate,
            gas_actual: row.gas_actual,
            tx_hash: row.tx_hash,
            error: row.error,
            version: row.version,
            created_at: Timestamp::from(row.created_at),
            updated_at: Timestamp::from(row.updated_at),
        })
    }
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Writes a new settlement.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(connection: &mut PgConnection, settlement: &Settlement) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into settlements (id, project_id, reference, amount_minor, currency, network, status, version,
                                  created_at, updated_at, organization_id, audience)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
    )
    .bind(settlement.id.uuid())
    .bind(settlement.project_id.uuid())
    .bind(&settlement.reference)
    .bind(settlement.amount_minor)
    .bind(settlement.currency.as_str())
    .bind(settlement.network.as_ref().map(|network| network.as_str()))
    .bind(settlement.status.as_str())
    .bind(settlement.version)
    .bind(settlement.created_at.into_inner())
    .bind(settlement.organization_id.map(OrganizationId::uuid))
    .bind(settlement.audience().iter().map(ToString::to_string).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

/// Writes the state after a move.
///
/// # Errors
/// Postgres refused (a constraint) or could not be reached.
pub async fn update(connection: &mut PgConnection, settlement: &Settlement) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update settlements
         set network = $3, status = $4, held_from = $5, hold_reason = $6, confirmations = $7, required = $8,
             gas_estimate = $9, gas_actual = $10, tx_hash = $11, error = $12, version = $13, updated_at = $14
         where project_id = $1 and id = $2",
    )
    .bind(settlement.project_id.uuid())
    .bind(settlement.id.uuid())
    .bind(settlement.network.as_ref().map(|network| network.as_str()))
    .bind(settlement.status.as_str())
    .bind(settlement.held_from.map(SettlementStatus::as_str))
    .bind(&settlement.hold_reason)
    .bind(signed(settlement.confirmations))
    .bind(signed(settlement.required))
    .bind(settlement.gas_estimate)
    .bind(settlement.gas_actual)
    .bind(&settlement.tx_hash)
    .bind(&settlement.error)
    .bind(settlement.version)
    .bind(settlement.updated_at.into_inner())
    .execute(connection)
    .await
    .map(drop)
}

/// One settlement, if the subject may see it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    subject: &Subject,
    id: SettlementId,
) -> Result<Option<Settlement>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    let row: Option<SettlementRow> = sqlx::query_as(
        "select * from settlements
         where project_id = $1 and id = $2 and visible_to('{settlements.read}', audience, $3, $4)",
    )
    .bind(subject.project_id.uuid())
    .bind(id.uuid())
    .bind(held)
    .bind(names)
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// One settlement that is for the subject, locked until the transaction ends: commands on it stand
/// in line. Whether it may act on it is for the caller to ask.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    subject: &Subject,
    id: SettlementId,
) -> Result<Option<Settlement>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    let row: Option<SettlementRow> = sqlx::query_as(
        "select * from settlements where project_id = $1 and id = $2 and visible_to('{}', audience, $3, $4)
         for no key update",
    )
    .bind(subject.project_id.uuid())
    .bind(id.uuid())
    .bind(held)
    .bind(names)
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// At most `limit` settlements that the subject may see, behind the cursor, newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    subject: &Subject,
    status: Option<SettlementStatus>,
    after: Option<SettlementCursor>,
    limit: u32,
) -> Result<Vec<Settlement>, sqlx::Error> {
    // Two texts instead of `$2 is null or …`, so that each has its index.
    let query = match status {
        None => sqlx::query_as::<_, SettlementRow>(
            "select * from settlements
             where project_id = $1 and $2::text is null and (created_at, id) < ($3, $4)
               and visible_to('{settlements.read}', audience, $6, $7)
             order by created_at desc, id desc limit $5",
        ),
        Some(_) => sqlx::query_as(
            "select * from settlements
             where project_id = $1 and status = $2 and (created_at, id) < ($3, $4)
               and visible_to('{settlements.read}', audience, $6, $7)
             order by created_at desc, id desc limit $5",
        ),
    };
    // Behind every row when there is no cursor.
    let (created_at, id) = after
        .map_or((time::macros::datetime!(9999-12-31 23:59:59 UTC), Uuid::max()), |cursor| {
            (cursor.created_at.into_inner(), cursor.id.uuid())
        });
    let SubjectColumns { held, names } = subject.into();
    let rows = query
        .bind(subject.project_id.uuid())
        .bind(status.map(SettlementStatus::as_str))
        .bind(created_at)
        .bind(id)
        .bind(i64::from(limit))
        .bind(held)
        .bind(names)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Settlements that need a person: failed, held, or open without a change since `stuck_since`;
/// the longest waiting first. Only those that the subject may see.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn needing_attention(
    connection: &mut PgConnection,
    subject: &Subject,
    stuck_since: OffsetDateTime,
    limit: u32,
) -> Result<Vec<Settlement>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    let rows: Vec<SettlementRow> = sqlx::query_as(
        "select * from settlements
         where project_id = $1 and (status in ('failed', 'held') or (status <> 'settled' and updated_at < $2))
           and visible_to('{settlements.read}', audience, $4, $5)
         order by updated_at, id limit $3",
    )
    .bind(subject.project_id.uuid())
    .bind(stuck_since)
    .bind(i64::from(limit))
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Where those settlements stand of which an event is recorded and not yet published. Only those
/// that the subject may see.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ahead_of_log(
    connection: &mut PgConnection,
    subject: &Subject,
    limit: u32,
) -> Result<Vec<Standing>, sqlx::Error> {
    let project = subject.project_id.uuid();
    let names: Vec<String> = sqlx::query_scalar(
        "select distinct aggregate_id from domain_events
         where project_id = $1 and aggregate_type = $3 and position is null limit $2",
    )
    .bind(project)
    .bind(i64::from(limit))
    .bind(AggregateType::SETTLEMENT.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<Uuid> =
        names.iter().filter_map(|name| name.parse::<SettlementId>().ok()).map(|id| id.uuid()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let SubjectColumns { held, names } = subject.into();
    let rows: Vec<SettlementRow> = sqlx::query_as(
        "select * from settlements
         where project_id = $1 and id = any($2) and visible_to('{settlements.read}', audience, $3, $4)",
    )
    .bind(project)
    .bind(ids)
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Settlement::try_from(row).map(|row| Standing {
                id: row.id,
                status: row.status,
                version: row.version,
            })
        })
        .collect()
}
