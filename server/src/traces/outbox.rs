//! What the outbox tells of: transactions that record events, and their publication.

use std::time::SystemTime;

use tidewatch_events::trace::TraceContext;
use tidewatch_events::{EventId, NewEvent};
use tidewatch_outbox::{PublishedTrace, Recording, Tracer};

use super::{Span, SpanKind, Traces};

/// What carries events, as spans of messages have it.
pub(super) const SYSTEM: &str = "tidewatch";

impl Tracer for Traces {
    fn begin(&self, began: SystemTime) -> Box<dyn Recording> {
        Box::new(Transaction { traces: self.clone(), began, span: None, records: Vec::new() })
    }

    fn published(&self, began: SystemTime, events: &[PublishedTrace]) {
        for event in events {
            if let Some(context) = TraceContext::recorded(Some(&event.traceparent)) {
                self.published(context, event.event_id, &event.event_type, event.position, began);
            }
        }
    }
}

/// A transaction that records events of traces.
#[derive(Debug)]
struct Transaction {
    traces: Traces,
    began: SystemTime,
    span: Option<Span>,
    /// Those that are being recorded, each with its place among them.
    records: Vec<(usize, Span)>,
}

impl Recording for Transaction {
    fn recording(&mut self, events: &mut [NewEvent]) {
        for (place, event) in events.iter_mut().enumerate() {
            let origin = TraceContext::recorded(event.metadata.traceparent.as_deref());
            let Some(origin) = origin else { continue };
            if self.span.is_none() {
                self.span = self.traces.child(Some(origin), SpanKind::Internal, "transaction");
                self.span.iter_mut().for_each(|span| {
                    span.began(self.began).set("db.system.name", "postgresql");
                });
            }
            // What comes of several requests in one transaction stays with each of them.
            let around = self.span.as_ref().map(Span::context).filter(|it| it.trace == origin.trace);
            let name = format!("record {}", event.event_type);
            let Some(mut span) = self.traces.child(around.or(Some(origin)), SpanKind::Producer, name) else {
                continue;
            };
            span.set("messaging.system", SYSTEM)
                .set("messaging.operation.name", "record")
                .set("messaging.operation.type", "create")
                .set("messaging.destination.name", event.event_type.as_str());
            event.metadata.traceparent = Some(span.context().to_string());
            self.records.push((place, span));
        }
    }

    fn recorded(&mut self, ids: &[EventId]) {
        for (place, mut span) in self.records.drain(..) {
            if let Some(id) = ids.get(place) {
                span.set("messaging.message.id", id.to_string());
            }
        }
    }

    fn committed(mut self: Box<Self>) {
        drop(self.span.take());
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.records.iter_mut().for_each(|(_, span)| {
            span.fail("not recorded");
        });
        if let Some(span) = &mut self.span {
            span.fail("rolled back");
        }
    }
}
