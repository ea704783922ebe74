//! The project at a glance.

mod attention;
mod minutes;
mod trends;
mod waiting;

use std::collections::BTreeMap;
use std::time::Duration;

use tidewatch_events::catalog::settlement::{SettlementFailed, SettlementStatus, SettlementStatusChanged};
use tidewatch_events::id::SettlementId;
use tidewatch_events::{Envelope, Timestamp};

use super::Reducer;
use super::facts::row_of;
use crate::model::{Overview, SettlementRow, Snapshot};

const MILLIS_A_DAY: i64 = 86_400_000;
/// Settlements whose status is remembered, at most.
const MOST_KNOWN: usize = 4_000;

/// The overview that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewState {
    overview: Overview,
    /// The day (UTC, since 1970) that "today" is.
    day: i64,
    /// Where settlements stand that events told of.
    known: BTreeMap<SettlementId, (SettlementStatus, i64)>,
    /// An event did not say enough to count by.
    unsure: bool,
}

impl OverviewState {
    /// The overview as it was loaded.
    #[must_use]
    pub fn new(snapshot: Snapshot<Overview>) -> Self {
        let ahead = snapshot.data.ahead.iter();
        Self {
            day: snapshot.as_of.unix_millis().div_euclid(MILLIS_A_DAY),
            known: ahead.map(|standing| (standing.id, (standing.status, standing.version))).collect(),
            overview: snapshot.data,
            unsure: false,
        }
    }

    /// What is shown.
    #[must_use]
    pub const fn overview(&self) -> &Overview {
        &self.overview
    }

    /// How many stand at `status`.
    #[must_use]
    pub fn count(&self, status: SettlementStatus) -> u64 {
        self.overview.by_status.iter().find(|(other, _)| *other == status).map_or(0, |(_, count)| *count)
    }

    fn add(&mut self, status: SettlementStatus, change: i64) {
        match self.overview.by_status.iter_mut().find(|(other, _)| *other == status) {
            Some((_, count)) => *count = count.saturating_add_signed(change),
            None => self.overview.by_status.push((status, u64::try_from(change).unwrap_or(0))),
        }
    }

    fn count_move(&mut self, envelope: &Envelope, row: &SettlementRow) {
        let known = self.known.get(&row.id).map(|(status, _)| *status);
        match known.or_else(|| status_before(envelope)) {
            Some(before) => {
                self.add(before, -1);
                self.add(row.status, 1);
            }
            None if envelope.event_type.as_str() == "settlement.created" => self.add(row.status, 1),
            None => self.unsure = true,
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(row.id, (row.status, row.version));
    }

    fn count_today(&mut self, envelope: &Envelope, row: &SettlementRow) {
        let day = envelope.occurred_at.unix_millis().div_euclid(MILLIS_A_DAY);
        let overview = &mut self.overview;
        if day > self.day {
            self.day = day;
            overview.created_today = 0;
            overview.settled_today = 0;
            overview.failed_today = 0;
            overview.volume_today.clear();
        }
        if day < self.day {
            return;
        }
        match envelope.event_type.as_str() {
            "settlement.created" => overview.created_today += 1,
            "settlement.failed" => overview.failed_today += 1,
            "settlement.settled" => {
                overview.settled_today += 1;
                match overview.volume_today.iter_mut().find(|(currency, _)| *currency == row.currency) {
                    Some((_, volume)) => *volume = volume.saturating_add(row.amount_minor),
                    None => overview.volume_today.push((row.currency, row.amount_minor)),
                }
            }
            _ => {}
        }
    }

    fn note_minute(&mut self, event_type: &str, at: Timestamp) {
        if matches!(event_type, "settlement.settled" | "settlement.failed") {
            minutes::count(&mut self.overview.per_minute, at);
        }
    }
}

/// The status before, where the event tells or its type leaves no choice.
fn status_before(envelope: &Envelope) -> Option<SettlementStatus> {
    if let Some(Ok(event)) = envelope.payload::<SettlementStatusChanged>() {
        return Some(event.from_status);
    }
    if let Some(Ok(event)) = envelope.payload::<SettlementFailed>() {
        return Some(event.from_status);
    }
    match envelope.event_type.as_str() {
        "settlement.network_selected" => Some(SettlementStatus::Created),
        "settlement.gas_estimated" => Some(SettlementStatus::NetworkSelected),
        "settlement.confirmation_progress" => Some(SettlementStatus::Confirming),
        "settlement.settled" => Some(SettlementStatus::Confirmed),
        _ => None,
    }
}

impl Reducer for OverviewState {
    type Data = Overview;

    /// The relay's lag and the number of connections have no events, and charts go on when nothing happens.
    const REFRESH: Option<Duration> = Some(Duration::from_secs(10));

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let recent = &mut self.overview.recent;
        if recent.iter().any(|event| event.event_id == envelope.event_id) {
            return false;
        }
        recent.insert(0, envelope.clone());
        recent.truncate(Overview::MAX_RECENT);
        waiting::note(&mut self.overview.waiting, envelope);
        // The feed is of everything; what is counted besides are settlements.
        let Some(row) = row_of(envelope) else { return true };
        self.count_today(envelope, &row);
        self.note_minute(envelope.event_type.as_str(), envelope.occurred_at);
        self.unsure |= trends::note(&mut self.overview.trends, envelope.event_type.as_str(), &row);
        // What comes from the table is ahead of the log where the relay has not caught up.
        if self.known.get(&row.id).is_none_or(|(_, version)| *version < row.version) {
            self.count_move(envelope, &row);
            self.unsure |= attention::note(&mut self.overview.needs_attention, row);
        }
        true
    }

    fn replace(&mut self, snapshot: Snapshot<Overview>) {
        *self = Self::new(snapshot);
    }

    fn wants_refetch(&self) -> bool {
        self.unsure
    }
}

#[cfg(test)]
mod tests;
