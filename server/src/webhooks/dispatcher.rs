//! The dispatcher: goes through the published log and finds for each event the endpoints that asked for it and may
//! see it.
//!
//! Every instance has one, and nobody is elected: whoever locks a project's cursor goes on with it, and the others
//! pass by. Deliveries, their jobs and the cursor behind them are one transaction, so no event is lost and none is
//! taken twice, whatever becomes of the process.

use std::time::Duration;

use sqlx::PgConnection;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{Event, EventFilter, Position, ProjectId, Subject, visible};
use tidewatch_jobs::enqueue_all;
use tidewatch_outbox::PublishedLog;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Webhooks;
use crate::access::credential::subject_of_webhook;
use crate::db::webhooks::deliveries::NewDelivery;
use crate::db::webhooks::listening::ListeningRow;
use crate::db::webhooks::{cursors, deliveries, listening};
use crate::error::Error;
use crate::jobs::deliver_webhook::new_job;
use crate::state::AppState;

/// Events of one transaction.
const BATCH: usize = 200;
/// Longest time between two looks while no project has an endpoint: publications then wake nobody, and what
/// another instance made is found as late.
const IDLE: Duration = Duration::from_secs(1);

/// Goes through the published log of all projects that have an endpoint.
#[derive(Debug)]
pub struct Dispatcher {
    log: PublishedLog,
    webhooks: Webhooks,
    jobs: tidewatch_jobs::Waker,
    poll: Duration,
}

/// What a step of the dispatcher came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatched {
    /// Events that were looked at.
    pub events: usize,
    /// Deliveries that were made of them.
    pub deliveries: usize,
}

impl Dispatcher {
    /// The dispatcher of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self {
            log: state.log.clone(),
            webhooks: state.webhooks.clone(),
            jobs: state.jobs.clone(),
            poll: Duration::from_millis(state.config.poll_ms),
        }
    }

    /// Dispatches what is published, until `shutdown`. Errors are logged and tried again: the cursor is kept, so
    /// nothing is lost by them.
    pub async fn run(self, shutdown: CancellationToken) {
        let work = async {
            loop {
                let idle = match self.look().await {
                    Ok(endpoints) => !endpoints,
                    Err(error) => {
                        tracing::warn!(%error, "cannot see for which projects there are webhooks; will try again");
                        false
                    }
                };
                let Webhooks { published, changed, .. } = &self.webhooks;
                if idle {
                    let _ = tokio::time::timeout(IDLE, changed.notified()).await;
                } else {
                    let _ = tokio::time::timeout(self.poll, published.notified()).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    /// Dispatches everything that is published now, and says whether any project has an endpoint.
    async fn look(&self) -> Result<bool, Error> {
        let projects = cursors::list(&mut *self.webhooks.pool.acquire().await?).await?;
        for (project, _) in projects.iter().filter(|(_, behind)| *behind) {
            // What is wrong with one project must not hold up the others.
            if let Err(error) = self.catch_up(*project).await {
                tracing::warn!(%error, project.id = %project, "cannot dispatch webhooks; will try again");
            }
        }
        Ok(!projects.is_empty())
    }

    /// Dispatches everything that is published in a project. Each step is a transaction; a backlog is many.
    async fn catch_up(&self, project: ProjectId) -> Result<(), Error> {
        loop {
            let mut transaction = self.webhooks.pool.begin().await?;
            let done = dispatch(&mut transaction, &self.log, project).await?;
            transaction.commit().await?;
            if done.deliveries > 0 {
                self.jobs.wake_workers();
            }
            if done.events < BATCH {
                return Ok(());
            }
        }
    }
}

/// One step through the project's log, in the caller's transaction, on a connection of the owner: nothing of it has
/// happened unless that commits. Where another instance is at it, nothing is done.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn dispatch(
    connection: &mut PgConnection,
    log: &PublishedLog,
    project: ProjectId,
) -> Result<Dispatched, Error> {
    const NOTHING: Dispatched = Dispatched { events: 0, deliveries: 0 };
    let Some(cursor) = cursors::lock(connection, project).await? else { return Ok(NOTHING) };
    // Read under the lock: whoever makes an endpoint waits for it, or was waited for.
    let endpoints: Vec<Endpoint> = listening::listening(connection, project)
        .await?
        .into_iter()
        .map(|row| Endpoint::new(project, row))
        .collect();
    if endpoints.is_empty() {
        cursors::delete(connection, project).await?;
        return Ok(NOTHING);
    }
    let page = log.read(project, cursor, BATCH).await?;
    let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else { return Ok(NOTHING) };
    if first.envelope.position > cursor.next() {
        tracing::error!(
            project.id = %project, after = cursor.get(), oldest = page.oldest.get(),
            "events were dropped by retention before webhooks told of them"
        );
    }
    let new: Vec<NewDelivery> = page
        .events
        .iter()
        .flat_map(|event| endpoints.iter().filter_map(|endpoint| endpoint.delivery_of(event)))
        .collect();
    let made = deliveries::insert_all(connection, project, &new).await?;
    let jobs = made.iter().map(|id| new_job(project, *id, 0)).collect::<Result<Vec<_>, _>>()?;
    enqueue_all(connection, &jobs).await.map_err(|error| Error::Internal(error.to_string()))?;
    cursors::advance(connection, project, last.envelope.position).await?;
    Ok(Dispatched { events: page.events.len(), deliveries: made.len() })
}

/// An endpoint that listens.
struct Endpoint {
    id: WebhookId,
    subject: Subject,
    filter: EventFilter,
    starts_after: Position,
}

impl Endpoint {
    fn new(project: ProjectId, row: ListeningRow) -> Self {
        let types: Vec<TypePattern> = row.types.iter().filter_map(|pattern| pattern.parse().ok()).collect();
        Self {
            id: WebhookId::from_uuid(row.id),
            subject: subject_of_webhook(project, &row.permissions),
            filter: EventFilter { types, ..EventFilter::default() },
            starts_after: u64::try_from(row.starts_after).ok().and_then(Position::new).unwrap_or_default(),
        }
    }

    /// The delivery of this event to this endpoint, where it is for it.
    fn delivery_of(&self, event: &Event) -> Option<NewDelivery> {
        let envelope = &event.envelope;
        let wanted = envelope.position > self.starts_after
            && self.filter.matches(event)
            && visible(&event.routing, &self.subject);
        wanted.then(|| NewDelivery {
            id: WebhookDeliveryId::from_uuid(Uuid::now_v7()),
            endpoint: self.id,
            event: envelope.event_id,
            event_type: envelope.event_type.clone(),
            position: Some(envelope.position),
        })
    }
}
