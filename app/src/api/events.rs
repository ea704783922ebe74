//! The log of events.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use tidewatch_events::{Envelope, EventId};

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{DeliveryProof, EventPage, EventQuery, Snapshot};

/// Events that a query asks for, newest first.
#[server(prefix = "/fn", endpoint = "search_events", input = GetUrl, output = JsonText)]
pub async fn search_events(
    project: String,
    #[server(default)] query: EventQuery,
) -> Result<Snapshot<EventPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).search_events(query).await
}

/// One event.
#[server(prefix = "/fn", endpoint = "get_event", input = GetUrl, output = JsonText)]
pub async fn get_event(project: String, id: EventId) -> Result<Envelope, AppError> {
    crate::backend::use_backend()?.in_project(&project).event(id).await
}

/// To whom an event was given, when, and who has acknowledged it; `None`: it is not published.
#[server(prefix = "/fn", endpoint = "get_event_deliveries", input = GetUrl, output = JsonText)]
pub async fn get_event_deliveries(
    project: String,
    id: EventId,
) -> Result<Snapshot<Option<DeliveryProof>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).event_deliveries(id).await
}
