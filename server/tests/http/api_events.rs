//! `/api/v1/events`: what a reader asks for and what it gets.

use futures::StreamExt;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderMap};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::position::PositionToken;

use crate::support::{Client, TestServer, eventually, read_json, soon};

/// `count` settlements; the positions of their events are 1 to `count`.
pub(crate) async fn create_many(client: &Client, count: usize) -> Vec<Value> {
    let mut created = Vec::new();
    for number in 0..count {
        created.push(client.create(&format!("INV-{number}")).await);
    }
    let published = count as u64;
    // Of `latest`, which is as far as the hub has come: the log is ahead of it.
    eventually("all events to reach the hub", async || {
        let page = client.json("/api/v1/events").await;
        (page["position"].as_u64()? >= published).then_some(())
    })
    .await;
    created
}

async fn events(client: &Client, query: &str) -> Vec<Value> {
    client.json(&format!("/api/v1/events{query}")).await["events"].as_array().expect("events").clone()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_stream_begins_with_connected_and_beats(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| {
        config.heartbeat = tidewatch_server::config::Seconds(std::time::Duration::from_millis(100));
    })
    .await;
    create_many(&server.client, 2).await;
    let mut stream = server.client.stream("").await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-cache, no-transform");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    let connected = &stream.connected;
    assert!(connected.data["connectionId"].as_str().is_some_and(|id| id.starts_with("con_")));
    assert_eq!(connected.data["position"], 2);
    assert_eq!(connected.data["heartbeatSeconds"], 0.1);
    assert_eq!(connected.data["instance"], "test");
    assert_eq!(connected.data["recovered"], true);
    assert!(connected.retry.is_some_and(|ms| (1_000..=5_000).contains(&ms)), "{connected:?}");

    let heartbeat = stream.frame().await.expect("a heartbeat");
    assert_eq!(heartbeat.event, "heartbeat");
    assert_eq!(heartbeat.data, json!({ "position": 2 }));
    let token: PositionToken = heartbeat.id.expect("an id").parse().expect("a position token");
    assert_eq!(token.position.get(), 2);
    server.stop().await;
}

