//! The entrance: projects, publishing, subscribing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tidewatch_events::id::ConnectionId;
use tidewatch_events::position::Epoch;
use tidewatch_events::{Event, EventFilter, Position, ProjectId, Subject};

use crate::direct::{DirectSink, Handout};
use crate::history::{History, SharedHistory};
use crate::ring::RingBounds;
use crate::span::{Reader, Span};
use crate::stream::ProjectStream;
#[cfg(doc)]
use crate::subscription::Delivery;
use crate::subscription::{CloseReason, Load, Subscription};

/// How much the hub holds.
#[derive(Debug, Clone, Copy)]
pub struct HubConfig {
    /// Most of the latest events that a project's ring holds.
    pub ring_events: usize,
    /// Most bytes of encoded events that a project's ring holds.
    pub ring_bytes: usize,
    /// How long an event stays in the ring. Looked at when the next one comes.
    pub ring_age: Duration,
    /// Furthest that a replay may begin behind the head, in positions.
    pub max_replay: u64,
    /// Most events that wait for one live subscriber.
    pub queue_events: usize,
    /// Most bytes of encoded events that wait for one live subscriber.
    pub queue_bytes: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            ring_events: 10_000,
            ring_bytes: 64 * 1024 * 1024,
            ring_age: Duration::from_secs(60 * 60),
            max_replay: 10_000,
            queue_events: 1_024,
            queue_bytes: 1024 * 1024,
        }
    }
}

impl HubConfig {
    pub(crate) const fn ring_bounds(&self) -> RingBounds {
        RingBounds { events: self.ring_events, bytes: self.ring_bytes, age: self.ring_age }
    }
}

/// How far a project's stream goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last event's position.
    pub position: Position,
    /// Which history it counts.
    pub epoch: Epoch,
}

/// Why events were not taken. Those before the offending one were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// [`Hub::open_project`] has to come first.
    #[error("the stream of project {0} was not opened")]
    NotOpen(ProjectId),
    /// An event is missing.
    #[error("expected the event at position {expected}, got the one at {got}")]
    Hole {
        /// The next position.
        expected: Position,
        /// The position that came.
        got: Position,
    },
}

/// Where a subscriber starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// Behind the last event there is.
    Head,
    /// Behind this position.
    After(Position),
    /// From somewhere that is no longer known: it is told of the gap and goes on live.
    Unrecoverable,
}

/// Who wants what, from where.
#[derive(Debug, Clone)]
pub struct SubscribeRequest {
    /// The connection, to find the subscriber again.
    pub id: ConnectionId,
    /// Who it is.
    pub subject: Subject,
    /// What it asks for.
    pub filter: EventFilter,
    /// Where it starts.
    pub after: StartAt,
    /// Who reads, where it is to be known what was given to whom: see [`Hub::take_ended_spans`].
    pub reader: Option<Arc<Reader>>,
}

/// Fans published events out to subscribers. Cheap to clone; all clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

pub(crate) struct Inner {
    config: HubConfig,
    pub(crate) history: SharedHistory,
    streams: RwLock<HashMap<ProjectId, Arc<ProjectStream>>>,
    /// Where each connection's slot is, to change or close it from outside.
    directory: Mutex<HashMap<ConnectionId, (Arc<ProjectStream>, usize)>>,
    draining: AtomicBool,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn forget(&self, id: ConnectionId, stream: &ProjectStream, key: usize) {
        self.directory.lock().remove(&id);
        stream.unregister(key);
    }
}

impl Hub {
    /// A hub without projects.
    #[must_use]
    pub fn new(config: HubConfig, history: Arc<dyn History>) -> Self {
        Self(Arc::new(Inner {
            config,
            history: SharedHistory::new(history),
            streams: RwLock::default(),
            directory: Mutex::default(),
            draining: AtomicBool::new(false),
        }))
    }

    fn stream(&self, project: ProjectId) -> Arc<ProjectStream> {
        if let Some(stream) = self.0.streams.read().get(&project) {
            return Arc::clone(stream);
        }
        let mut streams = self.0.streams.write();
        let new = || Arc::new(ProjectStream::new(project, &self.0.config));
        Arc::clone(streams.entry(project).or_insert_with(new))
    }

    /// The project's stream goes on behind `position`. Called again, it begins anew there: what the
    /// ring held is dropped, and every subscriber is told of the gap.
    pub fn open_project(&self, project: ProjectId, position: Position, epoch: Epoch) {
        self.stream(project).open(Head { position, epoch });
    }

    /// The project's stream goes on behind `position` without the events up to there, if it has no
    /// subscriber to whom they would be missing; `false`: it has, or was not opened, and nothing is
    /// changed. Whoever subscribes later is given older events out of the history.
    pub fn skip_to(&self, project: ProjectId, position: Position) -> bool {
        self.stream(project).skip_to(position)
    }

