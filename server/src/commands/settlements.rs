//! Settlements.

use serde_json::json;
use tidewatch_events::id::{OrganizationId, SettlementId};
use tidewatch_events::{Permission, Position, SubjectRef};
use tidewatch_outbox::read_head;
use uuid::Uuid;

use super::audit::{Change, note};
use super::{Origin, now};
use crate::access::Caller;
use crate::db;
use crate::domain::settlement::{Move, MoveError, NewSettlement, Settlement};
use crate::error::Error;
use crate::http::problem::FieldProblem;
use crate::http::settlement_json::SettlementJson;
use crate::state::AppState;

/// Asks for a settlement.
///
/// # Errors
/// 403 without `settlements.act`, 422 for fields that will not do, 503 without Postgres.
pub async fn create_settlement(
    state: &AppState,
    caller: &Caller,
    mut new: NewSettlement,
    origin: Origin,
) -> Result<(Settlement, Position), Error> {
    caller.require(&Permission::SETTLEMENTS_ACT)?;
    let problems = new.problems();
    if !problems.is_empty() {
        return Err(Error::Fields(
            problems.iter().map(|(name, detail)| FieldProblem::new(name, detail)).collect(),
        ));
    }
    new.organization_id = choose_organization(caller, new.organization_id)?;
    let (settlement, event) =
        Settlement::create(SettlementId::from_uuid(Uuid::now_v7()), caller.project(), new, now())?;
    let mut transaction = state.outbox.begin(caller.project()).await?;
    if let Some(organization) = settlement.organization_id
        && !db::organizations::exists(&mut transaction, caller.project(), organization).await?
    {
        return Err(Error::field("organizationId", "names no organization of this project"));
    }
    db::settlements::insert(&mut transaction, &settlement).await?;
    let change = Change {
        action: "settlement.create",
        target: settlement.id.to_string(),
        target_name: &settlement.reference,
        before: None,
        after: Some(json!(SettlementJson::from(&settlement))),
    };
    note(&mut transaction, caller, &origin, change).await?;
    transaction.record(event.with_metadata(origin.metadata(caller))).await?;
    let position = read_head(&mut transaction, caller.project()).await?.last;
    transaction.commit().await?;
    Ok((settlement, position))
}

/// The organization that something new belongs to. Staff may say any or none; whoever sees only
/// what is their own must stay within their organizations, or they would make what they cannot see.
fn choose_organization(
    caller: &Caller,
    asked: Option<OrganizationId>,
) -> Result<Option<OrganizationId>, Error> {
    if caller.is_staff() {
        return Ok(asked);
    }
    let mut own = caller.subject.identities.iter().filter_map(|name| match name {
        SubjectRef::Organization(id) => Some(*id),
        SubjectRef::User(_) | SubjectRef::Role(_) | SubjectRef::Channel(_) => None,
    });
    match (asked, own.next(), own.next()) {
        (Some(asked), ..) if caller.subject.identities.contains(&SubjectRef::Organization(asked)) => {
            Ok(Some(asked))
        }
        (Some(_), ..) => Err(Error::field("organizationId", "names no organization of yours")),
        (None, Some(only), None) => Ok(Some(only)),
        (None, None, _) => {
            Err(Error::field("organizationId", "is missing, and you belong to no organization"))
        }
        (None, Some(_), Some(_)) => {
            Err(Error::field("organizationId", "is missing: say for which of your organizations"))
        }
    }
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
    let mut transaction = state.outbox.begin(caller.project()).await?;
    let settlement = db::settlements::lock(&mut transaction, &caller.subject, id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("settlement {id}")))?;
    let action = audit_action(&step);
    let before = json!(SettlementJson::from(&settlement));
    let (next, event) = settlement.make(step, expected_version, now()).map_err(|error| match error {
        MoveError::StaleVersion { .. } | MoveError::NotAllowed { .. } => {
            Error::Conflict { current: Box::new(settlement), message: error.to_string() }
        }
        MoveError::Invalid { field, message } => Error::field(field, message),
        MoveError::Event(message) => Error::Internal(message),
    })?;
    db::settlements::update(&mut transaction, &next).await?;
    let change = Change {
        action,
        target: next.id.to_string(),
        target_name: &next.reference,
        before: Some(before),
        after: Some(json!(SettlementJson::from(&next))),
    };
    note(&mut transaction, caller, &origin, change).await?;
    transaction.record(event.with_metadata(origin.metadata(caller))).await?;
    let position = read_head(&mut transaction, caller.project()).await?.last;
    transaction.commit().await?;
    Ok((next, position))
}

/// The move as the audit log names it.
const fn audit_action(step: &Move) -> &'static str {
    match step {
        Move::SelectNetwork { .. } => "settlement.select_network",
        Move::EstimateGas { .. } => "settlement.estimate_gas",
        Move::Submit => "settlement.submit",
        Move::Confirm { .. } => "settlement.confirm",
        Move::Settle { .. } => "settlement.settle",
        Move::Fail { .. } => "settlement.fail",
        Move::Retry => "settlement.retry",
        Move::Hold { .. } => "settlement.hold",
        Move::Release => "settlement.release",
    }
}
