//! A request's id: by what a person and the log speak of the same request.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Uri};
use tracing::Instrument;
use uuid::Uuid;

use crate::metrics::Metrics;

/// The header that carries it, in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id, among the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives each request an id (the caller's own, when it is a plain short text), a span, and one
/// line in the log when it is answered, and counts it.
pub async fn trace(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
        .map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned);
    // The path alone: a query can carry a token.
    let span = tracing::info_span!("http.request", request.id = %id, method = %request.method(), path = request.uri().path());
    let area = area(request.uri());
    request.extensions_mut().insert(RequestId(id.clone()));
    async move {
        let started = std::time::Instant::now();
        let mut response = next.run(request).await;
        let took = started.elapsed();
        metrics.answered(area, response.status(), took);
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), duration_ms, "answered");
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// What an address belongs to, as metrics have it: addresses themselves are too many. Polls are apart, for who waits for
/// an event says nothing of how quick the service is.
fn area(uri: &Uri) -> &'static str {
    let path = uri.path();
    let waits = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("wait=")));
    let is_under =
        |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match path {
        "/healthz" | "/readyz" | "/metrics" => "health",
        _ if is_under("/api") && waits => "poll",
        _ if is_under("/api") => "api",
        _ if is_under("/socket.io") => "gateway",
        _ if is_under("/pkg") || is_under("/embed") => "asset",
        _ => "page",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_few() {
        for (uri, expected) in [
            ("/metrics", "health"),
            ("/api/v1/settlements/stl_1", "api"),
            ("/api/v1/events?after=1&wait=30", "poll"),
            ("/api/v1/events?await=30", "api"),
            ("/api", "api"),
            ("/apiary", "page"),
            ("/socket.io/", "gateway"),
            ("/pkg/tidewatch.wasm", "asset"),
            ("/", "page"),
            ("/settlements", "page"),
        ] {
            assert_eq!(area(&Uri::from_static(uri)), expected, "{uri}");
        }
    }
}
