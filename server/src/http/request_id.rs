//! A request's id and its place in a trace: by what a person, the log and others speak of the same request.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tidewatch_events::trace::{TraceContext, TraceId};
use tracing::Instrument;
use uuid::Uuid;

use super::event_stream::EventStream;
use super::request_log::{Line, LoggedBody, Who, route_of};
use crate::state::AppState;
use crate::traces::{Span, SpanKind};

/// The header that carries it, in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The header that says in which trace the caller asks ([W3C](https://www.w3.org/TR/trace-context/#traceparent-header)).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request's id, among the request's extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Where in its trace a request is, among its extensions: what it leads to belongs there.
#[derive(Debug, Clone, Copy)]
pub struct RequestTrace(pub TraceContext);

/// Gives each request an id (the caller's own, when it is a plain short text), a span, and one
/// line in the log when it is over, and counts it.
pub async fn trace(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    // A trace context that is not valid is ignored, as the W3C asks.
    let asked_in: Option<TraceContext> =
        request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()?.parse().ok());
    let area = area(request.uri());
    let server_span = server_span(&state, &request, asked_in, area);
    let context = server_span.as_ref().map(Span::context).or(asked_in);
    let who = Who::default();
    let trace_id = context.map(|context| TraceId(context.trace));
    let mut line = Line::begin(&request, &id, trace_id, who.clone(), server_span);
    // The path alone: a query can carry a token.
    let span = tracing::info_span!(
        "http.request",
        request.id = %id,
        trace.id = trace_id.as_ref().map(tracing::field::display),
        method = %request.method(),
        path = request.uri().path(),
    );
    let extensions = request.extensions_mut();
    extensions.insert(RequestId(id.clone()));
    extensions.insert(who);
    context.map(|context| extensions.insert(RequestTrace(context)));
    let started = std::time::Instant::now();
    let mut response = next.run(request).instrument(span).await;
    state.metrics.answered(area, response.status(), started.elapsed());
    line.answered(response.status());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    match EventStream::take_line(&response, line) {
        // The stream says it when it ends.
        None => response,
        Some(line) => response.map(|body| Body::new(LoggedBody::new(body, line))),
    }
}

fn id_of(headers: &HeaderMap) -> String {
    let own = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    });
    own.map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// The span of a request, by OpenTelemetry's
/// [conventions](https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server). Health is asked all the time, and says
/// nothing that anybody looks for in a trace.
fn server_span(
    state: &AppState,
    request: &Request,
    asked_in: Option<TraceContext>,
    area: &'static str,
) -> Option<Span> {
    if !state.traces.is_on() || area == "health" {
        return None;
    }
    let method = request.method().as_str();
    let route = route_of(request);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let mut span = state.traces.begin(asked_in, SpanKind::Server, name)?;
    span.set("http.request.method", method)
        .set("url.path", request.uri().path())
        .set("url.scheme", if state.config.cookie_secure { "https" } else { "http" });
    if let Some(route) = route {
        span.set("http.route", route);
    }
    if let Some(agent) = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        span.set("user_agent.original", agent);
    }
    Some(span)
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
