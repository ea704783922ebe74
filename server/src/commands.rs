//! What callers can have done: each command is one transaction with its event. The API and the
//! dashboard both come through here.

use tidewatch_events::id::SettlementId;
use tidewatch_events::{Metadata, Permission, Position, Timestamp};
use tidewatch_outbox::read_head;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::access::Caller;
use crate::db;
use crate::domain::settlement::{Move, MoveError, NewSettlement, Settlement};
use crate::error::Error;
use crate::http::problem::FieldProblem;
use crate::state::AppState;

/// Where a command comes from, for the event's metadata.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The business process, as the caller names it.
    pub correlation_id: Option<String>,
    /// The trace (W3C Trace Context).
    pub traceparent: Option<String>,
}

impl Origin {
    fn metadata(self, caller: &Caller) -> Metadata {
        Metadata {
            actor: Some(caller.actor.clone()),
            correlation_id: self.correlation_id,
            causation_id: None,
            traceparent: self.traceparent,
        }
    }
}

/// Now, in the precision that is kept.
fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}

/// Asks for a settlement.
///
/// # Errors
/// 403 without `settlements.act`, 422 for fields that will not do, 503 without Postgres.
pub async fn create_settlement(
    state: &AppState,
    caller: &Caller,
    new: NewSettlement,
    origin: Origin,
) -> Result<(Settlement, Position), Error> {
    caller.require(&Permission::SETTLEMENTS_ACT)?;
    let problems = new.problems();
    if !problems.is_empty() {
        return Err(Error::Fields(
            problems.iter().map(|(name, detail)| FieldProblem::new(name, detail)).collect(),
        ));
    }
    let (settlement, event) =
        Settlement::create(SettlementId::from_uuid(Uuid::now_v7()), caller.project(), new, now())?;
    let mut transaction = state.outbox.begin().await?;
    db::settlements::insert(&mut transaction, &settlement).await?;
    transaction.record(event.with_metadata(origin.metadata(caller))).await?;
    let position = read_head(&mut transaction, caller.project()).await?.last;
    transaction.commit().await?;
    Ok((settlement, position))
}

/// Makes a move.
///
/// # Errors
/// 403 without `settlements.act`, 404 for an unknown settlement, 409 with what is current for a
/// stale version or a move that is not possible from there, 422, 503.
pub async fn move_settlement(
    state: &AppState,
    caller: &Caller,
    id: SettlementId,
    step: Move,
    expected_version: i64,
    origin: Origin,
) -> Result<(Settlement, Position), Error> {
    caller.require(&Permission::SETTLEMENTS_ACT)?;
    let mut transaction = state.outbox.begin().await?;
    let settlement = db::settlements::lock(&mut transaction, caller.project(), id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("settlement {id}")))?;
    let (next, event) = settlement.make(step, expected_version, now()).map_err(|error| match error {
        MoveError::StaleVersion { .. } | MoveError::NotAllowed { .. } => {
            Error::Conflict { current: Box::new(settlement), message: error.to_string() }
        }
        MoveError::Invalid { field, message } => Error::field(field, message),
        MoveError::Event(message) => Error::Internal(message),
    })?;
    db::settlements::update(&mut transaction, &next).await?;
    transaction.record(event.with_metadata(origin.metadata(caller))).await?;
    let position = read_head(&mut transaction, caller.project()).await?.last;
    transaction.commit().await?;
    Ok((next, position))
}
