//! A page of records.
//!
//! A page is a window on the ordered list: behind the cursor that it began at, down to the last row that
//! is known. Whatever happens within the window is known from events; what is behind it is not. So a
//! window that lost rows while more stand behind it wants to be refilled, and every other one equals a
//! fresh load.
//!
//! How many there are on all pages is counted along, where events tell enough of records that the page does not know;
//! where they do not, an exact number is read anew.

mod count;

use std::collections::{BTreeMap, BTreeSet};

use tidewatch_events::id::{RecordId, UserId};
use tidewatch_events::{Envelope, Timestamp};
use tidewatch_modules::{Cursor, Module, Record, RecordQuery};

use super::{Holdable, Reducer};
use crate::model::{RecordPage, Snapshot, Total};

/// A page of records that follows events.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordList {
    module: Module,
    query: RecordQuery,
    /// Where the page begins.
    behind: Option<Cursor>,
    /// In the order that was asked for; what a fresh load would give.
    rows: Vec<Record>,
    /// Everything up to here is known; `None`: up to the end.
    floor: Option<Cursor>,
    total: Total,
    people: Option<BTreeMap<UserId, String>>,
    /// Somebody looks after a record by now whose name is not known here.
    has_unknown_person: bool,
    /// When that was read: what happened until then may be counted already.
    counted_at: Timestamp,
    /// An event did not say enough to count by.
    is_miscounted: bool,
    /// What stays on the screen while someone points at it.
    held: Option<Vec<Record>>,
    /// Came by events since the page was loaded: worth a highlight.
    arrived: BTreeSet<RecordId>,
    /// What is known of records that are not on the page, so that a late event brings none back and none counts twice.
    elsewhere: BTreeMap<RecordId, Known>,
}

/// What an event told of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    version: i64,
    /// Whether it belongs into the list, on whichever page.
    belongs: bool,
}

/// Records elsewhere are remembered up to this number.
const MOST_ELSEWHERE: usize = 1_000;

impl RecordList {
    /// The page as it was loaded.
    #[must_use]
    pub fn new(snapshot: Snapshot<RecordPage>) -> Self {
        let RecordPage { module, query, records, next, total, people, .. } = snapshot.data;
        let behind = query.after.as_deref().and_then(|after| after.parse().ok());
        let floor = next.and(records.last()).map(|last| query.key(&module, last));
        Self {
            module,
            query,
            behind,
            rows: records,
            floor,
            total,
            people,
            has_unknown_person: false,
            counted_at: snapshot.as_of,
            is_miscounted: false,
            held: None,
            arrived: BTreeSet::new(),
            elsewhere: BTreeMap::new(),
        }
    }

    /// What they are.
    #[must_use]
    pub const fn module(&self) -> &Module {
        &self.module
    }

    /// What is on the screen.
    #[must_use]
    pub fn visible(&self) -> &[Record] {
        self.held.as_deref().unwrap_or(&self.rows)
    }

    /// What the one is called who looks after a record, where that is for the one at the screen and known by now.
    #[must_use]
    pub fn assignee_of(&self, row: &Record) -> Option<&str> {
        self.people.as_ref()?.get(&row.assignee?).map(String::as_str)
    }

    /// How many there are on all pages.
    #[must_use]
    pub const fn total(&self) -> Total {
        self.total
    }

    /// One row that is on the screen.
    #[must_use]
    pub fn row(&self, id: &RecordId) -> Option<&Record> {
        self.visible().iter().find(|row| row.id == *id)
    }

    /// Whether a row that is on the screen no longer belongs there, and goes when it is let go.
    #[must_use]
    pub fn is_leaving(&self, row: &Record) -> bool {
        !self.query.matches(&self.module, row)
    }

    /// Whether the row came while the page was open.
    #[must_use]
    pub fn has_arrived(&self, id: &RecordId) -> bool {
        self.arrived.contains(id)
    }

