//! Events that are gathered for a time and sent as one message.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidewatch_events::stream::BATCH;
use tidewatch_hub::{PublishedEvent, Run};
use tokio::time::{Sleep, sleep};

/// Most events of one message.
const MAX_EVENTS: usize = 500;

/// The events of one reader that wait for their message.
#[derive(Debug)]
pub struct Batch {
    window: Duration,
    events: Vec<Arc<PublishedEvent>>,
    /// Until they are sent, full or not; runs while there are some.
    ends: Option<Pin<Box<Sleep>>>,
}

impl Batch {
    /// Gathers for so long from the first event on.
    #[must_use]
    pub const fn new(window: Duration) -> Self {
        Self { window, events: Vec::new(), ends: None }
    }

    /// Takes these along. `true`: it is full.
    pub fn add(&mut self, events: &Run) -> bool {
        let window = self.window;
        self.ends.get_or_insert_with(|| Box::pin(sleep(window)));
        self.events.extend(events.iter().cloned());
        self.events.len() >= MAX_EVENTS
    }

    /// Ready when its time is over.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.ends.as_mut().map_or(Poll::Pending, |ends| ends.as_mut().poll(context))
    }

    /// The message, whose id is that of its last event; nothing when there is no event.
    pub fn take(&mut self) -> Bytes {
        self.ends = None;
        let events = std::mem::take(&mut self.events);
        let Some(last) = events.last() else { return Bytes::new() };
        encode(&format!("id: {}\n", last.event().envelope.event_id), &events)
    }
}

/// These events as a message of their own, without an id: they overtake others, which are still to come.
#[must_use]
pub fn urgent(events: &Run) -> Bytes {
    encode("", events)
}

fn encode(id_line: &str, events: &[Arc<PublishedEvent>]) -> Bytes {
    let mut bytes = BytesMut::from(format!("{id_line}event: {BATCH}\ndata: [").as_bytes());
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b",");
        }
        bytes.extend_from_slice(&event.json());
    }
    bytes.extend_from_slice(b"]\n\n");
    bytes.freeze()
}
