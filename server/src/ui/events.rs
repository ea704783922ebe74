//! The log of events, for pages.

use tidewatch_app::model::{EventPage, EventQuery, Snapshot};
use tidewatch_events::{Envelope, EventId};

use super::{RequestBackend, finish};
use crate::db;
use crate::error::Error;
use crate::queries;

impl RequestBackend {
    pub(super) async fn read_events(&self, query: &EventQuery) -> Result<Snapshot<EventPage>, Error> {
        let caller = self.caller().await?;
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let page = queries::events::search(&mut snapshot, caller, query, true).await?;
        finish(&mut snapshot, caller.project(), page).await
    }

    pub(super) async fn read_event(&self, id: EventId) -> Result<Envelope, Error> {
        queries::events::find(&self.state, self.caller().await?, id).await
    }
}
