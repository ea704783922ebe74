//! An event with its encoding, shared by all its readers.

use std::sync::OnceLock;

use bytes::Bytes;
use tidewatch_events::event::Priority;
use tidewatch_events::{AggregateType, Event, Position};

/// What the line with the JSON begins with.
const DATA: &str = "data: ";

/// A published event. It is encoded once, however many readers it has; the other forms are parts of
/// the same bytes.
#[derive(Debug)]
pub struct PublishedEvent {
    event: Event,
    encoded: OnceLock<Encoded>,
}

#[derive(Debug)]
struct Encoded {
    frame: Bytes,
    /// Where the line behind `id` begins.
    event_line: usize,
    /// Where the JSON begins; it ends 2 bytes before the frame does.
    json: usize,
}

impl PublishedEvent {
    /// Wraps the event; nothing is encoded yet.
    #[must_use]
    pub const fn new(event: Event) -> Self {
        Self { event, encoded: OnceLock::new() }
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

    pub(crate) fn is_urgent(&self) -> bool {
        self.event.routing.priority == Priority::High
    }

    /// What it happened to: two events of one thing keep their order.
    pub(crate) fn thing(&self) -> (&AggregateType, &str) {
        (&self.event.envelope.aggregate_type, &self.event.envelope.aggregate_id)
    }

    /// Bytes of [`PublishedEvent::sse_frame`].
    pub(crate) fn frame_len(&self) -> usize {
        self.encoded().frame.len()
    }

    fn encoded(&self) -> &Encoded {
        self.encoded.get_or_init(|| encode(&self.event))
    }

    /// The event as one Server-Sent Event: `id`, `event` and `data` lines, and the empty line.
    #[must_use]
    pub fn sse_frame(&self) -> Bytes {
        self.encoded().frame.clone()
    }

    /// The same without its `id`: the reader goes on resuming behind what it had before.
    #[must_use]
    pub fn sse_frame_without_id(&self) -> Bytes {
        let encoded = self.encoded();
        encoded.frame.slice(encoded.event_line..)
    }

    /// The same without its `event` line, in two parts: an `EventSource` hears it as a `message`, without having to know
    /// what types there are.
    #[must_use]
    pub fn sse_frame_without_name(&self) -> [Bytes; 2] {
        let encoded = self.encoded();
        [encoded.frame.slice(..encoded.event_line), self.sse_data()]
    }

    /// Its `data` line alone, and the empty line.
    #[must_use]
    pub fn sse_data(&self) -> Bytes {
        let encoded = self.encoded();
        encoded.frame.slice(encoded.json - DATA.len()..)
    }

    /// The envelope as JSON, in one line.
    #[must_use]
    pub fn json(&self) -> Bytes {
        let encoded = self.encoded();
        encoded.frame.slice(encoded.json..encoded.frame.len() - 2)
    }
}

fn encode(event: &Event) -> Encoded {
    let envelope = &event.envelope;
    let mut frame = format!("id: {}\n", envelope.event_id).into_bytes();
    let event_line = frame.len();
    frame.extend_from_slice(format!("event: {}\n{DATA}", envelope.event_type).as_bytes());
    let json = frame.len();
    // JSON holds no raw line break, so the data is one line. Writing to memory cannot fail, nor can
    // an envelope: its only map has text keys.
    if let Err(error) = serde_json::to_writer(&mut frame, envelope) {
        tracing::error!(%error, event.id = %envelope.event_id, "an event cannot be encoded");
    }
    frame.extend_from_slice(b"\n\n");
    Encoded { frame: Bytes::from(frame), event_line, json }
}
