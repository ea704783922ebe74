//! The witness: proof that the record is true.
//!
//! It rebuilds every record of every module from events alone and compares it with its row:
//!
//! ```text
//!   one repeatable-read snapshot
//!   ┌────────────────────────────────────────────────────────────────────────┐
//!   │ rows of a table, by id       ──┐                                       │
//!   │                                ├─▶ merge ──▶ fold ──▶ compare ──▶ drift │
//!   │ its events, by id and version ─┘                                       │
//!   │ the ledger's sums ─────────────────────────────▶ zero? ──▶ drift       │
//!   └────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Events that are committed and not yet published are in it, for the rows show what is committed. What retention has
//! dropped cannot be proven; it is counted, and is no drift. Memory holds one record and a batch of each side, however
//! many there are.

mod comments;
pub mod fold;
pub mod horizon;
mod ledger;
pub mod run;
mod tally;

use std::cmp::Ordering;
use std::time::Instant;

use sqlx::{PgPool, Postgres, Transaction};
use tidewatch_app::model::{WitnessMoney, WitnessReport};
use tidewatch_events::id::RecordId;
use tidewatch_events::{AggregateType, ProjectId, Timestamp};
use tidewatch_modules::{Module, Record};
use tidewatch_outbox::{StreamHead, read_head};
use time::OffsetDateTime;

use self::fold::{Fold, StoredEvent};
use self::horizon::Horizon;
use self::tally::Tally;
use crate::db;
use crate::db::witness::{SideBySide, Turn};
use crate::domain::Modules;

/// Between two words on how far it is, in records.
const WORD_EVERY: u64 = 5_000;

/// How far the witness is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// In which part.
    pub title: &'a str,
    /// Parts that are done.
    pub done: usize,
    /// All parts.
    pub total: usize,
    /// Rows of this part so far.
    pub records: u64,
    /// Events of it.
    pub events: u64,
}

/// A witness that looks at a project.
pub struct Witness {
    project: ProjectId,
    /// Everything that is compared: the modules, and comments as if they were one.
    parts: Vec<Module>,
    done: usize,
    snapshot: Transaction<'static, Postgres>,
    /// Given back behind the snapshot: fields are dropped in their order.
    turn: Turn,
    head: StreamHead,
    horizon: Horizon,
    tally: Tally,
    money: Vec<WitnessMoney>,
    as_of: Timestamp,
    began: Instant,
}

