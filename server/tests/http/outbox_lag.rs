//! The outbox lags by what waits in it, whatever publishers say of when it happened.

use serde_json::json;
use sqlx::PgPool;
use tidewatch_events::{NewEvent, Routing, Timestamp};
use tidewatch_outbox::{Outbox, Waker};
use tidewatch_server::db;

/// Longer than any machine takes between two statements, and far shorter than what the publisher says.
const SOON_MS: i64 = 10 * 60 * 1000;

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_event_of_yesterday_that_was_published_now_does_not_lag_by_a_day(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    assert_eq!(db::overview::outbox_lag_ms(&mut connection).await.expect("a look"), None, "nothing waits");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let now = Timestamp::from(time::OffsetDateTime::now_utc());
    let event = NewEvent {
        event_type: "meter.read".parse().expect("a type"),
        aggregate_type: "Meter".parse().expect("a type"),
        aggregate_id: "m-1".to_owned(),
        aggregate_version: 1,
        occurred_at: Timestamp::from_unix_millis(now.unix_millis() - 24 * 60 * 60 * 1000),
        payload: json!({}),
        metadata: Default::default(),
        routing: Routing::in_project(project),
    };
    // No relay runs here: it waits.
    let mut transaction = Outbox::new(pool.clone(), Waker::default()).begin(project).await.expect("begun");
    transaction.record_all(&[event]).await.expect("recorded");
    transaction.commit().await.expect("committed");
    let lag = db::overview::outbox_lag_ms(&mut connection).await.expect("a look").expect("one waits");
    assert!((0..SOON_MS).contains(&lag), "{lag}");
}
