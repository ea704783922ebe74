//! What was counted and found so far.

use std::collections::BTreeMap;

use tidewatch_app::model::{Drift, WitnessModule, WitnessReport, WitnessTotal};
use tidewatch_events::money::Currency;
use tidewatch_modules::{Module, Record};

use super::fold::Faults;

/// What was counted and found so far. As large as there are modules, currencies and named differences.
#[derive(Debug, Default)]
pub(super) struct Tally {
    modules: Vec<WitnessModule>,
    /// Money of the module that is looked at: by the table, by the events.
    totals: BTreeMap<Currency, (i128, i128)>,
    named: usize,
}

impl Tally {
    /// From now on it is about this module.
    pub(super) fn begin(&mut self, module: &Module) {
        self.settle();
        self.modules.push(WitnessModule {
            module: module.name.to_string(),
            title: module.title.to_string(),
            ..WitnessModule::default()
        });
    }

    fn settle(&mut self) {
        let totals = std::mem::take(&mut self.totals);
        let totals = totals.into_iter().map(|(currency, (table, events))| WitnessTotal {
            currency,
            table_minor: shortened(table),
            events_minor: shortened(events),
        });
        if let Some(module) = self.modules.last_mut() {
            module.totals = totals.collect();
        }
    }

    /// Records and events of this module.
    pub(super) fn counted(&self) -> (u64, u64) {
        self.modules.last().map_or((0, 0), |module| (module.records, module.events))
    }

    pub(super) fn count_record(&mut self) {
        self.modules.last_mut().into_iter().for_each(|module| module.records += 1);
    }

    pub(super) fn count_event(&mut self) {
        self.modules.last_mut().into_iter().for_each(|module| module.events += 1);
    }

    pub(super) fn count_beyond_retention(&mut self) {
        self.modules.last_mut().into_iter().for_each(|module| module.beyond_retention += 1);
    }

    /// So much more by the table.
    pub(super) fn add_to_table(&mut self, module: &Module, row: &Record) {
        let amount = module.amount_field.as_deref().and_then(|field| row.number(field));
        if let (Some(amount), Some(currency)) = (amount, row.currency()) {
            self.totals.entry(currency).or_default().0 += i128::from(amount);
        }
    }

    /// So much more by the events.
    pub(super) fn add_to_events(&mut self, currency: &str, minor: i64) {
        if let Ok(currency) = currency.parse() {
            self.totals.entry(currency).or_default().1 += i128::from(minor);
        }
    }

    /// What is wrong with one record.
    pub(super) fn add_faults(&mut self, id: &str, faults: Faults) {
        faults.into_named().into_iter().for_each(|what| self.add(id, what));
    }

    /// A difference.
    pub(super) fn add(&mut self, id: &str, what: String) {
        let Some(module) = self.modules.last_mut() else { return };
        module.drift_count += 1;
        if self.named < WitnessReport::MAX_DRIFTS {
            self.named += 1;
            module.drifts.push(Drift { module: module.module.clone(), id: id.to_owned(), what });
        }
    }

    /// Differences that nobody named.
    pub(super) fn add_unnamed(&mut self, count: u64) {
        self.modules.last_mut().into_iter().for_each(|module| module.drift_count += count);
    }

    /// Everything, and how many differences there are.
    pub(super) fn into_modules(mut self) -> (Vec<WitnessModule>, u64) {
        self.settle();
        let drift_count = self.modules.iter().map(|module| module.drift_count).sum();
        (self.modules, drift_count)
    }
}

/// A sum as reports carry it. What is larger than they can say is as large as they can say.
pub(super) fn shortened(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum > 0 { i64::MAX } else { i64::MIN })
}
