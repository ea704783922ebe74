//! The reading side of the service: answers each request for a stream with what the script says.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tidewatch_client::{Backoff, Notice, State as Connection, Subscriber, SubscriberBuilder};

use crate::server::{Server, cut, problem};

/// What becomes of the next request.
pub(crate) enum Fate {
    /// A stream of these texts that stays open.
    Stream(Vec<String>),
    /// A stream of these texts that ends.
    Ends(Vec<String>),
    /// An answer that breaks off.
    Cut,
    /// A page that is no stream.
    Page,
    /// A refusal, with a `Retry-After`.
    Refuse(u16, &'static str, Option<&'static str>),
}

/// A request that came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) parameters: HashMap<String, String>,
    pub(crate) authorization: String,
    pub(crate) accept: String,
}

#[derive(Default)]
struct Kept {
    fates: VecDeque<Fate>,
    requests: Vec<Request>,
}

/// The service.
pub(crate) struct Service {
    kept: Arc<Mutex<Kept>>,
    server: Server,
}

impl Service {
    pub(crate) async fn start(fates: impl IntoIterator<Item = Fate>) -> Self {
        let kept = Arc::new(Mutex::new(Kept { fates: fates.into_iter().collect(), ..Kept::default() }));
        let routes = Router::new().route("/api/v1/events", get(events)).with_state(Arc::clone(&kept));
        Self { kept, server: Server::start(routes).await }
    }

    /// A subscriber that does not wait between attempts.
    pub(crate) fn subscriber(&self) -> SubscriberBuilder {
        Subscriber::builder(&self.server.url)
            .api_key("tw_key")
            .backoff(Backoff { shortest: Duration::ZERO, longest: Duration::ZERO })
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.kept.lock().expect("no test panicked").requests.clone()
    }

    /// One parameter of each request.
    pub(crate) fn asked(&self, name: &str) -> Vec<String> {
        let value = |request: Request| request.parameters.get(name).cloned().unwrap_or_default();
        self.requests().into_iter().map(value).collect()
    }
}

async fn events(
    State(kept): State<Arc<Mutex<Kept>>>,
    Query(parameters): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let header =
        |name: &str| headers.get(name).map_or_else(String::new, |it| it.to_str().expect("text").to_owned());
    let mut kept = kept.lock().expect("no test panicked");
    let request = Request { parameters, authorization: header("authorization"), accept: header("accept") };
    kept.requests.push(request);
    let pieces = |texts: Vec<String>| {
        stream::iter(texts.into_iter().map(|text| Ok::<_, Infallible>(Bytes::from(text))))
    };
    let body = match kept.fates.pop_front() {
        Some(Fate::Stream(texts)) => Body::from_stream(pieces(texts).chain(stream::pending())),
        Some(Fate::Ends(texts)) => Body::from_stream(pieces(texts)),
        Some(Fate::Cut) => return cut(axum::http::StatusCode::OK),
        Some(Fate::Page) => return Response::new(Body::from("<html>please sign in</html>")),
        Some(Fate::Refuse(status, kind, retry_after)) => return problem(status, kind, "no", retry_after),
        None => Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()),
    };
    Response::builder().header("content-type", "text/event-stream").body(body).expect("an answer")
}

fn event(number: u64) -> Value {
    json!({
        "eventId": id(number), "eventType": "order.created", "aggregateType": "Order", "aggregateId": "ord_1",
        "aggregateVersion": number, "occurredAt": "2026-11-20T20:43:52.832Z", "position": number,
        "payload": {}, "metadata": {},
    })
}

/// The id of the event at this position.
pub(crate) fn id(number: u64) -> String {
    format!("evt_{number:026}")
}

pub(crate) fn connected(position: u64) -> String {
    let data = json!({
        "connectionId": format!("con_{:026}", 1), "position": position, "heartbeatSeconds": 15.0,
        "instance": "one", "recovered": true, "rights": "",
    });
    format!("retry: 0\nid: {position}\nevent: connected\ndata: {data}\n\n")
}

pub(crate) fn arrives(number: u64) -> String {
    format!("id: {}\nevent: order.created\ndata: {}\n\n", id(number), event(number))
}

/// The positions of the events up to that one, and in between how the connection stood.
pub(crate) async fn told_until(subscriber: &mut Subscriber, last: u64) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        match subscriber.next().await.expect("it goes on") {
            Notice::Event(event) => {
                told.push(event.position.to_string());
                if event.position.get() == last {
                    return told;
                }
            }
            Notice::State(Connection::Live { .. }) => told.push("live".to_owned()),
            Notice::State(Connection::Reconnecting { loss, .. }) => told.push(loss.to_string()),
            Notice::GaveUp(error) => panic!("gave up after {told:?}: {error}"),
            _ => {}
        }
    }
}
