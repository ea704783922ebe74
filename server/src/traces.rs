//! Traces of OpenTelemetry: one request from its HTTP through the transaction, the outbox, the relay and the hub to the browser.
//!
//! Spans are made here and not out of the spans of the log. Those of an event's way have their parents and times from
//! elsewhere: what is known is the event's `traceparent`, days later and on another instance perhaps. And what is traced is
//! the sampler's to say, not the log filter's.
//!
//! Where no collector is set, [`Traces`] is an empty handle: nothing is looked at and nothing is allocated. Where one is, only
//! what belongs to a sampled trace costs anything, a span is put into a bounded queue and never waited for, and what finds no
//! room is dropped and counted.

mod exporter;
mod jobs;
mod outbox;
pub(crate) mod path;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span as SpanData, SpanFlags, Status};
use parking_lot::Mutex;
use tidewatch_events::trace::TraceContext;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use self::exporter::Exporter;
use crate::config::traces::{SamplerKind, TracesConfig};

pub use self::path::Receipt;

/// Spans that wait to be sent.
const QUEUE: usize = 8_192;
/// How long what is left may take to be sent at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Makes spans, where somebody takes them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    queue: mpsc::Sender<SpanData>,
    sampler: Sampler,
    counts: Arc<Counts>,
    stop: CancellationToken,
    exporter: Mutex<Option<JoinHandle<()>>>,
}

/// What became of spans.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Counts {
    fn sent(&self, spans: u64) {
        self.sent.fetch_add(spans, Ordering::Relaxed);
    }

    fn failed(&self, spans: u64) {
        self.failed.fetch_add(spans, Ordering::Relaxed);
    }
}

/// Which traces that begin here are recorded.
#[derive(Debug, Clone, Copy)]
struct Sampler {
    follows_parent: bool,
    ratio: f64,
}

impl Sampler {
    fn of(config: &TracesConfig) -> Self {
        let (follows_parent, ratio) = match config.traces_sampler {
            SamplerKind::AlwaysOn => (false, 1.0),
            SamplerKind::AlwaysOff => (false, 0.0),
            SamplerKind::TraceIdRatio => (false, config.traces_sampler_arg),
            SamplerKind::ParentBasedAlwaysOn => (true, 1.0),
            SamplerKind::ParentBasedAlwaysOff => (true, 0.0),
            SamplerKind::ParentBasedTraceIdRatio => (true, config.traces_sampler_arg),
        };
        Self { follows_parent, ratio }
    }

    fn takes(self, parent: Option<TraceContext>, trace: [u8; 16]) -> bool {
        if let Some(parent) = parent.filter(|_| self.follows_parent) {
            return parent.sampled;
        }
        // The lower half of the id says by itself where it stands among all, so that all services take the same traces.
        let [.., a, b, c, d, e, f, g, h] = trace;
        let place = (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1) as f64 / (1_u64 << 63) as f64;
        place < self.ratio
    }
}

