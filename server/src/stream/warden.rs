//! Whoever loses a right loses it on open streams too.
//!
//! A stream is authorized when it opens, and can stay open for days. The warden looks again, every
//! second, at what each open connection showed to get in: sessions, tokens and keys that have ended
//! end their connections; whose roles, organizations or scopes have changed goes on with the new
//! rights and is told so. It asks about all of them at once, and asks the database itself: a change
//! counts whoever made it, on whichever instance.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Permission, Subject};
use tidewatch_hub::{CloseReason, Hub};
use tokio_util::sync::CancellationToken;

use crate::access::credential::{self, Credential};

/// Between two looks. A change takes hold within this time and that of one query.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Knows by what each open connection was let in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Warden(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hub: Hub,
    access: PgPool,
    watched: Mutex<HashMap<ConnectionId, Watched>>,
}

#[derive(Debug, Clone)]
struct Watched {
    credential: Credential,
    /// The rights that it has now; all connections of one look share them.
    subject: Arc<Subject>,
}

/// A connection under watch; dropped with it.
#[derive(Debug)]
pub struct Watch {
    warden: Warden,
    id: ConnectionId,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.warden.0.watched.lock().remove(&self.id);
    }
}

impl Warden {
    /// A warden over the hub's connections.
    #[must_use]
    pub fn new(hub: Hub, access: PgPool) -> Self {
        Self(Arc::new(Inner { hub, access, watched: Mutex::default() }))
    }

    /// Watches over a connection that was let in by `credential` with these rights.
    #[must_use]
    pub fn watch(&self, id: ConnectionId, credential: Credential, subject: &Subject) -> Watch {
        let watched = Watched { credential, subject: Arc::new(subject.clone()) };
        self.0.watched.lock().insert(id, watched);
        Watch { warden: self.clone(), id }
    }

    /// Looks again and again until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
            // While Postgres is away nothing can change in it, and no new event comes out of it.
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "cannot look whether open streams still have their rights; will try again");
            }
        }
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        let credentials: HashSet<Credential> =
            self.0.watched.lock().values().map(|watched| watched.credential).collect();
        if credentials.is_empty() {
            return Ok(());
        }
        let subjects: HashMap<Credential, Arc<Subject>> = credential::resolve(&self.0.access, &credentials)
            .await?
            .into_iter()
            .map(|(credential, subject)| (credential, Arc::new(subject)))
            .collect();
        for (id, subject) in self.changed(&credentials, &subjects) {
            self.take_hold(id, subject.as_deref());
        }
        Ok(())
    }

    /// The connections whose rights are no longer those that they have, and the new ones. Those that
    /// came while the database was asked are left to the next look.
    fn changed(
        &self,
        asked: &HashSet<Credential>,
        subjects: &HashMap<Credential, Arc<Subject>>,
    ) -> Vec<(ConnectionId, Option<Arc<Subject>>)> {
        let mut changed = Vec::new();
        for (id, watched) in self.0.watched.lock().iter_mut() {
            match subjects.get(&watched.credential) {
                Some(subject) => {
                    if watched.subject != *subject {
                        changed.push((*id, Some(Arc::clone(subject))));
                    }
                    watched.subject = Arc::clone(subject);
                }
                None if asked.contains(&watched.credential) => changed.push((*id, None)),
                None => {}
            }
        }
        changed
    }

    fn take_hold(&self, id: ConnectionId, subject: Option<&Subject>) {
        let hub = &self.0.hub;
        match subject {
            None => {
                tracing::info!(connection.id = %id, "its session, token or key has ended");
                hub.close(id, CloseReason::SessionExpired);
            }
            Some(subject) if !subject.permissions.contains(&Permission::EVENTS_READ) => {
                tracing::info!(connection.id = %id, "it may read no stream any more");
                hub.close(id, CloseReason::Forbidden);
            }
            Some(subject) => {
                hub.set_subject(id, subject);
            }
        }
    }
}
