//! Settlements as pages show them and forms send them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use tidewatch_events::catalog::settlement::{Network, SettlementStatus};
use tidewatch_events::id::SettlementId;
use tidewatch_events::money::Currency;
use tidewatch_events::{Envelope, Timestamp};

use super::SettlementCursor;

/// A settlement in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementRow {
    /// Which one.
    pub id: SettlementId,
    /// The customer's own reference.
    pub reference: String,
    /// The amount in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network, once it is chosen.
    pub network: Option<Network>,
    /// Where it stands.
    pub status: SettlementStatus,
    /// Confirmations seen so far.
    pub confirmations: u32,
    /// Confirmations that its network asks for; 0 while no network is chosen.
    pub required: u32,
    /// One more with each change.
    pub version: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl SettlementRow {
    /// Its place in the order of every list: by (`created_at`, `id`).
    #[must_use]
    pub const fn key(&self) -> SettlementCursor {
        SettlementCursor { created_at: self.created_at, id: self.id }
    }
}

/// Which settlements to list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementQuery {
    /// Only those that stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SettlementStatus>,
    /// Only those behind this [`SettlementCursor`], as [`SettlementPage::next`] gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Most rows of the page.
    pub limit: u32,
}

impl SettlementQuery {
    /// Rows of a page where nobody asked for another number.
    pub const PAGE_SIZE: u32 = 25;
}

/// A page of settlements, newest first by (`created_at`, `id`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementPage {
    /// The rows.
    pub rows: Vec<SettlementRow>,
    /// `after` of the following page, the [`SettlementCursor`] of the last row; `None` on the last page.
    pub next: Option<String>,
    /// `after` of the page before. Reserved: may be `None` on any page.
    pub previous: Option<String>,
}

/// A settlement with its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementDetail {
    /// What a list shows of it.
    pub settlement: SettlementRow,
    /// What the one who looks may do with it now.
    pub moves: Vec<AvailableMove>,
    /// Its events, oldest first, at most [`SettlementDetail::MAX_TIMELINE`].
    pub timeline: Vec<Envelope>,
    /// The transaction on the network, once settled.
    pub tx_hash: Option<String>,
    /// What went wrong, once failed.
    pub error: Option<String>,
    /// What the transfer should cost, in the network's smallest unit of account.
    pub gas_estimate: Option<i64>,
    /// What it cost.
    pub gas_actual: Option<i64>,
    /// Why it is held.
    pub hold_reason: Option<String>,
    /// The organization that it belongs to, by name.
    pub organization: Option<String>,
    /// Whether the one who looks may make moves at all.
    pub may_act: bool,
}

impl SettlementDetail {
    /// Most events of `timeline`; the newest are kept.
    pub const MAX_TIMELINE: usize = 200;
}

/// A move that can be made now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailableMove {
    /// Its name on the wire, such as `retry`.
    pub name: String,
    /// What its button says.
    pub label: String,
    /// What has to be entered for it.
    pub inputs: Vec<MoveInput>,
    /// Whether it should be confirmed and coloured as dangerous.
    pub destructive: bool,
}

/// Something that has to be entered for a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveInput {
    /// Its key in [`MoveRequest::fields`].
    pub name: String,
    /// What its label says.
    pub label: String,
    /// What kind of thing.
    pub kind: InputKind,
    /// Whether it may stay empty.
    pub required: bool,
}

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
}

/// A move that a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveRequest {
    /// The move's name: `hold`, `release`, `retry`, `fail`, …
    pub r#move: String,
    /// The version that the person saw.
    pub expected_version: i64,
    /// What they entered, by [`MoveInput::name`].
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// A settlement that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSettlement {
    /// The customer's own reference.
    pub reference: String,
    /// The amount in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// The network; `None`: Tidewatch chooses. A form's empty field counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "empty_as_none")]
    pub network: Option<Network>,
}

/// Forms send an empty text for what was left open.
fn empty_as_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Network>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}
