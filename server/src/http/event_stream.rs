//! An answer that is a stream of events.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use bytes::Bytes;
use futures::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use tidewatch_hub::DirectSink;

use super::request_log::{Line, StreamLine};
use crate::stream::limits::StreamEnd;

/// The content type of Server-Sent Events.
pub const EVENT_STREAM: &str = "text/event-stream";

/// The bytes of a stream, as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A stream as an answer. It travels beside the body, among the answer's extensions, so that no layer on
/// the way wraps it: for each of ten thousand readers the compression that it does not use would keep
/// 5 KiB. [`super::detach`] takes it out at the end of the way.
#[derive(Clone)]
pub struct EventStream(Arc<Mutex<Option<Parts>>>);

/// What an [`EventStream`] is made of.
pub struct Parts {
    /// Its bytes.
    pub bytes: ByteStream,
    /// Leaves a sink for plain events with the hub; `None` where they are not sent as they are.
    pub attach: Option<Attach>,
    /// Why the service has ended it.
    pub why: Arc<OnceLock<StreamEnd>>,
    /// Said when it is dropped.
    pub line: Option<StreamLine>,
}

/// Leaves a sink with the hub.
pub type Attach = Box<dyn FnOnce(Arc<dyn DirectSink>) + Send>;

impl EventStream {
    /// An answer of these bytes; why they end is said by `why`.
    pub fn new(
        bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        attach: Option<Attach>,
        why: Arc<OnceLock<StreamEnd>>,
    ) -> Self {
        Self(Arc::new(Mutex::new(Some(Parts { bytes: Box::pin(bytes), attach, why, line: None }))))
    }

    /// Has the stream of this answer say the request's line when it ends; gives it back where the answer is no stream.
    pub fn take_line(response: &Response, mut line: Line) -> Option<Line> {
        let Some(stream) = response.extensions().get::<Self>() else { return Some(line) };
        let mut parts = stream.0.lock();
        let Some(parts) = parts.as_mut() else { return Some(line) };
        line.streams();
        parts.line = Some(StreamLine::new(line, Arc::clone(&parts.why)));
        None
    }

    /// The stream of this answer, if it is one.
    pub fn take_from(response: &mut Response) -> Option<Parts> {
        response.extensions_mut().remove::<Self>().and_then(|stream| stream.0.lock().take())
    }
}

impl IntoResponseParts for EventStream {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let headers = parts.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
        // Proxies of nginx' kind pass each event on at once.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        (self, Body::empty()).into_response()
    }
}
