//! The samples of one row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::Window;

/// Share of its core above which the generator may have been what was measured.
const BUSY: f64 = 0.9;

/// Everything that was measured for one row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The row's id.
    pub row: String,
    /// Runs that were asked for.
    pub runs: usize,
    /// Whether it was only a quick look.
    pub quick: bool,
    /// When, in RFC 3339.
    pub measured_at: String,
    /// The commit that was checked out.
    pub commit: String,
    /// The processor that it was measured on: rows of one report can come from several machines. Empty: it was not kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub processor: String,
    /// The command that measured it. Empty: it was not kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Systems in the order in which they were measured first.
    pub order: Vec<String>,
    /// Values by system and metric, a run each.
    pub samples: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    /// Systems that were not measured, and why.
    pub left_out: BTreeMap<String, String>,
    /// What a reader of the figures should know.
    pub warnings: Vec<String>,
}

impl Record {
    /// A record with nothing in it.
    #[must_use]
    pub fn new(row: &str, runs: usize) -> Self {
        Self { row: row.to_owned(), runs, ..Self::default() }
    }

    /// Adds the value of one run.
    pub fn add(&mut self, system: &str, metric: &str, value: f64) {
        if !self.order.iter().any(|known| known == system) {
            self.order.push(system.to_owned());
        }
        let metrics = self.samples.entry(system.to_owned()).or_default();
        // JSON knows no infinity; what divides by nothing says nothing.
        metrics.entry(metric.to_owned()).or_default().push(if value.is_finite() { value } else { 0.0 });
    }

    /// Adds who used how much of which core, with a warning where the generator was the limit.
    pub fn add_shares(&mut self, system: &str, window: &Window) {
        self.add(system, "server", window.server_share);
        self.add(system, "generator", window.generator_share);
        self.add(system, "readers", window.readers_share);
        self.add(system, "helper", window.helper_share);
        self.warn_of_busy_core(system, window.generator_share, window.helper_share);
    }

    /// Warns where the generator, by itself or with Postgres or Redis, was the limit.
    pub fn warn_of_busy_core(&mut self, system: &str, generator_share: f64, helper_share: f64) {
        if generator_share > BUSY {
            self.warn(format!("{system}: the generator used over 90 % of its core."));
        } else if generator_share + helper_share > BUSY {
            self.warn(format!(
                "{system}: generator and Postgres or Redis together used over 90 % of a core; \
                 where they share one, that is the limit."
            ));
        }
    }

    /// Notes that a system was not measured.
    pub fn leave_out(&mut self, system: &str, reason: &str) {
        self.left_out.insert(system.to_owned(), reason.to_owned());
    }

    /// Values of a metric; empty when there are none.
    #[must_use]
    pub fn values(&self, system: &str, metric: &str) -> &[f64] {
        self.samples.get(system).and_then(|metrics| metrics.get(metric)).map_or(&[], Vec::as_slice)
    }

    /// Notes what a reader of the figures should know, once.
    pub fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
