//! A move for many ends with its job, whichever way that ends, and says what was done until then.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use sqlx::{PgPool, Postgres, Transaction};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{RecordId, SettlementId};
use tidewatch_jobs::{JobId, NewJob, enqueue};
use tidewatch_server::jobs::bulk_move::BulkMove;

use crate::support::{Client, TestServer, eventually, read_json};

async fn post(client: &Client, path: &str, body: Value, status: StatusCode) -> Value {
    let answer = client.post(path).json(&body).send().await.expect("an answer");
    read_json(answer, status).await
}

/// The error of an automation, once it has failed.
async fn failure(client: &Client, automation: &str) -> String {
    let path = format!("/api/v1/automations/{automation}");
    let failed = eventually("the automation to end", async || {
        let run = client.json(&path).await;
        (run["status"] == "failed").then_some(run)
    })
    .await;
    failed["error"].as_str().expect("why").to_owned()
}

/// An automation with a job that is not like one of the API's.
async fn with_job(
    server: &TestServer,
    module: &str,
    adjust: impl FnOnce(NewJob) -> NewJob,
) -> (String, JobId) {
    let new = json!({ "name": "Hold: 3 settlements", "total": 3 });
    let run = post(&server.client, "/api/v1/automations", new, StatusCode::CREATED).await;
    let automation: RecordId = run["id"].as_str().expect("an id").parse().expect("an id");
    let bulk = BulkMove {
        module: module.to_owned(),
        automation: automation.clone(),
        ids: vec![uuid::Uuid::now_v7()],
        step: Map::new(),
        actor: Actor::System("test".into()),
        actor_name: "a test".to_owned(),
        person: None,
        correlation_id: "a test".to_owned(),
    };
    let job = adjust(NewJob::of(&bulk).expect("a job").in_project(server.project));
    let mut connection = server.pool.acquire().await.expect("a connection");
    let job = enqueue(&mut connection, job).await.expect("enqueued").id();
    (automation.to_string(), job)
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_job_that_fails_for_the_last_time_fails_its_automation(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (automation, _) = with_job(&server, "nothing like it", |job| job.with_max_attempts(1)).await;
    let why = failure(&server.client, &automation).await;
    assert!(why.starts_with("Given up, for ") && why.contains("nothing like it"), "{why}");
    assert!(why.contains("0 of 3 were dealt with"), "{why}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_job_that_is_called_off_before_it_began_fails_its_automation(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (automation, job) =
        with_job(&server, "settlements", |job| job.after(Duration::from_secs(3_600))).await;
    post(&server.client, &format!("/api/v1/jobs/{job}/cancel"), json!({}), StatusCode::OK).await;
    let why = failure(&server.client, &automation).await;
    assert!(why.starts_with("Called off. 0 of 3 were dealt with"), "{why}");

    // To have it done again would be to begin in the middle of what has ended.
    let path = format!("/api/v1/jobs/{job}");
    post(&server.client, &format!("{path}/retry"), json!({}), StatusCode::OK).await;
    let again = eventually("the job to end again", async || {
        let job = server.client.json(&path).await;
        (job["state"] == "cancelled").then_some(job)
    })
    .await;
    let errors = again["errors"].as_array().expect("errors");
    let last = errors.last().and_then(|error| error["message"].as_str()).expect("why");
    assert!(last.contains("its automation has ended"), "{again}");
    assert_eq!(failure(&server.client, &automation).await, why, "it is told once");
    server.stop().await;
}

async fn lock(pool: &PgPool, settlement: &str) -> Transaction<'static, Postgres> {
    let id: SettlementId = settlement.parse().expect("an id");
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query("select from settlements where id = $1 for update")
        .bind(id.uuid())
        .execute(&mut *transaction)
        .await
        .expect("locked");
    transaction
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_job_that_is_called_off_on_its_way_says_how_far_it_came(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut ids = Vec::new();
    for number in 0..60 {
        let settlement = client.create(&format!("INV-{number}")).await;
        ids.push(settlement["id"].as_str().expect("an id").to_owned());
    }
    ids.sort();
    // Somebody holds one of the second part: there the job stands until they let go.
    let held = lock(&pool, &ids[30]).await;
    let body = json!({ "ids": ids, "move": "hold", "reason": "audit" });
    let begun = post(client, "/api/v1/settlements/moves", body, StatusCode::ACCEPTED).await;
    let automation = begun["automationId"].as_str().expect("an id").to_owned();
    eventually("the first part", async || {
        let run = client.json(&format!("/api/v1/automations/{automation}")).await;
        (run["done"] == 25).then_some(())
    })
    .await;
    let jobs = client.json("/api/v1/jobs?kind=records.bulk_move").await;
    let job: JobId = jobs["jobs"][0]["id"].as_str().expect("an id").parse().expect("an id");
    post(client, &format!("/api/v1/jobs/{job}/cancel"), json!({}), StatusCode::OK).await;
    let lease = async || -> Option<time::OffsetDateTime> {
        sqlx::query_scalar("select leased_until from jobs where id = $1")
            .bind(job.uuid())
            .fetch_one(&pool)
            .await
            .expect("the job")
    };
    // Whoever extends the lease brings the wish along.
    let before = lease().await;
    eventually("the worker to hear of it", async || (lease().await != before).then_some(())).await;
    held.rollback().await.expect("let go");
    let why = failure(client, &automation).await;
    assert!(why.starts_with("Called off. 50 of 60 were dealt with: 50 moved, 0 skipped"), "{why}");
    let left = client.json("/api/v1/settlements?status=created&limit=200").await;
    assert_eq!(left["settlements"].as_array().map(Vec::len), Some(10));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_was_skipped_is_told_with_the_reason(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let first = client.create("INV-first").await;
    let other = client.create("INV-other").await;
    let id = |settlement: &Value| settlement["id"].as_str().expect("an id").to_owned();
    // The job stands before the first one, and meanwhile somebody is faster with the other.
    let held = lock(&pool, &id(&first)).await;
    let body = json!({ "ids": [id(&first), id(&other)], "move": "hold", "reason": "audit" });
    let begun = post(client, "/api/v1/settlements/moves", body, StatusCode::ACCEPTED).await;
    assert_eq!(begun["count"], 2);
    client.make_move(&other, json!({ "move": "fail", "error": "no route" })).await;
    held.rollback().await.expect("let go");
    let path = format!("/api/v1/automations/{}", begun["automationId"].as_str().expect("an id"));
    let run = eventually("the automation to end", async || {
        let run = client.json(&path).await;
        (run["status"] == "completed").then_some(run)
    })
    .await;
    assert_eq!((&run["done"], &run["skipped"]), (&json!(2), &json!(1)));
    let note = run["note"].as_str().expect("a note");
    assert!(note.starts_with("1 moved, 1 skipped: INV-other ("), "{note}");
    assert!(note.contains("failed"), "{note}");
    server.stop().await;
}
