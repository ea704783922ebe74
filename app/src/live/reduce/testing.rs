//! Settlements that live at random, and the tables that a server would keep of them.

use proptest::prelude::*;
use serde_json::json;
use tidewatch_events::catalog::settlement::{SettlementFacts, SettlementStatus};
use tidewatch_events::id::SettlementId;
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Envelope, EventId, EventType, Metadata, Position, Timestamp};
use uuid::Uuid;

use tidewatch_events::Permission;
use tidewatch_modules::module::{FieldKind, field, status};
use tidewatch_modules::{Module, Record, Tone};

use crate::model::SettlementRow;

/// One change: to a settlement by index (a new one when there is none), and where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) settlement: usize,
    pub(super) status: SettlementStatus,
    /// Milliseconds after the one before.
    pub(super) after: i64,
}

pub(super) fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let status = proptest::sample::select(&SettlementStatus::ALL[..]);
    let change = (0usize..12, status, 0i64..3).prop_map(|(settlement, status, after)| Change {
        settlement,
        status,
        after,
    });
    proptest::collection::vec(change, 0..most)
}

/// The server's table and log.
#[derive(Debug, Default, Clone)]
pub(super) struct Ledger {
    pub(super) rows: Vec<SettlementRow>,
    pub(super) log: Vec<Envelope>,
    now: i64,
}

impl Ledger {
    pub(super) fn make(&mut self, change: Change) {
        self.now += change.after;
        let now = Timestamp::from_unix_millis(1_763_671_432_000 + self.now).expect("a time");
        let event_type = if change.settlement < self.rows.len() {
            let row = &mut self.rows[change.settlement];
            row.status = change.status;
            row.version += 1;
            row.updated_at = now;
            "settlement.status_changed"
        } else {
            self.rows.push(new_row(self.rows.len(), now));
            "settlement.created"
        };
        let index = change.settlement.min(self.rows.len() - 1);
        let position = Position::new(self.log.len() as u64 + 1).expect("a position");
        self.log.push(envelope(EventType::from_static(event_type), &self.rows[index], position));
    }
}

fn new_row(index: usize, now: Timestamp) -> SettlementRow {
    SettlementRow {
        // Ids that do not follow the order of creation, as those of several writers.
        id: SettlementId::from_uuid(Uuid::from_u128((index as u128 * 7 + 3) % 13)),
        reference: format!("INV-{index}"),
        amount_minor: 100,
        currency: currency("EUR"),
        network: None,
        status: SettlementStatus::Created,
        confirmations: 0,
        required: 0,
        release_requested_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The module that settlements are of.
pub(super) fn module() -> Module {
    let fields = [
        "reference",
        "amountMinor",
        "currency",
        "network",
        "confirmations",
        "required",
        "releaseRequestedBy",
    ];
    let mut module = Module::new(
        "settlement",
        AggregateType::SETTLEMENT,
        "stl",
        Permission::SETTLEMENTS_READ,
        Permission::SETTLEMENTS_ACT,
    )
    .with_statuses(SettlementStatus::ALL.map(|name| status(name.as_str(), Tone::Neutral)))
    .with_fields(fields.map(|name| field(name, name, FieldKind::Text)));
    module.amount_field = Some("amountMinor".into());
    module
}

/// The record that a settlement is.
pub(super) fn record_of(row: &SettlementRow) -> Record {
    serde_json::from_value(json!(row)).expect("a record")
}

pub(super) fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

pub(super) fn envelope(event_type: EventType, row: &SettlementRow, position: Position) -> Envelope {
    let facts = SettlementFacts {
        settlement_id: row.id,
        reference: row.reference.clone(),
        amount_minor: row.amount_minor,
        currency: row.currency,
        network: row.network.clone(),
        status: row.status,
        created_at: row.created_at,
        confirmations: row.confirmations,
        required: row.required,
    };
    Envelope {
        event_id: EventId::from_uuid(Uuid::from_u128(u128::from(position.get()))),
        event_type,
        aggregate_type: AggregateType::SETTLEMENT,
        aggregate_id: row.id.to_string(),
        aggregate_version: row.version,
        occurred_at: row.updated_at,
        position,
        payload: serde_json::to_value(facts).unwrap_or(json!(null)),
        metadata: Metadata::default(),
    }
}
