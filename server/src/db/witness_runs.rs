//! The tables `witness_runs` and `witness_incidents`: what the witness found, and whom it told.

use sqlx::{PgConnection, PgPool};
use tidewatch_app::model::{WitnessOutcome, WitnessReport, WitnessRun};
use tidewatch_events::ProjectId;
use tidewatch_events::id::{AutomationId, RecordId};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the ids of runs begin with.
const PREFIX: &str = "wit";
/// Days for which runs are kept.
const KEPT_DAYS: i32 = 90;

/// Notes that a run has begun.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn begin(
    connection: &mut PgConnection,
    project: ProjectId,
    run: Uuid,
    automation: &RecordId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into witness_runs (id, project_id, automation_id, started_at)
         values ($1, $2, $3, clock_timestamp())",
    )
    .bind(run)
    .bind(project.uuid())
    .bind(automation.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// Notes what a run came to, and forgets those of long ago.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn finish(
    connection: &mut PgConnection,
    project: ProjectId,
    run: Uuid,
    outcome: WitnessOutcome,
    report: &serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update witness_runs set finished_at = clock_timestamp(), outcome = $3, report = $4
         where project_id = $1 and id = $2 and finished_at is null",
    )
    .bind(project.uuid())
    .bind(run)
    .bind(outcome.as_str())
    .bind(report)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from witness_runs where project_id = $1 and started_at < now() - make_interval(days => $2)",
    )
    .bind(project.uuid())
    .bind(KEPT_DAYS)
    .execute(connection)
    .await
    .map(drop)
}

/// How many differences the last run in each project found that could look.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn drifts(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum((last.report ->> 'driftCount')::bigint), 0)::bigint
         from projects p cross join lateral (
             select report from witness_runs
             where project_id = p.id and outcome <> 'failed'
             order by started_at desc, id desc limit 1) last",
    )
    .fetch_one(connection)
    .await
}

/// Runs that have begun and not ended, with their automations.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unfinished(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(Uuid, Option<Uuid>)>, sqlx::Error> {
    sqlx::query_as(
        "select id, automation_id from witness_runs where project_id = $1 and finished_at is null order by id",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}

type RunRow = (
    Uuid,
    Option<Uuid>,
    OffsetDateTime,
    Option<OffsetDateTime>,
    Option<String>,
    i64,
    i64,
    i64,
    Option<String>,
);

/// The last runs, newest first, without their reports.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn newest(
    connection: &mut PgConnection,
    project: ProjectId,
    limit: u32,
) -> Result<Vec<WitnessRun>, sqlx::Error> {
    let rows: Vec<RunRow> = sqlx::query_as(
        "select id, automation_id, started_at, finished_at, outcome,
                coalesce((report ->> 'records')::bigint, 0), coalesce((report ->> 'events')::bigint, 0),
                coalesce((report ->> 'driftCount')::bigint, 0), report ->> 'error'
         from witness_runs where project_id = $1 order by started_at desc, id desc limit $2",
    )
    .bind(project.uuid())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, automation, started_at, finished_at, outcome, records, events, drifts, error)| {
            WitnessRun {
                id: RecordId::new(PREFIX, id),
                automation_id: automation.map(|id| RecordId::new(AutomationId::PREFIX, id)),
                started_at: started_at.into(),
                finished_at: finished_at.map(Into::into),
                outcome: WitnessOutcome::ALL.into_iter().find(|one| Some(one.as_str()) == outcome.as_deref()),
                records: records.unsigned_abs(),
                events: events.unsigned_abs(),
                drift_count: drifts.unsigned_abs(),
                error,
            }
        })
        .collect())
}

/// The report of the newest run that could look.
///
/// # Errors
/// Postgres refused or could not be reached, or what is stored is no report.
pub async fn newest_report(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Option<WitnessReport>, sqlx::Error> {
    let report: Option<serde_json::Value> = sqlx::query_scalar(
        "select report from witness_runs where project_id = $1 and outcome in ('clean', 'drift')
         order by started_at desc, id desc limit 1",
    )
    .bind(project.uuid())
    .fetch_optional(connection)
    .await?;
    report
        .map(|report| serde_json::from_value(report).map_err(|error| sqlx::Error::Decode(error.into())))
        .transpose()
}

/// The witness's incidents that are not resolved, each with what it is about, oldest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unresolved_incidents(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    sqlx::query_as(
        "select w.incident_id, w.about from witness_incidents w join incidents i on i.id = w.incident_id
         where w.project_id = $1 and i.status <> 'resolved' order by w.incident_id",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}

/// Notes that an incident is the witness's.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn add_incident(
    connection: &mut PgConnection,
    project: ProjectId,
    incident: &RecordId,
    about: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into witness_incidents (incident_id, project_id, about) values ($1, $2, $3)")
        .bind(incident.uuid())
        .bind(project.uuid())
        .bind(about)
        .execute(connection)
        .await
        .map(drop)
}

/// Projects without an unfinished job of this kind and key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn projects_without_job(
    pool: &PgPool,
    kind: &str,
    key: &str,
) -> Result<Vec<ProjectId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select p.id from projects p where not exists (
             select from jobs j where j.kind = $1 and j.unique_key = $2 and j.project_id = p.id
                and j.state in ('scheduled', 'waiting', 'running'))
         order by p.id",
    )
    .bind(kind)
    .bind(key)
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(ProjectId::from_uuid).collect())
}