    /// Passes the next events of a project on. Those at or before the head are known and ignored,
    /// so a batch may be published again. The handouts are for subscribers with a [`DirectSink`]; each can be
    /// given by a task of its own, and dropped it wakes them instead.
    ///
    /// # Errors
    /// The project was not opened, or an event is missing before one of these; the events from
    /// there on are not taken.
    pub fn publish(&self, project: ProjectId, events: Vec<Event>) -> Result<Vec<Handout>, PublishError> {
        self.stream(project).publish(events)
    }

    /// How far the project's stream goes; `None` before it was opened.
    #[must_use]
    pub fn head(&self, project: ProjectId) -> Option<Head> {
        self.0.streams.read().get(&project).and_then(|stream| stream.head())
    }

    /// Whether a replay from behind `after` can be served from memory alone.
    #[must_use]
    pub fn reaches(&self, project: ProjectId, after: Position) -> bool {
        self.stream(project).reaches(after)
    }

    /// Takes a subscriber in. It misses nothing that is published from this call on.
    #[must_use]
    pub fn subscribe(&self, request: SubscribeRequest) -> Subscription {
        let stream = self.stream(request.subject.project_id);
        let closed = self.0.draining.load(Ordering::SeqCst).then_some(CloseReason::Draining);
        let reader = request.reader.map(|reader| (request.id, reader));
        let (key, recovered) =
            stream.register(&request.filter, &request.subject, request.after, reader, closed);
        self.0.directory.lock().insert(request.id, (Arc::clone(&stream), key));
        // `start_draining` sets the flag and then looks for subscribers: one of the two sees this one.
        if self.0.draining.load(Ordering::SeqCst) {
            stream.close(key, CloseReason::Draining);
        }
        Subscription::new(request.id, Arc::clone(&self.0), stream, key, recovered)
    }

    /// From now on events are offered to `sink` while the connection's subscriber waits for the next one:
    /// see [`crate::direct`]. `false` when there is no such connection.
    pub fn attach(&self, id: ConnectionId, sink: Arc<dyn DirectSink>) -> bool {
        let Some((stream, key)) = self.0.directory.lock().get(&id).cloned() else { return false };
        stream.attach(key, sink)
    }

    /// From now on the connection has these rights; what waits and may no longer be seen is
    /// dropped, and the subscriber is told by [`Delivery::PermissionsChanged`] where they differ from
    /// those that it had. `false` when there is no such connection, or it is of another project.
    pub fn set_subject(&self, id: ConnectionId, subject: &Subject) -> bool {
        let Some((stream, key)) = self.0.directory.lock().get(&id).cloned() else { return false };
        stream.project == subject.project_id && stream.set_subject(key, subject)
    }

    /// Ends the connection's subscription. `false` when there is no such connection.
    pub fn close(&self, id: ConnectionId, reason: CloseReason) -> bool {
        let Some((stream, key)) = self.0.directory.lock().get(&id).cloned() else { return false };
        stream.close(key, reason)
    }

    /// What the connection's subscriber had and lacks; `None` when there is no such connection.
    #[must_use]
    pub fn load(&self, id: ConnectionId) -> Option<Load> {
        let (stream, key) = self.0.directory.lock().get(&id).cloned()?;
        stream.load(key)
    }

    /// What was given to subscribers with a [`Reader`], in parts that have ended since this was called last.
    /// They are kept until then.
    #[must_use]
    pub fn take_ended_spans(&self) -> Vec<Span> {
        self.0.streams.read().values().flat_map(|stream| stream.take_ended_spans()).collect()
    }

    /// What the project's subscribers with a [`Reader`] were given in the parts that they are in.
    #[must_use]
    pub fn open_spans(&self, project: ProjectId) -> Vec<Span> {
        let stream = self.0.streams.read().get(&project).map(Arc::clone);
        stream.map(|stream| stream.open_spans()).unwrap_or_default()
    }

    /// The projects whose streams are open.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectId> {
        self.0.streams.read().keys().copied().collect()
    }

    /// Ends each subscription to come at once: the instance goes down. Returns those that are there, which whoever calls
    /// ends one after the other with [`CloseReason::Draining`], so that they do not all come back at one moment.
    #[must_use]
    pub fn start_draining(&self) -> Vec<ConnectionId> {
        self.0.draining.store(true, Ordering::SeqCst);
        self.0.directory.lock().keys().copied().collect()
    }

    /// How many distinct views the subscribers have: an event is matched once with each that can want it.
    #[must_use]
    pub fn view_count(&self) -> usize {
        self.0.streams.read().values().map(|stream| stream.views()).sum()
    }

    /// How many subscribers a project has.
    #[must_use]
    pub fn connections_of(&self, project: ProjectId) -> usize {
        self.0.streams.read().get(&project).map_or(0, |stream| stream.subscribers())
    }

    /// How many subscribers there are, of all projects.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.0.streams.read().values().map(|stream| stream.subscribers()).sum()
    }
}
