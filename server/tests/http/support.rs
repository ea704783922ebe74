//! A server of one's own, clients for it, and waiting for conditions.

use std::num::NonZeroU32;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_server::Tidewatch;
use tidewatch_server::access::password;
use tidewatch_server::access::secret::Digester;
use tidewatch_server::access::session_store::{PgSessionStore, USER_ID_KEY};
use tidewatch_server::config::outside::OutsideConfig;
use tidewatch_server::config::traces::TracesConfig;
use tidewatch_server::config::{DatabaseConfig, DatabaseUrl, Seconds, ServeConfig};
use tidewatch_server::db;
use tidewatch_server::db::api_keys::NewApiKey;
use tidewatch_server::serve;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;

/// Longer than anything here takes on a busy machine: past it a test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const SECRET: &str = "a secret for tests, and for tests alone";

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

/// The hash of [`PASSWORD`], made once: it takes its time.
fn password_hash() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| password::hash(&PASSWORD.into()).expect("a hash"))
}

/// Pages name their scripts by a file that lies beside the program. What is in it does not matter
/// here: no script is loaded.
fn make_hash_file() {
    let program = std::env::current_exe().expect("a program");
    let file = program.parent().expect("a folder").join("hash.txt");
    std::fs::write(file, "js: x\nwasm: x\ncss: x\n").expect("a file");
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
    cookie: Option<String>,
}

/// The address of this test's database, for a program that is started on it.
pub(crate) fn database_url(pool: &PgPool) -> String {
    let mut url = std::env::var("DATABASE_URL").expect("a database").parse::<reqwest::Url>().expect("a URL");
    url.set_path(pool.connect_options().get_database().expect("a database"));
    url.into()
}

pub(crate) fn config(pool: &PgPool) -> ServeConfig {
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
        redis_url: None,
        nats_url: None,
        ring_events: 10_000,
        replay_events: 10_000,
        streams_per_user: 10,
        streams_per_key: 1_000,
        streams_per_address: 100,
        publishes_per_second: NonZeroU32::new(5_000).expect("not zero"),
        cors_origins: Vec::new(),
        stall_seconds: 30,
        retention_days: 7,
        drain_notice_seconds: 0,
        drain_seconds: 10,
        cookie_secure: false,
        trusted_proxies: Vec::new(),
        webhook_allowed_networks: Vec::new(),
        check_allowed_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        approval_limit_minor: 10_000_000,
        witness_minutes: 0,
        outside: OutsideConfig::default(),
        traces: TracesConfig::default(),
        secret: Some(SECRET.into()),
    }
}

impl TestServer {
    pub(crate) async fn start(pool: &PgPool) -> Self {
        Self::start_with(pool, |_| {}).await
    }

    pub(crate) async fn start_with(pool: &PgPool, adjust: impl FnOnce(&mut ServeConfig)) -> Self {
        Self::start_as(Tidewatch::new(), pool, adjust).await
    }

