//! A page of settlements.
//!
//! A page is a window on the ordered list: below the cursor that it began behind, down to the
//! last row that is known. Whatever happens within the window is known from events; what is below
//! it is not. So a window that lost rows while more stand below wants to be refilled, and every
//! other one equals a fresh load.

use std::collections::{BTreeMap, BTreeSet};

use tidewatch_events::Envelope;
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::SettlementId;

use super::facts::row_of;
use super::{Holdable, Reducer};
use crate::model::{SettlementCursor, SettlementPage, SettlementQuery, SettlementRow, Snapshot};

/// Which part of the list a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListScope {
    /// Only those that stand here.
    pub status: Option<SettlementStatus>,
    /// Only those below.
    pub below: Option<SettlementCursor>,
    /// Most rows.
    pub limit: usize,
}

impl From<&SettlementQuery> for ListScope {
    fn from(query: &SettlementQuery) -> Self {
        Self {
            status: query.status,
            below: query.after.as_deref().and_then(|after| after.parse().ok()),
            limit: query.limit as usize,
        }
    }
}

/// A page of settlements that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct SettlementList {
    scope: ListScope,
    /// Newest first; what a fresh load would give.
    rows: Vec<SettlementRow>,
    /// Everything down to here is known; `None`: down to the end.
    floor: Option<SettlementCursor>,
    /// What stays on the screen while someone points at it.
    held: Option<Vec<SettlementRow>>,
    /// Came by events since the page was loaded: worth a highlight.
    arrived: BTreeSet<SettlementId>,
    /// Versions of rows that left, so that a late event brings none back.
    left: BTreeMap<SettlementId, i64>,
}

/// Rows that left are remembered up to this number.
const MOST_LEFT: usize = 1_000;

impl SettlementList {
    /// The page as it was loaded.
    #[must_use]
    pub fn new(scope: ListScope, page: SettlementPage) -> Self {
        let floor = page.next.as_ref().and(page.rows.last()).map(SettlementRow::key);
        Self { scope, rows: page.rows, floor, held: None, arrived: BTreeSet::new(), left: BTreeMap::new() }
    }

    /// What is on the screen, newest first.
    #[must_use]
    pub fn visible(&self) -> &[SettlementRow] {
        self.held.as_deref().unwrap_or(&self.rows)
    }

    /// One row that is on the screen.
    #[must_use]
    pub fn row(&self, id: SettlementId) -> Option<&SettlementRow> {
        self.visible().iter().find(|row| row.id == id)
    }

    /// Whether a row that is on the screen no longer belongs there, and goes when it is let go.
    #[must_use]
    pub fn is_leaving(&self, row: &SettlementRow) -> bool {
        self.scope.status.is_some_and(|status| status != row.status)
    }

    /// Whether the row came while the page was open.
    #[must_use]
    pub fn has_arrived(&self, id: SettlementId) -> bool {
        self.arrived.contains(&id)
    }

    /// `after` of the following page.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        self.floor.map(|floor| self.visible().last().map_or(floor, SettlementRow::key).to_string())
    }

    fn is_within(&self, key: SettlementCursor) -> bool {
        self.scope.below.is_none_or(|below| key < below) && self.floor.is_none_or(|floor| key >= floor)
    }

    fn version(&self, id: SettlementId) -> Option<i64> {
        let known = self.rows.iter().find(|row| row.id == id).map(|row| row.version);
        known.or_else(|| self.left.get(&id).copied())
    }

    fn take_out(&mut self, id: SettlementId, version: i64) -> bool {
        let Some(index) = self.rows.iter().position(|row| row.id == id) else { return false };
        self.rows.remove(index);
        if self.left.len() >= MOST_LEFT {
            self.left.clear();
        }
        self.left.insert(id, version);
        true
    }

    /// What is now known of a row that is held on the screen.
    fn newer_of(&self, row: SettlementRow) -> SettlementRow {
        match self.rows.iter().find(|fresh| fresh.id == row.id) {
            Some(fresh) if fresh.version > row.version => fresh.clone(),
            _ => row,
        }
    }

    fn put_in(&mut self, row: SettlementRow) {
        let index = self.rows.partition_point(|other| other.key() > row.key());
        if self.rows.get(index).is_some_and(|other| other.id == row.id) {
            self.rows[index] = row;
            return;
        }
        self.arrived.insert(row.id);
        self.left.remove(&row.id);
        self.rows.insert(index, row);
        if self.rows.len() > self.scope.limit {
            self.rows.truncate(self.scope.limit);
            self.floor = self.rows.last().map(SettlementRow::key);
        }
    }
}

impl Holdable for SettlementList {
    fn hold(&mut self) {
        if self.held.is_none() {
            self.held = Some(self.rows.clone());
        }
    }

    fn release(&mut self) {
        self.held = None;
    }

    fn waiting(&self) -> usize {
        let Some(held) = &self.held else { return 0 };
        let shown: BTreeSet<SettlementId> = held.iter().map(|row| row.id).collect();
        self.rows.iter().filter(|row| !shown.contains(&row.id)).count()
    }
}

impl Reducer for SettlementList {
    type Data = SettlementPage;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let Some(row) = row_of(envelope) else { return false };
        if self.version(row.id).is_some_and(|version| version >= row.version) {
            return false;
        }
        let mut changed = false;
        if let Some(shown) = self.held.iter_mut().flatten().find(|shown| shown.id == row.id) {
            shown.clone_from(&row);
            changed = true;
        }
        if self.scope.status.is_some_and(|status| status != row.status) {
            return self.take_out(row.id, row.version) || changed;
        }
        if self.is_within(row.key()) {
            self.put_in(row);
            changed = true;
        }
        changed
    }

    fn replace(&mut self, snapshot: Snapshot<SettlementPage>) {
        let known: BTreeSet<SettlementId> = self.rows.iter().map(|row| row.id).collect();
        let held = self.held.take();
        let mut fresh = Self::new(self.scope, snapshot.data);
        fresh.arrived = std::mem::take(&mut self.arrived);
        fresh.arrived.extend(fresh.rows.iter().map(|row| row.id).filter(|id| !known.contains(id)));
        fresh.held = held.map(|rows| rows.into_iter().map(|row| fresh.newer_of(row)).collect());
        *self = fresh;
    }

    fn wants_refetch(&self) -> bool {
        self.floor.is_some() && self.rows.len() < self.scope.limit
    }
}

#[cfg(test)]
mod tests;
