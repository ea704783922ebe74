//! Presence: who is connected, on which instance, on which channels, on the word of which keys.
//!
//! Each instance knows its own connections exactly and tells the others, through Postgres, once a
//! second: what is new, what has changed, what has ended. An instance that dies is missed by the others
//! after 5 s, and its connections go with it. How busy connections are changes all the time: that is told
//! only of projects whose connections somebody looks at.

mod load;
mod waiting_poll;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use tidewatch_events::{Channel, ProjectId};
use tidewatch_hub::{CloseReason, Hub, Reader};
use tidewatch_outbox::Carrier;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::load::Samples;
pub use self::waiting_poll::WaitingPoll;
use crate::access::Caller;
use crate::access::channels::Grant;
use crate::access::credential::Credential;
use crate::access::embed_token::Signer;
use crate::access::login::LoginOrigin;
use crate::db::connections::{self, ConnectionRow, Report, Reported};
use crate::deliveries::Deliveries;
use crate::stream::limits::StreamCounts;

/// Between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionKind {
    /// Server-Sent Events.
    Sse,
    /// A poll that waits.
    Poll,
    /// Socket.IO.
    SocketIo,
}

impl ConnectionKind {
    /// What it is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Poll => "poll",
            Self::SocketIo => "socketio",
        }
    }
}

/// Knows this instance's connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Presence(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    instance: Uuid,
    name: String,
    hub: Hub,
    deliveries: Deliveries,
    pool: PgPool,
    carrier: Option<Carrier>,
    counts: StreamCounts,
    open: Mutex<Open>,
    samples: Mutex<Samples>,
    /// One report at a time: a later one must not be overtaken by an earlier one.
    reporting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<ConnectionId, Connection>,
    /// What the others do not know yet.
    changed: HashSet<ConnectionId>,
    ended: Vec<Uuid>,
    /// Texts that many connections share, such as the names of programs.
    texts: HashSet<Arc<str>>,
    /// A key's thousand connections are of one reader.
    readers: HashSet<Arc<Reader>>,
}

#[derive(Debug)]
struct Connection {
    project: ProjectId,
    reader: Arc<Reader>,
    address: Option<IpAddr>,
    client: Arc<str>,
    since: OffsetDateTime,
    channels: BTreeMap<Channel, Listening>,
    /// The key that had the token signed by which it was let in.
    signer: Option<ApiKeyId>,
}

#[derive(Debug)]
struct Listening {
    /// On whose word it is there, where the channel is private.
    key: Option<ApiKeyId>,
    /// The subscription that is the channel's own.
    subscription: Option<ConnectionId>,
}

impl Connection {
    fn row(&self, id: ConnectionId) -> ConnectionRow {
        let own = match self.reader.actor {
            Actor::Key(id) => Some(id),
            Actor::User(_) | Actor::System(_) => None,
        };
        let signers = self.channels.values().filter_map(|listening| listening.key);
        let keys: HashSet<ApiKeyId> = signers.chain(own).chain(self.signer).collect();
        ConnectionRow {
            id: id.uuid(),
            project_id: self.project.uuid(),
            kind: self.reader.transport.to_owned(),
            actor: self.reader.actor.to_string(),
            actor_name: self.reader.name.clone(),
            address: self.address.map(|address| address.to_canonical().to_string()),
            client: self.client.to_string(),
            connected_at: self.since,
            channels: self.channels.keys().map(ToString::to_string).collect(),
            keys: keys.into_iter().map(ApiKeyId::uuid).collect(),
        }
    }
}

impl Open {
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    fn share_reader(&mut self, caller: &Caller, kind: ConnectionKind) -> Arc<Reader> {
        let reader =
            Reader { actor: caller.actor.clone(), name: caller.name.clone(), transport: kind.as_str() };
        if let Some(shared) = self.readers.get(&reader) {
            return Arc::clone(shared);
        }
        let shared = Arc::new(reader);
        self.readers.insert(Arc::clone(&shared));
        shared
    }

