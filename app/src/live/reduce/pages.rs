//! Which rows the polled lists have.

use tidewatch_events::id::{ConnectionId, JobId, WebhookDeliveryId};

use super::ListPage;
use crate::model::{Connection, ConnectionPage, Job, JobPage, WebhookDelivery, WebhookDetail};

impl ListPage for ConnectionPage {
    type Row = Connection;
    type Key = ConnectionId;

    fn key(row: &Connection) -> ConnectionId {
        row.id
    }

    fn rows(&self) -> &[Connection] {
        &self.connections
    }
}

impl ListPage for JobPage {
    type Row = Job;
    type Key = JobId;

    fn key(row: &Job) -> JobId {
        row.id
    }

    fn rows(&self) -> &[Job] {
        &self.jobs
    }
}

impl ListPage for WebhookDetail {
    type Row = WebhookDelivery;
    type Key = WebhookDeliveryId;

    fn key(row: &WebhookDelivery) -> WebhookDeliveryId {
        row.id
    }

    fn rows(&self) -> &[WebhookDelivery] {
        &self.deliveries.deliveries
    }
}
