//! What one process has read of the published log, carried to the others by a broker.
//!
//! ```text
//!  process that leads                              every other process
//!  ┌──────────────────────────┐   broker, lossy   ┌────────────────────────────────────────┐
//!  │ Follower reads the log   │ ────────────────▶ │ Follower: the next position? hands on   │
//!  └──────────────────────────┘                   │ a hole, silence, another epoch? reads   │
//!                                                 │ the log by itself                       │
//!                                                 └────────────────────────────────────────┘
//! ```
//!
//! The log stays the truth, and positions without holes say what of it a process lacks: a broker may lose messages, repeat
//! them, mix up their order, or be away, and nothing but time is lost. Who leads says each second that it is there; where
//! that is not heard, each process reads the log as it does without a broker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tidewatch_broker::{Broker, BrokerError, MAX_MESSAGE_BYTES};
use tidewatch_events::position::Epoch;
use tidewatch_events::{Channel, Envelope, Event, Permission, Priority, ProjectId, Routing, SubjectRef};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::relay::RelayStatus;

/// How often whoever leads says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// So long without a word, and the broker counts as away.
const SILENCE: Duration = Duration::from_secs(3);
/// Pause before a lost subscription is tried again.
const RECONNECT: Duration = Duration::from_secs(1);
/// Largest message, in bytes; whoever signs it may add a little.
const LARGEST: usize = MAX_MESSAGE_BYTES - 1_000;
/// Messages that wait to be sent, or to be handed on, before some are dropped: their events are read from the log.
const WAITING: usize = 256;

/// What carries the log between processes, and how that goes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Carrier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broker: Arc<dyn Broker>,
    /// Whether this process leads, and so reads the log for all.
    relay: Arc<RelayStatus>,
    outbound: mpsc::Sender<Bytes>,
    inbound: mpsc::Sender<Carried>,
    /// Their other ends, until somebody takes them.
    to_send: Mutex<Option<mpsc::Receiver<Bytes>>>,
    to_take: Mutex<Option<mpsc::Receiver<Carried>>>,
    heard: AtomicBool,
    taken: AtomicU64,
    read: AtomicU64,
}

/// A part of a project's stream, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carried {
    pub(crate) project: ProjectId,
    pub(crate) epoch: Epoch,
    /// In the order of positions.
    pub(crate) events: Vec<Event>,
}