    /// What the others are to be told; nothing of it is told twice.
    fn take_report(&mut self) -> Report {
        let connections = &self.connections;
        let changed = self.changed.drain().filter_map(|id| Some(connections.get(&id)?.row(id))).collect();
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.readers.retain(|reader| Arc::strong_count(reader) > 1);
        Report { changed, ended: std::mem::take(&mut self.ended) }
    }

    /// The connections of a project, each with its subscriptions.
    fn subscriptions_of(&self, projects: &[Uuid]) -> Vec<Subscriptions> {
        let of_these = |connection: &&Connection| projects.contains(&connection.project.uuid());
        self.connections
            .iter()
            .filter(|(_, connection)| of_these(connection))
            .map(|(id, connection)| Subscriptions {
                connection: *id,
                since: connection.since,
                others: connection.channels.values().filter_map(|listening| listening.subscription).collect(),
            })
            .collect()
    }

    /// The report did not arrive.
    fn put_back(&mut self, report: Report) {
        self.changed.extend(report.changed.iter().map(|row| ConnectionId::from_uuid(row.id)));
        self.ended.extend(report.ended);
    }

    fn tell_all(&mut self) {
        self.changed.extend(self.connections.keys().copied());
    }
}

/// Under what a connection is known to the hub.
#[derive(Debug)]
struct Subscriptions {
    connection: ConnectionId,
    since: OffsetDateTime,
    /// Beside the one that has the connection's own id.
    others: Vec<ConnectionId>,
}

/// A connection that is there as long as this is.
#[derive(Debug)]
pub struct Present {
    presence: Presence,
    id: ConnectionId,
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut open = self.presence.0.open.lock();
        open.connections.remove(&self.id);
        open.changed.remove(&self.id);
        open.ended.push(self.id.uuid());
    }
}

impl Present {
    /// The connection listens to these channels from now on, by this subscription; to the private ones by
    /// these grants.
    pub fn listens<'a>(
        &self,
        channels: impl IntoIterator<Item = &'a Channel>,
        grants: &[Grant],
        subscription: ConnectionId,
    ) {
        let subscription = Some(subscription).filter(|id| *id != self.id);
        let key_of = |channel: &Channel| {
            let grant = grants.iter().find(|grant| grant.channel == *channel)?;
            match grant.signer {
                Credential::Key(id) => Some(id),
                _ => None,
            }
        };
        self.change(|connection| {
            connection.channels.extend(
                channels
                    .into_iter()
                    .map(|name| (name.clone(), Listening { key: key_of(name), subscription })),
            );
        });
    }

    /// The connection listens to these no longer.
    pub fn leaves<'a>(&self, channels: impl IntoIterator<Item = &'a Channel>) {
        self.change(|connection| {
            for channel in channels {
                connection.channels.remove(channel);
            }
        });
    }

    /// Whose it is, for the proof of what was given to whom.
    #[must_use]
    pub fn reader(&self) -> Option<Arc<Reader>> {
        let open = self.presence.0.open.lock();
        open.connections.get(&self.id).map(|connection| Arc::clone(&connection.reader))
    }

    fn change(&self, change: impl FnOnce(&mut Connection)) {
        let mut open = self.presence.0.open.lock();
        if let Some(connection) = open.connections.get_mut(&self.id) {
            change(connection);
            open.changed.insert(self.id);
        }
    }
}

impl Presence {
    /// Nobody is connected yet to the instance of this name, to which events come by this carrier, too. What
    /// the others have open is told to `counts`.
    #[must_use]
    pub fn new(
        name: String,
        hub: Hub,
        deliveries: Deliveries,
        pool: PgPool,
        carrier: Option<Carrier>,
        counts: StreamCounts,
    ) -> Self {
        Self(Arc::new(Inner {
            instance: Uuid::now_v7(),
            name,
            hub,
            deliveries,
            pool,
            carrier,
            counts,
            open: Mutex::default(),
            samples: Mutex::default(),
            reporting: tokio::sync::Mutex::default(),
        }))
    }

