//! What browsers load for notifications outside the dashboard: the bell for other sites' pages, and the worker that
//! shows what is pushed.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::etag::tagged;
use crate::state::AppState;

/// The custom element `<tidewatch-bell>`.
const BELL: &str = include_str!("../../embed/bell.js");
/// The service worker of Web Push.
const PUSH_WORKER: &str = include_str!("../../embed/push-worker.js");

const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// For other sites: a new version is there within minutes, and an old one works as long as it is asked for.
const FOR_MINUTES: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");
/// The worker asks our own API, and shows our own icon.
const WORKER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; connect-src 'self'; img-src 'self'; frame-ancestors 'none'",
);
/// Whoever may load it: it holds no secret, and knows nothing of who asks.
const ANY_ORIGIN: (HeaderName, HeaderValue) = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
const CROSS_ORIGIN: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/embed/bell.js", get(bell)).route("/push-worker.js", get(push_worker))
}

async fn bell(headers: HeaderMap) -> Response {
    let mut response = script(BELL, &headers);
    response.headers_mut().extend([ANY_ORIGIN, CROSS_ORIGIN, (CACHE_CONTROL, FOR_MINUTES)]);
    response
}

/// Browsers ask for a worker's script anew by themselves, once a day at the latest. What it may load is for its own
/// answer to say.
async fn push_worker(headers: HeaderMap) -> Response {
    let mut response = script(PUSH_WORKER, &headers);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, WORKER_POLICY);
    response
}

fn script(text: &'static str, asked: &HeaderMap) -> Response {
    tagged(text, SCRIPT, asked)
}
