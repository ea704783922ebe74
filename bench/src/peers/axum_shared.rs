//! axum as a good developer would write a fan-out: one broadcast channel a topic, each event encoded
//! once, its bytes shared by all readers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use tokio::sync::{Mutex, broadcast};

/// Bytes around the data: the number (up to five digits), the event's type and the lines' ends.
pub const FRAMING: usize = "id: 1234\nevent: settlement.status_changed\ndata: \n\n".len();
/// Events that a slow reader may be behind.
const CAPACITY: usize = 1024;

#[derive(Debug, Default)]
struct Topics {
    senders: Mutex<HashMap<String, broadcast::Sender<Bytes>>>,
    last: AtomicU64,
}

impl Topics {
    async fn sender(&self, query: HashMap<String, String>) -> broadcast::Sender<Bytes> {
        let topic = query.get("topic").cloned().unwrap_or_default();
        self.senders.lock().await.entry(topic).or_insert_with(|| broadcast::Sender::new(CAPACITY)).clone()
    }
}

/// Serves until it is killed.
///
/// # Errors
/// It could not listen.
pub fn run(address: SocketAddr) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?.tap_io(|stream| {
            // An event must not wait for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new()
            .route("/events", get(events))
            .route("/publish", post(publish))
            .with_state(Arc::<Topics>::default());
        Ok(axum::serve(listener, router).await?)
    })
}

async fn events(State(topics): State<Arc<Topics>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let receiver = topics.sender(query).await.subscribe();
    // Not `axum::response::sse::Event`: its bytes are formatted and copied anew for each reader.
    let first = futures::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b": connected\n\n"))]);
    let live = futures::stream::unfold(receiver, async |mut receiver| {
        loop {
            match receiver.recv().await {
                Ok(bytes) => return Some((Ok(bytes), receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    });
    let body = Body::from_stream(futures::StreamExt::chain(first, live));
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")], body).into_response()
}

async fn publish(
    State(topics): State<Arc<Topics>>,
    Query(query): Query<HashMap<String, String>>,
    data: String,
) -> StatusCode {
    let id = topics.last.fetch_add(1, Ordering::Relaxed);
    let frame = Bytes::from(format!("id: {id}\nevent: settlement.status_changed\ndata: {data}\n\n"));
    // Nobody reads: nothing to do.
    let _ = topics.sender(query).await.send(frame);
    StatusCode::NO_CONTENT
}
