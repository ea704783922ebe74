//! Events, subjects, and a published log in memory.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use tidewatch_events::access::{Actor, PermissionSet};
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{
    AggregateType, Envelope, Event, EventFilter, EventId, Metadata, Permission, Position, ProjectId, Routing,
    Subject, Timestamp,
};
use tidewatch_hub::{
    DirectSink, History, HistoryError, HistoryPage, Hub, Reader, Run, StartAt, SubscribeRequest, Subscription,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The project of all of them.
pub(crate) fn project() -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(7))
}

/// An event at a position; a secret one needs `settlements.read`.
pub(crate) fn event(number: u64, event_type: &str, secret: bool) -> Event {
    let mut routing = Routing::in_project(project());
    if secret {
        routing.permissions.insert(Permission::SETTLEMENTS_READ);
    }
    Event {
        envelope: Envelope {
            event_id: EventId::from_uuid(Uuid::from_u128(u128::from(number))),
            event_type: event_type.parse().expect("a type"),
            aggregate_type: AggregateType::SETTLEMENT,
            aggregate_id: "stl_1".to_owned(),
            aggregate_version: i64::try_from(number).expect("small"),
            occurred_at: Timestamp::from(OffsetDateTime::UNIX_EPOCH),
            position: Position::new(number).expect("small"),
            payload: serde_json::json!({ "n": number }),
            metadata: Metadata::default(),
        },
        routing,
    }
}

/// One who may see secret events, or not.
pub(crate) fn subject(permitted: bool) -> Subject {
    let permissions = if permitted { PermissionSet::All } else { PermissionSet::none() };
    Subject { project_id: project(), identities: Default::default(), permissions }
}

/// A request of such a one.
pub(crate) fn request(permitted: bool, filter: EventFilter, after: StartAt) -> SubscribeRequest {
    SubscribeRequest {
        id: ConnectionId::from_uuid(Uuid::now_v7()),
        subject: subject(permitted),
        filter,
        after,
        reader: None,
    }
}

/// A reader of this name.
pub(crate) fn reader(name: &str) -> Arc<Reader> {
    let actor = Actor::System("test".into());
    Arc::new(Reader { actor, name: name.to_owned(), transport: "sse" })
}

/// Takes deliveries as long as it has room, as a socket does.
#[derive(Default)]
pub(crate) struct Sink {
    state: Mutex<(usize, Vec<Run>)>,
}

impl Sink {
    /// From now on the subscription's events are offered to it, and it takes this many deliveries.
    pub(crate) fn attach(self: &Arc<Self>, hub: &Hub, subscription: &Subscription, room: usize) {
        self.state.lock().expect("no panic under the lock").0 = room;
        assert!(hub.attach(subscription.id(), Arc::clone(self) as Arc<dyn DirectSink>));
    }

    /// What came since this was asked.
    pub(crate) fn taken(&self) -> Vec<Run> {
        std::mem::take(&mut self.state.lock().expect("no panic under the lock").1)
    }
}

impl DirectSink for Sink {
    fn offer(&self, events: &Run) -> bool {
        let (room, taken) = &mut *self.state.lock().expect("no panic under the lock");
        if *room == 0 {
            return false;
        }
        *room -= 1;
        taken.push(events.clone());
        true
    }
}

/// A published log in memory that answers at the second look, as a database would.
#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<LogState>,
}

#[derive(Default)]
struct LogState {
    events: Vec<Event>,
    oldest: u64,
    broken: bool,
    reads: usize,
    held: bool,
}

impl Log {
    fn state(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.state.lock().expect("no panic under the lock")
    }

    pub(crate) fn extend(&self, events: &[Event]) {
        self.state().events.extend_from_slice(events);
    }

    pub(crate) fn len(&self) -> usize {
        self.state().events.len()
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// Retention drops everything before this position.
    pub(crate) fn drop_before(&self, oldest: u64) {
        self.state().oldest = oldest;
    }

    /// From now on no read is answered, or each is.
    pub(crate) fn hold(&self, held: bool) {
        self.state().held = held;
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        self.state().reads
    }

    /// From now on it cannot be read, or can again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.state().broken = broken;
    }
}

impl History for Log {
    fn read(
        &self,
        _: ProjectId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, HistoryError>> {
        async move {
            tokio::task::yield_now().await;
            while self.state().held {
                tokio::task::yield_now().await;
            }
            let mut state = self.state();
            state.reads += 1;
            if state.broken {
                return Err(HistoryError::new("the disk is on fire"));
            }
            let kept = |event: &&Event| {
                event.envelope.position > after && event.envelope.position.get() >= state.oldest.max(1)
            };
            let events = state.events.iter().filter(kept).take(limit).cloned().collect();
            Ok(HistoryPage { events, oldest: Position::new(state.oldest.max(1)).expect("small") })
        }
        .boxed()
    }
}