/// An `EventSource` hears the names that it listens for, and without a name everything.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn without_names_events_are_messages(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_many(&server.client, 2).await;
    let mut named = server.client.stream("?after=earliest").await;
    let mut nameless = server.client.stream("?after=earliest&named=false").await;
    for _ in 0..2 {
        let (named, nameless) = (named.next().await, nameless.next().await);
        assert_eq!((named.event.as_str(), nameless.event.as_str()), ("settlement.created", ""));
        assert_eq!((named.id, named.data), (nameless.id, nameless.data));
    }
    for live in [true, false] {
        server.client.create("INV-9").await;
        assert_eq!(named.next().await.data, nameless.next().await.data, "{live}");
    }
    for (query, accept) in [("?named=no", "text/event-stream"), ("?named=false", "application/json")] {
        let request = server.client.get(&format!("/api/v1/events{query}")).header(ACCEPT, accept);
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::BAD_REQUEST, "{query}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_event_is_one_frame_with_its_envelope(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut stream = server.client.stream("").await;
    let created = server.client.create("INV-1").await;
    let frame = stream.next().await;
    assert_eq!(frame.event, "settlement.created");
    assert_eq!(frame.id.as_deref(), frame.data["eventId"].as_str());
    assert_eq!(frame.data["aggregateType"], "Settlement");
    assert_eq!(frame.data["aggregateId"], created["id"]);
    assert_eq!(frame.data["aggregateVersion"], 1);
    assert_eq!(frame.data["position"], 1);
    assert_eq!(frame.data["payload"]["settlementId"], created["id"]);
    assert_eq!(frame.data["occurredAt"].as_str().map(str::len), Some("2026-11-20T20:43:52.832Z".len()));
    for hidden in ["projectId", "permissions", "audience", "channels", "priority", "routing"] {
        assert_eq!(frame.data.get(hidden), None, "{hidden} is not for readers");
    }
    // The same by its id.
    let id = frame.id.expect("an id");
    assert_eq!(server.client.json(&format!("/api/v1/events/{id}")).await, frame.data);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn all_three_names_are_the_same_stream(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_many(&server.client, 1).await;
    for path in ["/api/v1/events", "/api/v1/events/stream", "/api/events"] {
        for accept in ["text/event-stream", "*/*"] {
            let answer = server.client.get(path).header(ACCEPT, accept).send().await.expect("an answer");
            assert_eq!(answer.headers()["content-type"], "text/event-stream", "{path} {accept}");
        }
        let page = server.client.json(&format!("{path}?after=earliest")).await;
        assert_eq!(page["events"].as_array().map(Vec::len), Some(1), "{path}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn filters_narrow_stream_replay_and_page_alike(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let created = create_many(&server.client, 3).await;
    server.client.make_move(&created[1], json!({ "move": "fail", "error": "no" })).await;
    let id = created[1]["id"].as_str().expect("an id");
    eventually("the failure", async || {
        (events(&server.client, "?after=earliest").await.len() == 4).then_some(())
    })
    .await;
    for (filter, expected) in [
        ("types=settlement.failed".to_owned(), vec![4]),
        ("types=settlement.*".to_owned(), vec![1, 2, 3, 4]),
        ("types=payment.*,settlement.created".to_owned(), vec![1, 2, 3]),
        ("types=*".to_owned(), vec![1, 2, 3, 4]),
        ("types=payment.*".to_owned(), vec![]),
        ("resourceTypes=Settlement,Payment".to_owned(), vec![1, 2, 3, 4]),
        ("resourceTypes=Payment".to_owned(), vec![]),
        (format!("resourceId={id}"), vec![2, 4]),
        (format!("resourceId={id}&types=settlement.created"), vec![2]),
    ] {
        let page = events(&server.client, &format!("?after=earliest&{filter}")).await;
        let positions: Vec<_> = page.iter().filter_map(|event| event["position"].as_u64()).collect();
        assert_eq!(positions, expected, "page {filter}");
        let mut stream = server.client.stream(&format!("?after=earliest&{filter}")).await;
        assert_eq!(stream.positions(expected.len()).await, expected, "replay {filter}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_reader_starts_where_it_says(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    create_many(client, 5).await;
    let all = events(client, "?after=earliest").await;
    let id = |number: usize| all[number - 1]["eventId"].as_str().expect("an id").to_owned();
    let token = client.stream("?after=3").await.connected.id.expect("a token");
    assert!(token.starts_with("pos_"));
    let between = {
        // A time between two events, whatever the clock's steps are.
        sqlx::query(
            "update domain_events set occurred_at = '2026-01-01'::timestamptz + position * interval '1 hour'",
        )
        .execute(&pool)
        .await
        .expect("updated");
        "2026-01-01T03:30:00Z"
    };
    for (start, expected) in [
        ("after=earliest".to_owned(), vec![1, 2, 3, 4, 5]),
        ("after=0".to_owned(), vec![1, 2, 3, 4, 5]),
        ("after=3".to_owned(), vec![4, 5]),
        (format!("after={}", id(2)), vec![3, 4, 5]),
        (format!("lastEventId={}", id(2)), vec![3, 4, 5]),
        (format!("after={token}"), vec![4, 5]),
        (format!("after={between}"), vec![4, 5]),
        ("after=2020-01-01T00:00:00Z".to_owned(), vec![1, 2, 3, 4, 5]),
        ("after=latest".to_owned(), vec![]),
        (String::new(), vec![]),
    ] {
        let mut stream = client.stream(&format!("?{start}")).await;
        assert_eq!(stream.connected.data["recovered"], true, "{start}");
        assert_eq!(stream.positions(expected.len()).await, expected, "stream {start}");
        let page = events(client, &format!("?{start}")).await;
        let positions: Vec<_> = page.iter().filter_map(|event| event["position"].as_u64()).collect();
        assert_eq!(positions, expected, "page {start}");
    }
    // A browser that connects again sends both: where it was counts, not where it began.
    let mut headers = HeaderMap::new();
    headers.insert("last-event-id", id(4).parse().expect("a value"));
    let mut stream = client.stream_with("?after=earliest", headers).await;
    assert_eq!(stream.positions(1).await, [5]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn replay_joins_live_without_gap_or_repeat(pool: PgPool) {
    // A ring of 8: most readers begin in Postgres, cross the ring and end live.
    let server = TestServer::start_with(&pool, |config| config.ring_events = 8).await;
    create_many(&server.client, 40).await;
    let writer = {
        let client = server.client.clone();
        async move {
            for number in 0..120 {
                client.create(&format!("LIVE-{number}")).await;
            }
        }
    };
    let readers = (0..12_u64).map(|index| {
        let client = server.client.clone();
        async move {
            // Each comes at another moment of the writing.
            let from = index * 13;
            eventually("the position", async || {
                let page = client.json("/api/v1/events").await;
                (page["position"].as_u64()? >= from).then_some(())
            })
            .await;
            let mut stream = client.stream(&format!("?after={}", from / 2)).await;
            let expected: Vec<u64> = (from / 2 + 1..=160).collect();
            assert_eq!(stream.positions(expected.len()).await, expected);
        }
    });
    futures::future::join(writer, futures::future::join_all(readers)).await;
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_cannot_be_replayed_is_a_history_gap_and_then_live(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.replay_events = 10).await;
    let client = &server.client;
    create_many(client, 15).await;
    let unknown = "evt_01h455vb4pex5vsknk084sn02q";
    let foreign =
        PositionToken { epoch: tidewatch_events::position::Epoch(99), position: Default::default() };
    for start in
        ["earliest".to_owned(), "4".to_owned(), unknown.to_owned(), "99999".to_owned(), foreign.to_string()]
    {
        let mut stream = client.stream(&format!("?after={start}")).await;
        assert_eq!(stream.connected.data["recovered"], false, "{start}");
        let gap = stream.next().await;
        assert_eq!(gap.event, "system_message", "{start}");
        assert_eq!(gap.data["code"], "HistoryGap", "{start}");
        assert_eq!(gap.data["data"]["oldestPosition"], 1, "{start}");
        let head = gap.data["data"]["position"].as_u64().expect("a position");
        client.create("after the gap").await;
        assert_eq!(stream.positions(1).await, [head + 1], "{start}");
        // Who comes back with the gap's id is behind it.
        let mut again = client.stream(&format!("?after={}", gap.id.expect("an id"))).await;
        assert_eq!(again.positions(1).await, [head + 1], "{start}");
    }
    // A page says so by its status.
    let answer = client
        .get(&format!("/api/v1/events?after={unknown}"))
        .header(ACCEPT, "application/json")
        .send()
        .await;
    let problem = read_json(answer.expect("an answer"), StatusCode::GONE).await;
    assert_eq!(problem["type"], "urn:tidewatch:problem:history-gap");
    assert_eq!(problem["oldestPosition"], 1);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_follow_each_other_to_the_end(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_many(&server.client, 7).await;
    let mut positions = Vec::new();
    let mut after = 0;
    loop {
        let page = server.client.json(&format!("/api/v1/events?after={after}&limit=3")).await;
        positions
            .extend(page["events"].as_array().expect("events").iter().filter_map(|e| e["position"].as_u64()));
        after = page["position"].as_u64().expect("a position");
        if page["hasMore"] == false {
            break;
        }
    }
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7]);
    // A narrow filter still moves on to the end.
    let page = server.client.json("/api/v1/events?after=0&types=payment.*").await;
    assert_eq!(
        (&page["events"], &page["position"], &page["hasMore"]),
        (&json!([]), &json!(7), &json!(false))
    );
    assert!(page["rights"].is_string(), "{page}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_long_poll_answers_with_the_first_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = server.client.clone();
    let poll =
        tokio::spawn(async move { client.json("/api/v1/events?after=0&wait=30&types=settlement.*").await });
    // Requests behind the poll's: by the last answer it has been waiting for long.
    for _ in 0..5 {
        server.client.json("/api/v1/settlements").await;
    }
    assert!(!poll.is_finished());
    server.client.create("INV-1").await;
    let page = soon("the poll", poll).await.expect("no panic");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["position"], 1);

    let empty = server.client.json("/api/v1/events?after=1&wait=1").await;
    assert_eq!(
        (&empty["events"], &empty["position"], &empty["hasMore"]),
        (&json!([]), &json!(1), &json!(false))
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_same_event_as_a_cloudevent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_many(&server.client, 1).await;
    let event = events(&server.client, "?after=earliest").await.remove(0);
    let path = format!("/api/v1/events/{}", event["eventId"].as_str().expect("an id"));
    let answer =
        server.client.get(&path).header(ACCEPT, "application/cloudevents+json").send().await.expect("one");
    assert_eq!(answer.headers()["content-type"], "application/cloudevents+json");
    let cloud_event = read_json(answer, StatusCode::OK).await;
    assert_eq!(cloud_event["specversion"], "1.0");
    assert_eq!(cloud_event["id"], event["eventId"]);
    assert_eq!(cloud_event["type"], event["eventType"]);
    let subject = format!("Settlement/{}", event["aggregateId"].as_str().expect("an id"));
    assert_eq!(cloud_event["subject"], subject);
    assert_eq!(cloud_event["data"], event["payload"]);
    let page = server
        .client
        .get("/api/v1/events?after=earliest")
        .header(ACCEPT, "application/cloudevents-batch+json");
    let batch = read_json(page.send().await.expect("a page"), StatusCode::OK).await;
    assert_eq!(batch.as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn going_down_tells_each_stream_and_ends_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut streams = vec![server.client.stream("").await, server.client.stream("?types=payment.*").await];
    let poll =
        tokio::spawn(server.client.get("/api/v1/events?wait=30").header(ACCEPT, "application/json").send());
    server.begin_shutdown();
    for stream in &mut streams {
        let last = stream.next().await;
        assert_eq!(last.event, "system_message");
        assert_eq!(last.data["code"], "ServerDraining");
        assert_eq!(last.id, None, "the last words move nobody's position");
        assert!(last.retry.is_some());
        assert_eq!(stream.frame().await, None, "and then the stream ends");
    }
    // A poll that waits either answers that it is over, or came too late for this instance.
    if let Ok(answer) = soon("the poll", poll).await.expect("no panic") {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_stream_is_not_compressed_into_silence(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let http = reqwest::Client::builder().build().expect("a client");
    let answer = http
        .get(format!("{}/api/v1/events", server.base()))
        .bearer_auth(server.client.key())
        .header("accept-encoding", "gzip, br")
        .send()
        .await
        .expect("an answer");
    let mut chunks = answer.bytes_stream();
    let first = soon("the first bytes", chunks.next()).await.expect("bytes").expect("bytes");
    assert!(!first.is_empty());
    server.stop().await;
}