    /// `after` of the following page.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        let floor = self.floor.as_ref()?;
        let last = self.visible().last().map(|row| self.key(row));
        Some(last.as_ref().unwrap_or(floor).to_string())
    }

    fn key(&self, row: &Record) -> Cursor {
        self.query.key(&self.module, row)
    }

    fn is_within(&self, key: &Cursor) -> bool {
        self.behind.as_ref().is_none_or(|behind| self.query.is_before(behind, key))
            && self.floor.as_ref().is_none_or(|floor| key == floor || self.query.is_before(key, floor))
    }

    /// What is known of a record; those on the page belong there.
    fn known(&self, id: &RecordId) -> Option<Known> {
        let row = self.rows.iter().find(|row| row.id == *id);
        row.map(|row| Known { version: row.version, belongs: true })
            .or_else(|| self.elsewhere.get(id).copied())
    }

    fn note_elsewhere(&mut self, id: RecordId, known: Known) {
        if self.elsewhere.len() >= MOST_ELSEWHERE {
            self.elsewhere.clear();
        }
        self.elsewhere.insert(id, known);
    }

    fn take_out(&mut self, id: &RecordId) -> bool {
        let Some(index) = self.rows.iter().position(|row| row.id == *id) else { return false };
        self.rows.remove(index);
        true
    }

    /// Counts the record along; whether that changed the number.
    fn count(&mut self, envelope: &Envelope, row: &Record, belongs: bool) -> bool {
        let belonged = match self.known(&row.id) {
            Some(known) => Some(known.belongs),
            None if envelope.occurred_at <= self.counted_at => None,
            None => count::belonged(&self.module, &self.query, envelope, row),
        };
        let count = &mut self.total.count;
        match belonged {
            Some(true) if !belongs => *count = count.saturating_sub(1),
            Some(false) if belongs => *count += 1,
            Some(_) => return false,
            None => {
                // An estimate is none the worse for one more or less.
                self.is_miscounted |= !self.total.estimated;
                return false;
            }
        }
        true
    }

    /// What is now known of a row that is held on the screen.
    fn newer_of(&self, row: Record) -> Record {
        match self.rows.iter().find(|fresh| fresh.id == row.id) {
            Some(fresh) if fresh.version > row.version => fresh.clone(),
            _ => row,
        }
    }

    fn put_in(&mut self, row: Record) {
        let key = self.key(&row);
        let was_there = self.rows.iter().position(|other| other.id == row.id);
        if let Some(index) = was_there {
            self.rows.remove(index);
        } else {
            self.arrived.insert(row.id.clone());
        }
        self.elsewhere.remove(&row.id);
        let index = self.rows.partition_point(|other| self.query.is_before(&self.key(other), &key));
        self.rows.insert(index, row);
        let limit = self.query.rows() as usize;
        if self.rows.len() > limit {
            for gone in self.rows.split_off(limit) {
                self.note_elsewhere(gone.id, Known { version: gone.version, belongs: true });
            }
            self.floor = self.rows.last().map(|last| self.key(last));
        }
    }
}

impl Holdable for RecordList {
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
        let shown: BTreeSet<&RecordId> = held.iter().map(|row| &row.id).collect();
        self.rows.iter().filter(|row| !shown.contains(&row.id)).count()
    }
}

impl Reducer for RecordList {
    type Data = RecordPage;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let Some(row) = Record::from_event(&self.module, envelope) else { return false };
        if self.known(&row.id).is_some_and(|known| known.version >= row.version) {
            return false;
        }
        let belongs = self.query.matches(&self.module, &row);
        let mut changed = self.count(envelope, &row, belongs);
        if let Some(shown) = self.held.iter_mut().flatten().find(|shown| shown.id == row.id) {
            shown.clone_from(&row);
            changed = true;
        }
        if belongs && self.is_within(&self.key(&row)) {
            let is_unknown =
                |people: &BTreeMap<_, _>| row.assignee.is_some_and(|id| !people.contains_key(&id));
            self.has_unknown_person |= self.people.as_ref().is_some_and(is_unknown);
            self.put_in(row);
            return true;
        }
        changed |= self.take_out(&row.id);
        self.note_elsewhere(row.id, Known { version: row.version, belongs });
        changed
    }

    fn replace(&mut self, snapshot: Snapshot<RecordPage>) {
        let known: BTreeSet<RecordId> = self.rows.iter().map(|row| row.id.clone()).collect();
        let held = self.held.take();
        let mut fresh = Self::new(snapshot);
        fresh.arrived = std::mem::take(&mut self.arrived);
        let new = fresh.rows.iter().map(|row| row.id.clone()).filter(|id| !known.contains(id));
        fresh.arrived.extend(new.collect::<Vec<_>>());
        fresh.held = held.map(|rows| rows.into_iter().map(|row| fresh.newer_of(row)).collect());
        *self = fresh;
    }

    fn wants_refetch(&self) -> bool {
        let has_room = self.floor.is_some() && self.rows.len() < self.query.rows() as usize;
        has_room || self.is_miscounted || self.has_unknown_person
    }
}

#[cfg(test)]
mod tests;
