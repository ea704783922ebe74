//! One line in the log for each request, when it is over: when the last byte of its answer was taken, or its stream has ended.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request};
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use tidewatch_events::access::Actor;
use tidewatch_events::trace::TraceId;

use crate::stream::limits::StreamEnd;
use crate::traces::Span;

/// What stands in for a name where nothing matched: addresses that do not exist are too many to be told apart.
const NO_ROUTE: &str = "none";

/// Who asks, among the request's extensions: empty until somebody has found out.
#[derive(Debug, Clone, Default)]
pub struct Who(Arc<OnceLock<Actor>>);

impl Who {
    /// It is this one.
    pub fn is(&self, actor: &Actor) {
        // Whoever looks a second time finds the same one.
        let _ = self.0.set(actor.clone());
    }
}

/// What is said of a request when it is over.
pub struct Line {
    method: Method,
    route: Option<MatchedPath>,
    /// Without its query, which can carry a token.
    path: Box<str>,
    id: Box<str>,
    trace: Option<TraceId>,
    who: Who,
    begun: Instant,
    status: StatusCode,
    span: Option<Span>,
}

/// How a request was over.
enum Over {
    /// All of its answer was taken.
    Answered { bytes: u64 },
    /// Whoever asked left before that.
    Cut { bytes: u64 },
    /// It was a stream, and ended so.
    Stream(&'static str),
}

/// The route that an address belongs to, as there are few of them.
#[must_use]
pub fn route_of(request: &Request) -> Option<&str> {
    request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)
}

impl Line {
    /// A request that begins now.
    #[must_use]
    pub fn begin(request: &Request, id: &str, trace: Option<TraceId>, who: Who, span: Option<Span>) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
            path: request.uri().path().into(),
            id: id.into(),
            trace,
            who,
            begun: Instant::now(),
            status: StatusCode::OK,
            span,
        }
    }

    /// Its answer has begun, with this status.
    pub fn answered(&mut self, status: StatusCode) {
        self.status = status;
        if let Some(span) = &mut self.span {
            span.set("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.set("error.type", status.as_str()).fail("");
            }
        }
    }

    /// A stream goes on for hours, and its trace ends as it begins.
    pub fn streams(&mut self) {
        self.span = None;
    }

    fn over(mut self, how: Over) {
        let Self { method, route, path, id, trace, who, begun, status, .. } = &self;
        let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (bytes, cut, end) = match how {
            Over::Answered { bytes } => (Some(bytes), None, None),
            Over::Cut { bytes } => (Some(bytes), Some(true), None),
            Over::Stream(end) => (None, None, Some(end)),
        };
        tracing::info!(
            target: "tidewatch_server::http",
            %method, route, path, status = status.as_u16(), duration_ms, bytes, cut, end,
            request.id = %id,
            trace.id = trace.as_ref().map(tracing::field::display),
            who = who.0.get().map(tracing::field::display),
            "{}", if end.is_some() { "stream ended" } else { "answered" }
        );
        if let (Some(span), Some(bytes)) = (&mut self.span, bytes) {
            span.set("http.response.body.size", i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}

/// The line of a stream, said when it is dropped.
pub struct StreamLine {
    line: Option<Line>,
    /// Why the service has ended it; empty: its reader has left.
    why: Arc<OnceLock<StreamEnd>>,
}

impl StreamLine {
    pub(super) const fn new(line: Line, why: Arc<OnceLock<StreamEnd>>) -> Self {
        Self { line: Some(line), why }
    }
}

impl Drop for StreamLine {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.over(Over::Stream(self.why.get().map_or("left", |why| why.as_str())));
        }
    }
}

/// An answer that counts itself, and says the request's line when it is over.
pub struct LoggedBody {
    body: Body,
    /// Bytes that it will have, where that is known.
    expected: Option<u64>,
    bytes: u64,
    line: Option<Line>,
}

impl LoggedBody {
    /// This answer.
    #[must_use]
    pub fn new(body: Body, line: Line) -> Self {
        Self { expected: body.size_hint().exact(), body, bytes: 0, line: Some(line) }
    }

    fn is_over(&mut self, whole: bool) {
        let bytes = self.bytes;
        if let Some(line) = self.line.take() {
            line.over(if whole { Over::Answered { bytes } } else { Over::Cut { bytes } });
        }
    }
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => self.is_over(false),
            None => self.is_over(true),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        // Whoever knows how long it is does not ask whether more comes.
        let whole = self.body.is_end_stream() || self.expected == Some(self.bytes);
        self.is_over(whole);
    }
}
