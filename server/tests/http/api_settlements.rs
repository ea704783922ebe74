use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, read_json};

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_settlement_walks_to_settled_and_each_step_is_an_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut stream = client.stream("?types=settlement.*").await;

    let mut settlement = client.create("INV-1").await;
    let id = settlement["id"].as_str().expect("an id").to_owned();
    assert_eq!((&settlement["status"], &settlement["version"]), (&json!("created"), &json!(1)));
    let steps = [
        json!({ "move": "select_network", "network": "polygon", "score": 91, "reasoning": "cheapest", "required": 2 }),
        json!({ "move": "estimate_gas", "gasEstimate": 21_000 }),
        json!({ "move": "submit" }),
        json!({ "move": "confirm", "confirmations": 1 }),
        json!({ "move": "confirm", "confirmations": 2 }),
        json!({ "move": "settle", "txHash": "0xabc", "gasActual": 20_500 }),
    ];
    for step in steps {
        settlement = client.make_move(&settlement, step).await;
    }
    assert_eq!(settlement["status"], "settled");
    assert_eq!(client.json(&format!("/api/v1/settlements/{id}")).await["version"], settlement["version"]);

    let version = settlement["version"].as_i64().expect("a version");
    let mut last = Value::Null;
    for expected in 1..=version {
        let frame = stream.next().await;
        assert_eq!(frame.data["aggregateVersion"], expected);
        assert_eq!(frame.data["aggregateId"], id.as_str());
        assert!(frame.data["metadata"]["actor"].as_str().is_some_and(|actor| actor.starts_with("key:")));
        last = frame.data;
    }
    assert_eq!(last["eventType"], "settlement.settled");
    assert_eq!(last["payload"]["txHash"], "0xabc");

    let events: i64 =
        sqlx::query_scalar("select count(*) from domain_events where aggregate_type = 'Settlement'")
            .fetch_one(&pool)
            .await
            .expect("a count");
    assert_eq!(events, version);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_acts_on_an_older_version_is_told_what_is_there_now(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let created = client.create("INV-1").await;
    let held = client.make_move(&created, json!({ "move": "hold", "reason": "looks odd" })).await;
    let answer = client.try_move(&created, json!({ "move": "fail", "error": "no" })).await;
    let problem = read_json(answer, StatusCode::CONFLICT).await;
    assert_eq!(problem["type"], "urn:tidewatch:problem:conflict");
    assert_eq!(problem["current"]["status"], "held");
    assert_eq!(problem["current"]["version"], held["version"]);

    // The right version, but the table has no such move from here.
    let answer = client.try_move(&held, json!({ "move": "submit" })).await;
    let problem = read_json(answer, StatusCode::CONFLICT).await;
    assert_eq!(problem["current"]["moves"], json!(["release"]));

    let events: i64 =
        sqlx::query_scalar("select count(*) from domain_events").fetch_one(&pool).await.expect("a count");
    assert_eq!(events, 2, "a refused move leaves no event");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn of_many_at_once_one_wins(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let created = client.create("INV-1").await;
    let attempts = (0..8).map(|_| client.try_move(&created, json!({ "move": "fail", "error": "race" })));
    let answers = futures::future::join_all(attempts).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_by_key_show_each_settlement_once_while_others_come(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(client.create(&format!("INV-{number}")).await["id"].clone());
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut path = "/api/v1/settlements?limit=3".to_owned();
    loop {
        let page = client.json(&path).await;
        seen.extend(page["settlements"].as_array().expect("settlements").iter().map(|row| row["id"].clone()));
        client.create("later").await;
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/settlements?limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_list_by_status_has_those_alone(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let failing = client.create("INV-1").await;
    client.create("INV-2").await;
    client.make_move(&failing, json!({ "move": "fail", "error": "no route" })).await;
    let failed = client.json("/api/v1/settlements?status=failed").await;
    assert_eq!(failed["settlements"].as_array().map(Vec::len), Some(1));
    assert_eq!(failed["settlements"][0]["error"], "no route");
    assert_eq!(failed["next"], Value::Null);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_needs_the_permission_for_each_thing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let created = server.client.create("INV-1").await;
    let reader = server.client_with(&["events.read"]).await;
    let answer = reader.try_move(&created, json!({ "move": "submit" })).await;
    let problem = read_json(answer, StatusCode::FORBIDDEN).await;
    assert_eq!(problem["permission"], "settlements.act");
    let publisher = server.client_with(&["events.publish"]).await;
    let answer = publisher.get("/api/v1/settlements").send().await.expect("an answer");
    assert_eq!(read_json(answer, StatusCode::FORBIDDEN).await["permission"], "settlements.read");
    let answer = publisher.get("/api/v1/events").send().await.expect("an answer");
    assert_eq!(read_json(answer, StatusCode::FORBIDDEN).await["permission"], "events.read");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_change_without_its_event_does_not_commit(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.client.create("INV-1").await;
    for (change, constraint) in [
        (
            "update settlements set version = version + 1, reference = 'silent'",
            "settlements_event_of_version",
        ),
        ("update settlements set reference = 'silent'", "settlements_next_version"),
        ("delete from settlements", "settlements_never_deleted"),
    ] {
        let error = sqlx::query(change).execute(&pool).await.expect_err(change);
        let violated = error.as_database_error().and_then(|error| error.constraint());
        assert_eq!(violated, Some(constraint), "{change}: {error}");
    }
    server.stop().await;
}
