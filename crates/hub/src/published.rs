//! An event with its encoding, shared by all its readers.

use std::sync::OnceLock;

use bytes::Bytes;
use tidewatch_events::{Event, Position};

/// A published event. It is encoded once, however many readers it has.
#[derive(Debug)]
pub struct PublishedEvent {
    event: Event,
    sse_frame: OnceLock<Bytes>,
}

impl PublishedEvent {
    /// Wraps the event; nothing is encoded yet.
    #[must_use]
    pub const fn new(event: Event) -> Self {
        Self { event, sse_frame: OnceLock::new() }
    }

    /// The event with its routing, which is not for readers.
    #[must_use]
    pub const fn event(&self) -> &Event {
        &self.event
    }

    /// Its place in the stream.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.event.envelope.position
    }

    /// The event as one Server-Sent Event: `id`, `event` and `data` lines, and the empty line.
    #[must_use]
    pub fn sse_frame(&self) -> Bytes {
        self.sse_frame.get_or_init(|| encode(&self.event)).clone()
    }
}

fn encode(event: &Event) -> Bytes {
    let envelope = &event.envelope;
    let mut frame = format!("id: {}\nevent: {}\ndata: ", envelope.event_id, envelope.event_type).into_bytes();
    // JSON holds no raw line break, so the data is one line. Writing to memory cannot fail, nor can
    // an envelope: its only map has text keys.
    if let Err(error) = serde_json::to_writer(&mut frame, envelope) {
        tracing::error!(%error, event.id = %envelope.event_id, "an event cannot be encoded");
    }
    frame.extend_from_slice(b"\n\n");
    Bytes::from(frame)
}
