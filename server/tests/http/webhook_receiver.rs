//! A receiver of webhooks, and a server that may send to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_webhooks::{SigningSecret, sign};
use tokio::net::TcpListener;

use crate::support::{Client, TestServer, eventually, read_json};

/// A server that may send webhooks to this machine.
pub(crate) async fn start(pool: &PgPool) -> TestServer {
    TestServer::start_with(pool, |config| {
        config.webhook_allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name}")).to_str().expect("text")
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The signatures that these secrets make of what arrived.
    pub(crate) fn signed_by(&self, secrets: &[&str]) -> String {
        let secrets: Vec<SigningSecret> =
            secrets.iter().map(|secret| SigningSecret::parse(&(*secret).into()).expect("a secret")).collect();
        let timestamp = self.header("webhook-timestamp").parse().expect("seconds");
        sign(&secrets, self.id(), timestamp, &self.body)
    }
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    answers: Mutex<VecDeque<StatusCode>>,
    always: Mutex<Option<StatusCode>>,
}

/// Takes webhooks, and answers what it is told to.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::<Inner>::default();
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers this to the next webhook.
    pub(crate) fn answer_once(&self, status: StatusCode) {
        self.inner.answers.lock().push_back(status);
    }

    /// Answers this to all webhooks.
    pub(crate) fn answer_always(&self, status: StatusCode) {
        *self.inner.always.lock() = Some(status);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().clone()
    }

    /// What has arrived, as soon as that is so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually("webhooks", async || {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    inner.received.lock().push(Received { headers: parts.headers, body });
    let status = inner.answers.lock().pop_front().or(*inner.always.lock()).unwrap_or(StatusCode::OK);
    (status, format!("this is {}", status.as_u16()))
}

/// An endpoint's id and secret.
pub(crate) struct Made {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Makes an endpoint.
pub(crate) async fn make(client: &Client, body: Value) -> Made {
    let answer = client.post("/api/v1/webhooks").json(&body).send().await.expect("an answer");
    let location = answer.headers().get("location").cloned();
    let made = read_json(answer, StatusCode::CREATED).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/webhooks/{id}");
    assert_eq!(location.expect("a location").to_str().expect("text"), path);
    Made { path, id, secret: made["secret"].as_str().expect("a secret").to_owned() }
}

/// Makes an endpoint that asks for all that it may see.
pub(crate) async fn make_at(client: &Client, receiver: &Receiver) -> Made {
    make(client, json!({ "url": receiver.url() })).await
}

/// Posts, and reads the answer.
pub(crate) async fn post(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let answer = client.post(path).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// An endpoint's deliveries, newest first.
pub(crate) async fn deliveries(client: &Client, made: &Made) -> Vec<Value> {
    let page = client.json(&format!("{}/deliveries", made.path)).await;
    page["deliveries"].as_array().expect("deliveries").clone()
}

/// A delivery, once it is in this state.
pub(crate) async fn delivery_in(client: &Client, made: &Made, id: &str, state: &str) -> Value {
    eventually(&format!("a delivery to be {state}"), async || {
        let delivery = client.json(&format!("{}/deliveries/{id}", made.path)).await;
        (delivery["state"] == state).then_some(delivery)
    })
    .await
}
