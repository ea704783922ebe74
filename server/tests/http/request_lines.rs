//! What the program logs of requests: it runs as it does for an operator, and every line is read.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::header::ACCEPT;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{SECRET, TestServer, database_url, eventually, soon};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The program, and the lines that it has logged.
struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    address: String,
}

impl Program {
    async fn start(pool: &PgPool) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidewatch"))
            .arg("serve")
            .env("DATABASE_URL", database_url(pool))
            .env("TIDEWATCH_SECRET", SECRET)
            .env("TIDEWATCH_LISTEN", "127.0.0.1:0")
            .env("TIDEWATCH_DRAIN_NOTICE_SECONDS", "0")
            .env("TIDEWATCH_POLL_MS", "20")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let output = BufReader::new(child.stderr.take().expect("an output"));
        let lines = Arc::<Mutex<Vec<Value>>>::default();
        let read = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                read.lock().push(line);
            }
        });
        let mut program = Self { child, lines, address: String::new() };
        let serving = program.line("the address", |line| line["message"] == "serving").await;
        program.address = format!("http://{}", serving["address"].as_str().expect("an address"));
        program
    }

    /// The first line of this kind, as soon as it is there.
    async fn line(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || self.lines.lock().iter().find(|line| is_it(line)).cloned()).await
    }

    /// The line of the request with this id.
    async fn of_request(&self, id: &str) -> Value {
        let is_it = |line: &Value| line["target"] == "tidewatch_server::http" && line["request.id"] == id;
        let line = self.line(id, is_it).await;
        let lines = self.lines.lock();
        let all: Vec<&Value> = lines.iter().filter(|line| is_it(line)).collect();
        assert_eq!(all.len(), 1, "one line a request: {all:?}");
        line
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn each_request_is_one_line_of_json_at_its_end(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let settlement = server.client.create("LINES").await;
    let id = settlement["id"].as_str().expect("an id").to_owned();
    let program = Program::start(&pool).await;
    // A redirection followed would be a request more of the same id.
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let ask = |path: &str, request_id: &str| {
        http.get(format!("{}{path}", program.address))
            .bearer_auth(server.client.key())
            .header("x-request-id", request_id)
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
    };

    let path = format!("/api/v1/settlements/{id}");
    let body = ask(&path, "one").send().await.expect("an answer").text().await.expect("a body");
    let line = program.of_request("one").await;
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/api/v1/settlements/{id}");
    assert_eq!(line["path"], path);
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes"], body.len());
    assert_eq!(line["trace.id"], TRACE);
    assert!(line["duration_ms"].is_u64(), "{line}");
    assert!(line["who"].as_str().is_some_and(|who| who.starts_with("key:key_")), "{line}");

    // What is nowhere is told apart by nobody, and what stands in a query is not told at all.
    ask("/api/v1/nowhere?token=hunter2", "nowhere").send().await.expect("an answer");
    let line = program.of_request("nowhere").await;
    assert_eq!((&line["status"], &line["path"]), (&404.into(), &"/api/v1/nowhere".into()));
    http.get(format!("{}/nowhere/at/all/four", program.address))
        .header("x-request-id", "file")
        .send()
        .await
        .expect("an answer");
    let line = program.of_request("file").await;
    assert_eq!((&line["route"], &line["who"]), (&"none".into(), &Value::Null));

    // A stream says it when it ends: its reader leaves, or the service ends it.
    let mut left =
        ask("/api/v1/events", "left").header(ACCEPT, "text/event-stream").send().await.expect("a stream");
    left.chunk().await.expect("a first frame");
    assert!(
        !program.lines.lock().iter().any(|line| line["request.id"] == "left" && line["end"] != Value::Null),
        "it goes on"
    );
    drop(left);
    let line = program.of_request("left").await;
    assert_eq!((&line["message"], &line["end"]), (&"stream ended".into(), &"left".into()));
    assert_eq!(line["route"], "/api/v1/events");
    let mut drained =
        ask("/api/v1/events", "drained").header(ACCEPT, "text/event-stream").send().await.expect("a stream");
    drained.chunk().await.expect("a first frame");
    let pid = program.child.id().to_string();
    let signalled = Command::new("kill").args(["-TERM", &pid]).status().expect("a signal");
    assert!(signalled.success());
    soon("the stream to end", async { while drained.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} })
        .await;
    assert_eq!(program.of_request("drained").await["end"], "draining");

    for line in program.lines.lock().iter() {
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
    server.stop().await;
}
