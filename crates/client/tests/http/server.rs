//! A server in the process of the test.

use std::io;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use futures::stream;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on a port of its own, until it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves these routes, after so many connections that end at once.
    pub(crate) async fn start_after(refused: usize, routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            for _ in 0..refused {
                drop(listener.accept().await);
            }
            axum::serve(listener, routes).await.expect("serves");
        });
        Self { url, task }
    }

    pub(crate) async fn start(routes: Router) -> Self {
        Self::start_after(0, routes).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A refusal as the service words it.
pub(crate) fn problem(status: u16, kind: &str, detail: &str, retry_after: Option<&str>) -> Response<Body> {
    let body = json!({
        "type": format!("urn:tidewatch:problem:{kind}"), "title": "", "status": status, "detail": detail,
    });
    let mut answer = Response::builder().status(status).header("content-type", "application/problem+json");
    if let Some(wait) = retry_after {
        answer = answer.header("retry-after", wait);
    }
    answer.body(Body::from(body.to_string())).expect("an answer")
}

/// An answer whose connection is lost in the middle.
pub(crate) fn cut(status: StatusCode) -> Response<Body> {
    let pieces = [Ok(Bytes::from_static(b"{")), Err(io::Error::other("cut"))];
    let answer = Response::builder().status(status).header("content-type", "text/event-stream");
    answer.body(Body::from_stream(stream::iter(pieces))).expect("an answer")
}