impl Traces {
    /// As it is configured; off where it says no collector.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn start(config: &TracesConfig, instance: String) -> reqwest::Result<Self> {
        let Some(address) = config.address() else { return Ok(Self::default()) };
        let exporter = Exporter::new(config, address, instance)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (counts, stop) = (Arc::<Counts>::default(), CancellationToken::new());
        let exporter = tokio::spawn({
            let (counts, stop) = (Arc::clone(&counts), stop.clone());
            async move { exporter.run(waiting, &counts, stop).await }
        });
        let exporter = Mutex::new(Some(exporter));
        Ok(Self(Some(Arc::new(Inner { queue, sampler: Sampler::of(config), counts, stop, exporter }))))
    }

    /// Sends what is left. What ends later is dropped.
    pub async fn finish(&self) {
        let Some(inner) = &self.0 else { return };
        inner.stop.cancel();
        let exporter = inner.exporter.lock().take();
        if let Some(exporter) = exporter
            && tokio::time::timeout(LAST_WORDS, exporter).await.is_err()
        {
            tracing::warn!("the last traces were not taken in time");
        }
    }

    /// Whether somebody takes traces.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What became of spans since the start, by what metrics call it.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        let of = |count: fn(&Counts) -> &AtomicU64| {
            self.0.as_ref().map_or(0, |inner| count(&inner.counts).load(Ordering::Relaxed))
        };
        [("sent", of(|it| &it.sent)), ("failed", of(|it| &it.failed)), ("dropped", of(|it| &it.dropped))]
    }

    /// The first span of what somebody asked for, in the trace of who asked or in one of its own. `None`: traces are off.
    /// Where the sampler does not take it, it is no more than its place in a trace, for others to follow.
    #[must_use]
    pub fn begin(&self, parent: Option<TraceContext>, kind: SpanKind, name: String) -> Option<Span> {
        let inner = self.0.as_ref()?;
        let trace = parent.map_or_else(draw, |parent| parent.trace);
        let context = TraceContext { trace, span: draw(), sampled: inner.sampler.takes(parent, trace) };
        Some(Span::new(self, context, parent, kind, name.into()).with_remote_parent(parent.is_some()))
    }

    /// A span of a trace that is recorded; `None` where it is not, or traces are off.
    #[must_use]
    pub fn child(
        &self,
        parent: Option<TraceContext>,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
    ) -> Option<Span> {
        let parent = parent.filter(|parent| self.is_on() && parent.sampled)?;
        Some(Span::new(self, parent.at(draw()), Some(parent), kind, name.into()))
    }

    /// The same by a `traceparent`.
    #[must_use]
    pub fn child_of(
        &self,
        traceparent: Option<&str>,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
    ) -> Option<Span> {
        // What is off is not even read.
        let parent = traceparent.filter(|_| self.is_on());
        self.child(TraceContext::recorded(parent), kind, name)
    }

    fn push(&self, span: SpanData) {
        if let Some(inner) = &self.0
            && inner.queue.try_send(span).is_err()
        {
            inner.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Something that takes a while, in a trace. It ends where it is dropped.
#[derive(Debug)]
pub struct Span {
    traces: Traces,
    context: TraceContext,
    /// `None`: its trace is not recorded.
    data: Option<Box<SpanData>>,
}

impl Span {
    fn new(
        traces: &Traces,
        context: TraceContext,
        parent: Option<TraceContext>,
        kind: SpanKind,
        name: Cow<'static, str>,
    ) -> Self {
        let data = context.sampled.then(|| {
            Box::new(SpanData {
                trace_id: context.trace.into(),
                span_id: context.span.into(),
                parent_span_id: parent.map(|parent| parent.span.into()).unwrap_or_default(),
                flags: 1 | SpanFlags::ContextHasIsRemoteMask as u32,
                name: name.into_owned(),
                kind: kind.into(),
                start_time_unix_nano: nanos(SystemTime::now()),
                ..SpanData::default()
            })
        });
        Self { traces: traces.clone(), context, data }
    }

    fn with_remote_parent(mut self, is_remote: bool) -> Self {
        if let Some(data) = self.data.as_mut().filter(|_| is_remote) {
            data.flags |= SpanFlags::ContextIsRemoteMask as u32;
        }
        self
    }

    /// Its place, for what follows from it.
    #[must_use]
    pub const fn context(&self) -> TraceContext {
        self.context
    }

    /// It began then.
    pub(crate) fn began(&mut self, at: SystemTime) -> &mut Self {
        if let Some(data) = &mut self.data {
            data.start_time_unix_nano = nanos(at);
        }
        self
    }

    /// It ended then, and not when it is dropped.
    pub(crate) fn ended(&mut self, at: SystemTime) -> &mut Self {
        if let Some(data) = &mut self.data {
            data.end_time_unix_nano = nanos(at);
        }
        self
    }

    /// Says something of it.
    pub fn set(&mut self, key: &'static str, value: impl Into<AttributeValue>) -> &mut Self {
        if let Some(data) = &mut self.data {
            data.attributes.push(attribute(key, value));
        }
        self
    }

    /// It went wrong.
    pub fn fail(&mut self, message: impl Into<String>) -> &mut Self {
        if let Some(data) = &mut self.data {
            data.status = Some(Status { message: message.into(), code: StatusCode::Error.into() });
        }
        self
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut data) = self.data.take() {
            if data.end_time_unix_nano == 0 {
                data.end_time_unix_nano = nanos(SystemTime::now());
            }
            data.end_time_unix_nano = data.end_time_unix_nano.max(data.start_time_unix_nano);
            self.traces.push(*data);
        }
    }
}

/// What is said of a span.
pub struct AttributeValue(Value);

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self(Value::StringValue(text.to_owned()))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self(Value::StringValue(text))
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self(Value::IntValue(number))
    }
}

impl From<u16> for AttributeValue {
    fn from(number: u16) -> Self {
        i64::from(number).into()
    }
}

fn attribute(key: &'static str, value: impl Into<AttributeValue>) -> KeyValue {
    let value = Some(AnyValue { value: Some(value.into().0) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// An id by chance: never zeroes alone, which name nothing.
fn draw<const N: usize>() -> [u8; N] {
    loop {
        let id: [u8; N] = std::array::from_fn(|_| rand::random());
        if id.iter().any(|byte| *byte != 0) {
            return id;
        }
    }
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_take_what_they_say() {
        let parent = |sampled| Some(TraceContext { trace: draw(), span: draw(), sampled });
        let takes = |kind, ratio, parent| {
            let config =
                TracesConfig { traces_sampler: kind, traces_sampler_arg: ratio, ..TracesConfig::default() };
            let sampler = Sampler::of(&config);
            (0..2_000).filter(|_| sampler.takes(parent, draw())).count()
        };
        use SamplerKind::{
            AlwaysOff, AlwaysOn, ParentBasedAlwaysOff, ParentBasedAlwaysOn, ParentBasedTraceIdRatio,
            TraceIdRatio,
        };
        assert_eq!(takes(AlwaysOn, 0.0, parent(false)), 2_000);
        assert_eq!(takes(AlwaysOff, 1.0, parent(true)), 0);
        assert_eq!(takes(ParentBasedAlwaysOn, 1.0, parent(false)), 0);
        assert_eq!(takes(ParentBasedAlwaysOn, 1.0, None), 2_000);
        assert_eq!(takes(ParentBasedAlwaysOff, 1.0, None), 0);
        assert_eq!(takes(ParentBasedAlwaysOff, 1.0, parent(true)), 2_000);
        assert_eq!(takes(ParentBasedTraceIdRatio, 0.0, None), 0);
        assert_eq!(takes(TraceIdRatio, 1.0, None), 2_000);
        assert!((300..=700).contains(&takes(TraceIdRatio, 0.25, parent(true))));
    }

    #[test]
    fn off_is_nothing() {
        let traces = Traces::default();
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(traces.begin(parent.parse().ok(), SpanKind::Server, String::new()).is_none());
        assert!(traces.child_of(Some(parent), SpanKind::Internal, "x").is_none());
    }
}
