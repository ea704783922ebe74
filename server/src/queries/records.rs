//! Records of all modules.

use serde_json::{Value, json};
use sqlx::PgConnection;
use tidewatch_app::model::{EventSteps, RecordCharts, StandingCount, TimeRange, Total};
use tidewatch_events::Timestamp;
use tidewatch_events::id::RecordId;
use tidewatch_modules::{Chart, Cursor, Module, ParseCursorError, Record, RecordQuery, Status};
use time::OffsetDateTime;
use uuid::Uuid;

use super::cut_page;
use super::overview::window_of;
use crate::access::Caller;
use crate::db;
use crate::db::records::{Count, Search};
use crate::db::rollups::Window;
use crate::error::Error;

/// Whether a query asks for what the module has.
///
/// # Errors
/// 400 that names the parameter and what it may be.
pub fn check(module: &Module, asked: &RecordQuery) -> Result<(), Error> {
    let unknown = asked.statuses().find(|name| module.status(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<&str> = module.statuses.iter().map(|status| &*status.name).collect();
        return Err(Error::parameter(
            "status",
            format!("`{unknown}` is no status of {}; they are {}", module.name, known.join(", ")),
        ));
    }
    for name in asked.fields.keys() {
        if module.field(name).is_none_or(|field| field.choices.is_empty()) {
            return Err(Error::parameter(name.clone(), format!("narrows no list of {}", module.name)));
        }
    }
    cursor_of(asked).map(drop)
}

/// Where the page begins.
///
/// # Errors
/// 400 for what is no cursor.
pub fn cursor_of(asked: &RecordQuery) -> Result<Option<Cursor>, Error> {
    let after = asked.after.as_deref();
    after
        .map(|text| text.parse().map_err(|error: ParseCursorError| Error::parameter("after", error)))
        .transpose()
}

/// A page of what a search finds, and the cursor of the following one.
///
/// # Errors
/// 400 for what is no cursor; Postgres refused or could not be reached.
pub async fn page(
    connection: &mut PgConnection,
    search: &Search<'_>,
) -> Result<(Vec<Record>, Option<String>), Error> {
    let Search { module, asked, .. } = search;
    let after = cursor_of(asked)?;
    let limit = asked.rows();
    let mut records = search.list(connection, after.as_ref(), limit + 1).await?;
    let next = cut_page(&mut records, limit, |last| asked.key(module, last).to_string());
    Ok((records, next))
}

/// One record.
///
/// # Errors
/// 404 where there is none that the caller may see.
pub async fn find(
    connection: &mut PgConnection,
    caller: &Caller,
    module: &Module,
    id: Uuid,
) -> Result<Record, Error> {
    db::records::find(connection, module, &caller.subject, id).await?.ok_or_else(|| {
        Error::NotFound(format!("{} {}", module.one, RecordId::new(module.prefix.clone(), id)))
    })
}

/// A count as API clients receive it.
#[must_use]
pub fn total_json(count: Count) -> Value {
    match count {
        Count::Exact(count) => json!({ "count": count, "estimated": false }),
        Count::About(count) => json!({ "count": count, "estimated": true }),
    }
}

/// A count as pages show it.
#[must_use]
pub const fn total_of(count: Count) -> Total {
    match count {
        Count::Exact(count) => Total { count, estimated: false },
        Count::About(count) => Total { count, estimated: true },
    }
}

/// What the module's charts show, as of this snapshot's position; `None`: it asks for none.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn charts(
    connection: &mut PgConnection,
    caller: &Caller,
    module: &Module,
) -> Result<Option<RecordCharts>, Error> {
    let mut charts =
        RecordCharts { aggregate_type: module.aggregate_type.clone(), by_status: None, over_time: None };
    for chart in &module.charts {
        match chart {
            Chart::ByStatus => {
                let counts = db::overview::count_as_of_log(connection, &caller.subject, module).await?;
                charts.by_status = Some(by_status(module, &counts));
            }
            Chart::OverTime => {
                let window = window_of(TimeRange::Hour, OffsetDateTime::now_utc());
                let reach = db::rollups::reach(connection, caller.project()).await?;
                let sums =
                    db::rollups::module_sums(connection, &caller.subject, module, window, reach).await?;
                charts.over_time = Some(over_time(window, &sums));
            }
        }
    }
    Ok((!module.charts.is_empty()).then_some(charts))
}

/// Every status, those at which nothing stands too.
fn by_status(module: &Module, counts: &[(String, i64)]) -> Vec<StandingCount> {
    let count = |status: &Status| StandingCount {
        status: status.name.to_string(),
        label: status.label.to_string(),
        count: counts
            .iter()
            .find(|(name, _)| *name == status.name)
            .map_or(0, |(_, count)| u64::try_from(*count).unwrap_or(0)),
    };
    module.statuses.iter().map(count).collect()
}

/// Every step of the window, those in which nothing happened too.
fn over_time(window: Window, sums: &[(OffsetDateTime, i64)]) -> EventSteps {
    let count = |from: OffsetDateTime| sums.iter().find(|(at, _)| *at == from).map_or(0, |(_, count)| *count);
    EventSteps {
        seconds: window.bucket_seconds,
        steps: window.steps().map(|from| (Timestamp::from(from), count(from).unsigned_abs())).collect(),
    }
}