    /// Somebody is connected from now on.
    #[must_use]
    pub fn enter(
        &self,
        id: ConnectionId,
        kind: ConnectionKind,
        caller: &Caller,
        from: &LoginOrigin,
    ) -> Present {
        let mut open = self.0.open.lock();
        let connection = Connection {
            project: caller.project(),
            reader: open.share_reader(caller, kind),
            address: from.address,
            client: open.share(&from.client),
            since: OffsetDateTime::now_utc(),
            channels: BTreeMap::new(),
            signer: match caller.credential {
                Credential::Embed { signer: Signer::Key(id), .. } => Some(id),
                _ => None,
            },
        };
        open.connections.insert(id, connection);
        open.changed.insert(id);
        Present { presence: self.clone(), id }
    }

    /// Who reads, where nobody is connected for longer than an answer takes.
    #[must_use]
    pub fn reader(&self, caller: &Caller, kind: ConnectionKind) -> Arc<Reader> {
        self.0.open.lock().share_reader(caller, kind)
    }

    /// Under what the others know this instance.
    #[must_use]
    pub fn instance(&self) -> Uuid {
        self.0.instance
    }

    /// How many are connected to this instance.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.open.lock().connections.len()
    }

    /// Tells the others at once: whoever asks the database after this is told of all that is here now.
    ///
    /// # Errors
    /// Postgres refused or could not be reached; the next report tells it.
    pub async fn report(&self) -> Result<(), sqlx::Error> {
        let inner = &self.0;
        let _one = inner.reporting.lock().await;
        let reported = match self.tell().await? {
            // The others had given it up, or Postgres has crashed.
            reported if !reported.was_known => {
                inner.open.lock().tell_all();
                self.tell().await?
            }
            reported => reported,
        };
        self.tell_loads(&reported.watched).await?;
        inner.deliveries.write(&reported.watched).await
    }

    /// Tells what has changed; what could not be told is told next time.
    async fn tell(&self) -> Result<Reported, sqlx::Error> {
        let inner = &self.0;
        let report = inner.open.lock().take_report();
        let broker = inner.carrier.as_ref().map(|carrier| (carrier.name(), carrier.is_heard()));
        let told = connections::report(&inner.pool, inner.instance, &inner.name, broker, &report).await;
        told.inspect_err(|_| inner.open.lock().put_back(report))
    }

    /// Tells how busy the connections of these projects are.
    async fn tell_loads(&self, projects: &[Uuid]) -> Result<(), sqlx::Error> {
        let inner = &self.0;
        let subscriptions = match projects {
            [] => Vec::new(),
            some => inner.open.lock().subscriptions_of(some),
        };
        let loads = inner.samples.lock().take(&inner.hub, &subscriptions);
        if loads.is_empty() { Ok(()) } else { connections::write_loads(&inner.pool, &loads).await }
    }

    /// Reports, and ends what others ask it to end, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "cannot tell other instances who is connected; will try again");
            }
            tokio::select! {
                () = tokio::time::sleep(REPORT_EVERY) => {}
                () = shutdown.cancelled() => break,
            }
        }
        // What was given while the instance went down.
        if let Err(error) = self.0.deliveries.write(&[]).await {
            tracing::warn!(%error, "cannot write down what was given last");
        }
        if let Err(error) = connections::forget_instance(&self.0.pool, self.0.instance).await {
            tracing::debug!(%error, "the others will miss this instance after some seconds");
        }
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        self.report().await?;
        let held = connections::held_elsewhere(&self.0.pool, self.0.instance).await?;
        self.0.counts.set_elsewhere(&held);
        for id in connections::asked_to_end(&self.0.pool, self.0.instance).await? {
            let id = ConnectionId::from_uuid(id);
            tracing::info!(connection.id = %id, "ended by an operator");
            self.0.hub.close(id, CloseReason::Removed);
        }
        Ok(())
    }
}
