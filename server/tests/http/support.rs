//! A server of one's own, clients for it, and waiting for conditions.

use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tidewatch_server::access::secret::Digester;
use tidewatch_server::config::{DatabaseConfig, DatabaseUrl, Seconds, ServeConfig};
use tidewatch_server::db;
use tidewatch_server::serve;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine: past it a test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "a secret for tests, and for tests alone";

/// Waits for `future`, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Looks until `look` finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    soon(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// A running server with one project.
pub(crate) struct TestServer {
    pub(crate) pool: PgPool,
    pub(crate) project: ProjectId,
    /// With scope `*`.
    pub(crate) client: Client,
    base: String,
    shutdown: CancellationToken,
    task: Option<JoinHandle<anyhow::Result<()>>>,
}

/// A client with one API key.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

fn config(pool: &PgPool) -> ServeConfig {
    ServeConfig {
        database: DatabaseConfig {
            database_url: DatabaseUrl(pool.connect_options().as_ref().clone()),
            database_connections: 10,
        },
        listen: ([127, 0, 0, 1], 0).into(),
        instance: Some("test".to_owned()),
        site: "no-site".to_owned(),
        heartbeat: Seconds(Duration::from_secs(15)),
        poll_ms: 20,
        ring_events: 10_000,
        replay_events: 10_000,
        retention_days: 7,
        drain_seconds: 10,
        cookie_secure: false,
        secret: Some(SECRET.into()),
    }
}

impl TestServer {
    pub(crate) async fn start(pool: &PgPool) -> Self {
        Self::start_with(pool, |_| {}).await
    }

    pub(crate) async fn start_with(pool: &PgPool, adjust: impl FnOnce(&mut ServeConfig)) -> Self {
        let mut config = config(pool);
        adjust(&mut config);
        let listener = TcpListener::bind(config.listen).await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve::run(listener, config, shutdown.clone()));
        let mut connection = pool.acquire().await.expect("a connection");
        let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let client = Client { http, base: base.clone(), key: None };
        let mut server = Self { pool: pool.clone(), project, client, base, shutdown, task: Some(task) };
        server.client = server.client_with(&["*"]).await;
        eventually("the server to be ready", async || {
            let answer = server.client.get("/readyz").send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
        server
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A client with a new key of these scopes.
    pub(crate) async fn client_with(&self, scopes: &[&str]) -> Client {
        self.client_of(self.project, scopes).await
    }

    /// The same in another project.
    pub(crate) async fn client_of(&self, project: ProjectId, scopes: &[&str]) -> Client {
        let key = format!("tw_{}", uuid::Uuid::now_v7().simple());
        let digest = Digester::new(SECRET.into()).api_key(&key);
        let mut connection = self.pool.acquire().await.expect("a connection");
        db::api_keys::insert(&mut connection, project, &key, &digest, scopes).await.expect("a key");
        Client { key: Some(key), ..self.client.clone() }
    }

    /// Begins to go down.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Goes down and waits for the end.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(task) = self.task.take() {
            soon("the server to end", task).await.expect("no panic").expect("an orderly end");
        }
    }
}

impl Client {
    /// Without a key.
    pub(crate) fn anonymous(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().expect("a key")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// The JSON at `path`; fails for anything but 200.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).header(ACCEPT, "application/json").send().await.expect("an answer");
        read_json(answer, StatusCode::OK).await
    }

    pub(crate) async fn create(&self, reference: &str) -> Value {
        let body = json!({ "reference": reference, "amountMinor": 1_248_050, "currency": "EUR" });
        let answer = self.post("/api/v1/settlements").json(&body).send().await.expect("an answer");
        read_json(answer, StatusCode::CREATED).await
    }

    pub(crate) async fn try_move(&self, settlement: &Value, mut body: Value) -> Response {
        let id = settlement["id"].as_str().expect("an id");
        if body.get("expectedVersion").is_none() {
            body["expectedVersion"] = settlement["version"].clone();
        }
        self.post(&format!("/api/v1/settlements/{id}/moves")).json(&body).send().await.expect("an answer")
    }

    pub(crate) async fn make_move(&self, settlement: &Value, body: Value) -> Value {
        read_json(self.try_move(settlement, body).await, StatusCode::OK).await
    }

    /// Opens a stream; fails for anything but 200.
    pub(crate) async fn stream(&self, query: &str) -> SseReader {
        self.stream_with(query, HeaderMap::new()).await
    }

    pub(crate) async fn stream_with(&self, query: &str, headers: HeaderMap) -> SseReader {
        let request =
            self.get(&format!("/api/v1/events{query}")).header(ACCEPT, "text/event-stream").headers(headers);
        let answer = soon("a stream", request.send()).await.expect("an answer");
        SseReader::new(answer).await
    }
}

/// An answer's JSON; shows the body where the status is another one.
pub(crate) async fn read_json(answer: Response, status: StatusCode) -> Value {
    let got = answer.status();
    let text = answer.text().await.expect("a body");
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// One Server-Sent Event.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
    pub(crate) retry: Option<u64>,
}

/// Reads a stream frame by frame.
pub(crate) struct SseReader {
    pub(crate) headers: HeaderMap,
    pub(crate) connected: Frame,
    chunks: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: Vec<u8>,
}

impl SseReader {
    async fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::OK, "{:?}", answer.text().await);
        let headers = answer.headers().clone();
        let chunks = answer.bytes_stream().boxed();
        let mut reader = Self { headers, connected: Frame::default(), chunks, buffer: Vec::new() };
        reader.connected = reader.frame().await.expect("a first frame");
        assert_eq!(reader.connected.event, "connected");
        reader
    }

    /// The next frame of any kind; `None` at the end of the stream.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(parse(std::str::from_utf8(&block).expect("UTF-8")));
            }
            match soon("the next frame", self.chunks.next()).await {
                Some(chunk) => self.buffer.extend_from_slice(&chunk.expect("a chunk")),
                None => {
                    assert!(self.buffer.is_empty(), "a frame was cut");
                    return None;
                }
            }
        }
    }

    /// The next frame that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            let frame = self.frame().await.expect("the stream to go on");
            if frame.event != "heartbeat" {
                return frame;
            }
        }
    }

    /// The next `count` events' positions.
    pub(crate) async fn positions(&mut self, count: usize) -> Vec<u64> {
        let mut positions = Vec::new();
        for _ in 0..count {
            let frame = self.next().await;
            positions.push(frame.data["position"].as_u64().unwrap_or_else(|| panic!("no event: {frame:?}")));
        }
        positions
    }
}

fn parse(block: &str) -> Frame {
    let mut frame = Frame::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => frame.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut frame.event),
            "data" => frame.data = serde_json::from_str(value).expect("JSON in one line"),
            "retry" => frame.retry = value.parse().ok(),
            "" => {}
            other => panic!("unknown field {other}"),
        }
    }
    frame
}
