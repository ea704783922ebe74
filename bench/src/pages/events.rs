//! The pages of the log: the explorer in all its ways, and one event.

use anyhow::Result;
use sqlx::{FromRow, PgConnection};
use tidewatch_events::id::RecordId;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::addresses::{ADDRESSES, Page, encoded};

/// An event out of the log, some way down in it.
#[derive(FromRow)]
struct Sample {
    event_id: Uuid,
    position: i64,
    aggregate_id: String,
    actor: String,
    correlation: String,
    occurred_at: OffsetDateTime,
}

pub(super) async fn pages(connection: &mut PgConnection) -> Result<Vec<Page>> {
    let samples: Vec<Sample> = sqlx::query_as(
        "select event_id, position, aggregate_id, metadata ->> 'actor' as actor,
                metadata ->> 'correlationId' as correlation, occurred_at
         from domain_events
         where position in (select last_position * part / ($1 + 1) from project_streams, generate_series(1, $1) part)
         order by position",
    )
    .bind(ADDRESSES)
    .fetch_all(connection)
    .await?;
    let each = |address: &dyn Fn(&Sample) -> String| samples.iter().map(address).collect::<Vec<_>>();
    let newest = samples.last();
    let of_newest = |address: &dyn Fn(&Sample) -> String| newest.map(address).into_iter();
    Ok(vec![
        Page::list("/events"),
        Page::list("/events?before=…").at(each(&|sample| format!("/events?before={}", sample.position))),
        Page::list("/events?types=settlement.*"),
        Page::list("/events?types=settlement.failed"),
        Page::list("/events?types=payment.refunded"),
        // A type that nothing has: as far as a search ever looks.
        Page::one("/events?types=user.created").named("/events?types=(none has it)"),
        Page::list("/events?resourceTypes=Invoice"),
        Page::list("/events?resourceId=…")
            .at(each(&|sample| format!("/events?resourceId={}", encoded(&sample.aggregate_id)))),
        Page::list("/events?actor=…")
            .at(of_newest(&|sample| format!("/events?actor={}", encoded(&sample.actor)))),
        // The business process lies further back than a search looks.
        Page::one("/events?correlationId=…")
            .at(of_newest(&|sample| format!("/events?correlationId={}", encoded(&sample.correlation)))),
        Page::list("/events?q=polygon"),
        Page::one("/events?q=nowhere").named("/events?q=(none has it)"),
        Page::list("/events?from=…&to=…")
            .named("/events?from=…&to=… (a minute)")
            .at(each(&|sample| within(sample.occurred_at, time::Duration::MINUTE))),
        Page::list("/events?from=…&to=…")
            .named("/events?from=…&to=… (a day)")
            .at(each(&|sample| within(sample.occurred_at, time::Duration::DAY))),
        Page::list("/events?asOf=…").at(each(&|sample| format!("/events?asOf={}", sample.position))),
        Page::one("/events/…")
            .at(each(&|sample| format!("/events/{}", RecordId::new("evt", sample.event_id)))),
        Page::json("/api/v1/events/search", "events"),
        Page::json("/api/v1/events/search?before=…", "events")
            .at(each(&|sample| format!("/api/v1/events/search?before={}", sample.position))),
    ])
}

/// What occurred from a while before until a while behind.
fn within(time: OffsetDateTime, length: time::Duration) -> String {
    let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    format!("/events?from={}&to={}", encoded(&text(time - length / 2)), encoded(&text(time + length / 2)))
}
