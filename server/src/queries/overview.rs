//! The project at a glance.

mod trends;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::PgConnection;
use tidewatch_app::model::{Overview, SettlementRow, Snapshot, Standing, TimeRange, Waiting};
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::money::Currency;
use tidewatch_events::{Envelope, Permission, Subject, Timestamp, visible};
use tidewatch_modules::{Module, Record, RecordQuery};
use tidewatch_outbox::PublishedLog;
use time::{Duration, OffsetDateTime, Time};

use super::finish;
use super::records::total_of;
use crate::access::Caller;
use crate::db;
use crate::db::rollups::{EventSum, VolumeSum, Window};
use crate::domain::Modules;
use crate::error::Error;
use crate::state::AppState;

/// How long an open settlement may stand still before it needs a person.
const STUCK_AFTER: Duration = Duration::minutes(10);
/// A day is summed up in as few steps as there are, of so many seconds.
const DAY_STEP: u32 = TimeRange::Week.bucket_seconds();

/// The overview as the caller may see it, its charts over `range`. It is read once for all who ask at the same moment
/// and see the same, and kept for a moment: see [`crate::reads`].
///
/// # Errors
/// 403 without `settlements.read`; 503 when Postgres is away.
pub async fn overview(
    state: &AppState,
    caller: &Caller,
    range: TimeRange,
) -> Result<Arc<Snapshot<Overview>>, Error> {
    // Whoever asks is asked for the right each time: what is kept was read for somebody who had it.
    caller.require(&Permission::SETTLEMENTS_READ)?;
    let read = read(state, &caller.subject, range);
    state.reads.overview.get(&caller.subject, range, read).await
}

async fn read(state: &AppState, subject: &Subject, range: TimeRange) -> Result<Snapshot<Overview>, Error> {
    let settlements = settlements(state)?;
    let now = OffsetDateTime::now_utc();
    let today = now.replace_time(Time::MIDNIGHT);
    let mut snapshot = db::begin_snapshot(&state.pool, subject.project_id).await?;
    let counted: BTreeMap<String, i64> =
        db::overview::count_by_status(&mut snapshot, subject).await?.into_iter().collect();
    let count =
        |status: SettlementStatus| counted.get(status.as_str()).map_or(0, |count| count.unsigned_abs());
    let attention = db::settlements::needing_attention(
        &mut snapshot,
        settlements,
        subject,
        now - STUCK_AFTER,
        most(Overview::MAX_ATTENTION),
    )
    .await?;
    let ahead =
        db::settlements::ahead_of_log(&mut snapshot, settlements, subject, most(Overview::MAX_AHEAD)).await?;
    let ahead = ahead
        .iter()
        .map(row_of)
        .map(|row| row.map(|row| Standing { id: row.id, status: row.status, version: row.version }));
    let reach = db::rollups::reach(&mut snapshot, subject.project_id).await?;
    let day = Window { from: today, to: today + Duration::DAY, bucket_seconds: DAY_STEP };
    let events = db::rollups::event_sums(&mut snapshot, subject, day, reach).await?;
    let count_today =
        |of: fn(&EventSum) -> i64| events.iter().map(of).fold(0, i64::saturating_add).unsigned_abs();
    let volume = db::rollups::volume_sums(&mut snapshot, subject, day, reach).await?;
    let overview = Overview {
        by_status: SettlementStatus::ALL.map(|status| (status, count(status))).to_vec(),
        ahead: ahead.collect::<Result<_, _>>()?,
        created_today: count_today(|sum| sum.created),
        settled_today: count_today(|sum| sum.settled),
        failed_today: count_today(|sum| sum.failed),
        volume_today: by_currency(&volume),
        needs_attention: attention.iter().map(row_of).collect::<Result<_, _>>()?,
        waiting: waiting(&mut snapshot, &state.modules, subject).await?,
        per_minute: minutes(&mut snapshot, subject, now, reach).await?,
        trends: trends::read(&mut snapshot, subject, range, now, reach).await?,
        recent: recent(&mut snapshot, subject).await?,
        outbox_lag_ms: db::overview::outbox_lag_ms(&mut snapshot).await?,
        connections: u64::try_from(state.hub.connections_of(subject.project_id)).unwrap_or(u64::MAX),
    };
    finish(&mut snapshot, subject.project_id, overview).await
}

fn settlements(state: &AppState) -> Result<&Module, Error> {
    let domain = state.modules.find("settlements");
    domain.map(|domain| domain.module()).ok_or_else(|| Error::Internal("there are no settlements".to_owned()))
}

fn most(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// The last events that the subject may see, newest first.
async fn recent(snapshot: &mut PgConnection, subject: &Subject) -> Result<Vec<Envelope>, Error> {
    let events = PublishedLog::newest(snapshot, subject.project_id, Overview::MAX_RECENT * 5).await?;
    Ok(events
        .into_iter()
        .filter(|event| visible(&event.routing, subject))
        .take(Overview::MAX_RECENT)
        .map(|event| event.envelope)
        .collect())
}

/// What waits for a person in the modules that the subject may look into.
async fn waiting(
    snapshot: &mut PgConnection,
    modules: &Modules,
    subject: &Subject,
) -> Result<Vec<Waiting>, Error> {
    let mut waiting = Vec::new();
    for module in modules.descriptions().filter(|module| subject.permissions.contains(&module.read)) {
        for status in module.statuses.iter().filter(|status| status.waits) {
            let asked = RecordQuery { status: Some(status.name.to_string()), ..RecordQuery::default() };
            let total = total_of(db::records::count(snapshot, module, subject, &asked).await?);
            waiting.push(Waiting {
                module: module.name.to_string(),
                aggregate_type: module.aggregate_type.clone(),
                status: status.name.to_string(),
                label: format!("{} {}", status.label, module.title.to_lowercase()),
                tone: status.tone,
                total,
            });
        }
    }
    Ok(waiting)
}

/// Every minute of the last hour, those without an event too.
async fn minutes(
    snapshot: &mut PgConnection,
    subject: &Subject,
    now: OffsetDateTime,
    reach: i64,
) -> Result<Vec<(Timestamp, u32)>, Error> {
    let minutes = i32::try_from(Overview::MINUTES).unwrap_or(60);
    let this_minute = now.replace_time(Time::from_hms(now.hour(), now.minute(), 0).unwrap_or(Time::MIDNIGHT));
    let first = this_minute - Duration::MINUTE * (minutes - 1);
    let hour = Window { from: first, to: this_minute + Duration::MINUTE, bucket_seconds: 60 };
    let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
    for sum in db::rollups::event_sums(snapshot, subject, hour, reach).await? {
        *counted.entry(sum.from.unix_timestamp()).or_default() += sum.settled + sum.failed;
    }
    Ok((0..minutes)
        .map(|index| {
            let minute = first + Duration::MINUTE * index;
            let count = counted.get(&minute.unix_timestamp()).copied().unwrap_or(0);
            (Timestamp::from(minute), u32::try_from(count).unwrap_or(u32::MAX))
        })
        .collect())
}

/// What was settled by currency, most first. What is no currency, in events of others, does not count.
fn by_currency(volume: &[VolumeSum]) -> Vec<(Currency, i64)> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for part in volume {
        let Ok(currency) = part.currency.parse() else { continue };
        let sum = sums.entry(currency).or_default();
        *sum = sum.saturating_add(part.amount_minor);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, minor)| Reverse(*minor));
    sums
}

/// A settlement as the overview shows it.
fn row_of(record: &Record) -> Result<SettlementRow, Error> {
    Ok(serde_json::from_value(serde_json::to_value(record)?)?)
}
