//! Settlements.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use tidewatch_events::id::SettlementId;

use crate::error::AppError;
use crate::model::{
    MoveRequest, NewSettlement, SettlementDetail, SettlementPage, SettlementQuery, SettlementRow, Snapshot,
};

/// A page of settlements.
#[server(prefix = "/fn", endpoint = "list_settlements", input = GetUrl)]
pub async fn list_settlements(
    project: String,
    query: SettlementQuery,
) -> Result<Snapshot<SettlementPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).list_settlements(query).await
}

/// One settlement.
#[server(prefix = "/fn", endpoint = "get_settlement", input = GetUrl)]
pub async fn get_settlement(
    project: String,
    id: SettlementId,
) -> Result<Snapshot<SettlementDetail>, AppError> {
    crate::backend::use_backend()?.in_project(&project).get_settlement(id).await
}

/// Asks for a settlement.
#[server(prefix = "/fn", endpoint = "create_settlement")]
pub async fn create_settlement(project: String, new: NewSettlement) -> Result<SettlementRow, AppError> {
    crate::backend::use_backend()?.in_project(&project).create_settlement(new).await
}

/// Makes a move.
#[server(prefix = "/fn", endpoint = "move_settlement")]
pub async fn move_settlement(
    project: String,
    id: SettlementId,
    request: MoveRequest,
) -> Result<SettlementRow, AppError> {
    crate::backend::use_backend()?.in_project(&project).move_settlement(id, request).await
}