    /// With other modules than those that come along.
    pub(crate) async fn start_as(
        tidewatch: Tidewatch,
        pool: &PgPool,
        adjust: impl FnOnce(&mut ServeConfig),
    ) -> Self {
        let mut config = config(pool);
        adjust(&mut config);
        make_hash_file();
        let socket = serve::bind(config.listen).expect("a port");
        let base = format!("http://{}", socket.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { serve::run(&tidewatch, socket, config, stop).await });
        let mut connection = pool.acquire().await.expect("a connection");
        let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let client = Client { http, base: base.clone(), key: None, cookie: None };
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

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A client with a new key of these scopes.
    pub(crate) async fn client_with(&self, scopes: &[&str]) -> Client {
        self.client_of(self.project, scopes).await
    }

    /// The same in another project.
    pub(crate) async fn client_of(&self, project: ProjectId, scopes: &[&str]) -> Client {
        self.client_for(project, scopes, None).await
    }

    /// A client with a new key that acts for this person.
    pub(crate) async fn client_for(
        &self,
        project: ProjectId,
        scopes: &[&str],
        person: Option<UserId>,
    ) -> Client {
        let key = format!("tw_{}", uuid::Uuid::now_v7().simple());
        let digest = Digester::new(SECRET.into()).api_key(&key);
        let mut connection = self.pool.acquire().await.expect("a connection");
        let new = NewApiKey {
            name: &key,
            digest: &digest,
            hint: "",
            scopes: &scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>(),
            created_by: "a test",
            person,
            expires_at: None,
        };
        db::api_keys::insert(&mut connection, project, &new).await.expect("a key");
        Client { key: Some(key), ..self.client.clone() }
    }

    /// Another project.
    pub(crate) async fn add_project(&self, slug: &str) -> ProjectId {
        let mut connection = self.pool.acquire().await.expect("a connection");
        db::projects::ensure(&mut connection, slug, slug).await.expect("a project")
    }

    /// An organization of a project.
    pub(crate) async fn add_organization(&self, project: ProjectId, name: &str) -> OrganizationId {
        let mut connection = self.pool.acquire().await.expect("a connection");
        let id = db::organizations::insert(&mut connection, project, name).await.expect("an organization");
        id.expect("a new name")
    }

    /// A person with [`PASSWORD`] and these roles and organizations.
    pub(crate) async fn add_person(
        &self,
        project: ProjectId,
        email: &str,
        roles: &[&str],
        organizations: &[OrganizationId],
    ) -> UserId {
        let mut connection = self.pool.acquire().await.expect("a connection");
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let user = match db::users::find_by_email(&mut connection, email).await.expect("a look") {
            Some(user) => user,
            None => {
                db::users::ensure(&mut connection, email, email, password_hash()).await.expect("a person")
            }
        };
        db::people::join(&mut connection, project, user).await.expect("a membership");
        db::people::set(&mut connection, project, user, &roles, organizations).await.expect("roles");
        user
    }

    /// A client with a browser session of this person, without the cost of a login.
    pub(crate) async fn session_of(&self, user: UserId) -> Client {
        let store = PgSessionStore::new(self.pool.clone(), Digester::new(SECRET.into()));
        let session = Session::new(None, std::sync::Arc::new(store), None);
        session.insert(USER_ID_KEY, user).await.expect("a session");
        session.save().await.expect("kept");
        self.client.with_cookie(&format!("tidewatch_session={}", session.id().expect("an id")))
    }

    /// Logs in by the form; the session's cookie when that went well.
    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Option<String> {
        let form = serde_urlencoded::to_string([("email", email), ("password", password)]).expect("a form");
        let request = self.client.anonymous().post("/login");
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .expect("an answer");
        let text = answer.headers().get("set-cookie")?.to_str().ok()?;
        Some(text.split(';').next()?.to_owned())
    }

    /// Waits until everything that is committed has its position and can be read.
    pub(crate) async fn all_published(&self) {
        eventually("everything to be published", async || {
            let waiting: bool =
                sqlx::query_scalar("select exists (select from domain_events where published_at is null)")
                    .fetch_one(&self.pool)
                    .await
                    .expect("a look");
            (!waiting).then_some(())
        })
        .await;
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
        Self { key: None, cookie: None, ..self.clone() }
    }

    /// The same, who asks another instance.
    pub(crate) fn at(&self, server: &TestServer) -> Self {
        Self { base: server.base.clone(), ..self.clone() }
    }

    /// With this API key or access token.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), cookie: None, ..self.clone() }
    }

    /// With this session.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        Self { key: None, cookie: Some(cookie.to_owned()), ..self.clone() }
    }

    pub(crate) fn patch(&self, path: &str) -> RequestBuilder {
        self.request(Method::PATCH, path)
    }

    pub(crate) fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// The status of a request.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.get(path).send().await.expect("an answer").status().as_u16()
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().expect("a key")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        match &self.cookie {
            Some(cookie) => request.header(reqwest::header::COOKIE, cookie),
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
        // A machine that is busy says so, and may be asked again.
        let answer = soon("an answer", async {
            loop {
                let answer =
                    self.get(path).header(ACCEPT, "application/json").send().await.expect("an answer");
                if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                    break answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
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

    /// Publishes an event or several; their ids.
    pub(crate) async fn publish(&self, body: Value) -> Vec<String> {
        let answer = self.try_publish(&body).send().await.expect("an answer");
        let answer = read_json(answer, StatusCode::ACCEPTED).await;
        let events = answer["events"].as_array().expect("events");
        events.iter().map(|event| event["eventId"].as_str().expect("an id").to_owned()).collect()
    }

    pub(crate) fn try_publish(&self, body: &Value) -> RequestBuilder {
        self.post("/api/v1/publishers/events/publish").json(body)
    }

    /// A token for a private channel.
    pub(crate) async fn sign(&self, channel: &str) -> String {
        let request = self.post("/api/v1/publishers/sign").json(&json!({ "channelName": channel }));
        let answer = read_json(request.send().await.expect("an answer"), StatusCode::OK).await;
        answer["token"].as_str().expect("a token").to_owned()
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
    pub(crate) async fn new(answer: Response) -> Self {
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
