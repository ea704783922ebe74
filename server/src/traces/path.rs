//! The way of an event: from the relay to whom it is given, and what a browser says of it.
//!
//! The ids of these spans are made of the event's, so that whoever comes next knows its parent without being told: the hub of
//! another instance, a worker hours later, the request in which a browser tells when it had the event.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tidewatch_events::id::ConnectionId;
use tidewatch_events::trace::TraceContext;
use tidewatch_events::{Envelope, EventId};
use tidewatch_hub::{DirectSink, PublishedEvent, Run};

use super::{Span, SpanKind, Traces};

/// How long ago at most a browser can have had what it tells of.
const LONGEST_AGO: Duration = Duration::from_secs(60);

/// Whose span it is.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The relay gives the event its position.
    Relay,
    /// It is given to this reader,
    Delivery(ConnectionId),
    /// and has come to the page there.
    Browser(ConnectionId),
}

impl Step {
    /// The span of this step on the event's way.
    fn id(self, event: EventId) -> [u8; 8] {
        let (name, connection) = match self {
            Self::Relay => ("relay", None),
            Self::Delivery(connection) => ("delivery", Some(connection)),
            Self::Browser(connection) => ("browser", Some(connection)),
        };
        let mut digest = Sha256::new().chain_update(name).chain_update(event.uuid());
        if let Some(connection) = connection {
            digest.update(connection.uuid());
        }
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(digest.finalize());
        // Zeroes alone name nothing.
        [a, b, c, d, e, f, g, h | 1]
    }
}

/// What belongs to an event's trace, beside its parents.
struct Told<'a> {
    event: EventId,
    event_type: &'a str,
    position: i64,
}

impl<'a> From<&'a Envelope> for Told<'a> {
    fn from(envelope: &'a Envelope) -> Self {
        Self {
            event: envelope.event_id,
            event_type: envelope.event_type.as_str(),
            position: i64::try_from(envelope.position.get()).unwrap_or(i64::MAX),
        }
    }
}

/// A browser has had an event, and shown it.
#[derive(Debug, Clone, Copy)]
pub struct Receipt {
    /// By this stream.
    pub connection: ConnectionId,
    /// So long ago it came,
    pub received_ago: Duration,
    /// and so long ago the page showed it.
    pub rendered_ago: Duration,
}

impl Traces {
    /// Where in its trace what follows from a published event belongs; `None`: its trace is not recorded here. Nobody would ever
    /// have the publication's span, and what follows would hang on nothing.
    fn behind(&self, envelope: &Envelope) -> Option<TraceContext> {
        // What is off does not even read it.
        let traceparent = envelope.metadata.traceparent.as_deref().filter(|_| self.is_on());
        Some(TraceContext::recorded(traceparent)?.at(Step::Relay.id(envelope.event_id)))
    }

    /// The `traceparent` of what follows from a published event: behind its publication where that is recorded here, else the
    /// event's own, which others may follow.
    #[must_use]
    pub(crate) fn following(&self, envelope: &Envelope) -> Option<String> {
        let published = self.behind(envelope).map(|context| context.to_string());
        published.or_else(|| envelope.metadata.traceparent.clone())
    }

    fn step(&self, parent: TraceContext, step: Step, kind: SpanKind, name: String, told: &Told<'_>) -> Span {
        let context = parent.at(step.id(told.event));
        let mut span = Span::new(self, context, Some(parent), kind, name.into());
        span.set("messaging.system", super::outbox::SYSTEM)
            .set("messaging.destination.name", told.event_type)
            .set("messaging.message.id", told.event.to_string())
            .set("tidewatch.event.position", told.position);
        span
    }

    /// The relay has published an event of a recorded trace.
    pub(super) fn published(
        &self,
        traceparent: TraceContext,
        event: EventId,
        event_type: &str,
        position: i64,
        began: SystemTime,
    ) {
        let told = Told { event, event_type, position };
        self.step(traceparent, Step::Relay, SpanKind::Producer, format!("publish {event_type}"), &told)
            .began(began)
            .set("messaging.operation.name", "publish")
            .set("messaging.operation.type", "send");
    }

    /// Events were given to a reader, beginning then. Those of recorded traces have a span each.
    pub fn delivered<'e>(
        &self,
        connection: ConnectionId,
        events: impl IntoIterator<Item = &'e Envelope>,
        began: SystemTime,
    ) {
        for envelope in events {
            let Some(parent) = self.behind(envelope) else { continue };
            let name = format!("deliver {}", envelope.event_type);
            self.step(parent, Step::Delivery(connection), SpanKind::Producer, name, &envelope.into())
                .began(began)
                .set("messaging.operation.name", "deliver")
                .set("messaging.operation.type", "send")
                .set("messaging.client.id", connection.to_string());
        }
    }

    /// A browser has told that it had an event. It says how long ago, since its clock may be another one; before the event
    /// was published it cannot have been.
    pub fn received(&self, envelope: &Envelope, published: SystemTime, receipt: Receipt) {
        let Some(published_at) = self.behind(envelope) else { return };
        let Receipt { connection, received_ago, rendered_ago } = receipt;
        let parent = published_at.at(Step::Delivery(connection).id(envelope.event_id));
        let now = SystemTime::now();
        let at = |ago: Duration| (now - ago.min(LONGEST_AGO)).max(published).min(now);
        self.step(
            parent,
            Step::Browser(connection),
            SpanKind::Consumer,
            "browser receive".into(),
            &envelope.into(),
        )
        .began(at(received_ago))
        .ended(at(rendered_ago))
        .set("messaging.operation.name", "receive")
        .set("messaging.operation.type", "receive")
        .set("messaging.client.id", connection.to_string());
    }
}

/// The envelopes of what the hub gives out.
pub(crate) fn envelopes(events: &[Arc<PublishedEvent>]) -> impl Iterator<Item = &Envelope> {
    events.iter().map(|event| &event.event().envelope)
}

/// The same sink, of which it is traced what it takes. Where traces are off, there is nothing around it.
pub(crate) fn traced(
    traces: Traces,
    connection: ConnectionId,
    sink: Arc<dyn DirectSink>,
) -> Arc<dyn DirectSink> {
    if traces.is_on() { Arc::new(TracedSink { traces, connection, sink }) } else { sink }
}

struct TracedSink {
    traces: Traces,
    connection: ConnectionId,
    sink: Arc<dyn DirectSink>,
}

impl DirectSink for TracedSink {
    fn offer(&self, events: &Run) -> bool {
        let began = SystemTime::now();
        let taken = self.sink.offer(events);
        if taken {
            self.traces.delivered(self.connection, envelopes(events), began);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_step_of_each_event_has_an_id_of_its_own() {
        let event = |number| EventId::from_uuid(Uuid::from_u128(number));
        let reader = |number| ConnectionId::from_uuid(Uuid::from_u128(number));
        let steps = [
            Step::Relay.id(event(1)),
            Step::Relay.id(event(2)),
            Step::Delivery(reader(1)).id(event(1)),
            Step::Delivery(reader(2)).id(event(1)),
            Step::Browser(reader(1)).id(event(1)),
        ];
        let distinct: std::collections::HashSet<_> = steps.iter().collect();
        assert_eq!(distinct.len(), steps.len());
        assert_eq!(Step::Relay.id(event(1)), steps[0], "whoever asks");
    }
}
