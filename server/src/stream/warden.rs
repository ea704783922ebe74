//! Whoever loses a right loses it on open streams too.
//!
//! A stream is authorized when it opens, and can stay open for days. The warden looks again, every
//! second, at what each open connection showed to get in: sessions, tokens and keys that have ended
//! end their connections; whose roles, organizations or scopes have changed goes on with the new
//! rights and is told so. It asks about all of them at once, and asks the database itself: a change
//! counts whoever made it, on whichever instance.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Permission, Subject, SubjectRef};
use tidewatch_hub::{CloseReason, Hub};
use tokio_util::sync::CancellationToken;

use super::reach::Reach;
use crate::access::channels::{Grant, may_sign, with_grants};
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
    /// The private channels that it was let into, each on somebody's word.
    grants: Vec<Grant>,
    /// What it is open for.
    reach: Reach,
    /// The rights that it has now, channels included; connections of one look that were let into no
    /// channel share them.
    subject: Arc<Subject>,
}

impl Watched {
    fn credentials(&self) -> impl Iterator<Item = Credential> {
        std::iter::once(self.credential).chain(self.grants.iter().map(|grant| grant.signer))
    }

    /// Its rights as of now, by those of `subjects` that count; `None`: it has none at all any more.
    fn rights(&mut self, subjects: &HashMap<Credential, Arc<Subject>>) -> Option<Arc<Subject>> {
        let subject = subjects.get(&self.credential)?;
        let subject = match self.reach.subject(subject, &self.credential) {
            Cow::Borrowed(_) => Arc::clone(subject),
            Cow::Owned(own) => Arc::new(own),
        };
        let project = subject.project_id;
        self.grants.retain(|grant| may_sign(subjects.get(&grant.signer).map(Arc::as_ref), project));
        if self.grants.is_empty() {
            return Some(subject);
        }
        Some(Arc::new(with_grants(&subject, &self.grants)))
    }
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

    /// Watches over a connection that was let in by `credential`, and into private channels by these
    /// grants, with these rights, as far as its reach.
    #[must_use]
    pub fn watch(
        &self,
        id: ConnectionId,
        credential: Credential,
        grants: Vec<Grant>,
        reach: Reach,
        subject: &Subject,
    ) -> Watch {
        let watched = Watched { credential, grants, reach, subject: Arc::new(subject.clone()) };
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

    /// Looks now, and takes from open streams what they have lost.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn look(&self) -> Result<(), sqlx::Error> {
        let credentials: HashSet<Credential> =
            self.0.watched.lock().values().flat_map(Watched::credentials).collect();
        if credentials.is_empty() {
            return Ok(());
        }
        let subjects: HashMap<Credential, Arc<Subject>> = credential::resolve(&self.0.access, &credentials)
            .await?
            .into_iter()
            .map(|(credential, subject)| (credential, Arc::new(subject)))
            .collect();
        for (id, change) in self.changed(&credentials, &subjects) {
            self.take_hold(id, change);
        }
        Ok(())
    }

    /// The connections whose rights are no longer those that they have, and the new ones. Those that
    /// came while the database was asked are left to the next look.
    fn changed(
        &self,
        asked: &HashSet<Credential>,
        subjects: &HashMap<Credential, Arc<Subject>>,
    ) -> Vec<(ConnectionId, Change)> {
        let mut changed = Vec::new();
        for (id, watched) in self.0.watched.lock().iter_mut() {
            if !watched.credentials().all(|credential| asked.contains(&credential)) {
                continue;
            }
            match watched.rights(subjects) {
                Some(subject) => {
                    if watched.subject != subject {
                        changed.push((*id, Change::Rights(Arc::clone(&subject))));
                    }
                    watched.subject = subject;
                }
                None => {
                    let held_channels = !std::mem::take(&mut watched.grants).is_empty();
                    let without = held_channels.then(|| without_channels(&watched.subject));
                    changed.push((*id, Change::Ended(without)));
                }
            }
        }
        changed
    }

    fn take_hold(&self, id: ConnectionId, change: Change) {
        let hub = &self.0.hub;
        match change {
            Change::Ended(without_channels) => {
                tracing::info!(connection.id = %id, "its session, token or key has ended");
                // Of its channels it is told by name, before the stream ends.
                if let Some(subject) = without_channels {
                    hub.set_subject(id, &subject);
                }
                hub.close(id, CloseReason::SessionExpired);
            }
            Change::Rights(subject) if !subject.permissions.contains(&Permission::EVENTS_READ) => {
                tracing::info!(connection.id = %id, "it may read no stream any more");
                hub.close(id, CloseReason::Forbidden);
            }
            Change::Rights(subject) => {
                hub.set_subject(id, &subject);
            }
        }
    }
}

/// What became of a connection's rights.
#[derive(Debug)]
enum Change {
    /// They are these now.
    Rights(Arc<Subject>),
    /// There are none any more; where it was in private channels, the rights without these.
    Ended(Option<Subject>),
}

fn without_channels(subject: &Subject) -> Subject {
    let mut subject = subject.clone();
    subject.identities.retain(|name| !matches!(name, SubjectRef::Channel(_)));
    subject
}
