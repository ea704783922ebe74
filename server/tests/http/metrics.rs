//! `/metrics`: what alerts are needed for is measured, and says what is so.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestServer, eventually};

/// What the server measures, by name and labels as they are written.
async fn measured(server: &TestServer) -> BTreeMap<String, f64> {
    let answer = server.client.anonymous().get("/metrics").send().await.expect("an answer");
    let text = answer.text().await.expect("a body");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        Some(line.rsplit_once(' ')?).and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
    };
    samples.filter_map(read).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_alerts_are_needed_for_is_measured(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.streams_per_key = 1).await;
    let stream = server.client.stream("").await;
    let second = server.client.get("/api/v1/events").header("accept", "text/event-stream");
    assert_eq!(second.send().await.expect("an answer").status(), StatusCode::TOO_MANY_REQUESTS);
    server.client.publish(json!({ "channelName": "a", "payload": 1 })).await;
    server.all_published().await;
    // A job that was given up.
    sqlx::query(
        "insert into jobs (id, project_id, queue, kind, payload, state, priority, run_at, attempt, max_attempts, finished_at)
         values (gen_random_uuid(), $1, 'default', 'test.given_up', '{}', 'dead', 0, now(), 1, 1, now())",
    )
    .bind(server.project.uuid())
    .execute(&pool)
    .await
    .expect("a job");

    let seen = eventually("what all instances share to be looked at", async || {
        let seen = measured(&server).await;
        let is = |name: &str, value: f64| seen.get(name) == Some(&value);
        let is_seen = is("tidewatch_jobs{queue=\"default\",state=\"dead\"}", 1.0)
            && is("tidewatch_outbox_pending_events", 0.0)
            && is("tidewatch_outbox_has_leader", 1.0);
        is_seen.then_some(seen)
    })
    .await;
    let value = |name: &str| *seen.get(name).unwrap_or_else(|| panic!("{name} is not measured: {seen:#?}"));
    assert_eq!(value("tidewatch_relay_leading"), 1.0);
    assert!(value("tidewatch_relay_published_events_total") >= 1.0);
    assert_eq!(value("tidewatch_outbox_lag_seconds"), 0.0);
    assert_eq!(value("tidewatch_database_up"), 1.0);
    assert_eq!(value("tidewatch_streams_refused_total{limit=\"key\"}"), 1.0);
    assert_eq!(value("tidewatch_streams_refused_total{limit=\"address\"}"), 0.0);
    assert!(value("tidewatch_http_requests_total{area=\"api\",status=\"2xx\"}") >= 2.0);
    assert!(value("tidewatch_http_requests_total{area=\"api\",status=\"4xx\"}") >= 1.0);
    assert!(value("tidewatch_http_request_duration_seconds_count{area=\"api\"}") >= 3.0);
    assert_eq!(value("tidewatch_webhook_attempts_total{outcome=\"delivered\"}"), 0.0);
    assert_eq!(value("tidewatch_webhook_endpoints_failing"), 0.0);
    for nothing_yet in [
        "tidewatch_witness_runs_total{outcome=\"drift\"}",
        "tidewatch_witness_drifts",
        "tidewatch_notifications_outside_total{way=\"push\"}",
        "tidewatch_streams_ended_total{reason=\"stalled\"}",
    ] {
        assert_eq!(value(nothing_yet), 0.0, "{nothing_yet} is there before anything is counted");
    }
    let at_most = value("tidewatch_pool_connections_max{pool=\"requests\"}");
    let busy = value("tidewatch_pool_connections{pool=\"requests\",state=\"busy\"}");
    let idle = value("tidewatch_pool_connections{pool=\"requests\",state=\"idle\"}");
    assert!(busy + idle <= at_most, "{busy} and {idle} of {at_most}");
    assert!(value("tidewatch_postgres_connections") <= value("tidewatch_postgres_connections_max"));

    // What the service ends is told from what its readers end.
    assert_eq!(value("tidewatch_streams_ended_total{reason=\"removed\"}"), 0.0);
    let id = stream.connected.data["connectionId"].as_str().expect("an id").to_owned();
    let ended = eventually("the connection to be known", async || {
        let answer =
            server.client.delete(&format!("/api/v1/connections/{id}")).send().await.expect("an answer");
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    });
    ended.await;
    eventually("its end to be counted", async || {
        let seen = measured(&server).await;
        (seen.get("tidewatch_streams_ended_total{reason=\"removed\"}") == Some(&1.0)).then_some(())
    })
    .await;
    drop(stream);
    server.stop().await;
}
