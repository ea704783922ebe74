//! Quiet hours: how long a person is left alone yet.

use std::time::Duration;

use sqlx::PgConnection;
use tidewatch_app::model::NotificationSettings;
use time::OffsetDateTime;

use crate::db::time_zones::local;

/// How long a person's quiet hours go on; `None`: there are none now. They begin and end by the clock where the person is,
/// also where that is changed meanwhile.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn left(
    connection: &mut PgConnection,
    settings: &NotificationSettings,
    now: OffsetDateTime,
) -> Result<Option<Duration>, sqlx::Error> {
    if settings.quiet.is_none() {
        return Ok(None);
    }
    let zone = &settings.time_zone;
    let here = local(connection, zone, &[now]).await?;
    let Some(seconds) = here.first().and_then(|here| settings.quiet_for(second_of_day(*here))) else {
        return Ok(None);
    };
    let seconds = i64::from(seconds);
    let there = local(connection, zone, &[now + time::Duration::seconds(seconds)]).await?;
    let moved =
        here.iter().zip(&there).map(|(here, there)| seconds_east(*there) - seconds_east(*here)).sum::<i64>();
    // An end that the clock leaves out is waited for as if it did not.
    let left = Some(seconds - moved).filter(|left| *left > 0).unwrap_or(seconds);
    Ok(Some(Duration::from_secs(left.unsigned_abs())))
}

fn second_of_day(here: OffsetDateTime) -> u32 {
    let (hour, minute, second) = here.time().as_hms();
    (u32::from(hour) * 60 + u32::from(minute)) * 60 + u32::from(second)
}

fn seconds_east(moment: OffsetDateTime) -> i64 {
    i64::from(moment.offset().whole_seconds())
}
