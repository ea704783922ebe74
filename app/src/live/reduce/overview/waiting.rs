//! What waits for a person in other modules.
//!
//! An event says where its record stood and stands, so counts follow at once; those of records that were ahead of the
//! log are put right by the next look at the table, which comes every few seconds.

use serde_json::Value;
use tidewatch_events::Envelope;

use crate::model::Waiting;

/// Counts the event in; `false`: it is of nothing that waits.
pub(super) fn note(waiting: &mut [Waiting], envelope: &Envelope) -> bool {
    let said = |name: &str| envelope.payload.get(name).and_then(Value::as_str);
    let is_new = envelope.event_type.as_str().ends_with(".created");
    let (before, now) = if is_new { (None, said("status")) } else { (said("fromStatus"), said("toStatus")) };
    let mut changed = false;
    for line in waiting.iter_mut().filter(|line| line.aggregate_type == envelope.aggregate_type) {
        let stood = before == Some(line.status.as_str());
        let stands = now == Some(line.status.as_str());
        let count = &mut line.total.count;
        match (stood, stands) {
            (true, false) => *count = count.saturating_sub(1),
            (false, true) => *count += 1,
            _ => continue,
        }
        changed = true;
    }
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewatch_events::AggregateType;
    use tidewatch_events::catalog::settlement::SettlementStatus;
    use tidewatch_modules::Tone;

    use super::super::super::testing::{Change, Ledger};
    use super::*;
    use crate::model::Total;

    fn waiting() -> Vec<Waiting> {
        ["open", "acknowledged"]
            .map(|status| Waiting {
                module: "incidents".into(),
                aggregate_type: AggregateType::INCIDENT,
                status: status.into(),
                label: String::new(),
                tone: Tone::Bad,
                total: Total { count: 1, estimated: false },
            })
            .to_vec()
    }

    fn counts(waiting: &[Waiting]) -> Vec<u64> {
        waiting.iter().map(|line| line.total.count).collect()
    }

    #[test]
    fn counts_along() {
        let mut waiting = waiting();
        let mut ledger = Ledger::default();
        ledger.make(Change { settlement: 0, status: SettlementStatus::Created, after: 0 });
        let some = ledger.log[0].clone();
        let of = |event_type: &str, payload: Value| Envelope {
            event_type: event_type.parse().expect("a type"),
            aggregate_type: AggregateType::INCIDENT,
            payload,
            ..some.clone()
        };
        assert!(note(&mut waiting, &of("incident.created", json!({ "status": "open" }))));
        assert_eq!(counts(&waiting), [2, 1]);
        let moved = json!({ "fromStatus": "open", "toStatus": "acknowledged", "status": "acknowledged" });
        assert!(note(&mut waiting, &of("incident.status_changed", moved)));
        assert_eq!(counts(&waiting), [1, 2]);
        assert!(!note(&mut waiting, &of("incident.updated", json!({ "status": "open" }))));
        assert!(!note(&mut waiting, &some), "of another module");
        assert_eq!(counts(&waiting), [1, 2]);
    }
}
