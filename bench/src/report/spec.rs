//! What a row shows, and what is asked of it.

use crate::report::Record;
use crate::statistics::{Spread, ratio, spread};

/// A row of the report.
#[derive(Debug, Clone, Copy)]
pub struct RowSpec {
    /// Its name in files.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What its table shows.
    pub columns: &'static [Column],
    /// The metric whose ratio to each peer is shown; empty: there is no peer.
    pub compared: &'static str,
    /// What is asked of it.
    pub checks: &'static [Check],
}

/// A column of a row's table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The metric.
    pub metric: &'static str,
    /// Its heading, with the unit.
    pub title: &'static str,
    /// Decimals that are shown.
    pub decimals: usize,
}

impl Column {
    /// A column.
    #[must_use]
    pub const fn new(metric: &'static str, title: &'static str, decimals: usize) -> Self {
        Self { metric, title, decimals }
    }
}

/// What is asked of one metric.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The metric.
    pub metric: &'static str,
    /// The system.
    pub of: &'static str,
    /// The target.
    pub target: Target,
}

/// A target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No more than so many times what the peer has.
    RatioAtMost(&'static str, f64),
    /// No less than so many times what the peer has.
    RatioAtLeast(&'static str, f64),
    /// The last value is no more than so many times the first.
    GrowsAtMost(f64),
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The value or ratio that counts: its median.
    pub measured: Spread,
    /// Whether the target is met.
    pub met: bool,
}

impl Check {
    /// What the record says; `None` where something is missing.
    #[must_use]
    pub fn outcome(&self, record: &Record) -> Option<Outcome> {
        let values = |system| record.values(system, self.metric);
        let ours = values(self.of);
        let (measured, met): (Spread, fn(f64, f64) -> bool) = match self.target {
            Target::AtMost(_) => (spread(ours)?, at_most),
            Target::AtLeast(_) => (spread(ours)?, at_least),
            Target::RatioAtMost(peer, _) => (ratio(ours, values(peer))?, at_most),
            Target::RatioAtLeast(peer, _) => (ratio(ours, values(peer))?, at_least),
            Target::GrowsAtMost(_) => (spread(&[ours.last()? / ours.first()?])?, at_most),
        };
        Some(Outcome { measured, met: met(measured.median, self.target.limit()) })
    }
}

fn at_most(measured: f64, limit: f64) -> bool {
    measured <= limit
}

fn at_least(measured: f64, limit: f64) -> bool {
    measured >= limit
}

impl Target {
    /// The number in it.
    #[must_use]
    pub const fn limit(self) -> f64 {
        match self {
            Self::AtMost(limit)
            | Self::AtLeast(limit)
            | Self::RatioAtMost(_, limit)
            | Self::RatioAtLeast(_, limit)
            | Self::GrowsAtMost(limit) => limit,
        }
    }

    /// In words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::AtMost(limit) => format!("at most {limit}"),
            Self::AtLeast(limit) => format!("at least {limit}"),
            Self::RatioAtMost(peer, limit) => format!("at most {limit} × {peer}"),
            Self::RatioAtLeast(peer, limit) => format!("at least {limit} × {peer}"),
            Self::GrowsAtMost(limit) => format!("flat: last at most {limit} × first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record::new("row", 2);
        for (system, value) in [("ours", 2.0), ("ours", 3.0), ("peer", 2.0), ("peer", 2.0)] {
            record.add(system, "metric", value);
        }
        record
    }

    fn outcome(target: Target) -> Outcome {
        Check { metric: "metric", of: "ours", target }.outcome(&record()).expect("values")
    }

    #[test]
    fn a_target_is_met_by_the_median() {
        assert!(outcome(Target::AtMost(2.5)).met);
        assert!(!outcome(Target::AtMost(2.4)).met);
        assert!(outcome(Target::AtLeast(2.5)).met);
        assert!(outcome(Target::RatioAtMost("peer", 1.25)).met);
        assert!(!outcome(Target::RatioAtLeast("peer", 1.3)).met);
        assert!(!outcome(Target::GrowsAtMost(1.4)).met);
    }

    #[test]
    fn without_a_peer_there_is_no_outcome() {
        let check = Check { metric: "metric", of: "ours", target: Target::RatioAtMost("nobody", 1.0) };
        assert_eq!(check.outcome(&record()), None);
    }
}
