//! `/api/v1/events` as bytes on a socket: how a stream takes its socket along, and readers that stop reading.

use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::{AggregateType, EventType, Metadata, NewEvent, Routing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestServer, eventually, soon};

/// A stream, asked for by hand.
struct RawReader {
    socket: TcpStream,
    received: Vec<u8>,
}

impl RawReader {
    async fn open(server: &TestServer, method: &str, query: &str) -> Self {
        let socket = TcpStream::connect(server.base().trim_start_matches("http://")).await;
        let mut reader = Self { socket: socket.expect("a connection"), received: Vec::new() };
        let request = format!(
            "{method} /api/v1/events{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Accept: text/event-stream\r\n\r\n",
            server.client.key()
        );
        reader.socket.write_all(request.as_bytes()).await.expect("sent");
        reader
    }

    fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.received)
    }

    /// Reads more; `false` at the end.
    async fn read(&mut self) -> bool {
        soon("bytes", self.socket.read_buf(&mut self.received)).await.is_ok_and(|read| read > 0)
    }

    async fn read_until(&mut self, part: &str) {
        while !self.text().contains(part) {
            assert!(self.read().await, "the stream ended before {part:?}: {}", self.text());
        }
    }
}

fn log_line(server: &TestServer, number: usize, bytes: usize) -> NewEvent {
    NewEvent {
        event_type: EventType::from_static("log.added"),
        aggregate_type: AggregateType::LOG,
        aggregate_id: format!("log-{number}"),
        aggregate_version: 1,
        occurred_at: None,
        payload: json!({ "number": number, "text": "x".repeat(bytes) }),
        metadata: Metadata::default(),
        routing: Routing::in_project(server.project),
    }
}

async fn record(pool: &PgPool, event: NewEvent) {
    let mut connection = pool.acquire().await.expect("a connection");
    tidewatch_outbox::record(&mut connection, event).await.expect("recorded");
}

/// How many streams are open, by the limit that they count for: each holds one of its places.
async fn no_stream_is_open(server: &TestServer) {
    eventually("every place to be free", async || {
        let answer = server.client.get("/api/v1/events").header("accept", "text/event-stream").send().await;
        answer.is_ok_and(|answer| answer.status() == 200).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_stream_takes_its_socket_along_with_all_headers(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut reader = RawReader::open(&server, "GET", "").await;
    reader.read_until("event: connected").await;
    let text = reader.text().into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "content-type: text/event-stream",
        "cache-control: no-cache, no-transform",
        "x-accel-buffering: no",
        "connection: close",
        "x-content-type-options: nosniff",
        "x-request-id: ",
        "date: ",
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
    // The body ends with the connection: no framing comes between the reader and the shared bytes.
    assert!(!head.contains("transfer-encoding") && !head.contains("content-length"), "{head}");
    assert!(body.starts_with("retry: "), "{body}");
    record(&pool, log_line(&server, 1, 10)).await;
    reader.read_until("\"number\":1").await;
    server.begin_shutdown();
    reader.read_until("ServerDraining").await;
    assert!(!reader.read().await, "behind its last words it ends");
    assert!(!reader.text().contains("HTTP/1.1 200 OK\r\nconnection"), "nothing else was written");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_sent_after_the_request_is_no_request(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut reader = RawReader::open(&server, "GET", "").await;
    reader.socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    reader.read_until("event: connected").await;
    reader.socket.write_all(&[b'x'; 10_000]).await.expect("sent");
    record(&pool, log_line(&server, 1, 10)).await;
    reader.read_until("\"number\":1").await;
    assert_eq!(reader.text().matches("HTTP/1.1").count(), 1, "one answer");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_reader_that_leaves_frees_its_place_however_it_goes(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.streams_per_key = 1).await;
    // In the middle of the answer, with a clean end, with half an end, without a word.
    for goes in 0..4 {
        let mut reader = RawReader::open(&server, "GET", "").await;
        if goes > 0 {
            reader.read_until("event: connected").await;
        }
        match goes {
            1 => reader.socket.shutdown().await.expect("half closed"),
            2 => socket_reset(&reader.socket),
            _ => {}
        }
        if goes != 1 {
            drop(reader);
            no_stream_is_open(&server).await;
        } else {
            no_stream_is_open(&server).await;
            drop(reader);
        }
    }
    server.stop().await;
}

/// From now on closing it sends a reset.
fn socket_reset(socket: &TcpStream) {
    socket2::SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO)).expect("an option");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn asked_for_its_head_a_stream_opens_nothing(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.streams_per_key = 1).await;
    let mut reader = RawReader::open(&server, "HEAD", "").await;
    reader.read_until("\r\n\r\n").await;
    assert!(reader.text().contains("text/event-stream"), "{}", reader.text());
    no_stream_is_open(&server).await;
    assert!(!reader.text().contains("retry:"), "a head has no body");
    server.stop().await;
}

/// Each published by itself, until the kernel's buffers on both sides are full. The server ends the
/// connection, though the reader has read nothing of it.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_reader_that_never_reads_is_cut(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.stall_seconds = 1).await;
    let mut reader = RawReader::open(&server, "GET", "").await;
    // Until another has each: published together they could be more than waits for anybody, and the connection would end for that.
    let mut quick = server.client.stream("").await;
    let mut number = 0;
    eventually("the connection to be cut", async || {
        number += 1;
        record(&pool, log_line(&server, number, 100_000)).await;
        quick.next().await;
        reader.socket.write_all(b"x").await.err().map(drop)
    })
    .await;
    let metrics =
        server.client.get("/metrics").send().await.expect("an answer").text().await.expect("a body");
    assert!(metrics.contains("tidewatch_streams_ended_total{reason=\"stalled\"} 1"), "{metrics}");
    server.stop().await;
}

/// It stops reading in the middle, finds on its return what the kernel held and `Lagged`, and has all
/// of it after a resume.
#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_reader_that_falls_behind_is_told_and_recovers_all(pool: PgPool) {
    const EVENTS: usize = 60;
    let server = TestServer::start(&pool).await;
    let mut slow = RawReader::open(&server, "GET", "").await;
    slow.read_until("event: connected").await;
    let mut quick = server.client.stream("").await;
    for number in 1..=EVENTS {
        record(&pool, log_line(&server, number, 100_000)).await;
        assert_eq!(quick.next().await.data["payload"]["number"], number, "others go on");
    }
    while slow.read().await {}
    let text = slow.text().into_owned();
    let frames: Vec<&str> = text.split("\n\n").filter(|frame| frame.contains("event: log.added")).collect();
    assert!(frames.len() < EVENTS, "the bounds are smaller than this");
    assert!(text.contains("\"code\":\"Lagged\""), "it is told");
    let last_id =
        frames.last().and_then(|frame| frame.split("id: ").nth(1)).and_then(|rest| rest.lines().next());
    let last_id = last_id.map_or_else(String::new, |id| format!("?after={id}"));
    let mut again = server.client.stream(if frames.is_empty() { "?after=earliest" } else { &last_id }).await;
    for number in frames.len() + 1..=EVENTS {
        let frame = again.next().await;
        assert_eq!(frame.data["payload"]["number"], Value::from(number));
    }
    server.stop().await;
}
