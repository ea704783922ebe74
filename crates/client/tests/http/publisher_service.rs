//! The publishing side of the service: keeps what is published, and fails as the script says.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tidewatch_client::{Backoff, Publisher, RetryPolicy};
use uuid::Uuid;

use crate::server::{Server, cut, problem};

/// What becomes of the next request.
pub(crate) enum Fate {
    /// Refused, with a `Retry-After`.
    Refuse(u16, &'static str, Option<&'static str>),
    /// Published, and the connection lost before the answer is whole.
    PublishAndCut,
    /// Answered with something else.
    Answer(Value),
}

/// A request that came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) key: Option<String>,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Kept {
    fates: VecDeque<Fate>,
    requests: Vec<Request>,
    /// By idempotency key: the body and the answer to it.
    answers: HashMap<String, (Bytes, Value)>,
    published: Vec<Value>,
}

/// The service, and a publisher to it that does not wait between attempts.
pub(crate) struct Service {
    kept: Arc<Mutex<Kept>>,
    pub(crate) publisher: Publisher,
    _server: Server,
}

/// Six attempts without waits.
pub(crate) const AT_ONCE: RetryPolicy = RetryPolicy {
    attempts: 6,
    backoff: Backoff { shortest: Duration::ZERO, longest: Duration::ZERO },
    longest_retry_after: Duration::from_mins(1),
};

impl Service {
    pub(crate) async fn start(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self::start_after(0, fates).await
    }

    /// The same after so many connections that end at once.
    pub(crate) async fn start_after(refused: usize, fates: impl IntoIterator<Item = Fate>) -> Self {
        let kept = Arc::new(Mutex::new(Kept { fates: fates.into_iter().collect(), ..Kept::default() }));
        let routes = Router::new()
            .route("/api/v1/publishers/events/publish", post(publish))
            .route("/api/v1/publishers/sign", post(sign))
            .with_state(Arc::clone(&kept));
        let server = Server::start_after(refused, routes).await;
        let publisher = Publisher::new(&server.url, "tw_key").expect("a publisher").with_retries(AT_ONCE);
        Self { kept, publisher, _server: server }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.kept.lock().expect("no test panicked").requests.clone()
    }

    pub(crate) fn published(&self) -> Vec<Value> {
        self.kept.lock().expect("no test panicked").published.clone()
    }
}

fn note(kept: &mut Kept, headers: &HeaderMap, body: &Bytes) -> Option<String> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
    let request = Request {
        key: header("idempotency-key"),
        authorization: header("authorization").unwrap_or_default(),
        body: serde_json::from_slice(body).expect("JSON"),
    };
    let key = request.key.clone();
    kept.requests.push(request);
    key
}

async fn publish(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut kept = kept.lock().expect("no test panicked");
    let Some(key) = note(&mut kept, &headers, &body) else {
        return problem(400, "invalid-parameter", "no key", None);
    };
    let fate = kept.fates.pop_front();
    match &fate {
        Some(Fate::Refuse(status, kind, retry_after)) => return problem(*status, kind, "no", *retry_after),
        Some(Fate::Answer(answer)) => return (StatusCode::ACCEPTED, Json(answer.clone())).into_response(),
        Some(Fate::PublishAndCut) | None => {}
    }
    if let Some((before, _)) = kept.answers.get(&key)
        && *before != body
    {
        return problem(422, "idempotency-key-reused", "this key had another payload", None);
    }
    if !kept.answers.contains_key(&key) {
        let events = match serde_json::from_slice(&body).expect("JSON") {
            Value::Array(events) => events,
            event => vec![event],
        };
        let ids: Vec<Value> =
            events.iter().map(|_| json!({ "eventId": format!("evt_{}", Uuid::now_v7()) })).collect();
        kept.published.extend(events);
        kept.answers.insert(key.clone(), (body, json!({ "events": ids })));
    }
    if fate.is_some() {
        return cut(StatusCode::ACCEPTED);
    }
    (StatusCode::ACCEPTED, Json(kept.answers[&key].1.clone())).into_response()
}

async fn sign(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let mut kept = kept.lock().expect("no test panicked");
    note(&mut kept, &headers, &body);
    if let Some(Fate::Refuse(status, kind, retry_after)) = kept.fates.pop_front() {
        return problem(status, kind, "no", retry_after);
    }
    let token = format!("token-{}", kept.requests.len());
    Json(json!({ "token": token, "expiresAt": "2026-11-20T20:43:52.832Z" })).into_response()
}