impl Carrier {
    /// What is carried by this broker, between processes of which the one whose relay leads reads for all.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>, relay: Arc<RelayStatus>) -> Self {
        let (outbound, to_send) = mpsc::channel(WAITING);
        let (inbound, to_take) = mpsc::channel(WAITING);
        Self(Arc::new(Inner {
            broker,
            relay,
            outbound,
            inbound,
            to_send: Mutex::new(Some(to_send)),
            to_take: Mutex::new(Some(to_take)),
            heard: AtomicBool::default(),
            taken: AtomicU64::default(),
            read: AtomicU64::default(),
        }))
    }

    /// What operators call the broker.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.broker.name()
    }

    /// Whether something was heard by the broker in the last 3 s; whoever leads speaks once a second.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.heard.load(Ordering::Relaxed)
    }

    /// Events that this process took from the broker since it started, and those that it read from the log.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.0.taken.load(Ordering::Relaxed), self.0.read.load(Ordering::Relaxed))
    }

    /// Whether this process reads the log for all.
    pub(crate) fn leads(&self) -> bool {
        self.0.relay.is_leading()
    }

    pub(crate) fn count_taken(&self, events: usize) {
        self.0.taken.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Notes what was read from the log, and sends it to the others where this process leads. Never waits: where the broker
    /// is slow, the others read the log.
    pub(crate) fn pass_on(&self, project: ProjectId, epoch: Epoch, events: &[Event]) {
        self.0.read.fetch_add(events.len() as u64, Ordering::Relaxed);
        if !self.leads() {
            return;
        }
        for message in encode(project, epoch, events) {
            if self.0.outbound.try_send(message).is_err() {
                break;
            }
        }
    }

    /// What is heard comes out here; `None`, where somebody has it already.
    pub(crate) fn inbound(&self) -> Option<mpsc::Receiver<Carried>> {
        self.0.to_take.lock().take()
    }

    /// Sends and hears until `shutdown`, and connects again after any error. Only the first call does anything.
    pub async fn run(self, shutdown: CancellationToken) {
        let Some(outbound) = self.0.to_send.lock().take() else { return };
        let work = async { tokio::join!(self.send(outbound), self.hear()) };
        tokio::select! {
            _ = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn send(&self, mut outbound: mpsc::Receiver<Bytes>) {
        let mut is_refused = false;
        loop {
            let message = match tokio::time::timeout(BEAT, outbound.recv()).await {
                Ok(Some(message)) => message,
                Ok(None) => return,
                Err(_) if self.leads() => Bytes::new(),
                Err(_) => continue,
            };
            match self.0.broker.publish(message).await {
                Ok(()) => {
                    if std::mem::take(&mut is_refused) {
                        tracing::info!(broker = self.name(), "events go out by the broker again");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_refused, true) {
                        tracing::warn!(broker = self.name(), %error, "the broker takes no events; others read the log meanwhile");
                    }
                    tokio::time::sleep(RECONNECT).await;
                    // What waits is old by then: the others have read it.
                    while outbound.try_recv().is_ok() {}
                }
            }
        }
    }

    async fn hear(&self) {
        let mut is_away = false;
        loop {
            let error = self.hear_one_subscription(&mut is_away).await;
            self.0.heard.store(false, Ordering::Relaxed);
            if !std::mem::replace(&mut is_away, true) {
                tracing::warn!(broker = self.name(), %error, "the broker is not heard; events are read from Postgres meanwhile");
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn hear_one_subscription(&self, is_away: &mut bool) -> BrokerError {
        let mut messages = match self.0.broker.subscribe().await {
            Ok(messages) => messages,
            Err(error) => return error,
        };
        loop {
            let message = match tokio::time::timeout(SILENCE, messages.next()).await {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return error,
                Ok(None) => return BrokerError::new("the subscription has ended"),
                Err(_) => return BrokerError::new("nothing was heard for 3 s"),
            };
            self.0.heard.store(true, Ordering::Relaxed);
            if std::mem::take(is_away) {
                tracing::info!(broker = self.name(), "events come by the broker again");
            }
            if message.is_empty() {
                continue;
            }
            match decode(&message) {
                // Where too many wait, the hole is seen at the next one, and read.
                Some(carried) => drop(self.0.inbound.try_send(carried)),
                None => tracing::warn!(broker = self.name(), "a message of the broker cannot be read"),
            }
        }
    }
}

/// What a message begins with: whose events follow, a line each.
#[derive(Serialize, Deserialize)]
struct Head {
    project: ProjectId,
    epoch: Epoch,
}

/// An event with what routes it. Between instances alone: readers never get a routing.
#[derive(Serialize, Deserialize)]
struct Line<E> {
    envelope: E,
    permissions: BTreeSet<Permission>,
    audience: BTreeSet<SubjectRef>,
    channels: BTreeSet<Channel>,
    priority: Priority,
}

/// The events as messages, none larger than a broker takes. Ends before an event that would be.
fn encode(project: ProjectId, epoch: Epoch, events: &[Event]) -> Vec<Bytes> {
    // Our own types always are JSON, in one line.
    let head = serde_json::to_string(&Head { project, epoch }).unwrap_or_default();
    let mut messages = Vec::new();
    let mut message = head.clone();
    for event in events {
        let Routing { project_id: _, permissions, audience, channels, priority } = event.routing.clone();
        let line = Line { envelope: &event.envelope, permissions, audience, channels, priority };
        let line = serde_json::to_string(&line).unwrap_or_default();
        if head.len() + 1 + line.len() > LARGEST {
            break;
        }
        if message.len() + 1 + line.len() > LARGEST {
            messages.push(Bytes::from(std::mem::replace(&mut message, head.clone())));
        }
        message.push('\n');
        message.push_str(&line);
    }
    if message.len() > head.len() {
        messages.push(message.into());
    }
    messages
}

/// What a message says; `None` where it is none of ours.
fn decode(message: &[u8]) -> Option<Carried> {
    let mut lines = message.split(|byte| *byte == b'\n');
    let Head { project, epoch } = serde_json::from_slice(lines.next()?).ok()?;
    let event = |line: &[u8]| {
        let line: Line<Envelope> = serde_json::from_slice(line).ok()?;
        let Line { envelope, permissions, audience, channels, priority } = line;
        let routing = Routing { project_id: project, permissions, audience, channels, priority };
        Some(Event { envelope, routing })
    };
    Some(Carried { project, epoch, events: lines.map(event).collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::{AggregateType, EventId, EventType, Metadata, Position, Timestamp};
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn event(project: ProjectId, position: u64, payload: serde_json::Value) -> Event {
        let mut routing = Routing::in_project(project);
        routing.permissions.insert(Permission::EVENTS_READ);
        routing.audience.insert("role:staff".parse().expect("a name"));
        routing.channels.insert("private-orders".parse().expect("a channel"));
        routing.priority = Priority::High;
        Event {
            envelope: Envelope {
                event_id: EventId::from_uuid(Uuid::now_v7()),
                event_type: EventType::from_static("order.created"),
                aggregate_type: AggregateType::ORDER,
                aggregate_id: "a\nb".to_owned(),
                aggregate_version: 1,
                occurred_at: Timestamp::from(OffsetDateTime::now_utc()),
                position: Position::new(position).expect("a position"),
                payload,
                metadata: Metadata::default(),
            },
            routing,
        }
    }

    #[test]
    fn what_is_carried_is_what_was_read() {
        let (project, epoch) = (ProjectId::from_uuid(Uuid::now_v7()), Epoch(7));
        let payloads =
            [json!({ "text": "line\nline \u{0}é" }), json!(0.1 + 0.2), json!(u64::MAX), json!(null)];
        let events: Vec<Event> = payloads
            .into_iter()
            .zip(1..)
            .map(|(payload, position)| event(project, position, payload))
            .collect();
        let messages = encode(project, epoch, &events);
        assert_eq!(messages.len(), 1);
        assert_eq!(decode(&messages[0]), Some(Carried { project, epoch, events }));
        assert!(encode(project, epoch, &[]).is_empty());
    }

    #[test]
    fn no_message_is_larger_than_a_broker_takes() {
        let (project, epoch) = (ProjectId::from_uuid(Uuid::now_v7()), Epoch(1));
        let large = json!("x".repeat(250_000));
        let mut events: Vec<Event> =
            (1..=9).map(|position| event(project, position, large.clone())).collect();
        let messages = encode(project, epoch, &events);
        assert!(messages.len() > 1 && messages.iter().all(|message| message.len() <= LARGEST));
        let carried: Vec<Event> =
            messages.iter().flat_map(|message| decode(message).expect("ours").events).collect();
        assert_eq!(carried, events);
        // One that none would take ends what is carried: what is behind it is read with it.
        events[4].envelope.payload = json!("x".repeat(LARGEST));
        let carried: usize = encode(project, epoch, &events)
            .iter()
            .map(|message| decode(message).expect("ours").events.len())
            .sum();
        assert_eq!(carried, 4);
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        for message in ["", "x", "{}", "[]\n{}", r#"{"project":"x","epoch":1}"#] {
            assert_eq!(decode(message.as_bytes()), None, "{message}");
        }
    }
}
