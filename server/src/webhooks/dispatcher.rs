//! The dispatcher: finds for each published event the endpoints that asked for it and may see it, and makes a delivery
//! and a job for each of them. How the log is gone through is the business of [`crate::walker`].

use std::collections::HashMap;

use sqlx::PgConnection;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{Event, EventFilter, Position, ProjectId, Subject, visible};
use tidewatch_jobs::enqueue_all;
use uuid::Uuid;

use crate::access::credential::subject_of_webhook;
use crate::db::cursors::{Cursors, WEBHOOKS};
use crate::db::webhooks::deliveries::NewDelivery;
use crate::db::webhooks::listening::ListeningRow;
use crate::db::webhooks::{deliveries, listening};
use crate::error::Error;
use crate::jobs::deliver_webhook::new_job;
use crate::traces::Traces;
use crate::walker::Walk;

/// Makes deliveries of events.
#[derive(Debug)]
pub struct Dispatch {
    /// In whose traces the jobs belong.
    pub traces: Traces,
}

impl Walk for Dispatch {
    const NAME: &'static str = "webhooks";
    const CURSORS: Cursors = WEBHOOKS;
    type Audience = Vec<Endpoint>;

    async fn audience(
        connection: &mut PgConnection,
        project: ProjectId,
    ) -> Result<Option<Vec<Endpoint>>, Error> {
        let rows = listening::listening(connection, project).await?;
        let endpoints: Vec<Endpoint> = rows.into_iter().map(|row| Endpoint::new(project, row)).collect();
        Ok(Some(endpoints).filter(|endpoints| !endpoints.is_empty()))
    }

    async fn take(
        &self,
        connection: &mut PgConnection,
        project: ProjectId,
        endpoints: &Vec<Endpoint>,
        events: &[Event],
    ) -> Result<usize, Error> {
        let (new, of): (Vec<NewDelivery>, Vec<&Event>) = events
            .iter()
            .flat_map(|event| {
                endpoints.iter().filter_map(move |endpoint| Some((endpoint.delivery_of(event)?, event)))
            })
            .unzip();
        let made = deliveries::insert_all(connection, project, &new).await?;
        let traces: HashMap<WebhookDeliveryId, String> = new
            .iter()
            .zip(of)
            .filter_map(|(delivery, event)| Some((delivery.id, self.traces.following(&event.envelope)?)))
            .collect();
        let jobs = made.iter().map(|id| Ok(new_job(project, *id, 0)?.in_trace(traces.get(id).cloned())));
        let jobs = jobs.collect::<Result<Vec<_>, serde_json::Error>>()?;
        enqueue_all(connection, &jobs).await.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(made.len())
    }
}

/// An endpoint that listens.
#[derive(Debug)]
pub struct Endpoint {
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
