//! `GET /api/v1/events/search` and the page `/events`: what is asked for is found, and what is not for the
//! reader does not show, neither as an event nor by where a search stops.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::access::Actor;
use tidewatch_events::{Metadata, NewEvent, Permission, ProjectId, Routing, SubjectRef, Timestamp};
use tidewatch_outbox::record_all;

use crate::support::{Client, TestServer, eventually, read_json};

const PATH: &str = "/api/v1/events/search";

fn event(project: ProjectId, event_type: &str, id: &str, payload: Value) -> NewEvent {
    let kind = event_type.split('.').next().unwrap_or_default();
    let mut kind = kind.to_owned();
    kind[..1].make_ascii_uppercase();
    NewEvent {
        event_type: event_type.parse().expect("a type"),
        aggregate_type: kind.parse().expect("a kind"),
        aggregate_id: id.to_owned(),
        aggregate_version: 1,
        occurred_at: None,
        payload,
        metadata: Metadata::default(),
        routing: Routing::in_project(project),
    }
}

/// Records events and waits until readers can find them.
async fn publish(server: &TestServer, events: &[NewEvent]) -> Vec<String> {
    let mut transaction = server.pool.begin().await.expect("a transaction");
    let ids = record_all(&mut transaction, events).await.expect("recorded");
    transaction.commit().await.expect("committed");
    server.all_published().await;
    ids.iter().map(ToString::to_string).collect()
}

fn query(parameters: &[(&str, &str)]) -> String {
    format!("{PATH}?{}", serde_urlencoded::to_string(parameters).expect("a query"))
}

/// The things that the found events happened to, newest event first.
async fn found(client: &Client, parameters: &[(&str, &str)]) -> Vec<String> {
    names(&client.json(&query(parameters)).await)
}

