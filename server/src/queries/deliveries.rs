//! Delivery proof: to whom an event was given, when, and who has acknowledged it.

use std::collections::BTreeMap;

use tidewatch_app::model::{DeliveryProof, ProofAcknowledgement, ProofReader, ProofWebhook};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{Event, EventId, Permission, visible};
use tidewatch_hub::Span;
use time::OffsetDateTime;

use super::connections::look_now;
use crate::access::Caller;
use crate::db;
use crate::db::deliveries::{MOST_SPANS, SpanRow, WebhookRow};
use crate::deliveries::span_of;
use crate::error::Error;
use crate::state::AppState;

/// Most events of one question.
pub const MOST_EVENTS: usize = 50;

/// The proof of each of these events that is published and that the caller may see, in the order of
/// positions. For some seconds every instance tells what it gives.
///
/// # Errors
/// 403 without `deliveries.read`, or for somebody who is not of the project's staff: names of readers are in
/// it.
pub async fn deliveries(
    state: &AppState,
    caller: &Caller,
    ids: &[EventId],
) -> Result<Vec<DeliveryProof>, Error> {
    caller.require_manager(&Permission::DELIVERIES_READ)?;
    let project = caller.project();
    look_now(state, project).await?;
    let ids = &ids[..ids.len().min(MOST_EVENTS)];
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let mut events = db::deliveries::events(&mut snapshot, project, ids).await?;
    events.retain(|row| visible(&row.event.0.routing, &caller.subject));
    let positions: Vec<_> = events.iter().map(|row| row.event.0.envelope.position).collect();
    let rows = db::deliveries::covering(&mut snapshot, project, &positions).await?;
    let uuids: Vec<_> = events.iter().map(|row| row.event.0.envelope.event_id.uuid()).collect();
    let webhooks = db::deliveries::webhooks_of(&mut snapshot, project, &uuids).await?;
    let more = rows.len() >= MOST_SPANS as usize;
    let spans: Vec<(Span, SpanRow)> =
        rows.into_iter().filter_map(|row| Some((span_of(&row)?, row))).collect();
    Ok(events.into_iter().map(|row| proof(&row.event.0, row.published_at, &spans, &webhooks, more)).collect())
}

fn proof(
    event: &Event,
    published_at: OffsetDateTime,
    spans: &[(Span, SpanRow)],
    webhooks: &[WebhookRow],
    more: bool,
) -> DeliveryProof {
    let mut readers: BTreeMap<&str, ProofReader> = BTreeMap::new();
    let mut acknowledgements = Vec::new();
    for (_, row) in spans.iter().filter(|(span, _)| span.gave(event)) {
        if row.kind == "acknowledged" {
            acknowledgements.push(ProofAcknowledgement {
                actor: row.actor.clone(),
                name: row.actor_name.clone(),
                subscription: row.via.clone(),
                acknowledged_at: row.since.into(),
            });
            continue;
        }
        let live = row.since <= published_at;
        let given_at = row.since.max(published_at);
        let reader = readers.entry(&row.actor).or_insert_with(|| ProofReader {
            actor: row.actor.clone(),
            name: row.actor_name.clone(),
            via: Vec::new(),
            instances: Vec::new(),
            connections: 0,
            given_at: given_at.into(),
            live,
        });
        reader.connections += 1;
        reader.live |= live;
        reader.given_at = reader.given_at.min(given_at.into());
        for (known, new) in [(&mut reader.via, &row.via), (&mut reader.instances, &row.instance)] {
            if !known.contains(new) {
                known.push(new.clone());
            }
        }
    }
    let envelope = &event.envelope;
    let mut readers: Vec<ProofReader> = readers.into_values().collect();
    readers.sort_by(|one, other| (one.given_at, &one.name).cmp(&(other.given_at, &other.name)));
    DeliveryProof {
        event_id: envelope.event_id,
        event_type: envelope.event_type.clone(),
        position: envelope.position,
        committed_at: envelope.occurred_at,
        published_at: published_at.into(),
        readers,
        acknowledgements,
        webhooks: webhooks
            .iter()
            .filter(|row| row.event_id == envelope.event_id.uuid())
            .map(|row| ProofWebhook {
                webhook: WebhookId::from_uuid(row.endpoint_id),
                delivery: WebhookDeliveryId::from_uuid(row.id),
                url: row.url.clone(),
                state: row.state.clone(),
                attempts: row.attempts.unsigned_abs(),
                finished_at: row.finished_at.map(Into::into),
            })
            .collect(),
        more,
    }
}