impl Witness {
    /// Begins to look; `None` while somebody else does, or retention is at work.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn begin(
        pool: &PgPool,
        modules: &Modules,
        project: ProjectId,
    ) -> Result<Option<Self>, sqlx::Error> {
        let began = Instant::now();
        let Some(turn) = Turn::take(pool, project).await? else { return Ok(None) };
        let mut snapshot = db::begin_snapshot(pool, project).await?;
        let head = read_head(&mut snapshot, project).await?;
        let oldest = i64::try_from(head.oldest.get()).unwrap_or(i64::MAX);
        let horizon = db::witness::horizon(&mut snapshot, oldest).await?;
        Ok(Some(Self {
            project,
            parts: modules.descriptions().cloned().chain([comments::described()]).collect(),
            done: 0,
            snapshot,
            turn,
            head,
            horizon,
            tally: Tally::default(),
            money: Vec::new(),
            as_of: OffsetDateTime::now_utc().into(),
            began,
        }))
    }

    /// How many parts there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.parts.len()
    }

    /// Looks at the next part, and says how far it is now and then. `false` when there was none left.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn step(&mut self, tell: &mut (dyn FnMut(Progress<'_>) + Send)) -> Result<bool, sqlx::Error> {
        let Some(part) = self.parts.get(self.done).cloned() else { return Ok(false) };
        self.tally.begin(&part);
        self.walk(&part, tell).await?;
        if part.aggregate_type == AggregateType::BALANCE {
            self.money = ledger::look(&mut self.snapshot, self.project, &mut self.tally).await?;
        }
        self.done += 1;
        tell(self.progress(&part));
        Ok(true)
    }

    /// What it found.
    ///
    /// # Errors
    /// Postgres could not be reached.
    pub async fn finish(self) -> Result<WitnessReport, sqlx::Error> {
        self.snapshot.commit().await?;
        drop(self.turn);
        let (modules, drift_count) = self.tally.into_modules();
        Ok(WitnessReport {
            as_of: self.as_of,
            position: self.head.last,
            oldest_position: self.head.oldest,
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            records: modules.iter().map(|module| module.records).sum(),
            events: modules.iter().map(|module| module.events).sum(),
            drift_count,
            modules,
            money: self.money,
        })
    }

    fn progress<'a>(&self, part: &'a Module) -> Progress<'a> {
        let (records, events) = self.tally.counted();
        Progress { title: &part.title, done: self.done, total: self.parts.len(), records, events }
    }

    /// Goes through rows and events together: both come in the order of ids.
    async fn walk(
        &mut self,
        module: &Module,
        tell: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<(), sqlx::Error> {
        let mut sides = if comments::are(module) {
            SideBySide::of_comments(&mut self.snapshot, self.project, module).await?
        } else {
            SideBySide::of_module(&mut self.snapshot, self.project, module).await?
        };
        let mut row = sides.next_row(&mut self.snapshot).await?;
        let mut event = sides.next_event(&mut self.snapshot).await?;
        let mut told = 0;
        loop {
            let order = match (&row, &event) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(row), Some(event)) => match id_of(module, event) {
                    Some(id) => row.id.uuid().cmp(&id.uuid()),
                    None => Ordering::Greater,
                },
            };
            let this_row = if order.is_le() { row.take() } else { None };
            if this_row.is_some() {
                self.tally.count_record();
                row = sides.next_row(&mut self.snapshot).await?;
            }
            let mut fold = Fold::new(module, self.horizon);
            let mut id = this_row.as_ref().map(|row| row.id.to_string()).unwrap_or_default();
            if order.is_ge() {
                id = event.as_ref().map(|event| event.aggregate_id.clone()).unwrap_or_default();
                while let Some(next) = event.take_if(|event| event.aggregate_id == id) {
                    self.tally.count_event();
                    fold.take(next);
                    event = sides.next_event(&mut self.snapshot).await?;
                }
            }
            self.judge(module, &id, this_row, fold).await?;
            let (records, events) = self.tally.counted();
            if records + events >= told + WORD_EVERY {
                told = records + events;
                tell(self.progress(module));
            }
        }
        sides.close(&mut self.snapshot).await
    }

    /// What is to be said of one record.
    async fn judge(
        &mut self,
        module: &Module,
        id: &str,
        row: Option<Record>,
        mut fold: Fold<'_>,
    ) -> Result<(), sqlx::Error> {
        let was_told = fold.version() > 0;
        match &row {
            Some(row) if was_told => {
                fold.compare(row, !comments::are(module));
                if module.aggregate_type == AggregateType::BALANCE {
                    ledger::compare(&mut self.snapshot, row, &mut fold).await?;
                }
                if fold.begins_later() {
                    self.tally.count_beyond_retention();
                }
            }
            Some(row) if self.horizon.has_dropped(row.updated_at) => self.tally.count_beyond_retention(),
            Some(_) => fold.faults.add("it stands in the table, and no event tells of it".to_owned()),
            None => fold.faults.add(format!(
                "events tell of it up to version {}, and it does not stand in the table",
                fold.version()
            )),
        }
        let beyond = row.is_some() && !was_told && fold.faults.is_empty();
        if let Some(row) = row.as_ref().filter(|_| !beyond) {
            self.tally.add_to_table(module, row);
        }
        if let Some((currency, minor)) = fold.amount() {
            self.tally.add_to_events(currency, minor);
        }
        self.tally.add_faults(id, fold.faults);
        Ok(())
    }
}

/// The id of what an event happened to, in the one form that the order of rows has.
fn id_of(module: &Module, event: &StoredEvent) -> Option<RecordId> {
    let id: RecordId = event.aggregate_id.parse().ok()?;
    (id.prefix() == module.prefix && id.to_string() == event.aggregate_id).then_some(id)
}

#[cfg(test)]
mod tests;