fn names(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().expect("events").iter();
    events.map(|event| event["aggregateId"].as_str().expect("an id").to_owned()).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn each_filter_finds_what_it_asks_for(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let time = |text: &str| text.parse::<Timestamp>().expect("a time");
    let new = |event_type: &str, id: &str| event(server.project, event_type, id, json!({ "message": id }));
    let mut events = [
        new("settlement.created", "stl_a"),
        new("settlement.failed", "stl_b"),
        new("settlements.created", "other"),
        new("payment.refunded", "pay_a"),
        new("payment.created", "pay_b"),
    ];
    events[0].occurred_at = Some(time("2026-01-10T00:00:00Z"));
    events[1].occurred_at = Some(time("2026-01-11T00:00:00Z"));
    events[1].metadata.actor = Some(Actor::System("relay".into()));
    events[2].metadata.correlation_id = Some("it's %1 \"ü\"".to_owned());
    events[3].metadata.correlation_id = Some("it's %1 \"ü\"".to_owned());
    events[4].aggregate_version = 7;
    let ids = publish(&server, &events).await;
    let client = server.client_with(&["events.read"]).await;

    for (parameters, expected) in [
        (&[][..], &["pay_b", "pay_a", "other", "stl_b", "stl_a"][..]),
        (&[("types", "settlement.created")], &["stl_a"]),
        (&[("types", "settlement.*")], &["stl_b", "stl_a"]),
        (&[("types", "settlement.*,payment.refunded")], &["pay_a", "stl_b", "stl_a"]),
        (&[("types", "nothing.*")], &[]),
        (&[("types", "*")], &["pay_b", "pay_a", "other", "stl_b", "stl_a"]),
        (&[("resourceTypes", "Payment,Settlements")], &["pay_b", "pay_a", "other"]),
        (&[("resourceId", "pay_b")], &["pay_b"]),
        (&[("resourceTypes", "Payment"), ("resourceId", "stl_a")], &[]),
        (&[("actor", "system:relay")], &["stl_b"]),
        (&[("actor", "system:reaper")], &[]),
        (&[("correlationId", "it's %1 \"ü\"")], &["pay_a", "other"]),
        (&[("correlationId", "it's %1 \"ü\""), ("types", "payment.*")], &["pay_a"]),
        (&[("from", "2026-01-10T00:00:00Z"), ("to", "2026-01-11T00:00:00Z")], &["stl_a"]),
        (&[("to", "2026-01-11T00:00:00.001Z")], &["stl_b", "stl_a"]),
        (&[("from", "2026-02-01T01:00:00+01:00"), ("types", "payment.*")], &["pay_b", "pay_a"]),
        (&[("asOf", "2")], &["stl_b", "stl_a"]),
        (&[("asOf", "2"), ("types", "payment.*")], &[]),
        (&[("asOf", "0")], &[]),
        (&[("before", "2")], &["stl_a"]),
        (&[("limit", "1"), ("before", "4")], &["other"]),
        (&[("types", ""), ("from", "")], &["pay_b", "pay_a", "other", "stl_b", "stl_a"]),
    ] {
        assert_eq!(found(&client, parameters).await, expected, "{parameters:?}");
    }
    let whole = client.json(&query(&[("resourceId", "pay_b")])).await;
    assert_eq!(whole["events"][0], client.json(&format!("/api/v1/events/{}", ids[4])).await);
    assert_eq!(
        (&whole["next"], &whole["lookedTo"], &whole["asOf"]),
        (&json!(null), &json!(null), &json!(null))
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_time_of_the_past_is_the_stream_as_it_was_published(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    publish(&server, &[event(server.project, "log.added", "first", json!({}))]).await;
    publish(&server, &[event(server.project, "log.added", "second", json!({}))]).await;
    let times: Vec<time::OffsetDateTime> =
        sqlx::query_scalar("select published_at + interval '1 ms' from domain_events order by position")
            .fetch_all(&pool)
            .await
            .expect("times");
    let then = Timestamp::from(times[0]).to_string();
    let page = server.client.json(&query(&[("asOf", &then)])).await;
    // The next one may have been published within that very millisecond, but not before it.
    let seen = names(&page);
    assert_eq!(seen.last().map(String::as_str), Some("first"), "{page}");
    assert_eq!(page["asOf"], json!(seen.len()));
    for (moment, position) in [("2000-01-01T00:00:00Z", 0), ("2999-01-01T00:00:00Z", 2), ("99", 2)] {
        let page = server.client.json(&query(&[("asOf", moment)])).await;
        assert_eq!(page["asOf"], json!(position), "{moment}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_repeat_nothing_while_others_come(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let some = |prefix: &str| -> Vec<NewEvent> {
        let of = |index| {
            event(
                server.project,
                "log.added",
                &format!("{prefix}{index}"),
                json!({ "message": "same words" }),
            )
        };
        (0..7).map(of).collect()
    };
    publish(&server, &some("old")).await;
    for filter in
        [&[][..], &[("types", "log.*")], &[("q", "same WORDS")], &[("from", "2020-01-01T00:00:00Z")]]
    {
        let mut seen = Vec::new();
        let mut before = String::new();
        loop {
            let parameters = [filter, &[("limit", "3"), ("before", before.as_str())]].concat();
            let page = server.client.json(&query(&parameters)).await;
            seen.extend(names(&page));
            if seen.len() == 3 {
                let prefix = format!("new{}", filter.first().map_or("", |(name, _)| *name));
                publish(&server, &some(&prefix)).await;
            }
            let Some(next) = page["next"].as_u64() else { break };
            before = next.to_string();
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{filter:?}");
        assert!(seen.ends_with(&["old1".to_owned(), "old0".to_owned()]), "{filter:?}");
        assert!(seen.len().is_multiple_of(7), "{filter:?}: {}", seen.len());
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_not_for_the_reader_does_not_show(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let ours = server.add_organization(server.project, "Ours").await;
    let theirs = server.add_organization(server.project, "Theirs").await;
    let reader = server.add_person(server.project, "ann@example.com", &["ops"], &[ours]).await;
    let reader = server.session_of(reader).await;
    let elsewhere = server.add_project("elsewhere").await;
    let stranger = server.client_of(elsewhere, &["*"]).await;
    let blind = server.client_with(&["settlements.read"]).await;

    let new = |id: &str, audience: Option<SubjectRef>, permission: Option<Permission>| {
        let mut new =
            event(server.project, "thing.made", id, json!({ "status": "made", "message": "needle" }));
        new.metadata.correlation_id = Some("one process".to_owned());
        new.metadata.actor = Some(Actor::System("relay".into()));
        new.routing.audience.extend(audience);
        new.routing.permissions.extend(permission);
        new
    };
    let events = [
        new("ours", Some(SubjectRef::Organization(ours)), None),
        new("theirs", Some(SubjectRef::Organization(theirs)), None),
        new("for key managers", None, Some(Permission::KEYS_MANAGE)),
        new("for all", None, None),
        new("theirs too", Some(SubjectRef::Organization(theirs)), None),
    ];
    publish(&server, &events).await;
    let from = "2020-01-01T00:00:00Z";
    for parameters in [
        &[][..],
        &[("types", "thing.made")],
        &[("types", "thing.*")],
        &[("resourceTypes", "Thing")],
        &[("correlationId", "one process")],
        &[("actor", "system:relay")],
        &[("q", "needle")],
        &[("from", from)],
        &[("asOf", "5")],
    ] {
        assert_eq!(found(&reader, parameters).await, ["for all", "ours"], "{parameters:?}");
        // A page ends with what is seen, not with what is passed over.
        let one = [parameters, &[("limit", "1")]].concat();
        let page = reader.json(&query(&one)).await;
        assert_eq!((names(&page), &page["next"]), (vec!["for all".to_owned()], &json!(4)), "{parameters:?}");
        let two = [parameters, &[("limit", "2")]].concat();
        let page = reader.json(&query(&two)).await;
        assert_eq!((&page["next"], &page["lookedTo"]), (&json!(null), &json!(null)), "{parameters:?}");
        assert_eq!(stranger.json(&query(parameters)).await["events"], json!([]), "{parameters:?}");
        assert_eq!(blind.status(&query(parameters)).await, 403, "{parameters:?}");
        assert_eq!(server.client.anonymous().status(&query(parameters)).await, 401, "{parameters:?}");
    }
    assert_eq!(found(&reader, &[("resourceId", "theirs")]).await, Vec::<String>::new());
    let page = html(&reader, "/events?asOf=5").await;
    assert!(
        page.contains("data-status=\"made\" data-records=\"2\""),
        "the board counts what is seen: {page}"
    );
    assert!(!page.contains("theirs"), "{page}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn text_stands_for_itself(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let new = |id: &str, payload: Value| event(server.project, "log.added", id, payload);
    publish(
        &server,
        &[
            new("percent", json!({ "message": "100% done" })),
            new("plain", json!({ "message": "1000 done" })),
            new("quotes", json!({ "message": "she said \"It's\" \\ so" })),
            new("unicode", json!({ "deep": [{ "er": "Ärger in 東京 🚢" }] })),
            new("number", json!({ "amountMinor": 1_248_050, "done": true })),
            new("under_score", json!({ "message": "a_b" })),
            new("axb", json!({ "message": "axb" })),
        ],
    )
    .await;
    for (text, expected) in [
        ("100%", &["percent"][..]),
        ("%", &["percent"]),
        ("DONE", &["plain", "percent"]),
        ("\"it's\"", &["quotes"]),
        ("\\ so", &["quotes"]),
        ("\"", &["quotes"]),
        ("ÄRGER", &["unicode"]),
        ("東京", &["unicode"]),
        ("🚢", &["unicode"]),
        ("1248050", &["number"]),
        ("a_b", &["under_score"]),
        ("amountMinor", &[]),
        ("message", &[]),
        ("'; drop table domain_events; --", &[]),
    ] {
        assert_eq!(found(&server.client, &[("q", text)]).await, expected, "{text}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_long_search_says_how_far_it_looked(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    publish(&server, &[event(server.project, "log.added", "needle", json!({ "message": "needle" }))]).await;
    // As the relay would have published them.
    let mut transaction = pool.begin().await.expect("a transaction");
    sqlx::query(
        "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
             aggregate_version, occurred_at, payload, audience, position, published_at)
         select gen_random_uuid(), $1, 'log.added', 'Log', n::text, 1, now(), '{\"message\": \"hay\"}',
             '{role:nobody}', n, now()
         from generate_series(2, 60001) n",
    )
    .bind(server.project.uuid())
    .execute(&mut *transaction)
    .await
    .expect("hay");
    sqlx::query("select set_config('tidewatch.relay_term', term::text, true) from relay_leadership")
        .execute(&mut *transaction)
        .await
        .expect("as if it led");
    sqlx::query("update project_streams set last_position = 60001 where project_id = $1")
        .bind(server.project.uuid())
        .execute(&mut *transaction)
        .await
        .expect("moved on");
    transaction.commit().await.expect("committed");

    let mut before = String::new();
    let mut stops = Vec::new();
    let events = loop {
        let page = server.client.json(&query(&[("q", "needle"), ("before", &before)])).await;
        let Some(next) = page["next"].as_u64() else { break page["events"].clone() };
        assert_eq!((&page["events"], &page["lookedTo"]), (&json!([]), &json!(next)));
        stops.push(next);
        before = next.to_string();
    };
    assert_eq!(events.as_array().map(Vec::len), Some(1));
    assert_eq!(stops, [50_002, 40_002, 30_002, 20_002, 10_002, 2], "payloads that are read through");
    let page = server.client.json(&query(&[("types", "nobody.has")])).await;
    assert_eq!(page["lookedTo"], 20_002, "where no payload is read");
    // What an index finds is found at once.
    assert_eq!(found(&server.client, &[("resourceId", "needle")]).await, ["needle"]);
    let reader = server.add_person(server.project, "ann@example.com", &["viewer"], &[]).await;
    let page = html(&server.session_of(reader).await, "/events?q=needle").await;
    assert!(page.contains("data-looked-to=") && page.contains("Look further back"), "{page}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_input_is_named(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let long = "x".repeat(201);
    for (name, value) in [
        ("types", "Settlement.*"),
        ("types", "settlement.*,"),
        ("resourceTypes", "settlement"),
        ("resourceId", "a b"),
        ("actor", "ann"),
        ("correlationId", long.as_str()),
        ("from", "yesterday"),
        ("to", "2026-01-01"),
        ("q", long.as_str()),
        ("q", "a\0b"),
        ("asOf", "-1"),
        ("before", "pos_1"),
        ("limit", "0"),
        ("limit", "201"),
        ("order", "oldest"),
    ] {
        let answer = server.client.get(&query(&[(name, value)])).send().await.expect("an answer");
        let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
        assert_eq!(content_type, "application/problem+json", "{name}={value}");
        let problem = read_json(answer, StatusCode::BAD_REQUEST).await;
        assert_eq!(problem["errors"][0]["parameter"], name, "{name}={value}");
    }
    let turned = query(&[("from", "2026-01-02T00:00:00Z"), ("to", "2026-01-01T00:00:00Z")]);
    let answer = server.client.get(&turned).send().await.expect("an answer");
    assert_eq!(read_json(answer, StatusCode::BAD_REQUEST).await["errors"][0]["parameter"], "to");
    server.stop().await;
}

async fn html(client: &Client, path: &str) -> String {
    let answer = client.get(path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.expect("a page")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_page_is_complete_without_javascript(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let created = server.client.create("INV-7").await;
    let mut caused = event(
        server.project,
        "payment.refunded",
        "pay_01h455vb4pex5vsknk084sn02q",
        json!({ "message": "<b>bold</b>" }),
    );
    let first = eventually("the settlement's event", async || {
        let page = server.client.json(PATH).await;
        page["events"].as_array()?.iter().find(|event| event["aggregateId"] == created["id"]).cloned()
    })
    .await;
    let first_id = first["eventId"].as_str().expect("an id");
    caused.metadata.causation_id = first_id.parse().ok();
    caused.metadata.correlation_id = Some("one process".to_owned());
    let ids = publish(&server, &[caused]).await;
    let viewer = server.add_person(server.project, "ann@example.com", &["viewer"], &[]).await;
    let viewer = server.session_of(viewer).await;

    let page = html(&viewer, "/events").await;
    for part in [
        format!("data-id=\"{first_id}\""),
        format!("data-id=\"{}\"", ids[0]),
        format!("href=\"/events/{}\"", ids[0]),
        "href=\"/events?correlationId=one%20process\"".to_owned(),
        format!("href=\"/events/{first_id}\""),
        "href=\"/payments/pay_01h455vb4pex5vsknk084sn02q\"".to_owned(),
        "<form method=\"get\" action=\"/events\"".to_owned(),
        "$TIDEWATCH_URL/api/v1/events/search".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} in {page}");
    }
    assert!(!page.contains("<b>bold"), "{page}");

    let page = html(&viewer, "/events?types=payment.*").await;
    assert!(page.contains(&ids[0]) && !page.contains(&format!("data-id=\"{first_id}\"")), "{page}");
    assert!(page.contains("value=\"payment.*\""), "the form keeps what was asked for: {page}");

    let page = html(&viewer, &format!("/events?asOf={}", first["position"])).await;
    assert!(page.contains("data-as-of=") && page.contains("Back to live"), "{page}");
    assert!(page.contains("data-kind=\"Settlement\""), "{page}");
    assert!(!page.contains(&format!("data-id=\"{}\"", ids[0])), "{page}");

    let page = html(&viewer, &format!("/events/{}", ids[0])).await;
    assert!(page.contains("payment.refunded") && page.contains(first_id), "{page}");
    assert_eq!(viewer.status("/events/evt_nonsense").await, 404);

    let answer = viewer.get("/events?from=yesterday&types=Payment").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let page = answer.text().await.expect("a page");
    assert!(page.contains("data-parameter=\"from\"") && page.contains("data-parameter=\"types\""), "{page}");
    assert!(page.contains("value=\"yesterday\""), "{page}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn everything_that_is_found_comes_as_a_file(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut events: Vec<NewEvent> = (0..450)
        .map(|n| event(server.project, "parcel.packed", &format!("p_{n}"), json!({ "n": n })))
        .collect();
    events.push(event(server.project, "parcel.lost", "=cmd|' /C calc'!A0", json!({ "n": 0 })));
    events.push(event(server.project, "secret.kept", "s_1", json!({})));
    events[451].routing.permissions.insert(Permission::KEYS_MANAGE);
    publish(&server, &events).await;
    let reader = server.client_with(&["events.read"]).await;
    let file = reader.json(&format!("{PATH}?types=parcel.packed&export=json")).await;
    let ids: BTreeSet<&str> = file
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["aggregateId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 450, "in three parts, each once");
    let answer = reader.get(&format!("{PATH}?export=csv")).send().await.expect("an answer");
    let disposition = answer.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(disposition, "attachment; filename=\"tidewatch-events.csv\"");
    let text = answer.text().await.expect("CSV");
    assert!(text.starts_with("position,eventId,eventType,"), "{text}");
    assert_eq!(text.lines().count(), 452, "without what is not for the reader");
    assert!(text.contains(",\"'=cmd|' /C calc'!A0\","), "a formula is disarmed");
    assert_eq!(reader.status(&format!("{PATH}?export=xml")).await, 400);
    let nobody = server.client_with(&["events.publish"]).await;
    assert_eq!(nobody.status(&format!("{PATH}?export=csv")).await, 403, "told before a file begins");
    server.stop().await;
}
