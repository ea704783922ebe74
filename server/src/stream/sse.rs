//! A subscription as Server-Sent Events
//! ([HTML, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use rand::RngExt;
use serde::Serialize;
use tidewatch_events::position::PositionToken;
use tidewatch_events::stream::{
    CONNECTED, Connected, HEARTBEAT, Heartbeat, SYSTEM_MESSAGE, SystemCode, SystemMessage,
};
use tidewatch_hub::{CloseReason, Delivery, Head, RightsChange, Subscription};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::batch::{self, Batch};
use super::limits::{Place, StreamEnd};
use super::warden::Watch;
use crate::presence::Present;
use crate::traces::Traces;
use crate::traces::path::envelopes;

/// Least time in milliseconds before a reader connects again.
const RETRY_MIN_MS: u64 = 1_000;
/// Most; between the two each stream draws its own, so that readers do not come back as a herd.
const RETRY_MAX_MS: u64 = 5_000;
/// The same where an instance goes down: it ends its streams one after the other, and others are there to go on.
const DRAIN_RETRY_MS: std::ops::Range<u64> = 250..1_500;

/// What a reader is told when the key that let it into private channels has ended.
pub const REMOVED_FROM_CHANNEL: &str =
    "Whoever let you into these channels can do so no longer. Listen again with a new token.";

/// Everything that the stream says of itself.
#[derive(Debug, Clone)]
pub struct StreamInfo {
    /// Time between two heartbeats.
    pub heartbeat: Duration,
    /// The instance's name.
    pub instance: String,
    /// How long events are gathered to be sent as one message; `None`: each one by itself, at once.
    pub batch: Option<Duration>,
    /// Whether each event comes under the name of its type. An `EventSource` hears those names alone that it was told to
    /// listen for; without names it hears all events as a `message`.
    pub named: bool,
    /// What stands for the reader's rights: see [`Connected::rights`].
    pub rights: String,
    /// Who follows what is given to the reader.
    pub traces: Traces,
}

/// What is held for a stream as long as it is there.
#[derive(Debug)]
pub struct Held {
    /// Its rights are watched.
    pub watch: Watch,
    /// It counts against the limits.
    pub place: Place,
    /// It is seen to be there.
    pub present: Present,
}

/// The stream's bytes: `connected`, then events and heartbeats as they come, until the reader
/// leaves or the hub ends it. What waits together is one item, for one write.
#[derive(Debug)]
pub struct SseStream {
    subscription: Subscription,
    held: Held,
    heartbeat: Interval,
    batch: Option<Box<Batch>>,
    named: bool,
    traces: Traces,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// What it says of itself is needed once: thousands of streams do not keep it.
    Opening(Box<StreamInfo>),
    Open,
    Ended,
}

impl SseStream {
    /// The stream of this subscription; what is `held` for it is let go with it.
    #[must_use]
    pub fn new(subscription: Subscription, held: Held, info: StreamInfo) -> Self {
        let mut heartbeat = interval_at(Instant::now() + info.heartbeat, info.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let batch = info.batch.map(|window| Box::new(Batch::new(window)));
        let (named, traces) = (info.named, info.traces.clone());
        let stage = Stage::Opening(Box::new(info));
        Self { subscription, held, heartbeat, batch, named, traces, stage }
    }
}

impl Stream for SseStream {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        match &stream.stage {
            Stage::Ended => Poll::Ready(None),
            Stage::Opening(info) => {
                let connected = stream.connected(info);
                stream.stage = Stage::Open;
                Poll::Ready(Some(Ok(connected)))
            }
            Stage::Open => stream.poll_open(context).map(|bytes| Some(Ok(bytes))),
        }
    }
}

