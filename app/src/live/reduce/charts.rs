//! What a module's charts show, kept right by events.

use std::time::Duration;

use serde_json::Value;
use tidewatch_events::Envelope;

use super::{Reducer, steps};
use crate::model::{EventSteps, RecordCharts, Snapshot, StandingCount};

/// The charts of a module that follow events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartsState(RecordCharts);

impl ChartsState {
    /// The charts as they were loaded.
    #[must_use]
    pub const fn new(charts: RecordCharts) -> Self {
        Self(charts)
    }

    /// How many records stand where; nothing where that is not drawn.
    #[must_use]
    pub fn by_status(&self) -> Option<&[StandingCount]> {
        self.0.by_status.as_deref()
    }

    /// What happened to them; nothing where that is not drawn.
    #[must_use]
    pub const fn over_time(&self) -> Option<&EventSteps> {
        self.0.over_time.as_ref()
    }
}

impl Reducer for ChartsState {
    type Data = RecordCharts;

    /// Time goes on when nothing happens.
    const REFRESH: Option<Duration> = Some(Duration::from_secs(10));

    fn apply(&mut self, envelope: &Envelope) -> bool {
        if envelope.aggregate_type != self.0.aggregate_type {
            return false;
        }
        if let Some(counts) = &mut self.0.by_status {
            let said = |name: &str| envelope.payload.get(name).and_then(Value::as_str);
            let (left, reached) = match (envelope.aggregate_version, said("fromStatus"), said("toStatus")) {
                (1, ..) => (None, said("status")),
                (_, Some(from), Some(to)) => (Some(from), Some(to)),
                // It stands where it stood.
                _ => (None, None),
            };
            let mut add = |status: Option<&str>, change: i64| {
                if let Some(entry) = counts.iter_mut().find(|entry| Some(&*entry.status) == status) {
                    entry.count = entry.count.saturating_add_signed(change);
                }
            };
            add(left, -1);
            add(reached, 1);
        }
        if let Some(over_time) = &mut self.0.over_time {
            let (width_ms, most) = (i64::from(over_time.seconds) * 1_000, over_time.steps.len());
            steps::count(&mut over_time.steps, width_ms, most, envelope.occurred_at);
        }
        true
    }

    fn replace(&mut self, snapshot: Snapshot<RecordCharts>) {
        self.0 = snapshot.data;
    }

    fn wants_refetch(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::{AggregateType, Timestamp};

    use super::super::super::testing::event;
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).expect("a time")
    }

    fn charts() -> ChartsState {
        let count =
            |status: &str, count| StandingCount { status: status.into(), label: status.into(), count };
        ChartsState::new(RecordCharts {
            aggregate_type: AggregateType::SETTLEMENT,
            by_status: Some(vec![count("waiting", 3), count("done", 0)]),
            over_time: Some(EventSteps {
                seconds: 60,
                steps: (7..=10).map(|minute| (at(minute * MINUTE), minute as u64)).collect(),
            }),
        })
    }

    fn told(version: i64, at_millis: i64, payload: Value) -> Envelope {
        Envelope { aggregate_version: version, occurred_at: at(at_millis), payload, ..event(1) }
    }

    fn counts(charts: &ChartsState) -> Vec<u64> {
        charts.by_status().expect("counts").iter().map(|entry| entry.count).collect()
    }

    fn steps(charts: &ChartsState) -> Vec<(i64, u64)> {
        let steps = &charts.over_time().expect("steps").steps;
        steps.iter().map(|(begin, count)| (begin.unix_millis() / MINUTE, *count)).collect()
    }

    #[test]
    fn counts_where_records_come_to_stand() {
        let mut charts = charts();
        let moved = json!({ "status": "done", "fromStatus": "waiting", "toStatus": "done" });
        assert!(charts.apply(&told(1, 0, json!({ "status": "waiting" }))));
        assert!(charts.apply(&told(2, 0, moved)));
        assert!(charts.apply(&told(3, 0, json!({ "status": "done", "changed": ["assignee"] }))));
        assert_eq!(counts(&charts), [3, 1]);
        let other =
            Envelope { aggregate_type: AggregateType::ORDER, ..told(1, 0, json!({ "status": "done" })) };
        assert!(!charts.apply(&other));
        assert_eq!(counts(&charts), [3, 1]);
    }

    #[test]
    fn steps_go_on_with_what_happens() {
        let mut charts = charts();
        let mut tell = |millis| charts.apply(&told(3, millis, Value::Null));
        tell(10 * MINUTE + 59_999);
        tell(8 * MINUTE);
        tell(MINUTE);
        tell(12 * MINUTE + 1);
        assert_eq!(steps(&charts), [(9, 9), (10, 11), (11, 0), (12, 1)]);
        charts.apply(&told(3, 5_000 * MINUTE, Value::Null));
        assert_eq!(steps(&charts), [(4_997, 0), (4_998, 0), (4_999, 0), (5_000, 1)]);
    }
}
