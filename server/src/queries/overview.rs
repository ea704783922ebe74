//! The project at a glance.

mod trends;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::PgConnection;
use tidewatch_app::model::{Overview, SettlementRow, Snapshot, Standing, TimeRange, Total, Waiting};
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::money::Currency;
use tidewatch_events::{Envelope, Permission, Subject, Timestamp, visible};
use tidewatch_modules::{Module, Record, Status};
use tidewatch_outbox::PublishedLog;
use time::{Duration, OffsetDateTime, Time};

pub(super) use self::trends::window_of;
use super::finish;
use crate::access::Caller;
use crate::db;
use crate::db::overview::Counted;
use crate::db::rollups::{EventSum, VolumeSum, Window};
use crate::domain::Modules;
use crate::error::Error;
use crate::state::AppState;

/// The module that the overview is about.
const SETTLEMENTS: &str = "settlements";
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
    let modules: Vec<&Module> = state.modules.descriptions().filter(|module| is_counted(module)).collect();
    let counted = Counts::of(db::overview::count_by_status(&mut snapshot, subject, &modules).await?);
    let count = |status: SettlementStatus| counted.get(&settlements.name, status.as_str());
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
    let (hour, charts) = (hour(now), trends::window_of(range, now));
    let [of_day, of_hour, of_charts] =
        db::rollups::event_sums(&mut snapshot, subject, [day, hour, charts], reach).await?;
    let [volume_of_day, volume_of_charts] =
        db::rollups::volume_sums(&mut snapshot, subject, [day, charts], reach).await?;
    let count_today =
        |of: fn(&EventSum) -> i64| of_day.iter().map(of).fold(0, i64::saturating_add).unsigned_abs();
    // Exactly here, and as others have told, which they do each second.
    let connections_here = state.hub.connections_of(subject.project_id) as u64;
    let overview = Overview {
        by_status: SettlementStatus::ALL.map(|status| (status, count(status))).to_vec(),
        ahead: ahead.collect::<Result<_, _>>()?,
        created_today: count_today(|sum| sum.created),
        settled_today: count_today(|sum| sum.settled),
        failed_today: count_today(|sum| sum.failed),
        volume_today: by_currency(&volume_of_day),
        needs_attention: attention.iter().map(row_of).collect::<Result<_, _>>()?,
        waiting: waiting(&state.modules, subject, &counted),
        per_minute: minutes(hour, &of_hour),
        trends: trends::of(range, charts, &of_charts, volume_of_charts),
        recent: recent(&mut snapshot, subject).await?,
        outbox_lag_ms: db::overview::outbox_lag_ms(&mut snapshot).await?,
        connections: connections_here
            + db::connections::count_elsewhere(&mut snapshot, subject.project_id, state.presence.instance())
                .await?,
    };
    finish(&mut snapshot, subject.project_id, overview).await
}

fn settlements(state: &AppState) -> Result<&Module, Error> {
    let domain = state.modules.find(SETTLEMENTS);
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

/// How many records of each module stand where.
struct Counts(BTreeMap<(String, String), u64>);

impl Counts {
    fn of(counted: Vec<Counted>) -> Self {
        let entry = |Counted { name, status, count }| ((name, status), count.unsigned_abs());
        Self(counted.into_iter().map(entry).collect())
    }

    fn get(&self, module: &str, status: &str) -> u64 {
        self.0.get(&(module.to_owned(), status.to_owned())).copied().unwrap_or(0)
    }
}

/// Whether the database counts a module's records as they change (`count_records` of the migrations): the overview tells of
/// them.
#[must_use]
pub fn is_counted(module: &Module) -> bool {
    module.name == SETTLEMENTS || module.statuses.iter().any(|status| status.waits)
}

/// What waits for a person in the modules that the subject may look into.
fn waiting(modules: &Modules, subject: &Subject, counted: &Counts) -> Vec<Waiting> {
    let seen = modules.descriptions().filter(|module| subject.permissions.contains(&module.read));
    let waits = |module: &'_ Module| {
        let waiting = |status: &Status| Waiting {
            module: module.name.to_string(),
            aggregate_type: module.aggregate_type.clone(),
            status: status.name.to_string(),
            label: format!("{} {}", status.label, module.title.to_lowercase()),
            tone: status.tone,
            total: Total { count: counted.get(&module.name, &status.name), estimated: false },
        };
        module.statuses.iter().filter(|status| status.waits).map(waiting).collect::<Vec<_>>()
    };
    seen.flat_map(waits).collect()
}

/// The last hour, by minutes.
fn hour(now: OffsetDateTime) -> Window {
    let this_minute = now.replace_time(Time::from_hms(now.hour(), now.minute(), 0).unwrap_or(Time::MIDNIGHT));
    let to = this_minute + Duration::MINUTE;
    let minutes = i32::try_from(Overview::MINUTES).unwrap_or(60);
    Window { from: to - Duration::MINUTE * minutes, to, bucket_seconds: 60 }
}

/// Every minute of the last hour, those without an event too.
fn minutes(hour: Window, sums: &[EventSum]) -> Vec<(Timestamp, u32)> {
    let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
    for sum in sums {
        *counted.entry(sum.from.unix_timestamp()).or_default() += sum.settled + sum.failed;
    }
    hour.steps()
        .map(|minute| {
            let count = counted.get(&minute.unix_timestamp()).copied().unwrap_or(0);
            (Timestamp::from(minute), u32::try_from(count).unwrap_or(u32::MAX))
        })
        .collect()
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
