//! A subscription as Server-Sent Events
//! ([HTML, section 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use rand::RngExt;
use serde::Serialize;
use tidewatch_events::position::{Epoch, PositionToken};
use tidewatch_events::stream::{
    BATCH, CONNECTED, Connected, HEARTBEAT, Heartbeat, SYSTEM_MESSAGE, SystemCode, SystemMessage,
};
use tidewatch_hub::{CloseReason, Delivery, PublishedEvent, Subscription};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use super::limits::Place;
use super::warden::Watch;

/// Least time in milliseconds before a reader connects again.
const RETRY_MIN_MS: u64 = 1_000;
/// Most; between the two each stream draws its own, so that readers do not come back as a herd.
const RETRY_MAX_MS: u64 = 5_000;

/// Most events of one batch.
const MAX_BATCH: usize = 500;

/// Everything that the stream says of itself.
#[derive(Debug, Clone)]
pub struct StreamInfo {
    /// Which history positions count.
    pub epoch: Epoch,
    /// Time between two heartbeats.
    pub heartbeat: Duration,
    /// The instance's name.
    pub instance: String,
    /// How long events are gathered to be sent as one message; `None`: each one by itself, at once.
    pub batch: Option<Duration>,
    /// What stands for the reader's rights: see [`Connected::rights`].
    pub rights: String,
}

struct SseStream {
    subscription: Subscription,
    /// End with the stream.
    _held: (Watch, Place),
    info: StreamInfo,
    heartbeat: Interval,
    stage: Stage,
    /// Events that wait for their batch to be full.
    batch: Vec<Arc<PublishedEvent>>,
    /// When it is sent, full or not.
    batch_ends: Option<Instant>,
}

enum Stage {
    Opening,
    Open,
    Ended,
}

/// The stream's bytes: `connected`, then events and heartbeats as they come, until the reader
/// leaves or the hub ends it.
pub fn body(
    subscription: Subscription,
    held: (Watch, Place),
    info: StreamInfo,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let mut heartbeat = interval_at(tokio::time::Instant::now() + info.heartbeat, info.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = SseStream {
        subscription,
        _held: held,
        info,
        heartbeat,
        stage: Stage::Opening,
        batch: Vec::new(),
        batch_ends: None,
    };
    futures::stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok(bytes), stream))
    })
}

impl SseStream {
    async fn next(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Ended => None,
            Stage::Opening => {
                self.stage = Stage::Open;
                Some(self.connected())
            }
            Stage::Open => Some(self.open().await),
        }
    }

    async fn open(&mut self) -> Bytes {
        loop {
            let batch_ends = self.batch_ends;
            let batch_is_over = async {
                match batch_ends {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                delivery = self.subscription.next() => match (delivery, self.info.batch) {
                    (Delivery::Events(events), Some(window)) => {
                        self.batch.extend(events);
                        self.batch_ends.get_or_insert_with(|| Instant::now() + window);
                        if self.batch.len() >= MAX_BATCH {
                            return self.take_batch();
                        }
                    }
                    (delivery, _) => return self.behind_the_batch(|stream| stream.deliver(delivery)),
                },
                () = batch_is_over => return self.take_batch(),
                // A heartbeat says that everything up to its place was sent: the batch comes first.
                _ = self.heartbeat.tick() => return self.behind_the_batch(|stream| {
                    let heartbeat = Heartbeat { position: stream.subscription.position() };
                    stream.frame(HEARTBEAT, true, &heartbeat)
                }),
            }
        }
    }

    /// What waits, and then what comes.
    fn behind_the_batch(&mut self, next: impl FnOnce(&mut Self) -> Bytes) -> Bytes {
        let batch = self.take_batch();
        let next = next(self);
        if batch.is_empty() { next } else { Bytes::from([batch, next].concat()) }
    }

    /// The batch as one message, whose id is that of its last event.
    fn take_batch(&mut self) -> Bytes {
        self.batch_ends = None;
        let events = std::mem::take(&mut self.batch);
        let Some(last) = events.last() else { return Bytes::new() };
        let mut bytes = BytesMut::from(
            format!("id: {}\nevent: {BATCH}\ndata: [", last.event().envelope.event_id).as_bytes(),
        );
        for (index, event) in events.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b",");
            }
            bytes.extend_from_slice(&event.json());
        }
        bytes.extend_from_slice(b"]\n\n");
        bytes.freeze()
    }

    fn connected(&mut self) -> Bytes {
        let connected = Connected {
            connection_id: self.subscription.id(),
            position: self.subscription.position(),
            heartbeat_seconds: self.info.heartbeat.as_secs_f64(),
            instance: self.info.instance.clone(),
            recovered: self.subscription.recovered(),
            rights: self.info.rights.clone(),
        };
        let mut bytes = BytesMut::from(retry_line().as_bytes());
        bytes.extend_from_slice(&self.frame(CONNECTED, true, &connected));
        bytes.freeze()
    }

    fn deliver(&mut self, delivery: Delivery) -> Bytes {
        match delivery {
            Delivery::Events(events) => match events.as_slice() {
                // One event is passed on as it is; many are put together, for one write.
                [only] => only.sse_frame(),
                many => {
                    let mut bytes =
                        BytesMut::with_capacity(many.iter().map(|event| event.sse_frame().len()).sum());
                    many.iter().for_each(|event| bytes.extend_from_slice(&event.sse_frame()));
                    bytes.freeze()
                }
            },
            // Without an id: those that they overtake are still to come, and a reader that is cut now must
            // resume before them.
            Delivery::Urgent(events) => {
                let mut bytes = BytesMut::new();
                events.iter().for_each(|event| bytes.extend_from_slice(&event.sse_frame_without_id()));
                bytes.freeze()
            }
            Delivery::Gap { oldest } => self.system(
                true,
                SystemCode::HistoryGap,
                "Events between your position and now cannot be replayed here. Read the present state anew.",
                Some(
                    serde_json::json!({ "oldestPosition": oldest, "position": self.subscription.position() }),
                ),
            ),
            Delivery::PermissionsChanged => self.system(
                true,
                SystemCode::PermissionsChanged,
                "What you may see has changed. Read the present state anew; the stream goes on.",
                None,
            ),
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
                let retry_ms = draw_retry_ms();
                self.end(
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

    /// The last words: they carry no id, so that the reader resumes from the last event it was
    /// sent, not from one that it was not.
    fn end(&mut self, code: SystemCode, message: &str, data: Option<serde_json::Value>) -> Bytes {
        self.stage = Stage::Ended;
        let mut bytes = BytesMut::from(retry_line().as_bytes());
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
        let token = PositionToken { epoch: self.info.epoch, position: self.subscription.position() };
        let id = if with_id { format!("id: {token}\n") } else { String::new() };
        Bytes::from(format!("{id}event: {name}\ndata: {json}\n\n"))
    }
}

fn draw_retry_ms() -> u64 {
    rand::rng().random_range(RETRY_MIN_MS..=RETRY_MAX_MS)
}

fn retry_line() -> String {
    format!("retry: {}\n", draw_retry_ms())
}