impl SseStream {
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        while let Poll::Ready(delivery) = self.subscription.poll_next(context) {
            self.trace(&delivery);
            match (delivery, &mut self.batch) {
                (Delivery::Events(events), Some(batch)) => {
                    if batch.add(&events) {
                        return Poll::Ready(batch.take());
                    }
                }
                (delivery, _) => {
                    return Poll::Ready(self.behind_the_batch(|stream| stream.deliver(delivery)));
                }
            }
        }
        if let Some(batch) = &mut self.batch
            && batch.poll_end(context).is_ready()
        {
            return Poll::Ready(batch.take());
        }
        loop {
            ready!(self.heartbeat.poll_tick(context));
            // A heartbeat says that everything up to its place was sent: none while the hub writes what
            // is behind that, which shows as well that the stream is alive; and the batch comes first.
            if let Some(position) = self.subscription.hold() {
                let heartbeat = Heartbeat { position };
                return Poll::Ready(
                    self.behind_the_batch(|stream| stream.frame(HEARTBEAT, true, &heartbeat)),
                );
            }
        }
    }

    fn trace(&self, delivery: &Delivery) {
        if let Delivery::Events(events) | Delivery::Urgent(events) = delivery
            && self.traces.is_on()
        {
            self.traces.delivered(self.subscription.id(), envelopes(events), SystemTime::now());
        }
    }

    /// What waits, and then what comes.
    fn behind_the_batch(&mut self, next: impl FnOnce(&mut Self) -> Bytes) -> Bytes {
        let batch = self.batch.as_mut().map(|batch| batch.take()).unwrap_or_default();
        let next = next(self);
        if batch.is_empty() { next } else { Bytes::from([batch, next].concat()) }
    }

    fn connected(&self, info: &StreamInfo) -> Bytes {
        let connected = Connected {
            connection_id: self.subscription.id(),
            position: self.subscription.position(),
            heartbeat_seconds: info.heartbeat.as_secs_f64(),
            instance: info.instance.clone(),
            recovered: self.subscription.recovered(),
            rights: info.rights.clone(),
            traced: self.traces.is_on(),
        };
        let mut bytes = BytesMut::from(retry_line(draw_retry_ms()).as_bytes());
        bytes.extend_from_slice(&self.frame(CONNECTED, true, &connected));
        bytes.freeze()
    }

    fn deliver(&mut self, delivery: Delivery) -> Bytes {
        if let Some(why) = StreamEnd::of(&delivery) {
            self.held.place.ends(why);
        }
        match delivery {
            Delivery::Events(events) if self.named => events.sse_frames(),
            Delivery::Events(events) => events.sse_frames_without_names(),
            // Without an id: those that they overtake are still to come, and a reader that is cut now must
            // resume before them.
            Delivery::Urgent(events) => match (&self.batch, self.named) {
                // Who asked for batches listens for these alone.
                (Some(_), _) => batch::urgent(&events),
                (None, true) => events.sse_frames_without_id(),
                (None, false) => events.sse_data(),
            },
            Delivery::Gap { oldest } => self.system(
                true,
                SystemCode::HistoryGap,
                "Events between your position and now cannot be replayed here. Read the present state anew.",
                Some(
                    serde_json::json!({ "oldestPosition": oldest, "position": self.subscription.position() }),
                ),
            ),
            Delivery::PermissionsChanged(change) => self.rights_changed(change),
            Delivery::Lagged => self.end(
                SystemCode::Lagged,
                "You read too slowly. Connect again to go on from where you were.",
                None,
            ),
            Delivery::Unavailable => self.end(
                SystemCode::Error,
                "The history cannot be read now. Connect again to go on from where you were.",
                None,
            ),
            Delivery::Closed(CloseReason::Draining) => {
                let retry_ms = rand::rng().random_range(DRAIN_RETRY_MS);
                self.end_with_retry(
                    retry_ms,
                    SystemCode::ServerDraining,
                    "This instance is going down. Connect again to go on from where you were.",
                    Some(serde_json::json!({ "retryMs": retry_ms })),
                )
            }
            Delivery::Closed(CloseReason::SessionExpired) => {
                self.end(SystemCode::SessionExpired, "The session or key of this stream has ended.", None)
            }
            Delivery::Closed(CloseReason::Forbidden) => self.end(
                SystemCode::PermissionsChanged,
                "The permission events.read was taken from you; this stream has ended.",
                None,
            ),
            Delivery::Closed(_) => self.end(SystemCode::Error, "This stream was ended by an operator.", None),
        }
    }

    fn rights_changed(&self, change: RightsChange) -> Bytes {
        let mut bytes = BytesMut::new();
        if !change.removed.is_empty() {
            self.held.present.leaves(&change.removed);
            bytes.extend_from_slice(&self.system(
                true,
                SystemCode::RemovedFromChannel,
                REMOVED_FROM_CHANNEL,
                Some(serde_json::json!({ "channels": change.removed })),
            ));
        }
        if change.others {
            bytes.extend_from_slice(&self.system(
                true,
                SystemCode::PermissionsChanged,
                "What you may see has changed. Read the present state anew; the stream goes on.",
                None,
            ));
        }
        bytes.freeze()
    }

    /// The last words: they carry no id, so that the reader resumes from the last event it was
    /// sent, not from one that it was not.
    fn end(&mut self, code: SystemCode, message: &str, data: Option<serde_json::Value>) -> Bytes {
        self.end_with_retry(draw_retry_ms(), code, message, data)
    }

    fn end_with_retry(
        &mut self,
        retry_ms: u64,
        code: SystemCode,
        message: &str,
        data: Option<serde_json::Value>,
    ) -> Bytes {
        self.stage = Stage::Ended;
        let mut bytes = BytesMut::from(retry_line(retry_ms).as_bytes());
        bytes.extend_from_slice(&self.system(false, code, message, data));
        bytes.freeze()
    }

    fn system(
        &self,
        with_id: bool,
        code: SystemCode,
        message: &str,
        data: Option<serde_json::Value>,
    ) -> Bytes {
        self.frame(SYSTEM_MESSAGE, with_id, &SystemMessage { code, message: message.to_owned(), data })
    }

    /// A message that is no event. Its id, where it has one, is a position token.
    fn frame(&self, name: &str, with_id: bool, data: &impl Serialize) -> Bytes {
        // Our own types always are JSON, in one line.
        let json = serde_json::to_string(data).unwrap_or_default();
        let Head { epoch, position } = self.subscription.place();
        let token = PositionToken { epoch, position };
        let id = if with_id { format!("id: {token}\n") } else { String::new() };
        Bytes::from(format!("{id}event: {name}\ndata: {json}\n\n"))
    }
}

fn draw_retry_ms() -> u64 {
    rand::rng().random_range(RETRY_MIN_MS..=RETRY_MAX_MS)
}

fn retry_line(retry_ms: u64) -> String {
    format!("retry: {retry_ms}\n")
}
