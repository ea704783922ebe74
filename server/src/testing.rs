//! For tests of modules: a program of one's own, as people and other programs meet it.
//!
//! It is here with the feature `testing`. A test gives it a database without a schema, as `#[sqlx::test(migrations =
//! false)]` makes one; `examples/parcels/tests` shows how. What goes wrong ends the test with a message that says what.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::header::{ACCEPT, COOKIE};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tower_sessions::Session;
use uuid::Uuid;

use crate::access::secret::Digester;
use crate::access::session_store::{PgSessionStore, USER_ID_KEY};
use crate::db;
use crate::db::api_keys::NewApiKey;

/// Longer than anything here takes on a busy machine: past it a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Under which the program keeps digests.
const SECRET: &str = "a secret for tests, and for tests alone";

/// A program that serves, with an empty project.
pub struct Program {
    child: Child,
    /// What is its own alone: the program by its name, its log, and the file that names scripts.
    folder: PathBuf,
    program: PathBuf,
    pool: PgPool,
    project: ProjectId,
    anybody: Client,
}

/// Whoever asks the program something.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
    cookie: Option<String>,
}

/// A stream of events.
pub struct Events {
    chunks: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: Vec<u8>,
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

impl Program {
    /// Starts `program`, the path of a binary, on this database: it migrates, and then serves on a port of its own.
    ///
    /// # Panics
    /// It cannot be started, or ends by itself; its log is the message.
    pub async fn start(program: &str, pool: &PgPool) -> Self {
        let folder = std::env::temp_dir().join(format!("tidewatch-{}", Uuid::now_v7().simple()));
        fs::create_dir(&folder).expect("a folder");
        let source = Path::new(program);
        let program = folder.join(source.file_name().expect("a name"));
        // Pages name their scripts by a file that lies beside the program: not the one of whatever was built there.
        if fs::hard_link(source, &program).is_err() {
            fs::copy(source, &program).expect("the program");
        }
        fs::write(folder.join("hash.txt"), "js: x\nwasm: x\ncss: x\n").expect("a file");
        let migrated = command(&program, &folder, pool, &["migrate"]).output().expect("the program");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let log = folder.join("log");
        let child = command(&program, &folder, pool, &["serve"])
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("the program");
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let anybody = Client { http: http.expect("a client"), base: String::new(), key: None, cookie: None };
        let project = {
            let mut connection = pool.acquire().await.expect("a connection");
            db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project")
        };
        let mut started = Self { child, folder, program, pool: pool.clone(), project, anybody };
        started.anybody.base = soon("the program to serve", started.address(&log)).await;
        soon("the program to be ready", async {
            while started.anybody.get("/readyz").await.0 != 200 {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
        started
    }

    /// Where it serves, as its log says.
    async fn address(&mut self, log: &Path) -> String {
        loop {
            let text = fs::read_to_string(log).unwrap_or_default();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let address = lines
                .filter(|line| line["message"] == "serving")
                .find_map(|line| Some(format!("http://{}", line["address"].as_str()?)));
            if let Some(address) = address {
                return address;
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "the program ended by itself: {text}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs another command of the same program on the same database: whether it went well, and all that it said.
    ///
    /// # Panics
    /// It cannot be started.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = command(&self.program, &self.folder, &self.pool, arguments);
        let run = tokio::task::spawn_blocking(move || command.output()).await;
        let output = run.expect("no panic").expect("the program");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// A client with a new API key of these scopes.
    ///
    /// # Panics
    /// Postgres refuses.
    pub async fn key(&self, scopes: &[&str]) -> Client {
        let key = format!("tw_{}", Uuid::now_v7().simple());
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let digest = Digester::new(SECRET.into()).api_key(&key);
        let new = NewApiKey {
            name: &key,
            digest: &digest,
            hint: "",
            scopes: &scopes,
            created_by: "a test",
            person: None,
            expires_at: None,
        };
        let mut connection = self.pool.acquire().await.expect("a connection");
        db::api_keys::insert(&mut connection, self.project, &new).await.expect("a key");
        Client { key: Some(key), ..self.anybody.clone() }
    }

    /// Makes a role that reaches through the project, as an administrator would.
    ///
    /// # Panics
    /// It is refused: a permission that nobody knows.
    pub async fn role(&self, name: &str, permissions: &[&str]) {
        let role = json!({ "title": name, "permissions": permissions });
        let (status, said) =
            self.key(&["*"]).await.send(Method::PUT, &format!("/api/v1/roles/{name}"), role).await;
        assert!((200..300).contains(&status), "the role {name}: {said}");
    }

    /// A person with this role, at a browser: what `get` answers are pages.
    ///
    /// # Panics
    /// Postgres refuses.
    pub async fn person(&self, role: &str) -> Client {
        let mut connection = self.pool.acquire().await.expect("a connection");
        let email = format!("{role}@example.com");
        // Nobody signs in with it: it is no hash of any password.
        let user = db::users::ensure(&mut connection, &email, role, "!").await.expect("a person");
        db::people::join(&mut connection, self.project, user).await.expect("a membership");
        let roles = [role.to_owned()];
        db::people::set(&mut connection, self.project, user, &roles, &[]).await.expect("a role");
        let store = PgSessionStore::new(self.pool.clone(), Digester::new(SECRET.into()));
        let session = Session::new(None, Arc::new(store), None);
        session.insert(USER_ID_KEY, user).await.expect("a session");
        session.save().await.expect("a session");
        let cookie = format!("tidewatch_session={}", session.id().expect("an id"));
        Client { cookie: Some(cookie), ..self.anybody.clone() }
    }

    /// Ends it, and waits until it has left the database, which can then be dropped.
    ///
    /// # Panics
    /// Postgres refuses.
    pub async fn stop(mut self) {
        self.end();
        soon("the program to leave the database", async {
            let others = "select exists (select from pg_stat_activity where datname = current_database()
                                         and application_name like 'tidewatch%')";
            while sqlx::query_scalar(others).fetch_one(&self.pool).await.expect("a look") {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// A command of the program on this database, with no setting of whoever runs the test.
fn command(program: &Path, folder: &Path, pool: &PgPool, arguments: &[&str]) -> Command {
    let mut url: Url = std::env::var("DATABASE_URL").expect("DATABASE_URL").parse().expect("an address");
    url.set_path(pool.connect_options().get_database().expect("a database"));
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let is_setting = name.to_str().is_some_and(|name| {
            ["TIDEWATCH_", "LEPTOS_"].iter().any(|beginning| name.starts_with(beginning))
        });
        if is_setting {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("DATABASE_URL", url.as_str())
        .env("TIDEWATCH_SECRET", SECRET)
        .env("TIDEWATCH_LISTEN", "127.0.0.1:0")
        .env("TIDEWATCH_POLL_MS", "20")
        .env("TIDEWATCH_SITE", folder);
    command
}

impl Client {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        request
    }

    /// The status and body at this path.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = soon("an answer", self.request(Method::GET, path).send()).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    /// The status, and the body as JSON, after this was posted; null where it is none.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path).json(&body);
        let answer = soon("an answer", request.send()).await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// Opens the stream of events; `query` is what its address says behind `/api/v1/events`.
    ///
    /// # Panics
    /// It is refused.
    pub async fn events(&self, query: &str) -> Events {
        let request = self.request(Method::GET, &format!("/api/v1/events{query}"));
        let answer =
            soon("a stream", request.header(ACCEPT, "text/event-stream").send()).await.expect("a stream");
        assert_eq!(answer.status(), 200, "{query}");
        let mut events = Events { chunks: answer.bytes_stream().boxed(), buffer: Vec::new() };
        let (first, _) = events.frame().await;
        assert_eq!(first, "connected");
        events
    }
}

impl Events {
    /// The next event: its type and its envelope.
    ///
    /// # Panics
    /// The stream ends, or nothing comes.
    pub async fn next(&mut self) -> (String, Value) {
        loop {
            let (name, data) = self.frame().await;
            if name != "heartbeat" {
                return (name, data);
            }
        }
    }

    async fn frame(&mut self) -> (String, Value) {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let block = String::from_utf8_lossy(&block);
                let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let data = line("data: ").and_then(|data| serde_json::from_str(data).ok());
                return (line("event: ").unwrap_or_default().to_owned(), data.unwrap_or_default());
            }
            let chunk = soon("an event", self.chunks.next()).await.expect("the stream to go on");
            self.buffer.extend_from_slice(&chunk.expect("a part of the stream"));
        }
    }
}
