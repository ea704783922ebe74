//! `/api/v1/events`: batches, compression, limits.

use futures::StreamExt;
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::json;
use sqlx::PgPool;

use crate::api_events::create_many;
use crate::support::{Client, TestServer, eventually, read_json, soon};

/// The data of a `batch`: the positions of its events.
fn batched(frame: &crate::support::Frame) -> Vec<u64> {
    assert_eq!(frame.event, "batch");
    let events = frame.data.as_array().expect("an array");
    assert_eq!(frame.id.as_deref(), events.last().and_then(|last| last["eventId"].as_str()));
    events.iter().map(|event| event["position"].as_u64().expect("a position")).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_batch_holds_the_events_of_its_window(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create_many(&server.client, 5).await;
    let mut stream = server.client.stream("?after=earliest&batch=1000").await;
    assert_eq!(batched(&stream.next().await), [1, 2, 3, 4, 5]);
    server.client.create("INV-6").await;
    server.client.create("INV-7").await;
    let mut positions = batched(&stream.next().await);
    if positions.len() == 1 {
        positions.extend(batched(&stream.next().await));
    }
    assert_eq!(positions, [6, 7]);
    // The end waits for no window: what is gathered is sent before it.
    server.client.create("INV-8").await;
    eventually("the event to reach the hub", async || {
        let page = server.client.json("/api/v1/events").await;
        (page["position"] == 8).then_some(())
    })
    .await;
    server.begin_shutdown();
    assert_eq!(batched(&stream.next().await), [8]);
    assert_eq!(stream.next().await.data["code"], "ServerDraining");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_overtakes_a_batch_is_a_batch_as_well(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut stream = server.client.stream("?after=latest&batch=200").await;
    let event =
        |name: &str, priority: &str| json!({ "channelName": name, "payload": 1, "priority": priority });
    let events = json!([event("a", "normal"), event("b", "normal"), event("c", "high")]);
    server.client.publish(events).await;
    let urgent = stream.next().await;
    assert_eq!(
        (urgent.event.as_str(), urgent.id),
        ("batch", None),
        "who is cut now resumes before what was overtaken"
    );
    assert_eq!(urgent.data.as_array().map(Vec::len), Some(1));
    assert_eq!(urgent.data[0]["position"], 3);
    assert_eq!(batched(&stream.next().await), [1, 2]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_compressed_stream_can_be_read_event_by_event(pool: PgPool) {
    use std::io::Read;
    let server = TestServer::start(&pool).await;
    for coding in ["gzip", "br", "zstd"] {
        let request = server.client.get("/api/v1/events?after=latest").header(ACCEPT, "text/event-stream");
        let answer =
            soon("a stream", request.header("accept-encoding", coding).send()).await.expect("an answer");
        assert_eq!(answer.headers()["content-encoding"], coding);
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let mut chunks = answer.bytes_stream();
        let mut arrived = Vec::new();
        let read = |bytes: &[u8]| {
            let mut reader: Box<dyn Read> = match coding {
                "gzip" => Box::new(flate2::read::GzDecoder::new(bytes)),
                "br" => Box::new(brotli::Decompressor::new(bytes, 4096)),
                _ => Box::new(zstd::stream::read::Decoder::new(bytes).expect("a decoder")),
            };
            let (mut text, mut buffer) = (Vec::new(), [0; 512]);
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                text.extend_from_slice(&buffer[..read]);
            }
            String::from_utf8(text).expect("UTF-8")
        };
        for round in 0..3 {
            let reference = format!("INV-{coding}-{round}");
            server.client.create(&reference).await;
            // The stream goes on: nothing but the flush makes the event readable.
            while !read(&arrived).contains(&format!("{reference}\"")) {
                let chunk =
                    soon("a chunk", chunks.next()).await.expect("the stream to go on").expect("bytes");
                arrived.extend_from_slice(&chunk);
            }
        }
        assert!(read(&arrived).starts_with("retry: "));
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn streams_are_limited_by_person_key_and_address(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| {
        (config.streams_per_user, config.streams_per_key, config.streams_per_address) = (2, 3, 4);
    })
    .await;
    let refused = async |client: &Client, what: &str| {
        let stream = client.get("/api/v1/events").header(ACCEPT, "text/event-stream").send().await;
        let stream = stream.expect("an answer");
        assert!(stream.headers().contains_key("retry-after"), "{what}");
        let problem = read_json(stream, StatusCode::TOO_MANY_REQUESTS).await;
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(what)), "{problem}");
        let poll = client.get("/api/v1/events?wait=5").header(ACCEPT, "application/json").send().await;
        assert_eq!(poll.expect("an answer").status(), StatusCode::TOO_MANY_REQUESTS, "a poll that waits");
        client.json("/api/v1/events?after=earliest").await;
    };
    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let (one, two) = (server.session_of(ann).await, server.session_of(ann).await);
    let mut open = vec![one.stream("").await, two.stream("").await];
    refused(&one, "person").await;
    drop(open.pop());
    eventually("a place to be free", async || {
        let answer = one.get("/api/v1/events").header(ACCEPT, "text/event-stream").send().await.ok()?;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    open.clear();
    let key = server.client_with(&["events.read"]).await;
    let other = server.client_with(&["events.read"]).await;
    eventually("all places to be free", async || {
        let answer = other.get("/api/v1/events").header(ACCEPT, "text/event-stream").send().await.ok()?;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    for _ in 0..3 {
        open.push(key.stream("").await);
    }
    refused(&key, "API key").await;
    eventually("one more place", async || {
        let answer = other.get("/api/v1/events").header(ACCEPT, "text/event-stream").send().await.ok()?;
        (answer.status() == StatusCode::OK).then_some(open.len())
    })
    .await;
    open.push(other.stream("").await);
    refused(&other, "address").await;
    server.stop().await;
}
