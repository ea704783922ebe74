//! One settlement with its history.

use tidewatch_events::Envelope;
use tidewatch_events::catalog::settlement::{
    SettlementFailed, SettlementGasEstimated, SettlementSettled, SettlementStatus, SettlementStatusChanged,
};

use super::Reducer;
use super::facts::row_of;
use crate::model::{SettlementDetail, Snapshot};

/// A settlement that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailState {
    detail: SettlementDetail,
    /// What can be done depends on rules and rights that the server alone knows.
    moves_are_old: bool,
}

impl DetailState {
    /// The settlement as it was loaded.
    #[must_use]
    pub const fn new(detail: SettlementDetail) -> Self {
        Self { detail, moves_are_old: false }
    }

    /// What is shown.
    #[must_use]
    pub const fn detail(&self) -> &SettlementDetail {
        &self.detail
    }

    /// Whether the moves on offer belong to an earlier status and are being asked for anew.
    #[must_use]
    pub const fn moves_are_old(&self) -> bool {
        self.moves_are_old
    }

    /// Takes the event into the timeline, by version; `false` when it is there, or older than all that is kept.
    fn tell(&mut self, envelope: &Envelope) -> bool {
        let timeline = &mut self.detail.timeline;
        let version = envelope.aggregate_version;
        let is_full = timeline.len() >= SettlementDetail::MAX_TIMELINE;
        let index = timeline.partition_point(|event| event.aggregate_version < version);
        let is_there = timeline.get(index).is_some_and(|event| event.aggregate_version == version);
        if is_there || (is_full && index == 0) {
            return false;
        }
        timeline.insert(index, envelope.clone());
        if is_full {
            timeline.remove(0);
        }
        true
    }

    fn note(&mut self, envelope: &Envelope) {
        let detail = &mut self.detail;
        if let Some(Ok(event)) = envelope.payload::<SettlementGasEstimated>() {
            detail.gas_estimate = Some(event.gas_estimate);
        } else if let Some(Ok(event)) = envelope.payload::<SettlementSettled>() {
            detail.tx_hash = Some(event.tx_hash);
            detail.gas_actual = Some(event.gas_actual);
        } else if let Some(Ok(event)) = envelope.payload::<SettlementFailed>() {
            detail.error = Some(event.error);
        } else if let Some(Ok(event)) = envelope.payload::<SettlementStatusChanged>() {
            if event.from_status == SettlementStatus::Failed {
                detail.error = None;
            }
            detail.hold_reason = event.reason.filter(|_| event.to_status == SettlementStatus::Held);
        }
    }
}

impl Reducer for DetailState {
    type Data = SettlementDetail;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let Some(row) = row_of(envelope) else { return false };
        if row.id != self.detail.settlement.id {
            return false;
        }
        // The row may be ahead of the log: a change shows in the table once it is committed, and in
        // the timeline once it is published.
        let is_told = self.tell(envelope);
        let is_newer = row.version > self.detail.settlement.version;
        if is_newer {
            self.moves_are_old |= row.status != self.detail.settlement.status;
            self.detail.settlement = row;
            self.note(envelope);
        }
        is_told || is_newer
    }

    fn replace(&mut self, snapshot: Snapshot<SettlementDetail>) {
        *self = Self::new(snapshot.data);
    }

    fn wants_refetch(&self) -> bool {
        self.moves_are_old
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Change, Ledger, changes};
    use super::*;

    /// What the server answers of the first settlement, with `published` events in the log.
    fn load(ledger: &Ledger, published: usize) -> SettlementDetail {
        let settlement = ledger.rows[0].clone();
        let log = ledger.log[..published].iter();
        let timeline = log.filter(|event| event.aggregate_id == settlement.id.to_string());
        SettlementDetail {
            timeline: timeline.cloned().collect(),
            settlement,
            moves: Vec::new(),
            tx_hash: None,
            error: None,
            gas_estimate: None,
            gas_actual: None,
            hold_reason: None,
            organization: None,
            may_act: true,
        }
    }

    proptest! {
        #[test]
        fn equals_a_fresh_load(
            before in changes(10), committed in changes(5), after in changes(30), repeat in 0usize..30,
        ) {
            let mut ledger = Ledger::default();
            ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
            before.iter().for_each(|change| ledger.make(*change));
            let published = ledger.log.len();
            committed.iter().for_each(|change| ledger.make(*change));
            let mut state = DetailState::new(load(&ledger, published));
            after.iter().for_each(|change| ledger.make(*change));
            for event in &ledger.log[published..] {
                state.apply(event);
            }
            if let Some(event) = ledger.log.get(repeat) {
                prop_assert!(!state.apply(event), "what was applied changes nothing again");
            }
            prop_assert_eq!(state.detail(), &load(&ledger, ledger.log.len()));
        }
    }
}
